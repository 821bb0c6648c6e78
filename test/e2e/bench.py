# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The benchmarks run: the real tools, on the small model; the numbers are not judged."""
# RUN: %python %s %bin %t

import json
import pathlib
import subprocess
import sys

bench = pathlib.Path(__file__).resolve().parents[1] / "bench" / "bench.py"
tools, out = map(pathlib.Path, sys.argv[1:])
limits = json.loads(subprocess.run([tools / "machine-limits", "1", "16", "2"], stdout=subprocess.PIPE, check=True).stdout)
assert len(limits["read"]) == len(limits["multiply_add"]) == 2 and min(limits["read"] + limits["multiply_add"]) > 0, limits
out.parent.mkdir(parents=True, exist_ok=True)
subprocess.run([sys.executable, bench, "--bin", tools, "--only", "three-tasks", "--quick", "--json", out,
                "--model", "none"], check=True)
rows = {row["name"]: row["median"] for row in json.loads(out.read_text())["rows"]}
assert len(rows) == 10 and min(rows.values()) > 0, rows
