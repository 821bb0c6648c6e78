# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Exits with 0 if a report has the figures of the whole deltas.

usage: same_report.py REPORT.json ADAPTER... MERGED, where the merge is linear
with the report's weights.
"""

import json
import pathlib
import sys

import numpy
import safetensors.numpy


def read(folder):
    """Returns the factors {module: (A, B)} in f64, and the scaling."""
    folder = pathlib.Path(folder)
    config = json.loads((folder / "adapter_config.json").read_text())
    tensors = safetensors.numpy.load_file(folder / "adapter_model.safetensors")
    factors = {}
    for name, a in tensors.items():
        if name.endswith(".lora_A.weight"):
            module = name.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
            b = tensors[name.replace("lora_A", "lora_B")]
            factors[module] = a.astype("f8"), b.astype("f8")
    return factors, config["lora_alpha"] / config["r"]


def expect(what, got, want):
    if not numpy.isclose(got, want, rtol=1e-6, atol=1e-9):
        sys.exit(f"{what}: {got}, expected {want}")


report = json.load(open(sys.argv[1], encoding="utf-8"))
*adapters, (merged, merged_scaling) = [read(folder) for folder in sys.argv[2:]]
weights = [adapter["weight"] for adapter in report["adapters"]]
error = whole = 0.0
for module in report["modules"]:
    path = module["path"]
    deltas = [s * f[path][1] @ f[path][0] for f, s in adapters]
    for part, delta in zip(module["adapters"], deltas):
        expect(f"{path}: energy", part["energy"], numpy.linalg.norm(delta))
        expect(f"{path}: trained", part["trained"], numpy.count_nonzero(adapters[part["adapter"]][0][path][1]))
    for pair in module["pairs"]:
        i, j = pair["adapters"]
        norms = numpy.linalg.norm(deltas[i]) * numpy.linalg.norm(deltas[j])
        expect(f"{path}: cosine", pair["cosine"], numpy.vdot(deltas[i], deltas[j]) / norms)
        (a1, b1), (a2, b2) = adapters[i][0][path], adapters[j][0][path]
        grams = numpy.linalg.norm(a1 @ a1.T) * numpy.linalg.norm(a2 @ a2.T)
        expect(f"{path}: overlap", pair["a_overlap"], numpy.linalg.norm(a1 @ a2.T) ** 2 / grams)
        expect(f"{path}: common", pair["common_entries"], numpy.count_nonzero((b1 != 0) & (b2 != 0)))
    total = sum(w * d for w, d in zip(weights, deltas))
    a, b = merged[path]
    distance = numpy.linalg.norm(merged_scaling * b @ a - total)
    expect(f"{path}: linear", module["merge_errors"]["linear"], distance / numpy.linalg.norm(total))
    error += distance**2
    whole += numpy.linalg.norm(total) ** 2
linear = next(merge for merge in report["merges"] if merge["type"] == "linear")
expect("linear", linear["error"], (error / whole) ** 0.5)
