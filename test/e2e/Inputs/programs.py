# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Files and runs of compiled programs, for the tests of whole programs; stdlib only."""

import array
import json
import pathlib
import re
import struct
import subprocess

TYPES = {"F32": "f", "I64": "q"}


def read_safetensors(path):
    """Returns {name: (shape, values)}."""
    data = path.read_bytes()
    (size,) = struct.unpack_from("<Q", data)
    header, body = json.loads(data[8:8 + size]), data[8 + size:]
    header.pop("__metadata__", None)
    return {name: (t["shape"], array.array(TYPES[t["dtype"]], body[slice(*t["data_offsets"])]))
            for name, t in header.items()}


def read_npy(path):
    """Returns (shape, values) of a file of f32 in C order."""
    data = path.read_bytes()
    assert data[:8] == b"\x93NUMPY\x01\x00", path
    (size,) = struct.unpack_from("<H", data, 8)
    header = data[10:10 + size].decode("ascii")
    assert "'<f4'" in header and "'fortran_order': False" in header, header
    shape = re.search(r"'shape': \(([\d, ]*)\)", header).group(1)
    return [int(n) for n in shape.split(",") if n.strip()], array.array("f", data[10 + size:])


def share_of_bound(got, wanted, absolute=1e-3, relative=1e-3):
    """Returns the largest error as a share of the bound: at most 1 holds."""
    assert len(got) == len(wanted), (len(got), len(wanted))
    return max(abs(x - y) / (absolute + relative * abs(y)) for x, y in zip(got, wanted))


def compile_program(compiler, model, program, *options):
    """Compiles `model`; returns `program`."""
    subprocess.run([compiler, model, "-o", program, "--quiet", *map(str, options)], check=True)
    return program


def logits(program, ids, *options):
    """Returns the logits of all positions of a prompt of token ids, row after row."""
    file = pathlib.Path(program).with_suffix(".npy")
    subprocess.run([program, "--tokens", ",".join(map(str, ids)), "-n", "0", "--logits", file, *map(str, options)],
                   check=True)
    return read_npy(file)[1]


def answers(program, requests, *options):
    """Returns the answers to `requests`, which run as one batch."""
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run([program, "--requests", "-", *map(str, options)], input=lines, stdout=subprocess.PIPE,
                          text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def failure(*command):
    """Runs a command that must fail with one line; returns (status, line)."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    assert done.returncode != 0, f"succeeded: {command}"
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return done.returncode, lines[0]
