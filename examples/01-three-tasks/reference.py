#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes expected/: what transformers and PEFT compute from the files of make.py, in f32.

usage: reference.py [--data DIR]       (torch, transformers, peft, safetensors)

expected/base.safetensors and expected/<adapter>.safetensors hold, for prompts 0
to 2 (the first item of each task): prompt{i}.input_ids i64 [n], .logits f32
[n, vocabulary] at every position, .greedy i64 [12] with the end token ignored,
.greedy_margin f32 [12], the gap between the best two logits of each step.
merged.prompt{i}.* is the same after merge_and_unload. versions.json says what
computed it. Also holds the accuracies of make.py against transformers'.
"""
import argparse
import json
import pathlib

import peft
import torch
import transformers
from safetensors.torch import save_file

from tasks import TASKS

DATA = pathlib.Path(__file__).resolve().parents[2] / "test/data/three-tasks"
STEPS = 12
TOLERANCE = 0.01  # of the accuracies: near-ties may fall either way


def load_base(data):
    return transformers.AutoModelForCausalLM.from_pretrained(
        data / "base", dtype=torch.float32, attn_implementation="eager").eval()


def load_adapter(data, task):
    return peft.PeftModel.from_pretrained(load_base(data), data / "adapters" / task).eval()


@torch.no_grad()
def follow(model, ids):
    """Returns the greedy continuation of ids [1, n] and its margins."""
    tokens, margins = [], []
    for _ in range(STEPS):
        best = model(input_ids=ids, use_cache=False).logits[0, -1].topk(2)
        tokens.append(best.indices[0].item())
        margins.append((best.values[0] - best.values[1]).item())
        ids = torch.cat((ids, best.indices[:1].view(1, 1)), 1)
    return tokens, margins


@torch.no_grad()
def numbers(model, prompts, prefix=""):
    out = {}
    for i, ids in enumerate(prompts):
        tokens, margins = follow(model, ids)
        out |= {f"{prefix}prompt{i}.input_ids": ids[0].clone(),
                f"{prefix}prompt{i}.logits": model(input_ids=ids, use_cache=False).logits[0].contiguous(),
                f"{prefix}prompt{i}.greedy": torch.tensor(tokens),
                f"{prefix}prompt{i}.greedy_margin": torch.tensor(margins)}
    return out


@torch.no_grad()
def exact(model, tokenizer, items):
    by_length = {}
    for item in items:
        ids = tokenizer(item["prompt"]).input_ids
        by_length.setdefault(len(ids), []).append((ids, item["answer"]))
    right = 0
    for n, group in by_length.items():
        ids = torch.tensor([ids for ids, _ in group])
        out = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=STEPS)
        texts = tokenizer.batch_decode(out[:, n:], skip_special_tokens=True)
        right += sum(text == answer for text, (_, answer) in zip(texts, group))
    return right / len(items)


def main():
    cli = argparse.ArgumentParser(description="Writes the reference numbers of transformers and PEFT.")
    cli.add_argument("--data", type=pathlib.Path, default=DATA)
    data = cli.parse_args().data
    torch.set_num_threads(1)
    tokenizer = transformers.AutoTokenizer.from_pretrained(data / "base")
    items = {task: [json.loads(line) for line in (data / "tasks" / f"{task}.jsonl").open(encoding="utf-8")]
             for task in TASKS}
    prompts = [tokenizer(items[task][0]["prompt"], return_tensors="pt").input_ids for task in TASKS]
    table = json.loads((data / "accuracy.json").read_text())["exact"]
    expected = data / "expected"
    expected.mkdir(exist_ok=True)
    for name in ["none", *TASKS]:
        model = load_base(data) if name == "none" else load_adapter(data, name)
        found = numbers(model, prompts)
        for task in TASKS:
            share = exact(model, tokenizer, items[task])
            print(f"{name} on {task}: {share:.1%}", flush=True)
            assert abs(share - table[name][task]) <= TOLERANCE, f"make.py measured {table[name][task]:.1%}"
        if name != "none":
            found |= numbers(model.merge_and_unload(), prompts, "merged.")
        save_file(found, expected / f"{'base' if name == 'none' else name}.safetensors")
    versions = {m.__name__: m.__version__ for m in (torch, transformers, peft)}
    (expected / "versions.json").write_text(json.dumps(versions, indent=1) + "\n")


if __name__ == "__main__":
    main()
