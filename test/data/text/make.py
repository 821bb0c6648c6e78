#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes the small tokenizers of this folder and their expected results.

    python3 -m venv /tmp/venv
    /tmp/venv/bin/pip install tokenizers==0.23.3 sentencepiece==0.2.3 jinja2==3.1.6
    /tmp/venv/bin/python make.py

Everything here is trained on the sentences below. The expected ids and texts are
those of the `tokenizers` and `sentencepiece` libraries, the expected chats those
of Jinja2 as `transformers` sets it up.
"""

import io
import json
import pathlib
import random
import unicodedata

import jinja2.ext
import sentencepiece
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers
from tokenizers import pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent

SENTENCES = """
The harbour was quiet, and the two boats hadn't moved since Tuesday.
We'll need 12 apples, 3 pears and 450 grams of flour; that's all.
She'd said: "It's not the wind, it's the water that turns the wheel!"
I'm sure they've read it; you're sure he'd like it. They'RE LATE, aren't they?
def area(width, height):\n    return width * height  # square metres\n
for (int i = 0; i < 1024; ++i) {\n\tsum += values[i] / 2.5e-3;\n}\n
Der Müller fährt über die Brücke, größer als die alte, und grüßt freundlich.
Où est la bibliothèque ? L'été dernier, elle était près de la forêt.
¿Cuántos años tiene el niño? Mañana cumplirá siete, señor.
Мельница стоит у реки, и колесо медленно вращается на ветру.
Ο μύλος στέκεται δίπλα στο ποτάμι και ο τροχός γυρίζει αργά.
水车在河边慢慢地转，磨坊里有三袋面粉。今天是二〇二四年。
水車は川のそばでゆっくり回り、粉は三袋あります。カタカナも書きます。
물레방아는 강가에서 천천히 돌고 밀가루는 세 자루 있습니다.
الطاحونة تقف بجانب النهر، والعجلة تدور ببطء ٣٤٥ مرة.
הטחנה עומדת ליד הנהר והגלגל מסתובב לאט.
नदी के किनारे पनचक्की धीरे-धीरे घूमती है। १२३ बोरे।
กังหันน้ำหมุนช้าๆ อยู่ริมแม่น้ำ
Emoji: 🙂🙂 👩‍🚀 🇩🇪 👍🏽 and signs: ½ ² ™ € £ → ∑ ≤ ≥ ∞.
Prices rose by 7.25 % in 1999, 2003 and 2017; see https://example.org/a?b=c&d=e#f.
HELLO World, CamelCaseWords and snake_case_words, kebab-case-words.
Tabs\tand   runs    of     spaces, \r\nlines\r\nand\n\n\nmore lines.
"""
LINES = [line.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r") for line in SENTENCES.strip().split("\n")]

GPT2 = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
TEKKEN = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def train(tokenizer, size, special=(), **options):
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=list(special), show_progress=False, **options)
    tokenizer.train_from_iterator(LINES, trainer)
    return tokenizer


def alphabet(count):
    """The most frequent characters; the trainer's own choice differs from run to run."""
    text = "".join(LINES)
    chosen = sorted(set(text), key=lambda character: (-text.count(character), character))[:count]
    return {"initial_alphabet": chosen, "limit_alphabet": count}


def byte_level(pre, size, special, normalizer=None):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoders.ByteLevel()
    return train(tokenizer, size, special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())


