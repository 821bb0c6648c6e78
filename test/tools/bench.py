# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""test/bench/bench.py computes what it says, out of programs that answer with
known numbers.
"""
# RUN: %python %s %t

import json
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BENCH = ROOT / "test" / "bench"
sys.path.insert(0, str(BENCH))
import cases
import checkpoints
import measure
import results as table

# Programs log their calls beside themselves; SPEED is [prefill, decode] by weights type.
COMPILER = r'''
import json, os, pathlib, sys
here = pathlib.Path(__file__).parent
with open(here / "calls", "a") as log:
    print("compile", *sys.argv[1:], file=log)
model, output = sys.argv[1], pathlib.Path(sys.argv[3])
kind = next((a.split("=")[1] for a in sys.argv if a.startswith("--weights-type=")), "stored")
if (here / "broken").exists():
    sys.exit("lori-compile: error: broken: as it was told to be")
output.write_text(f"""#!/bin/sh
case "$1" in --tokens) echo 7; exit;; esac
exec {sys.executable} {here}/program.py {kind} "$@"
""")
output.chmod(0o755)
if output.name.startswith("smollm2-") and "rank32" not in output.name:
    os.truncate(output, int(json.loads((here / "sizes").read_text()).get(kind, 0)))
'''
PROGRAM = '''
import json, pathlib, sys
here, kind = pathlib.Path(__file__).parent, sys.argv[1]
with open(here / "calls", "a") as log:
    print("run", *sys.argv[1:], file=log)
if "--info" in sys.argv:
    print(json.dumps({}))
else:
    scale = 0.5 if "--adapter" in sys.argv else 1
    print(json.dumps({name: {"best": scale * value, "median": 1} for name, value in
                      zip(("prefill", "decode"), json.loads((here / "speed").read_text())[kind])}))
'''
MACHINE = '''
import json, sys
print(json.dumps({"read": [10e9, 40e9, 20e9], "multiply_add": [300e9, 400e9]}))
'''
RIVAL = '''
import json, sys
print(json.dumps([{"n_prompt": 512, "n_gen": 0, "samples_ts": [100, 200, 150]},
                  {"n_prompt": 0, "n_gen": 64, "samples_ts": [20, 30]}]))
'''


def write_program(path, text):
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o755)


def make_tools(folder):
    """Writes the fake tools; every bound holds, but nearly not."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_program(folder / "lori-compile", COMPILER)
    write_program(folder / "machine-limits", MACHINE)
    write_program(folder / "llama-bench", RIVAL)
    (folder / "program.py").write_text(PROGRAM)
    kinds = [*cases.ENTRY_BYTES, "stored"]
    # The shares to come out: reading at 61 %, multiplying at 51 %.
    speed = {kind: [0.51 * 400e9 * 512 / cases.prefill_operations(512), 0.61 * 40e9 / cases.weight_bytes(kind)]
             for kind in kinds}
    (folder / "speed").write_text(json.dumps(speed))
    (folder / "sizes").write_text(json.dumps({kind: cases.weight_bytes(kind) + 9e6 for kind in kinds}))
    (folder / "model.gguf").write_text("")


def bench(folder, *options):
    return subprocess.run([sys.executable, BENCH / "bench.py", "--bin", folder, "--threads", "2",
                           "--model", folder / "model.gguf", *options], capture_output=True, text=True)


def rows_of(path):
    return {row["name"]: row for row in json.loads(path.read_text())["rows"]}


def near(value, wanted):
    return abs(value - wanted) <= 1e-6 * abs(wanted)


def test_sizes():
    # llama.cpp's count of parameters, and the size of the GGUF's tensors.
    entries = checkpoints.LAYERS * checkpoints.LAYER_ENTRIES + checkpoints.EMBEDDING_ENTRIES
    assert entries + checkpoints.NORM_ENTRIES == 134515008
    assert cases.weight_bytes("f32") == 4 * 134515008
    assert cases.weight_bytes("q4_0") == entries / 32 * 18 + 4 * checkpoints.NORM_ENTRIES
    assert cases.prefill_operations(1) == 2 * entries


