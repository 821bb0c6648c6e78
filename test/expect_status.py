# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs a command and checks the exit status it ends with: expect_status.py 2 COMMAND..."""

import subprocess
import sys

status = subprocess.run(sys.argv[2:]).returncode
if status != int(sys.argv[1]):
    sys.exit(f"exit status {status}, expected {sys.argv[1]}: {' '.join(sys.argv[2:])}")
