# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Measures the errors that docs/numerics.md states: logits of compiled programs
against the f32 reference numbers of transformers and PEFT, for SmolLM2 and the
adapters trained on it.

usage: errors.py --bin DIR [--only NAME]...    needs numpy, safetensors, the reference data (LORI_SHARED), SmolLM2

Errors are in units of the reference logits' standard deviation: the largest and
the root mean square. Equal: how many of the reference's greedy tokens the program
would choose in the same place. The perplexity is that of LICENSE, relative to
the first line's.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy
from safetensors.numpy import load_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test"))
import capabilities
import smollm2

BASE = [
    ("weights as stored, KV f32", ["--kv-type=f32"]),
    ("reference pipeline, KV f32", ["--kv-type=f32", "--pipeline=reference"]),
    ("AVX2, KV f32", ["--kv-type=f32", "--cpu=x86-64-v3"]),
    ("KV f16 (default)", []),
    ("KV bf16", ["--kv-type=bf16"]),
    ("KV q8_0", ["--kv-type=q8_0"]),
    ("weights f32, KV f32", ["--weights-type=f32", "--kv-type=f32"]),
    ("weights f16, KV f32", ["--weights-type=f16", "--kv-type=f32"]),
    ("weights bf16, KV f32", ["--weights-type=bf16", "--kv-type=f32"]),
    ("weights q8_0, KV f32", ["--weights-type=q8_0", "--kv-type=f32"]),
    ("weights q4_1, KV f32", ["--weights-type=q4_1", "--kv-type=f32"]),
    ("weights q4_0, KV f32", ["--weights-type=q4_0", "--kv-type=f32"]),
]
ADAPTED = [
    ("adapter live, KV f32", "", ["--kv-type=f32"]),
    ("adapter fused to f32, KV f32", "merged.", ["--kv-type=f32", "--mode=fuse", "--fuse-type=f32"]),
    ("adapter fused to f16, KV f32", "merged.", ["--kv-type=f32", "--mode=fuse", "--fuse-type=f16"]),
    ("adapter fused to bf16, KV f32", "merged.", ["--kv-type=f32", "--mode=fuse", "--fuse-type=bf16"]),
]


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"errors: error: {command[0]}: {done.stderr.strip()}")
    return done.stdout


def compare(program, expected, prefix, folder, options):
    """Returns the largest and the mean error, and how many greedy tokens are equal."""
    worst, squares, count, equal, steps = 0.0, 0.0, 0, 0, 0
    file = folder / "logits.npy"
    prompts = [name for name in expected if re.fullmatch(r"prompt\d+\.input_ids", name)]
    for name in sorted(prompts):
        ids = list(expected[name])
        key = prefix + name.removesuffix("input_ids")
        greedy = list(expected[key + "greedy"])
        # All at once: the reference's own tokens, and what the program makes of each.
        run(program, "--tokens", ",".join(map(str, ids + greedy[:-1])), "-n", "0", "--logits", file, *options)
        logits = numpy.load(file)
        chosen = logits[len(ids) - 1:].argmax(axis=1)
        equal, steps = equal + int((chosen == greedy).sum()), steps + len(greedy)
        wanted = expected[key + "logits"]
        rows = expected.get(name.removesuffix("input_ids") + "positions", numpy.arange(len(ids)))
        error = (logits[:len(ids)][rows] - wanted) / wanted.std()
        worst = max(worst, float(numpy.abs(error).max()))
        squares, count = squares + float((error.astype(numpy.float64) ** 2).sum()), count + error.size
    return worst, (squares / count) ** 0.5, f"{equal}/{steps}"


def perplexity(program):
    report = run(program, "--perplexity", ROOT / "LICENSE")
    return float(re.search(r"\d+\.\d+", report).group())


def main():
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--bin", type=pathlib.Path, required=True)
    cli.add_argument("--only", action="append", default=[], help="lines that contain this")
    arguments = cli.parse_args()
    wanted = lambda name: not arguments.only or any(text in name for text in arguments.only)
    shared, (model, problem) = capabilities.shared_dir(), smollm2.fetch()
    if problem or not shared:
        sys.exit(f"errors: error: {problem or capabilities.CAPABILITIES['shared'].absence}")
    data = shared / "data"
    adapter = data / "trained" / "LoRI-S_boolq_r16"
    first = None
    print(f"{'':<32}{'largest':>9}{'rms':>10}{'equal':>9}  perplexity")
    with tempfile.TemporaryDirectory() as name:
        program = pathlib.Path(name) / "program"
        compiler = arguments.bin / "lori-compile"
        expected = load_file(data / "smollm2" / "expected.safetensors")
        for title, options in filter(lambda row: wanted(row[0]), BASE):
            run(compiler, model, "-o", program, "--quiet", *options)
            worst, mean, equal = compare(program, expected, "", program.parent, [])
            value = None if "--pipeline=reference" in options else perplexity(program)
            first = first or value
            shown = f"{value / first - 1:+.3%}" if value and first else ""
            print(f"{title:<32}{worst:>9.2g}{mean:>10.2g}{equal:>9}  {shown}", flush=True)
        expected = load_file(adapter / "expected.safetensors")
        for title, prefix, options in filter(lambda row: wanted(row[0]), ADAPTED):
            run(compiler, model, "-o", program, "--quiet", "--adapter", f"task={adapter}", *options)
            use = [] if "--mode=fuse" in options else ["--adapter", "task"]
            worst, mean, equal = compare(program, expected, prefix, program.parent, use)
            print(f"{title:<32}{worst:>9.2g}{mean:>10.2g}{equal:>9}", flush=True)


if __name__ == "__main__":
    main()
