#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Examines a compiled program on the three tasks. Standard library only.

usage: run.py PROGRAM [--data DIR] [--limit N]
       run.py --bin DIR ...           compiles the program first, by DIR/lori-compile

Every item goes through the program four times, without an adapter and with each
of the three: one file of requests, one ragged batch. Prints the share of exact
answers. Exit 0: the promise holds; 1: it does not, or a program failed.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

DATA = pathlib.Path(__file__).resolve().parents[2] / "test/data/three-tasks"
TASKS = ["reverse", "sort", "add"]
OWN_AT_LEAST, OTHER_AT_MOST = 0.90, 0.30
LONGEST_ANSWER = 12  # tokens, the end token included


def compile_model(tools, data, program):
    adapters = [part for task in TASKS for part in ("--adapter", f"{task}={data / 'adapters' / task}")]
    done = subprocess.run([tools / "lori-compile", data / "base", *adapters, "-o", program])
    if done.returncode:
        sys.exit(f"run.py: error: lori-compile: exit code {done.returncode}")


def read_items(data, limit):
    """Returns {task: [{"prompt", "answer"}]}."""
    items = {}
    for task in TASKS:
        lines = (data / "tasks" / f"{task}.jsonl").read_text(encoding="utf-8").splitlines()
        items[task] = [json.loads(line) for line in lines][:limit]
    return items


def ask(program, requests):
    """Returns the program's texts, one a request."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "requests.jsonl"
        path.write_text("".join(json.dumps(r) + "\n" for r in requests), encoding="utf-8")
        done = subprocess.run([program, "--requests", path], stdout=subprocess.PIPE)
    if done.returncode:
        sys.exit(f"run.py: error: {program}: exit code {done.returncode}")
    answers = done.stdout.decode("utf-8", "replace").splitlines()
    if len(answers) != len(requests):
        sys.exit(f"run.py: error: {program}: {len(answers)} answers to {len(requests)} requests")
    try:
        return [json.loads(line)["text"] for line in answers]
    except (ValueError, TypeError, KeyError):
        sys.exit(f'run.py: error: {program}: an answer is not a JSON line with "text"')


def examine(program, items):
    """Returns {adapter or None: {task: [text]}}."""
    order = [(adapter, task, item) for adapter in [None, *TASKS] for task in TASKS for item in items[task]]
    texts = ask(program, [{"prompt": item["prompt"], "adapter": adapter, "n": LONGEST_ANSWER}
                          for adapter, _, item in order])
    answers = {adapter: {task: [] for task in TASKS} for adapter in [None, *TASKS]}
    for (adapter, task, _), text in zip(order, texts):
        answers[adapter][task].append(text)
    return answers


def exact(texts, items):
    return sum(text == item["answer"] for text, item in zip(texts, items)) / len(items)


def report(answers, items):
    """Prints the table and an item of each task; returns what breaks the promise."""
    broken = []
    print("exact answers" + "".join(f"{task:>10}" for task in TASKS))
    for adapter, by_task in answers.items():
        row = f"{adapter or '(none)':<13}"
        for task in TASKS:
            share = exact(by_task[task], items[task])
            row += f"{share:>10.1%}"
            if adapter == task and share < OWN_AT_LEAST:
                broken.append(f"{task} with its adapter: {share:.1%}, promised >= {OWN_AT_LEAST:.0%}")
            if adapter != task and share > OTHER_AT_MOST:
                broken.append(f"{task} with {adapter or 'no adapter'}: {share:.1%}, promised <= {OTHER_AT_MOST:.0%}")
        print(row)
    for task in TASKS:
        print(f"{items[task][0]['prompt']:<10} without: {answers[None][task][0]:<10} "
              f"with {task}: {answers[task][task][0]}")
    return broken


def main():
    cli = argparse.ArgumentParser(description="Examines a compiled program on the three tasks.")
    cli.add_argument("program", type=pathlib.Path, nargs="?", help="what lori-compile wrote")
    cli.add_argument("--bin", type=pathlib.Path, help="folder of lori-compile, which is to make the program")
    cli.add_argument("--data", type=pathlib.Path, default=DATA, help="folder with tasks/ (--bin: base/, adapters/)")
    cli.add_argument("--limit", type=int, help="only the first N items of each task")
    args = cli.parse_args()
    if (args.program is None) == (args.bin is None):
        cli.error("expected a PROGRAM or --bin DIR, one of the two")
    if args.limit is not None and args.limit < 1:
        cli.error("--limit: expected at least 1")
    with tempfile.TemporaryDirectory() as folder:
        program = args.program or pathlib.Path(folder) / "three-tasks"
        if args.bin:
            compile_model(args.bin.resolve(), args.data, program)
        if not program.is_file():
            sys.exit(f"run.py: error: {program}: no such program; make it with lori-compile (see README.md)")
        items = read_items(args.data, args.limit)
        broken = report(examine(program.resolve(), items), items)
    for line in broken:
        print(f"run.py: promise broken: {line}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
