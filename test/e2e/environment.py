# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The Python of these tests can write and read what they need."""
# RUN: %python %s

import numpy
import safetensors.numpy

tensors = {"a": numpy.arange(4, dtype=numpy.float32)}
restored = safetensors.numpy.load(safetensors.numpy.save(tensors))
assert (restored["a"] == tensors["a"]).all()