def split(pattern):
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def digits():
    """As SmolLM2's: digits one by one, then GPT-2's pattern."""
    pre = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    return byte_level(pre, 420, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"])


def llama3():
    """As Llama 3's, with added tokens of every kind."""
    data = json.loads(byte_level(split(LLAMA3), 440, []).to_str())
    data["model"]["ignore_merges"] = True
    # A token that no merge leads to.
    data["model"]["vocab"]["Ġmore"] = len(data["model"]["vocab"])
    tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.add_special_tokens(["<|begin|>", "<|end|>", "<|eot_id|>", AddedToken("<|gap|>", lstrip=True, rstrip=True, special=True)])
    tokenizer.add_tokens(
        [
            AddedToken("<mark>", normalized=False),
            AddedToken("<mark>s", normalized=True),
            AddedToken("word", single_word=True),
            AddedToken("left", lstrip=True),
            AddedToken("right", rstrip=True, normalized=False),
            AddedToken("Straße", normalized=False),
            AddedToken("two words", normalized=False),
        ]
    )
    begin = tokenizer.token_to_id("<|begin|>")
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(single="<|begin|> $A", special_tokens=[("<|begin|>", begin)]),
        ]
    )
    return tokenizer


def qwen2():
    return byte_level(split(QWEN2), 400, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"], normalizers.NFC())


def tekken():
    return byte_level(split(TEKKEN), 400, ["<unk>", "<s>", "</s>", "[INST]", "[/INST]"])


def sentencepiece_model():
    """A BPE model with byte fallback, as Llama 2's."""
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([part for line in LINES for part in line.split("\n") if part]),
        model_writer=out,
        model_type="bpe",
        vocab_size=560,
        character_coverage=0.99,
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        split_digits=True,
        allow_whitespace_only_pieces=True,
        user_defined_symbols=["<pause>", "\n\n"],
        unk_surface=" \u2047 ",
        minloglevel=2,
    )
    return out.getvalue()


def spm(model):
    """The same model in the form of a tokenizer.json, as `transformers` converts it."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    count = processor.get_piece_size()
    vocab = {processor.id_to_piece(i): i for i in range(count)}
    merges = []
    for piece, _ in sorted(vocab.items(), key=lambda entry: entry[1]):
        if processor.get_score(vocab[piece]) == 0 or processor.is_byte(vocab[piece]):
            continue
        local = [(piece[:i], piece[i:]) for i in range(1, len(piece)) if piece[:i] in vocab and piece[i:] in vocab]
        local.sort(key=lambda pair: (vocab[pair[0]], vocab[pair[1]]))
        merges += local
    merges.sort(key=lambda pair: -processor.get_score(vocab[pair[0] + pair[1]]))
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in ["<unk>", "<s>", "</s>"]])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer


def metaspace():
    """Characters with an unknown token, Metaspace before and after."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    train(tokenizer, 380, ["<unk>", "<s>", "</s>"], **alphabet(120))
    tokenizer.add_tokens([AddedToken("<tool>", normalized=False)])
    return tokenizer


def words():
    """Many normalizers and splitters, no decoder, unknown characters one by one."""
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.Lowercase(),
            normalizers.Replace(Regex(r"\s{2,}"), " "),
            normalizers.Replace("hello", "goodbye"),
            normalizers.Strip(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"[.,]"), "merged_with_previous"),
            pre_tokenizers.Split("-", "merged_with_next"),
            pre_tokenizers.Whitespace(),
            pre_tokenizers.Digits(),
            pre_tokenizers.Split(Regex(r"[aeiou]{2}"), "contiguous"),
            pre_tokenizers.Split(Regex(r"\w+"), "removed", invert=True),
        ]
    )
    train(tokenizer, 320, ["[UNK]"], **alphabet(150))
    tokenizer.add_tokens([AddedToken("Big Bang"), AddedToken("ﬁn", single_word=True)])
    return tokenizer


