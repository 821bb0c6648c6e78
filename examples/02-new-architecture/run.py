#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles the architecture of architecture.cpp through both pipelines and compares
every logit with a reference written from its definition. Standard library only.

usage: run.py --bin DIR    (the folder of new-architecture and lori-compile)
"""
import argparse
import json
import math
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

HIDDEN, HEADS, KV_HEADS, HEAD, VOCABULARY = 64, 4, 2, 16, 80
WIDTHS = [48, 96, 96]  # of the MLPs, by block
EPSILON = 1e-6
PROMPT = [3, 14, 15, 9, 26, 5, 35, 8, 9, 79, 32, 3, 8, 46, 26, 43, 38, 32]
ABSOLUTE = RELATIVE = 1e-4


def shapes():
    """Returns the checkpoint's tensors; outputs come first."""
    found = {"tokens.weight": (VOCABULARY, HIDDEN), "norm.weight": (HIDDEN,), "logits.weight": (VOCABULARY, HIDDEN)}
    for i, width in enumerate(WIDTHS):
        block = {"norm": (HIDDEN,), "query": (HEADS * HEAD, HIDDEN), "key": (KV_HEADS * HEAD, HIDDEN),
                 "value": (KV_HEADS * HEAD, HIDDEN), "out": (HIDDEN, HEADS * HEAD),
                 "gate": (width, HIDDEN), "up": (width, HIDDEN), "down": (HIDDEN, width)}
        found |= {f"blocks.{i}.{name}.weight": shape for name, shape in block.items()}
        found[f"blocks.{i}.query.bias"] = (HEADS * HEAD,)
    return found


def make_weights():
    """Returns {name: rows}; a vector is one row. All values are exact in f32."""
    generator = random.Random(7)
    draw = lambda count: struct.unpack(f"{count}f", struct.pack(f"{count}f", *(
        generator.uniform(-0.3, 0.3) for _ in range(count))))
    return {name: [draw(shape[-1]) for _ in range(math.prod(shape[:-1]))] for name, shape in shapes().items()}


def write_weights(path, weights):
    header, data = {}, b""
    for name, shape in shapes().items():
        part = b"".join(struct.pack(f"<{len(row)}f", *row) for row in weights[name])
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


# --- the definition ----------------------------------------------------------


def linear(weights, name, x):
    bias = weights.get(f"{name}.bias", [None])[0]
    y = [sum(w * v for w, v in zip(row, x)) for row in weights[f"{name}.weight"]]
    return [a + b for a, b in zip(y, bias)] if bias else y


def rms_norm(weights, name, x):
    scale = 1 / math.sqrt(sum(v * v for v in x) / len(x) + EPSILON)
    return [v * scale * w for v, w in zip(x, weights[f"{name}.weight"][0])]


def attend(query, keys, values):
    """One row's heads over the rows so far; two heads share a key head."""
    out = []
    for head in range(HEADS):
        part = slice(head * HEAD, (head + 1) * HEAD)
        shared = slice(head // (HEADS // KV_HEADS) * HEAD, (head // (HEADS // KV_HEADS) + 1) * HEAD)
        scores = [sum(q * k for q, k in zip(query[part], key[shared])) / math.sqrt(HEAD) for key in keys]
        weights = [math.exp(score - max(scores)) for score in scores]
        out += [sum(w * v for w, v in zip(weights, column)) / sum(weights)
                for column in zip(*(value[shared] for value in values))]
    return out


def reference(weights, tokens):
    """Returns the logits that follow each token."""
    cache = [([], []) for _ in WIDTHS]
    logits = []
    for token in tokens:
        x = list(weights["tokens.weight"][token])
        for i, (keys, values) in enumerate(cache):
            block = f"blocks.{i}"
            h = rms_norm(weights, f"{block}.norm", x)
            keys.append(linear(weights, f"{block}.key", h))
            values.append(linear(weights, f"{block}.value", h))
            attended = linear(weights, f"{block}.out", attend(linear(weights, f"{block}.query", h), keys, values))
            gate, up = (linear(weights, f"{block}.{name}", h) for name in ("gate", "up"))
            mlp = linear(weights, f"{block}.down", [g / (1 + math.exp(-g)) * u for g, u in zip(gate, up)])
            x = [a + b + c for a, b, c in zip(x, attended, mlp)]
        logits.append(linear(weights, "logits", rms_norm(weights, "norm", x)))
    return logits


# --- the program -------------------------------------------------------------


def run(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        sys.exit(f"run.py: error: {command[0]}: {error.strerror}; build it first (./dev build)")
    if done.returncode:
        sys.exit(f"run.py: error: {command[0]}: exit code {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def program_logits(program, folder):
    file = folder / "logits.npy"
    run(program, "--tokens", ",".join(map(str, PROMPT)), "-n", "0", "--logits", file)
    data = file.read_bytes()
    (size,) = struct.unpack_from("<H", data, 8)
    values = struct.unpack(f"<{(len(data) - 10 - size) // 4}f", data[10 + size:])
    return [values[i:i + VOCABULARY] for i in range(0, len(values), VOCABULARY)]


def main():
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--bin", type=pathlib.Path, required=True)
    tools = cli.parse_args().bin.resolve()
    weights = make_weights()
    wanted = reference(weights, PROMPT)
    failed = False
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_weights(folder / "weights.safetensors", weights)
        module = folder / "parallel.mlir"
        run(tools / "new-architecture", folder / "weights.safetensors", module)
        for pipeline in ("reference", "optimized"):
            program = folder / pipeline
            run(tools / "lori-compile", module, "-o", program, f"--pipeline={pipeline}", "--quiet")
            got = program_logits(program, folder)
            if len(got) != len(wanted):
                sys.exit(f"run.py: error: {pipeline}: logits of {len(got)} positions, expected {len(wanted)}")
            worst = max(abs(g - w) / (ABSOLUTE + RELATIVE * abs(w))
                        for gs, ws in zip(got, wanted) for g, w in zip(gs, ws))
            # The next tokens come through the cache, one at a time.
            count = 8
            tokens = run(program, "--tokens", ",".join(map(str, PROMPT)), "-n", str(count), "--ignore-eos",
                         "--print-tokens").strip()
            expected = list(PROMPT)
            while len(expected) < len(PROMPT) + count:
                last = reference(weights, expected)[-1]
                expected.append(last.index(max(last)))
            same = tokens == ",".join(map(str, expected[len(PROMPT):]))
            print(f"{pipeline:<10} largest error {worst:.3f} of the bound; next tokens {tokens} "
                  f"{'as' if same else 'NOT as'} by the definition")
            failed |= not (worst <= 1 and same)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
