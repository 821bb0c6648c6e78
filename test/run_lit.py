# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs one lit suite for ctest and fails where lit itself would not: fewer
tests than are on disk or than asked for, or a REQUIRES that no machine meets.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys

import capabilities

PASSED = {"PASS", "XFAIL", "FLAKYPASS"}
BUILD_FEATURES = {"sanitizers"}  # lit.cfg.py sets these from the build


def parse_arguments():
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--lit", required=True, help="the lit program")
    cli.add_argument("--minimum", type=int, required=True, help="tests that must pass")
    cli.add_argument("--workers", type=int, default=1)
    cli.add_argument("--build", type=pathlib.Path, required=True, help="the build folder")
    cli.add_argument("suite", help="a folder or file below test/")
    return cli.parse_args()


def run_lit(arguments, results):
    command = [arguments.lit, "--no-progress-bar", "-v", "--show-unsupported",
               f"--workers={arguments.workers}", f"--output={results}",
               str(arguments.build / "test" / arguments.suite)]
    return subprocess.run(command).returncode


def tests_on_disk(suite):
    """Returns how many files below `suite` lit takes for tests."""
    folder = capabilities.SOURCE_DIR / "test" / suite
    if folder.is_file():
        return 1
    return sum(
        1 for file in folder.rglob("*")
        if file.suffix in (".mlir", ".test", ".py") and file.is_file()
        and not {"Inputs", "__pycache__"} & set(file.parts) and not file.name.startswith("lit.")
    )


def unmeetable_requirement(output):
    """Returns the feature in lit's reason for skipping that does not exist."""
    known = set(capabilities.CAPABILITIES) | BUILD_FEATURES
    reason = re.search(r"unavailable features: (.*)", output)
    if not reason:
        return None
    unknown = set(re.findall(r"[\w-]+", reason.group(1))) - known
    return ", ".join(sorted(unknown)) or None


def shortfalls(tests, arguments):
    """Yields what is wrong with a run in which no test failed."""
    expected = tests_on_disk(arguments.suite)
    if len(tests) != expected and not os.environ.get("LIT_FILTER"):
        yield f"{expected} tests are on disk, lit ran {len(tests)}"
    passed = sum(test["code"] in PASSED for test in tests)
    if passed < arguments.minimum:
        yield f"{passed} tests passed, at least {arguments.minimum} must"
    for test in tests:
        feature = unmeetable_requirement(test["output"] or "")
        if test["code"] == "UNSUPPORTED" and feature:
            yield f"{test['name']} requires {feature}, which test/capabilities.py does not know"


def main():
    arguments = parse_arguments()
    results = arguments.build / "test" / f"lit-{arguments.suite.replace('/', '-')}.json"
    results.parent.mkdir(parents=True, exist_ok=True)
    results.unlink(missing_ok=True)
    status = run_lit(arguments, results)
    if status != 0:
        return status
    problems = list(shortfalls(json.loads(results.read_text())["tests"], arguments))
    for problem in problems:
        print(f"test/{arguments.suite}: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