def random_text(rng):
    """Characters of every general category, words, numbers, runs."""
    pieces = []
    for _ in range(rng.randint(1, 7)):
        kind = rng.randrange(9)
        if kind == 0:
            word = rng.choice(rng.choice(LINES).split(" "))
            pieces.append(rng.choice([word, word.upper(), " " + word, word.title()]))
        elif kind == 1:
            pieces.append(rng.choice(["'s", "'LL", "'re", "'ſ", "'t", "’s", "''d"]))
        elif kind == 2:
            pieces.append(rng.choice([" ", "  ", "\t", "\n", "\r\n", "\u3000", "\u00a0 ", " \n\n ", "\u2003", "\u180e"]) * rng.randint(1, 4))
        elif kind == 3:
            pieces.append(str(rng.randrange(10 ** rng.randint(1, 9))))
        elif kind == 4:
            pieces.append("".join(rng.choice(POOL[rng.choice(sorted(POOL))]) for _ in range(rng.randint(1, 4))))
        elif kind == 5:
            pieces.append("".join(rng.choice("aeiouxyz") for _ in range(rng.randint(1, 25))))
        elif kind == 6:
            pieces.append(rng.choice("!?.,;:-_/\\()[]{}<>@#$%^&*+=|~`\"") * rng.randint(1, 5))
        elif kind == 7:
            pieces.append(rng.choice(SPECIALS))
        else:
            pieces.append(chr(rng.choice([0x4E00, 0x3040, 0xAC00, 0x1F600, 0x0300, 0xE000, 0x20000]) + rng.randrange(80)))
    return "".join(pieces)


POOL = {}
for code in range(0x20, 0x30000):
    category = unicodedata.category(chr(code))
    if category not in ("Cs", "Cn"):
        POOL.setdefault(category, []).append(chr(code))
for category in list(POOL):
    POOL[category] = random.Random(category).sample(POOL[category], min(60, len(POOL[category])))
# Younger than Unicode 14: Han, Kawi, a digit, a sign, a vowel.
POOL["young"] = list("\U00031350\U0002EBF0\U00011F04\U00011F50\U0001F6DC\u0CF3\U0001E4D0\U00010D40")

SPECIALS = """<|endoftext|> <|im_start|> <|im_end|> <|begin|> <|end|> <|eot_id|> <|gap|> <mark> <mark>s word words
left right Straße <unk> <s> </s> [INST] [/INST] <pause> <tool> [UNK] ﬁn Hello <0x0A> <|im_start|""".split()
SPECIALS += [" <|gap|> ", "Big Bang", "BIG BANG", " left", "right  ", "a word b", "two words", "▁", "▁▁x", "<|im_start|>user\n"]

FIXED = [
    "", " ", "a", "  a", "a  ", "\n", "\n\n", "\u0000", "a\u0000b", "don't", "DON'T", "it's we'll I'd", "x" * 90,
    "ab" * 60, " " * 40 + "x", "\n" * 9 + "x", "1234567890", "12 345", "a1b22c333", "e\u0301\u0323", "\u1e9b\u0323", "ﬁne",
    "한국어", "각", "ÅÅ", "İstanbul", "ΣΑΣ", "🙂👩‍🚀🇩🇪", "\ufffd", "\ufeffx", "\U0010ffff", "中文字符测试",
]


