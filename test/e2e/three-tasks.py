# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The model of test/data/three-tasks, made with its three adapters by each pipeline,
computes what transformers and PEFT did (expected/, f32), and solves its tasks.

The bound |x - expected| <= 1e-3 + 1e-3 |expected| holds for every logit of every
position, with live adapters, and with a fused one against PEFT's merge.
"""
# RUN: %python %s %bin/lori-compile %data/three-tasks %t

import math
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "Inputs"))
from programs import read_npy, read_safetensors, share_of_bound

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "01-three-tasks" / "run.py"
TASKS = ["add", "reverse", "sort"]


def compile_model(compiler, data, program, *options):
    subprocess.run([compiler, data / "base", "-o", program, "--kv-type=f32", "--quiet", *options], check=True)


def live(data):
    return [part for task in TASKS for part in ("--adapter", f"{task}={data / 'adapters' / task}")]


def check_logits(program, expected, prefix, *options):
    """Compares every prompt of `expected`; returns the largest error as a share of the bound."""
    worst = 0.0
    prompts = [name for name in expected if re.fullmatch(re.escape(prefix) + r"prompt\d+\.input_ids", name)]
    assert len(prompts) == len(TASKS), sorted(expected)
    for name in prompts:
        ids = ",".join(map(str, expected[name][1]))
        file = program.with_suffix(".npy")
        subprocess.run([program, "--tokens", ids, "-n", "0", "--logits", file, *options], check=True)
        shape, got = read_npy(file)
        wanted_shape, wanted = expected[name.replace("input_ids", "logits")]
        assert shape == wanted_shape, (name, shape, wanted_shape)
        assert all(map(math.isfinite, got)), name
        worst = max(worst, share_of_bound(got, wanted))
    return worst


def check_greedy(program, expected, *options):
    """Compares the greedy tokens, as far as the best two logits differ clearly."""
    for i in range(len(TASKS)):
        ids = ",".join(map(str, expected[f"prompt{i}.input_ids"][1]))
        wanted = list(expected[f"prompt{i}.greedy"][1])
        margins = expected[f"prompt{i}.greedy_margin"][1]
        clear = next((n for n, margin in enumerate(margins) if margin < 0.01), len(wanted))
        assert clear > 4, f"prompt {i}: the reference is not clear"
        done = subprocess.run([program, "--tokens", ids, "-n", str(len(wanted)), "--ignore-eos", "--print-tokens",
                               *options], stdout=subprocess.PIPE, text=True, check=True)
        got = [int(token) for token in done.stdout.split(",")]
        assert got[:clear] == wanted[:clear], (i, options, got, wanted)


def check_program(compiler, data, folder, pipeline):
    program = folder / pipeline
    compile_model(compiler, data, program, f"--pipeline={pipeline}", *live(data))
    for name in ["base", *TASKS]:
        options = [] if name == "base" else ["--adapter", name]
        expected = read_safetensors(data / "expected" / f"{name}.safetensors")
        worst = check_logits(program, expected, "", *options)
        assert worst <= 1, f"{pipeline}, {name}: {worst:.2f} times the bound"
        check_greedy(program, expected, *options)
        print(f"{pipeline}, {name}: largest error {worst:.3f} of the bound")


def check_fused(compiler, data, folder, task):
    program = folder / f"fused-{task}"
    compile_model(compiler, data, program, "--mode=fuse", "--fuse-type=f32",
                  "--adapter", f"{task}={data / 'adapters' / task}")
    worst = check_logits(program, read_safetensors(data / "expected" / f"{task}.safetensors"), "merged.")
    assert worst <= 1, f"fused, {task}: {worst:.2f} times the bound"
    print(f"fused, {task}: largest error {worst:.3f} of the bound")


def main():
    compiler, data, folder = map(pathlib.Path, sys.argv[1:])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for pipeline in ("optimized", "reference"):
        check_program(compiler, data, folder, pipeline)
    for task in TASKS:
        check_fused(compiler, data, folder, task)
    # Every item; of the slow pipeline a few. (The example itself is the test with default options.)
    for pipeline, limit in (("optimized", []), ("reference", ["--limit", "20"])):
        subprocess.run([sys.executable, EXAMPLE, folder / pipeline, "--data", data, *limit], check=True)


main()
