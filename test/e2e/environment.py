# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The Python of these tests has what they need, and the compiler runs under it."""
# RUN: %python %s %bin

import pathlib
import subprocess
import sys

import numpy
import safetensors.numpy

tensors = {"a": numpy.arange(4, dtype=numpy.float32)}
restored = safetensors.numpy.load(safetensors.numpy.save(tensors))
assert (restored["a"] == tensors["a"]).all()
subprocess.run([pathlib.Path(sys.argv[1]) / "lori-compile", "--help"], check=True)
