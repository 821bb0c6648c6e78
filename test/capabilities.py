# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a test may ask of the machine beyond a build of the project.

One table serves lit (`REQUIRES: avx512`), the check on skipped GoogleTest
cases, and the examples: a test may only skip itself for a capability named
here, and only where that capability is really absent.
"""

import os
import pathlib
import re

SOURCE_DIR = pathlib.Path(__file__).resolve().parent.parent
SMOLLM2_GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"


def shared_dir(source_dir=SOURCE_DIR):
    """Returns the folder of reference data, or None."""
    named = os.environ.get("LORI_SHARED")
    folder = pathlib.Path(named) if named else source_dir.parent / "shared"
    return folder if (folder / "data").is_dir() else None


def smollm2_gguf(source_dir=SOURCE_DIR):
    """Returns the SmolLM2 GGUF that `./dev demo` downloads, or None."""
    named = os.environ.get("LORI_SMOLLM2")
    file = pathlib.Path(named) if named else source_dir / ".cache" / SMOLLM2_GGUF
    return file if file.is_file() else None


def cpu_flags():
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return set()
    found = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    return set(found.group(1).split()) if found else set()


# Capability -> (words in a skip message that mean it, is it here?).
CAPABILITIES = {
    "shared": (r"shared|LORI_SHARED", lambda: shared_dir() is not None),
    "smollm2": (r"smollm2|SmolLM2", lambda: smollm2_gguf() is not None),
    "avx2": (r"avx2|AVX2", lambda: {"avx2", "fma", "f16c"} <= cpu_flags()),
    "avx512": (r"avx-?512|AVX-?512", lambda: {"avx512f", "avx512bw", "avx512vl"} <= cpu_flags()),
    "amx": (r"\bamx|AMX", lambda: {"amx_tile", "amx_bf16"} <= cpu_flags()),
    "unprivileged": (r"\broot\b", lambda: os.geteuid() != 0),
    "cuda": (r"cuda|CUDA", lambda: pathlib.Path("/dev/nvidia0").exists()),
}


def available():
    """Returns the names of the capabilities that are here."""
    return {name for name, (_, here) in CAPABILITIES.items() if here()}


def excuse(message):
    """Returns the absent capability that `message` of a skipped test names, or None."""
    absent = set(CAPABILITIES) - available()
    for name in sorted(absent):
        if re.search(CAPABILITIES[name][0], message):
            return name
    return None
