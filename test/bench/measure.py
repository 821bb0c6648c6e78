# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs programs and measures them. Times are in seconds, sizes in bytes."""

import dataclasses
import json
import os
import pathlib
import shlex
import statistics
import subprocess
import tempfile
import time


class Failed(Exception):
    """A program did not do what is measured."""


@dataclasses.dataclass
class Child:
    seconds: float
    peak_rss: int
    output: str
    first_byte: float | None  # seconds until something came out


def run(command):
    """Runs `command` to its end; raises Failed if it fails. What it writes to
    stderr is shown only then."""
    command = [str(part) for part in command]
    with tempfile.TemporaryFile() as errors:
        start = time.monotonic()
        try:
            child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
        except OSError as error:
            raise Failed(f"{command[0]}: {error.strerror}") from error
        with child.stdout:
            output = child.stdout.read(1)
            first = time.monotonic() - start if output else None
            output += child.stdout.read()
        # The usage of this child alone, which Popen does not ask for.
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            errors.seek(0)
            said = errors.read().decode("utf-8", "replace").strip().splitlines()
            raise Failed(f"{shlex.join(command)}: exit status {child.returncode}: {(said or ['no message'])[-1]}")
    return Child(seconds, usage.ru_maxrss * 1024, output.decode("utf-8", "replace"), first)


def run_json(command):
    """Returns what `command` prints as JSON."""
    output = run(command).output
    try:
        return json.loads(output)
    except ValueError as error:
        raise Failed(f"{command[0]} printed no JSON: {output[:80]!r}") from error


@dataclasses.dataclass
class Tools:
    """The programs that are measured, or measure."""
    folder: pathlib.Path
    work: pathlib.Path  # for what they write
    threads: int
    prefill: int
    decode: int

    def compile(self, model, name, *options):
        """Returns the program `name` and how it was made."""
        program = self.work / name
        child = run([self.folder / "lori-compile", model, "-o", program, "--quiet",
                     f"--threads={self.threads}", *options])
        return program, child

    def speed(self, program, *options, prefill=None, decode=None):
        """Returns the program's tokens a second in prefill and decode, the best of its rounds."""
        shape = f"prefill={prefill or self.prefill},decode={decode or self.decode},batch=1"
        report = run_json([program, "--bench", shape, "--threads", self.threads, *options])
        return report["prefill"]["best"], report["decode"]["best"]

    def first_token(self, program, prompt):
        """Returns the seconds from the start of `program` until it writes a token, the median of five."""
        times = [run([program, "--tokens", prompt, "-n", "1", "--ignore-eos", "--print-tokens",
                      "--threads", self.threads]).first_byte for _ in range(5)]
        if None in times:
            raise Failed(f"{program} wrote no token")
        return statistics.median(times)

    def limits(self):
        """Returns the bytes a second that can be read and the f32 operations a second."""
        report = run_json([self.folder / "machine-limits", self.threads, 1024, 5])
        return max(report["read"]), max(report["multiply_add"])