def test_statistics():
    results = table.Results()
    for value in (3, 1, 2):
        results.add("a/x", "s", value, ("<=", 2))
    results.add("a/y", "", 0.4, (">=", 0.5))
    assert results.rows["a/x"].median == 2 and results.rows["a/x"].spread() == 1
    assert results.rows["a/x"].holds() and results.rows["a/y"].spread() is None
    assert [row.name for row in results.missed()] == ["a/y"]
    text = "\n".join(table.table(results, {"a/x": 4}))
    assert "x 0.500" in text and "MISSED" in text and "new" in text, text


def test_processes():
    large = measure.run([sys.executable, "-c", "print(len(bytearray(300 << 20)))"])
    small = measure.run([sys.executable, "-c", "print(1)"])
    assert large.peak_rss - small.peak_rss > 250 << 20, (large.peak_rss, small.peak_rss)
    late = measure.run([sys.executable, "-c", "import time; print(1, flush=True); time.sleep(0.5)"])
    assert late.first_byte < late.seconds - 0.4 and late.output == "1\n", late
    try:
        measure.run([sys.executable, "-c", "import sys; sys.exit('it is so')"])
        assert False, "a failing program passed"
    except measure.Failed as error:
        assert "exit status 1: it is so" in str(error), error


def test_values(folder):
    make_tools(folder)
    done = bench(folder, "--rounds", "2", "--llama-bench", folder / "llama-bench", "--json", folder / "a.json",
                 *(f"--only={name}" for name in ("f32", "q4_0", "stored", "llama-bench", "smollm2-*")))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == "", done.stderr
    rows = rows_of(folder / "a.json")
    # A busy machine may take its time to start a program.
    assert all(row["holds"] is not False for name, row in rows.items() if "first token" not in name), done.stdout
    assert len(rows["f32/decode"]["values"]) == 2
    assert near(rows["q4_0/decode: of read"]["median"], 0.61)
    assert rows["q4_0/decode: of read"]["bound"] == [">=", 0.25] and rows["f32/decode: of read"]["bound"] is None
    assert near(rows["f32/prefill 512: of multiply-add"]["median"], 0.51)
    assert near(rows["q4_0/program - weights"]["median"], 9) and rows["q4_0/program - weights"]["holds"]
    assert near(rows["llama-bench/decode: stored is times as fast"]["median"], rows["stored/decode"]["median"] / 30)
    assert near(rows["llama-bench/prefill 512"]["median"], 200)
    assert near(rows["smollm2-rank32/live: decode of alone"]["median"], 0.5)
    assert near(rows["smollm2-rank32/fused: prefill of alone"]["median"], 1)
    # Variants alternate.
    order = [line.split()[1] for line in (folder / "calls").read_text().splitlines() if "--bench" in line]
    once = ["f32", "q4_0", "stored", "f16", "f16", "f16"]
    assert order == once + once, order


def test_check_and_compare(folder):
    make_tools(folder)
    (folder / "sizes").write_text(json.dumps({"q8_0": cases.weight_bytes("q8_0") + 11e6}))
    assert bench(folder, "--only=smollm2-*", "--quick", "--check").returncode == 0
    assert bench(folder, "--only=q8_0", "--quick").returncode == 0
    done = bench(folder, "--only=q8_0", "--quick", "--check", "--json", folder / "b.json")
    assert done.returncode == 1 and "q8_0/program - weights" in done.stdout.split("missed: ")[1], done.stdout
    speed = json.loads((folder / "speed").read_text())
    speed["q8_0"][1] *= 2
    (folder / "speed").write_text(json.dumps(speed))
    done = bench(folder, "--only=q8_0", "--quick", "--compare", folder / "b.json")
    line = next(line for line in done.stdout.splitlines() if line.strip().startswith("decode "))
    assert line.endswith("x 2.000"), line


def test_errors(folder):
    make_tools(folder)
    done = bench(folder, "--only=q9")
    assert done.returncode == 1 and "no such case, there are f32" in done.stderr, done.stderr
    done = bench(folder, "--compare", folder / "none.json")
    assert done.returncode == 1 and "none.json: not what --json writes" in done.stderr, done.stderr
    (folder / "broken").write_text("")
    done = bench(folder, "--only=f16")
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert "lori-compile: error: broken: as it was told to be" in done.stderr, done.stderr
    assert "layers" in bench(folder, "--list").stdout.splitlines()


folder = pathlib.Path(sys.argv[1])
test_sizes()
test_statistics()
test_processes()
test_values(folder)
test_check_and_compare(folder)
test_errors(folder)
