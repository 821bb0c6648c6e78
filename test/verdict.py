# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Says whether a whole run of ctest counts: every unit-test program has cases,
and what was skipped had to be.

usage: verdict.py BUILD    (reads BUILD/ctest.xml and asks ctest for its tests)
"""

import collections
import json
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as xml

import capabilities


def programs_without_cases(build):
    """Yields unit-test programs of which ctest knows no case."""
    listing = subprocess.run(["ctest", "--test-dir", str(build), "--show-only=json-v1"],
                             capture_output=True, text=True, check=True).stdout
    commands = [test.get("command", [""])[0] for test in json.loads(listing)["tests"]]
    known = {pathlib.Path(command).name for command in commands}
    for program in (build / "test" / "unit-programs.txt").read_text().split():
        if program not in known:
            yield f"{program} has no test case"


def skip_reason(output):
    """Returns what a skipped GoogleTest case prints beside its frame."""
    frame = re.compile(r"^(\[|Note: Google Test filter|Running main|\S+:\d+: Skipped$)")
    lines = [line.strip() for line in output.splitlines()]
    return " ".join(line for line in lines if line and not frame.match(line))


def judge_skips(results):
    """Returns how many cases each absent capability excused, and the rest."""
    excused, unexcused = collections.Counter(), []
    for case in results.iter("testcase"):
        if case.get("status") != "notrun":
            continue
        reason = skip_reason(case.findtext("system-out") or "")
        absent = capabilities.excuse(reason)
        if absent:
            excused[absent] += 1
        else:
            unexcused.append(f"{case.get('name')} skipped itself for no reason that holds here: "
                             f"{reason or 'none given'}")
    return excused, unexcused


def main():
    build = pathlib.Path(sys.argv[1])
    results = xml.parse(build / "ctest.xml").getroot()
    excused, problems = judge_skips(results)
    problems += programs_without_cases(build)
    for name, count in sorted(excused.items()):
        print(f"{count} skipped: {capabilities.CAPABILITIES[name].absence}")
    for problem in problems:
        print(f"the run does not count: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
