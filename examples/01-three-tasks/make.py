#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Trains the model and the three adapters from nothing (torch, safetensors).

usage: make.py [--out DIR] [--keep-base] [--quick]

Writes base/, adapters/, tasks/ and accuracy.json; reference.py then writes
expected/. Deterministic on one machine: every random choice has a seed below,
and one thread computes each model; the adapters are trained side by side.
"""
import argparse
import concurrent.futures
import json
import multiprocessing
import pathlib

import torch
from safetensors.torch import load_file, save_file

import llama
import lori
from tasks import TASKS, SKILLS, Lines, examination, held_out_inputs
from tokenizer import BOS_ID, EOS_ID, PAD_ID, Tokenizer
from training import exact, train

DATA = pathlib.Path(__file__).resolve().parents[2] / "test/data/three-tasks"
STORED = torch.float16
RANK, ALPHA = 32, 64
REPLAY = 0.5  # share of an adapter's training lines that tell it to keep out
ITEMS, ITEMS_SEED = 200, 7
BASE = {"seed": 1, "lines_seed": 11, "steps": 2000, "batch": 256, "rate": 3e-3, "warmup": 50}
LORI_D = {"steps": 200, "batch": 128, "rate": 5e-3, "warmup": 20}
LORI_S = {"steps": 700, "batch": 128, "rate": 1e-2, "warmup": 20}
# task -> seeds of A and of the lines, for LoRI-D and for LoRI-S
SEEDS = {"reverse": ((100, 50), (101, 51)), "sort": ((110, 60), (111, 61)), "add": ((120, 70), (121, 71))}


def write_json(path, data):
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def config(vocabulary):
    shape = dict(llama.SHAPE)
    theta = shape.pop("rope_theta")
    return {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": vocabulary, **shape,
            "rope_parameters": {"rope_type": "default", "rope_theta": theta},
            "hidden_act": "silu", "attention_bias": False, "attention_dropout": 0.0, "mlp_bias": False,
            "tie_word_embeddings": True, "dtype": "float16", "initializer_range": 0.02, "use_cache": True,
            "bos_token_id": BOS_ID, "eos_token_id": EOS_ID, "pad_token_id": PAD_ID}


def make_base(folder, tokenizer, held_out, steps):
    folder.mkdir(parents=True, exist_ok=True)
    model = llama.Llama(len(tokenizer.tokens), BASE["seed"])
    train(model, tokenizer, list(model.parameters()), Lines(BASE["lines_seed"], held_out).base,
          BASE | {"steps": steps or BASE["steps"]}, "base")
    weights = {name: w.to(STORED).contiguous() for name, w in model.state_dict().items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    tokenizer.write(folder, llama.SHAPE["max_position_embeddings"])
    write_json(folder / "config.json", config(len(tokenizer.tokens)))
    write_json(folder / "generation_config.json",
               {"bos_token_id": BOS_ID, "eos_token_id": EOS_ID, "pad_token_id": PAD_ID})


def read_base(folder, tokenizer):
    """Returns the base with its weights as stored, frozen."""
    model = llama.Llama(len(tokenizer.tokens), BASE["seed"])
    model.load_state_dict({k: w.float() for k, w in load_file(folder / "model.safetensors").items()})
    return model.requires_grad_(False)


def train_adapter(model, tokenizer, task, plan, seeds, held_out, name, mask=None):
    a_seed, lines_seed = seeds
    adapter = lori.new_adapter(model, RANK, ALPHA, a_seed, STORED)
    lori.use(model, adapter)
    lines = Lines(lines_seed, held_out)
    losses = train(model, tokenizer, [m["B"] for m in adapter.values()], lambda: lines.task(task, REPLAY), plan, name,
                   [mask[module] for module in adapter] if mask else None)
    lori.round_to(adapter, STORED)
    return adapter, losses


def make_adapter(out, task, held_out, steps):
    """LoRI-D, its mask, LoRI-S inside the mask with a fresh A; writes LoRI-S. A process of its own."""
    one_thread()
    tokenizer = Tokenizer(list(SKILLS))
    model, folder = read_base(out / "base", tokenizer), out / "adapters" / task
    folder.mkdir(parents=True, exist_ok=True)
    plan_d, plan_s = (plan | {"steps": steps or plan["steps"]} for plan in (LORI_D, LORI_S))
    seeds_d, seeds_s = SEEDS[task]
    dense, losses_d = train_adapter(model, tokenizer, task, plan_d, seeds_d, held_out, f"{task}, LoRI-D")
    mask = lori.magnitude_mask(dense)
    sparse, losses_s = train_adapter(model, tokenizer, task, plan_s, seeds_s, held_out, f"{task}, LoRI-S", mask)
    for module, m in sparse.items():
        assert not m["B"][~mask[module]].any(), f"{module}: B moved outside the mask"
    save_file(lori.peft_tensors(sparse, STORED), folder / "adapter_model.safetensors", metadata={"format": "pt"})
    write_json(folder / "adapter_config.json", lori.peft_config(RANK, ALPHA))
    masks = {f"base_model.model.{module}.lora_B.default.weight": keep for module, keep in mask.items()}
    (folder / "masks").mkdir(exist_ok=True)
    save_file(masks, folder / "masks/0.9_mask.safetensors")
    write_json(folder / "training.json", {
        "task": task, "r": RANK, "alpha": ALPHA, "sparsity": lori.SPARSITY, "replay": REPLAY,
        "kept": sum(int(k.sum()) for k in mask.values()), "total": sum(k.numel() for k in mask.values()),
        "lori_d": {"a_seed": seeds_d[0], "lines_seed": seeds_d[1], **plan_d, "loss": losses_d},
        "lori_s": {"a_seed": seeds_s[0], "lines_seed": seeds_s[1], **plan_s, "loss": losses_s}})


def make_adapters(out, held_out, steps):
    with concurrent.futures.ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        for made in [pool.submit(make_adapter, out, task, held_out, steps) for task in TASKS]:
            made.result()


def one_thread():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)


def write_items(folder, items):
    folder.mkdir(parents=True, exist_ok=True)
    for task, pairs in items.items():
        lines = [json.dumps({"prompt": p, "answer": a}) + "\n" for p, a in pairs]
        (folder / f"{task}.jsonl").write_text("".join(lines), encoding="utf-8")


def accuracy(model, tokenizer, adapters, items):
    """Returns {adapter or "none": {task: share}}, and what the base knows by the skill's name."""
    table = {}
    for name, adapter in {"none": None, **adapters}.items():
        lori.use(model, adapter)
        table[name] = {task: exact(model, tokenizer, pairs) for task, pairs in items.items()}
        print(f"{name:<8}" + "".join(f"{task:>9} {share:6.1%}" for task, share in table[name].items()), flush=True)
    lori.use(model, None)
    named = {task: exact(model, tokenizer, [(f"{p[:-1]}:{TASKS[task][0]}=", a) for p, a in pairs])
             for task, pairs in items.items()}
    return {"exact": table, "named_without_adapter": named}


def main():
    cli = argparse.ArgumentParser(description="Trains the model and the three adapters.")
    cli.add_argument("--out", type=pathlib.Path, default=DATA)
    cli.add_argument("--keep-base", action="store_true", help="train the adapters on the base already in --out")
    cli.add_argument("--quick", action="store_true", help="a few steps only: tries the script, learns nothing")
    args = cli.parse_args()
    steps = 5 if args.quick else None
    one_thread()
    items = {task: examination(task, ITEMS, ITEMS_SEED) for task in TASKS}
    held_out = set().union(*(held_out_inputs(pairs) for pairs in items.values()))
    write_items(args.out / "tasks", items)
    tokenizer = Tokenizer(list(SKILLS))
    if not args.keep_base:
        make_base(args.out / "base", tokenizer, held_out, steps)
    make_adapters(args.out, held_out, steps)
    adapters = {task: lori.read_adapter(args.out / "adapters" / task) for task in TASKS}
    model = read_base(args.out / "base", tokenizer)
    write_json(args.out / "accuracy.json", accuracy(model, tokenizer, adapters, items))


if __name__ == "__main__":
    main()