def cases(tokenizer, seed, count, decode_more=True):
    rng = random.Random(seed)
    texts = FIXED + [random_text(rng) for _ in range(count)]
    rows = []
    for text in texts:
        tokenizer.encode_special_tokens = False
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        tokenizer.encode_special_tokens = True
        row = {"text": text, "ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=False)}
        plain = tokenizer.encode(text, add_special_tokens=False).ids
        skipped = tokenizer.decode(ids, skip_special_tokens=True)
        if plain != ids:
            row["plain"] = plain
        if skipped != row["decoded"]:
            row["skipped"] = skipped
        rows.append(row)
    # Any ids, in any order, also some that do not exist.
    for _ in range(20 if decode_more else 0):
        ids = [rng.randrange(tokenizer.get_vocab_size() + 3) for _ in range(rng.randint(1, 12))]
        rows.append({"ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=False),
                     "skipped": tokenizer.decode(ids, skip_special_tokens=True)})
    return rows


def model_cases(model, seed, count):
    """Of the sentencepiece library itself: special tokens are plain text."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    rng = random.Random(seed)
    rows = []
    for text in FIXED + [random_text(rng) for _ in range(count)]:
        ids = processor.encode(text)
        rows.append({"text": text, "plain": ids, "decoded": processor.decode(ids)})
    for _ in range(20):
        # Without <unk>, whose text is a matter of taste.
        ids = [rng.randrange(1, processor.get_piece_size()) for _ in range(rng.randint(1, 12))]
        rows.append({"ids": ids, "skipped": processor.decode(ids)})
    return rows


class Generation(jinja2.ext.Extension):
    """The tag by which `transformers` marks what the assistant says."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        call = self.call_method("_body")
        return jinja2.nodes.CallBlock(call, [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def chat_environment():
    extensions = [jinja2.ext.loopcontrols, Generation]
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=extensions)

    def refuse(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    environment.globals["raise_exception"] = refuse
    environment.filters["tojson"] = tojson
    return environment


def render(source, messages, prompt=True):
    """The text, or None where Jinja has none."""
    try:
        template = chat_environment().from_string(source)
        return template.render(
            messages=messages, tools=None, documents=None, add_generation_prompt=prompt,
            bos_token="<s>", eos_token="</s>",
        )
    except Exception:
        return None


def random_messages(rng):
    roles = ["user", "assistant"] * 3
    if rng.random() < 0.3:
        rng.shuffle(roles)
    if rng.random() < 0.4:
        roles.insert(0, "system")
    if rng.random() < 0.2:
        roles[rng.randrange(len(roles))] = "tool"
    contents = ["Hi", "  spaced  ", "", "a\nb\n", "<think>\nhm\n</think>\n\nyes", "<tool_response>x</tool_response>",
                "{{ x }}", "\"q\" 's' \\", "中文 🙂"]
    return [{"role": role, "content": rng.choice(contents)} for role in roles[: rng.randint(1, 6)]]


def style_cases():
    rng = random.Random(5)
    rows = []
    for path in sorted((HERE / "chat").glob("*.jinja")):
        source = path.read_text()
        for _ in range(25):
            messages, prompt = random_messages(rng), rng.random() < 0.6
            text = render(source, messages, prompt)
            rows.append({"template": path.name, "messages": messages, "add_generation_prompt": prompt, "rendered": text})
    return rows


CHAT = [{"role": "system", "content": "S é"}, {"role": "user", "content": " U\n"}, {"role": "assistant", "content": "A"}]


def snippet_cases():
    rows = []
    for line in (HERE / "chat" / "expressions.txt").read_text().splitlines():
        rows.append("{{ " + line + " }}")
    for line in (HERE / "chat" / "statements.txt").read_text().splitlines():
        rows.append(line.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r"))
    return [{"template": source, "rendered": render(source, CHAT)} for source in rows]


def dump(rows):
    return "[\n" + ",\n".join(json.dumps(row, ensure_ascii=True, separators=(",", ":")) for row in rows) + "\n]\n"


def compact(text):
    return json.dumps(json.loads(text), ensure_ascii=True, separators=(",", ":")) + "\n"


def main():
    model = sentencepiece_model()
    made = {
        "digits": digits(), "llama3": llama3(), "qwen2": qwen2(), "tekken": tekken(),
        "spm": spm(model), "metaspace": metaspace(), "words": words(),
    }
    for number, (name, tokenizer) in enumerate(made.items()):
        (HERE / f"{name}.json").write_text(compact(tokenizer.to_str()))
        (HERE / f"{name}.cases.json").write_text(dump(cases(tokenizer, number, 60)))
    (HERE / "spm.model").write_bytes(model)
    (HERE / "chat" / "styles.cases.json").write_text(dump(style_cases()))
    (HERE / "chat" / "snippets.cases.json").write_text(dump(snippet_cases()))
    (HERE / "spm.model.cases.json").write_text(dump(model_cases(model, 99, 60)))


if __name__ == "__main__":
    main()
