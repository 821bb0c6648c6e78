# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A byte-level BPE tokenizer in Hugging Face's format: 3 special tokens, 256 bytes,
and the merges that make each skill's name one token. Letters and digits of the
items stay single tokens, since the tasks are about them."""
import json
import re

BOS, EOS, PAD = "<s>", "</s>", "<pad>"
BOS_ID, EOS_ID, PAD_ID = range(3)


def byte_alphabet():
    """Returns GPT-2's table: byte -> the printable character that stands for it."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {b: chr(b) for b in plain}
    for b in range(256):
        if b not in table:
            table[b] = chr(256 + len(table) - len(plain))
    return table


def learn_merges(words):
    """Returns the pairs to merge, most frequent first (ties: first in order),
    until each word is one token."""
    words, merges = [list(w) for w in words], []
    while any(len(w) > 1 for w in words):
        pairs = {}
        for w in words:
            for pair in zip(w, w[1:]):
                pairs[pair] = pairs.get(pair, 0) + 1
        best = max(sorted(pairs), key=pairs.get)
        merges.append(best)
        words = [merge(w, best) for w in words]
    return merges


def merge(word, pair):
    out, i = [], 0
    while i < len(word):
        if tuple(word[i:i + 2]) == pair:
            out.append(word[i] + word[i + 1])
            i += 2
        else:
            out.append(word[i])
            i += 1
    return out


class Tokenizer:
    def __init__(self, names):
        self.table = byte_alphabet()
        self.special = [BOS, EOS, PAD]
        self.merges = learn_merges(names)
        self.ranks = {pair: i for i, pair in enumerate(self.merges)}
        tokens = self.special + [self.table[b] for b in sorted(self.table)]
        tokens += [a + b for a, b in self.merges]
        assert len(set(tokens)) == len(tokens)
        self.ids = {t: i for i, t in enumerate(tokens)}
        self.tokens = tokens

    def encode(self, text):
        """Returns the ids without BOS, for text of the kind the tasks use."""
        ids = []
        for piece in re.findall(r"[A-Za-z]+|[0-9]|[^A-Za-z0-9\s]+", text):
            word = [self.table[b] for b in piece.encode()]
            while found := [p for p in zip(word, word[1:]) if p in self.ranks]:
                word = merge(word, min(found, key=self.ranks.get))
            ids += [self.ids[t] for t in word]
        return ids

    def decode(self, ids):
        back = {c: b for b, c in self.table.items()}
        text = "".join(self.tokens[i] for i in ids if i >= len(self.special))
        return bytes(back[c] for c in text).decode(errors="replace")

    def write(self, folder, positions):
        special = [{"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False,
                    "normalized": False, "special": True} for i, t in enumerate(self.special)]
        byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
        whole = {
            "version": "1.0", "truncation": None, "padding": None, "added_tokens": special,
            "normalizer": None,
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                {"type": "Digits", "individual_digits": True}, byte_level | {"use_regex": True}]},
            "post_processor": {
                "type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": BOS, "type_id": 0}},
                           {"Sequence": {"id": "A", "type_id": 0}}],
                "pair": [{"SpecialToken": {"id": BOS, "type_id": 0}},
                         {"Sequence": {"id": "A", "type_id": 0}},
                         {"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": {BOS: {"id": BOS, "ids": [BOS_ID], "tokens": [BOS]}}},
            "decoder": byte_level | {"use_regex": True},
            "model": {"type": "BPE", "dropout": None, "unk_token": None,
                      "continuing_subword_prefix": None, "end_of_word_suffix": None,
                      "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                      "vocab": self.ids, "merges": [list(pair) for pair in self.merges]},
        }
        config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": BOS, "eos_token": EOS,
                  "pad_token": PAD, "add_bos_token": True, "add_eos_token": False,
                  "clean_up_tokenization_spaces": False, "model_max_length": positions}
        for name, data in [("tokenizer.json", whole), ("tokenizer_config.json", config)]:
            (folder / name).write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
