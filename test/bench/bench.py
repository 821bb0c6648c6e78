# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Measures programs against the machine they run on: speed, size, memory, time to
compile, time to the first token. Values alternate over the rounds; the table has
medians and the range of the rounds as a share of them.
"""

import argparse
import fnmatch
import os
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))

import cases
import checkpoints
import measure
import results as table
import smollm2


def all_cases(arguments):
    """Returns the cases, and why some are left out."""
    tasks = ROOT / "test" / "data" / "three-tasks"
    found = [
        cases.Depth(),
        cases.Adapters("three-tasks", tasks / "base",
                       {f.name: lambda tools, f=f: f for f in sorted((tasks / "adapters").iterdir())},
                       chosen="sort", shape=(64, 64)),
    ]
    model, problem = (arguments.model, None) if arguments.model else smollm2.fetch()
    if problem:
        return found, f"SmolLM2 is left out: {problem}"
    # The program of "stored" is measured right before its rival.
    ours = [cases.Weights(kind, model) for kind in [*cases.ENTRY_BYTES, "stored"]]
    if arguments.llama_bench:
        ours.append(cases.Rival(arguments.llama_bench, model))

    def adapter(tools):
        folder = tools.work / "adapter"
        checkpoints.write_adapter(folder, rank=32)
        return folder

    ours.append(cases.Adapters("smollm2-rank32", model, {"task": adapter}, chosen="task",
                               options=["--weights-type=f16"]))
    return ours + found, None


def select(found, patterns):
    if not patterns:
        return found
    for pattern in patterns:
        if not any(fnmatch.fnmatch(case.name, pattern) for case in found):
            names = ", ".join(case.name for case in found)
            raise SystemExit(f"bench: error: --only {pattern}: no such case, there are {names}")
    return [case for case in found if any(fnmatch.fnmatch(case.name, p) for p in patterns)]


def measure_all(chosen, tools, rounds, results):
    progress = (lambda text: print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)) \
        if sys.stderr.isatty() else (lambda text: None)
    for case in chosen:
        progress(f"preparing {case.name}")
        case.prepare(tools)
    for i in range(rounds):
        for case in chosen:
            progress(f"round {i + 1} of {rounds}: {case.name}")
            case.measure(tools, results)
    progress("")


def parse():
    cli = argparse.ArgumentParser(prog="bench", description=__doc__)
    cli.add_argument("--bin", type=pathlib.Path, required=True, help="folder of lori-compile and machine-limits")
    cli.add_argument("--only", action="append", metavar="CASE", help="measure this case (a pattern); repeatable")
    cli.add_argument("--list", action="store_true", help="name the cases")
    cli.add_argument("--rounds", type=int, help="rounds (3; with --quick 1)")
    cli.add_argument("--quick", action="store_true", help="one round of short runs, for a first look")
    cli.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="threads of all programs")
    cli.add_argument("--model", type=pathlib.Path, help="SmolLM2's GGUF, if it is to be another file than ./dev demo's")
    cli.add_argument("--llama-bench", type=pathlib.Path, metavar="PROGRAM", help="llama.cpp's llama-bench, in turn")
    cli.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write every value")
    cli.add_argument("--compare", type=pathlib.Path, metavar="FILE", help="an earlier --json, to set the medians against")
    cli.add_argument("--check", action="store_true", help="exit 1 if a bound is missed or a case is left out")
    arguments = cli.parse_args()
    if arguments.rounds is None:
        arguments.rounds = 1 if arguments.quick else 3
    if arguments.rounds < 1 or arguments.threads < 1:
        cli.error("--rounds and --threads: expected at least 1")
    return arguments


def main():
    arguments = parse()
    earlier = table.read_medians(arguments.compare) if arguments.compare else None
    found, problem = all_cases(arguments)
    chosen = select(found, arguments.only)
    if arguments.list:
        print(*(case.name for case in chosen), sep="\n")
        return 0
    with tempfile.TemporaryDirectory(prefix="bench-") as work:
        tools = measure.Tools(arguments.bin.resolve(), pathlib.Path(work), arguments.threads,
                              prefill=512, decode=16 if arguments.quick else 64)
        results = table.Results()
        try:
            measure_all(chosen, tools, arguments.rounds, results)
        except measure.Failed as error:
            sys.exit(f"bench: error: {error}")
        except KeyboardInterrupt:
            problem = "interrupted: the table has what was measured until then"
    print(*table.table(results, earlier), sep="\n")
    if arguments.json:
        arguments.json.write_text(results.to_json(threads=arguments.threads, rounds=arguments.rounds))
    if problem:
        print(problem)
    missed = results.missed()
    if missed:
        print(f"missed: {', '.join(row.name for row in missed)}")
    return 1 if arguments.check and (missed or problem) else 0


if __name__ == "__main__":
    sys.exit(main())
