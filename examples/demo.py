# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What `./dev demo` shows: the IR of an adapter, a real model as one program,
and a model of the project's own with three adapters in one program.
"""

import argparse
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test"))
import smollm2

QUESTION = "What is a prime number?"


def title(text):
    print(f"\n== {text}", flush=True)


def shown(path):
    """Returns `path` as a user in the project's folder would write it."""
    path = str(path)
    return os.path.relpath(path, ROOT) if path.startswith(f"{ROOT}{os.sep}") else path


def run(*command, show=True, capture=False):
    """Runs a command, printed as a user would type it; returns its output."""
    command = [str(part) for part in command]
    if show:
        print("$ " + " ".join(shlex.quote(shown(part)) for part in command), flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE if capture else None,
                          text=True, cwd=ROOT)
    if done.returncode:
        sys.exit(f"demo: error: {shown(command[0])} ended with status {done.returncode}")
    return done.stdout


def megabytes(path):
    return f"{path.stat().st_size / 1e6:.1f} MB"


def compile_model(tools, program, model, *options):
    start = time.monotonic()
    run(tools / "lori-compile", model, *options, "-o", program)
    print(f"  {time.monotonic() - start:.1f} s; {shown(program)}: {megabytes(program)}, needs no other file")


# --- 1. the IR ---------------------------------------------------------------


def interesting(text):
    """Yields the lines of a module that say what happens to the adapter, without types."""
    for line in text.splitlines():
        if any(op in line for op in ("derived_param", "func.func", "lori.", "lm.")):
            if not line.lstrip().startswith(("lori.param", "lori.yield")):
                yield re.sub(r": tensor<[^>]*>| -> tensor<.*| : .*", "", line)


def show_ir(tools):
    title("An adapter in the IR, before and after it is fused into the weight")
    source = ROOT / "examples" / "adapter.mlir"
    for passes in ([], ["--lori-fuse-adapters", "--lori-hoist-params", "--canonicalize"]):
        for line in interesting(run(tools / "lori-opt", source, *passes, capture=True)):
            print("  " + line)


# --- 2. SmolLM2 --------------------------------------------------------------


def show_speed(program):
    """Prints tokens/s out of the program's own measurement."""
    measured = json.loads(run(program, "--bench", "prefill=512,decode=64,batch=1", capture=True))
    for phase in ("prefill", "decode"):
        print(f"  {phase} {measured[phase]['median']:.0f} {measured['unit']}, {measured['threads']} threads")


def show_smollm2(tools, programs):
    title("SmolLM2-135M-Instruct, from GGUF to one native program")
    model, problem = smollm2.fetch()
    if problem:
        print(f"left out: {problem}")
        return
    print(f"{shown(model)}: {megabytes(model)}, SHA-256 verified")
    program = programs / "smol"
    compile_model(tools, program, model)
    run(program, "--chat", "-p", QUESTION, "-n", "64")
    show_speed(program)


# --- 3. three adapters -------------------------------------------------------


def show_three_tasks(tools, programs):
    title("A tiny model with three LoRI adapters, one program, chosen request by request")
    data = ROOT / "test" / "data" / "three-tasks"
    adapters = [part for folder in sorted((data / "adapters").iterdir())
                for part in ("--adapter", f"{folder.name}={shown(folder)}")]
    program = programs / "three-tasks"
    compile_model(tools, program, data / "base", *adapters)
    run(sys.executable, ROOT / "examples" / "01-three-tasks" / "run.py", program)


def main():
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--bin", type=pathlib.Path, required=True, help="folder of the tools")
    arguments = cli.parse_args()
    tools = arguments.bin.resolve()
    programs = smollm2.CACHE / "demo"
    programs.mkdir(parents=True, exist_ok=True)
    show_ir(tools)
    show_smollm2(tools, programs)
    show_three_tasks(tools, programs)
    print("\nThe programs stay in .cache/demo; `--help` tells what else they do.")


if __name__ == "__main__":
    main()
