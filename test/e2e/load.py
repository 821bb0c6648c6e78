# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Adapters loaded at run time compute what PEFT does, alone, beside compiled-in ones, in one
batch of different adapters, and scaled; what cannot be loaded is refused in one line.
"""
# RUN: %python %s %bin/lori-compile %data/three-tasks %t

import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "Inputs"))
from programs import answers, compile_program, failure, logits, read_safetensors, share_of_bound

TASKS = ["add", "reverse", "sort"]


def load(data, *tasks):
    return [part for task in tasks for part in ("--load", f"{task}={data / 'adapters' / task}")]


def check_numbers(program, data):
    for task in TASKS:
        expected = read_safetensors(data / "expected" / f"{task}.safetensors")
        for i in range(len(TASKS)):
            ids, wanted = (expected[f"prompt{i}.{part}"][1] for part in ("input_ids", "logits"))
            worst = share_of_bound(logits(program, ids, *load(data, *TASKS), "--adapter", task), wanted)
            assert worst <= 1, f"{task}: {worst:.2f} times the bound"
    base = read_safetensors(data / "expected" / "base.safetensors")
    ids, wanted = (base[f"prompt0.{part}"][1] for part in ("input_ids", "logits"))
    for off in ([], ["--adapter", "add=0"]):
        worst = share_of_bound(logits(program, ids, *load(data, "add"), *off), wanted)
        assert worst <= 1, f"base beside a loaded adapter: {worst:.2f} times the bound"


def check_sum(program, data):
    """An adapter twice, at half its weight, is the adapter."""
    expected = read_safetensors(data / "expected" / "add.safetensors")
    ids, wanted = (expected[f"prompt1.{part}"][1] for part in ("input_ids", "logits"))
    twice = ["--load", f"again={data / 'adapters' / 'add'}", "--adapter", "add=0.5", "--adapter", "again=0.5"]
    worst = share_of_bound(logits(program, ids, *load(data, "add"), *twice), wanted)
    assert worst <= 1, f"sum of two halves: {worst:.2f} times the bound"


def check_batch(program, data):
    """Each request of a batch gets what it gets alone, whatever runs beside it."""
    base = read_safetensors(data / "expected" / "base.safetensors")
    requests = [{"tokens": list(base[f"prompt{i % 3}.input_ids"][1])[: 4 + 3 * i], "adapter": adapter, "n": 3 + i}
                for i, adapter in enumerate([None, *TASKS, [{"name": "add", "scale": 0.5}, {"name": "sort", "scale": -1}],
                                             *TASKS])]
    options = [*load(data, *TASKS), "--ignore-eos"]
    alone = [answers(program, [request], *options)[0] for request in requests]
    assert answers(program, requests, *options) == alone
    assert len({str(answer["tokens"][:3]) for answer in alone}) > 1, alone


def check_mixed(compiler, data, folder):
    """A compiled-in adapter and loaded ones in one program."""
    program = compile_program(compiler, data / "base", folder / "mixed", "--kv-type=f32", "--adapter",
                              f"add={data / 'adapters' / 'add'}")
    for task in ("add", "sort"):
        expected = read_safetensors(data / "expected" / f"{task}.safetensors")
        ids, wanted = (expected[f"prompt2.{part}"][1] for part in ("input_ids", "logits"))
        worst = share_of_bound(logits(program, ids, *load(data, "sort"), "--adapter", task), wanted)
        assert worst <= 1, f"{task} beside another: {worst:.2f} times the bound"
    prompt = ["--tokens", "1", "-n", "1"]
    status, line = failure(program, *load(data, "add"), *prompt)
    assert status == 1 and "an adapter 'add' already" in line, line


def check_refusals(program, data, folder):
    prompt = ["--tokens", "1", "-n", "1"]
    for value in ("add", "add=", "=x"):
        status, line = failure(program, "--load", value, *prompt)
        assert status == 2 and "expected NAME=PATH" in line, line
    status, line = failure(program, "--load", f"add={folder / 'missing'}", *prompt)
    assert status == 1 and "missing" in line, line
    broken = folder / "broken"
    shutil.copytree(data / "adapters" / "add", broken)
    weights = broken / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    status, line = failure(program, "--load", f"add={broken}", *prompt)
    assert status == 1 and str(weights) in line, line
    status, line = failure(program, *load(data, "add"), "--adapter", "sort", *prompt)
    assert status == 1 and "it has add" in line, line


def main():
    compiler, data, folder = map(pathlib.Path, sys.argv[1:])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for pipeline in ("optimized", "reference"):
        program = compile_program(compiler, data / "base", folder / pipeline, "--kv-type=f32",
                                  f"--pipeline={pipeline}")
        check_numbers(program, data)
    check_sum(folder / "optimized", data)
    check_batch(folder / "optimized", data)
    check_mixed(compiler, data, folder)
    check_refusals(folder / "optimized", data, folder)


main()
