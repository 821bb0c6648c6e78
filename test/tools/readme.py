# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""README.md shows what the compiler does: its IR before the passes is that of
examples/adapter.mlir, and its IR after them is what they make of it. What it
shows of embedding is in the project that test/install builds.
"""
# RUN: %python %s %bin/lori-opt

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def lori_opt(module, *passes):
    return subprocess.run([sys.argv[1], *passes], input=module, stdout=subprocess.PIPE,
                          text=True, check=True).stdout


def declarations(module):
    return "\n".join(re.findall(r"^ *lori\.param .*$", module, re.MULTILINE))


readme = (ROOT / "README.md").read_text()
before, after = re.findall(r"^```mlir\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
passes = re.search(r"`lori-opt (--[-\w ]+)`", readme).group(1).split()
example = (ROOT / "examples" / "adapter.mlir").read_text()

assert before in example, "README.md quotes something else than examples/adapter.mlir"
made = lori_opt(example, *passes)
shown = lori_opt(declarations(made) + "\n" + after)
assert made == shown, f"README.md shows\n{shown}\nbut {passes} give\n{made}"

install = ROOT / "test" / "install"
for language, file in (("cmake", "CMakeLists.txt"), ("cpp", "embed.cpp")):
    (shown,) = re.findall(rf"^```{language}\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    lines = [line.strip() for line in (install / file).read_text().splitlines()]
    for line in shown.splitlines():
        assert line.strip() == "…" or line.strip() in lines, f"README.md shows what is not in {file}: {line}"
