# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every storage of weights and of the cache gives the same numbers through the reference and
the optimized pipeline, for the processor levels that this machine has; and narrower storage
stays near the reference numbers.
"""
# RUN: %python %s %bin/lori-compile %data/three-tasks %t

import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "Inputs"))
from programs import compile_program, logits, read_safetensors, share_of_bound

# Storage and the largest error against f32, as a share of the logits' standard deviation.
WEIGHTS = {"f16": 0.0, "bf16": 0.02, "q8_0": 0.06, "q4_0": 0.6, "q4_1": 0.6}
CACHES = {"f16": 0.003, "bf16": 0.02}
LEVELS = ["x86-64-v3", "x86-64-v4"]


def deviation(values):
    mean = sum(values) / len(values)
    return (sum((x - mean) ** 2 for x in values) / len(values)) ** 0.5


def runs_here(compiler, data, folder, level):
    program = compile_program(compiler, data / "base", folder / level, f"--cpu={level}")
    done = subprocess.run([program, "--info"], capture_output=True, text=True)
    if done.returncode:
        print(f"{level}: not on this machine: {done.stderr.strip()}")
    return done.returncode == 0


def check(compiler, data, folder, levels, prompt, *options, share):
    ids, wanted = (prompt[part][1] for part in ("prompt1.input_ids", "prompt1.logits"))
    def run(*more):
        return logits(compile_program(compiler, data / "base", folder / "program", *options, *more), ids)
    reference = run("--pipeline=reference")
    error = max(abs(x - y) for x, y in zip(reference, wanted)) / deviation(wanted)
    # f32 and f16, as the model is stored, differ by the order of summation only.
    assert error <= max(share, 1e-3), f"{options}: {error:.4f} of the standard deviation"
    for level in levels:
        worst = share_of_bound(run(f"--cpu={level}"), reference)
        # Sums in another order may round a cached entry to its neighbour.
        allowed = 1 if "--kv-type=f32" in options else 20
        assert worst <= allowed, f"{options}, {level}: {worst:.2f} times the bound of the reference pipeline"
    print(f"{' '.join(options)}: {error:.5f} of the standard deviation")


def main():
    compiler, data, folder = map(pathlib.Path, sys.argv[1:])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    levels = [level for level in LEVELS if runs_here(compiler, data, folder, level)]
    assert levels, "this machine runs none of " + ", ".join(LEVELS)
    prompt = read_safetensors(data / "expected" / "base.safetensors")
    for storage, share in WEIGHTS.items():
        # Every kernel runs at every level in the tests of kernels; here two of them.
        used = levels if storage in ("f16", "q8_0") else levels[-1:]
        check(compiler, data, folder, used, prompt, f"--weights-type={storage}", "--kv-type=f32", share=share)
    for storage, share in CACHES.items():
        check(compiler, data, folder, levels[-1:], prompt, f"--kv-type={storage}", share=share)


main()
