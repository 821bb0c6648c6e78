# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""docs/lowering.md says what happens: its excerpts are what its commands print, its
borders hold, and its list of calls is the compiler's.
"""
# RUN: %python %s %bin %data/three-tasks %t

import pathlib
import re
import shlex
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TASKS = ["add", "reverse", "sort"]
# LLVM's nm has no stable name on its own; it is beside the clang that is pinned.
NM = next(tool for tool in ("llvm-nm", "llvm-nm-22", "nm") if shutil.which(tool))

tools, data, folder = map(pathlib.Path, sys.argv[1:])
text = (ROOT / "docs" / "lowering.md").read_text()


def output(*command):
    done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


# --- excerpts ----------------------------------------------------------------


def pattern(line, names):
    """Turns a line of an excerpt into a regular expression. `…` stands for
    anything, a name %x for the same value wherever it stands; the constants %c8
    have their own names."""
    result, here = "", set()
    for part in re.split(r"(…|%[\w#]+)", line.strip()):
        if part == "…":
            result += ".*?"
        elif re.fullmatch(r"%c\d+", part):
            result += part + r"(?![\w#])"
        elif part.startswith("%") and part in names:
            result += re.escape(names[part]) + r"(?![\w#])"
        elif part.startswith("%") and part in here:
            result += f"(?P={part[1:]})(?![\\w#])"
        elif part.startswith("%"):
            here.add(part)
            result += rf"(?P<{part[1:]}>%[\w#]+)"
        else:
            result += re.escape(part)
    return re.compile(result), here


def check_excerpt(command, excerpt):
    """Finds the lines of `excerpt`, in this order, in what `command` prints. A
    line right below another must be the next one."""
    printed = [line.strip() for line in output(tools / command[0], *command[1:]).splitlines()]
    at, names, follows = 0, {}, False
    for line in excerpt.splitlines():
        if line.strip() == "…":
            follows = False
            continue
        expression, new = pattern(line, names)
        for place in [at] if follows else range(at, len(printed)):
            if place < len(printed) and (found := expression.match(printed[place])):
                break
        else:
            near = printed[at] if at < len(printed) else "the end"
            raise AssertionError(f"{shlex.join(command)} prints no (or not here)\n  {line}\nwhere there is\n  {near}")
        names |= {name: found.group(name[1:]) for name in new}
        at, follows = place + 1, True


def check_excerpts():
    blocks = re.findall(r"^`(lori-opt [^\n`]*)`\n\n```mlir\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == text.count("```mlir"), "an excerpt without its command"
    assert len(blocks) >= 10, len(blocks)
    for command, excerpt in blocks:
        check_excerpt(shlex.split(command), excerpt)


# --- borders -----------------------------------------------------------------


def check_borders():
    """The graph that the compiler shows has adapters resolved, as chosen, and
    only ops of the dialects that the first border names."""
    for mode in ("live", "fuse"):
        module = folder / f"{mode}.mlir"
        adapters = [f"--adapter={task}={data / 'adapters' / task}" for task in TASKS]
        output(tools / "lori-compile", data / "base", *adapters, f"--mode={mode}", "--emit=mlir", "-o", module)
        generic = output(tools / "lori-opt", module, "--mlir-print-op-generic")
        used = set(re.findall(r'"(\w+)\.[\w.]+"[(<]', generic))
        assert "lori" in used and "lm" in used, used
        assert used <= {"builtin", "lm", "lori", "func", "scf", "arith", "tensor"}, used
        assert ('"lori.adapt"' in generic) == (mode == "live"), mode


# --- calls -------------------------------------------------------------------


def documented_calls():
    (block,) = re.findall(r"^```symbols\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    names = block.split()
    assert len(names) == len(set(names)), "a call is listed twice"
    return set(names)


def undefined(path):
    symbols = output(NM, "-u", path)
    return set(re.findall(r"^\s*[Uwv] (\S+)$", symbols, re.MULTILINE)) - {"_GLOBAL_OFFSET_TABLE_"}


def check_calls():
    listed = (ROOT / "runtime" / "program" / "link" / "GeneratedCalls.def").read_text()
    allowed = set(re.findall(r"^LORI_\w+_CALL\((\w+)\)$", listed, re.MULTILINE))
    documented = documented_calls()
    assert documented == allowed, f"docs/lowering.md differs from GeneratedCalls.def by {documented ^ allowed}"
    seen = set()
    adapter = f"--adapter=add={data / 'adapters' / 'add'}"
    for name, options in {
            "optimized": [adapter], "reference": [adapter, "--pipeline=reference"],
            "v3": ["--cpu=x86-64-v3", "--weights-type=bf16", "--kv-type=bf16"],
            "v3-blocks": ["--cpu=x86-64-v3", "--weights-type=q4_0"],
            "v4": ["--cpu=x86-64-v4", "--weights-type=q8_0", "--kv-type=f16"]}.items():
        file = folder / f"{name}.o"
        output(tools / "lori-compile", data / "base", "--emit=obj", "-o", file, *options)
        calls = undefined(file)
        assert calls <= allowed, f"{name}: {calls - allowed}"
        seen |= calls
    # Memory and threads are used, so that the comparison was not of nothing.
    assert {"malloc", "free", "__kmpc_fork_call"} <= seen, seen


folder.mkdir(parents=True, exist_ok=True)
check_excerpts()
check_borders()
check_calls()
