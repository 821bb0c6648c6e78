# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a test may ask of the machine beyond a build of the project.

One table serves lit (`REQUIRES: avx512`), the check on skipped GoogleTest
cases, and the examples: a test may only skip itself for a capability named
here, and only where that capability is really absent.
"""

import dataclasses
import os
import pathlib
import re
import typing

import smollm2

SOURCE_DIR = pathlib.Path(__file__).resolve().parent.parent


def shared_dir(source_dir=SOURCE_DIR):
    """Returns the folder of reference data, or None."""
    named = os.environ.get("LORI_SHARED")
    folder = pathlib.Path(named) if named else source_dir.parent / "shared"
    return folder if (folder / "data").is_dir() else None


def smollm2_gguf(source_dir=SOURCE_DIR):
    """Returns the SmolLM2 GGUF that `./dev demo` downloads, or None."""
    named = os.environ.get("LORI_SMOLLM2")
    file = pathlib.Path(named) if named else source_dir / ".cache" / smollm2.GGUF
    return file if file.is_file() else None


def cpu_flags():
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return set()
    found = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    return set(found.group(1).split()) if found else set()


@dataclasses.dataclass(frozen=True)
class Capability:
    here: typing.Callable[[], bool]
    words: str  # a pattern of the skip messages that mean it
    absence: str  # what to tell the user where it is absent


CAPABILITIES = {
    "shared": Capability(
        lambda: shared_dir() is not None, r"reference data|LORI_SHARED|shared/data",
        "the reference data is not beside the checkout (LORI_SHARED)"),
    "smollm2": Capability(
        lambda: smollm2_gguf() is not None, r"smollm2|SmolLM2",
        "SmolLM2's GGUF is not here (./dev demo fetches it; LORI_SMOLLM2)"),
    "avx2": Capability(
        lambda: {"avx2", "fma", "f16c"} <= cpu_flags(), r"avx2|AVX2", "the CPU has no AVX2"),
    "avx512": Capability(
        lambda: {"avx512f", "avx512bw", "avx512vl"} <= cpu_flags(), r"avx-?512|AVX-?512",
        "the CPU has no AVX-512"),
    "amx": Capability(
        lambda: {"amx_tile", "amx_bf16"} <= cpu_flags(), r"\bamx|AMX", "the CPU has no AMX"),
    "unprivileged": Capability(
        lambda: os.geteuid() != 0, r"\broot\b", "root may read and write everything"),
    "cuda": Capability(
        lambda: pathlib.Path("/dev/nvidia0").exists(), r"cuda|CUDA", "there is no GPU"),
}


def available():
    """Returns the names of the capabilities that are here."""
    return {name for name, capability in CAPABILITIES.items() if capability.here()}


def excuse(message):
    """Returns the absent capability that `message` of a skipped test names, or None."""
    for name in sorted(set(CAPABILITIES) - available()):
        if re.search(CAPABILITIES[name].words, message):
            return name
    return None
