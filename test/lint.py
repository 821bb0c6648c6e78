# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks that every file keeps the house rules; `./dev lint` and ctest run it.

Each check is a function that yields (file, line, message); the table CHECKS
says which files it sees. Formatting and blanks are mended with --fix.
"""

import argparse
import ast
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LLVM = 22
LICENCE = "SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception"
CPP = {".cpp", ".h", ".c"}
LONG_FILE = 400

# Arrows go one way: tools -> passes -> dialect, tools -> runtime.
MAY_NOT_INCLUDE = {
    "dialect": ("passes/", "tools/", "runtime/"),
    "passes": ("tools/",),
    "runtime": ("dialect/", "passes/", "tools/", "mlir/", "llvm/", "lld/"),
}


def git(*arguments):
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.split("\n")[:-1] if done.returncode == 0 else []


def project_files():
    """Returns the project's text files, tracked or about to be, as relative paths."""
    names = git("ls-files", "--cached", "--others", "--exclude-standard")
    if not names:  # an unpacked archive
        names = [str(f.relative_to(ROOT)) for f in ROOT.rglob("*")
                 if not {"build", ".git", ".cache"} & set(f.relative_to(ROOT).parts)]
    files = [pathlib.Path(name) for name in sorted(set(names))]
    return [f for f in files if (ROOT / f).is_file() and b"\0" not in (ROOT / f).read_bytes()[:4096]]


def read(file):
    return (ROOT / file).read_text(encoding="utf-8")


def is_script(file):
    return file.suffix == ".sh" or file.suffix == "" and read(file).startswith("#!")


def is_shell(file):
    return is_script(file) and "sh" in read(file).split("\n", 1)[0]


def is_code(file):
    return file.suffix in CPP | {".td", ".py", ".cmake"} or is_script(file)


def is_prose_or_code(file):
    return not {"data", "corpus", "generated"} & set(file.parts)


def check_licence(file):
    lines = read(file).split("\n")
    first = lines[1] if lines[0].startswith("#!") else lines[0]
    if lines != [""] and LICENCE not in first:
        yield file, 1, f"the first line must say {LICENCE}"


def check_blanks(file):
    text = read(file)
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip():
            yield file, number, "blanks at the end of the line"
        if "\t" in line:
            yield file, number, "a tab"
    if text and (not text.endswith("\n") or text.endswith("\n\n")):
        yield file, text.count("\n"), "the file must end with one newline"


def check_words(file):
    # Written so that the patterns do not match themselves.
    machine_path = re.compile(r"(?<![\w.$}])/(?:work|root|home/\w+|Users)/")
    unfinished = re.compile(r"\bTODO\b(?!\(#\d+\):)|\bFIX" r"ME\b|\bXX" r"X\b|DO NOT (?:SUBMIT|COMMIT)")
    for number, line in enumerate(read(file).split("\n"), 1):
        if machine_path.search(line):
            yield file, number, "an absolute path of one machine"
        if found := unfinished.search(line):
            if file.name not in ("lint.py", "CONTRIBUTING.md"):
                yield file, number, f"'{found.group()}': finish it, or write TODO(#issue): what changes"


def check_header_guard(file):
    guard = "LORI_" + re.sub(r"\W", "_", str(file)).upper()
    if f"#ifndef {guard}\n#define {guard}\n" not in read(file):
        yield file, 1, f"the header guard must be {guard}"


def check_layers(file):
    forbidden = MAY_NOT_INCLUDE.get(file.parts[0], ())
    for number, line in enumerate(read(file).split("\n"), 1):
        found = re.match(r'\s*#\s*include\s*[<"]([^">]+)', line)
        if found and found.group(1).startswith(forbidden or "\0"):
            yield file, number, f"{file.parts[0]}/ may not include {found.group(1)}"


def check_listed_in_cmake(file):
    for folder in file.parents:
        lists = ROOT / folder / "CMakeLists.txt"
        if lists.is_file():
            if file.name not in lists.read_text():
                yield file, 1, f"not built: {folder}/CMakeLists.txt does not name it"
            return


def check_python(file):
    try:
        ast.parse(read(file))
    except SyntaxError as error:
        yield file, error.lineno or 1, f"not Python: {error.msg}"


def check_shell(file):
    done = subprocess.run(["bash", "-n", str(ROOT / file)], capture_output=True, text=True)
    if done.returncode:
        yield file, 1, done.stderr.strip().replace("\n", " ")
    if not os.access(ROOT / file, os.X_OK):
        yield file, 1, "a script must be executable (chmod +x)"


def check_links(file):
    for number, line in enumerate(read(file).split("\n"), 1):
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", line):
            if "generated/" not in target and not (ROOT / file.parent / target).exists():
                yield file, number, f"a link to nothing: {target}"


CHECKS = [
    (check_licence, is_code),
    (check_blanks, is_prose_or_code),
    (check_words, is_prose_or_code),
    (check_header_guard, lambda f: f.suffix == ".h"),
    (check_layers, lambda f: f.suffix in CPP),
    (check_listed_in_cmake, lambda f: f.suffix == ".cpp"),
    (check_python, lambda f: f.suffix == ".py"),
    (check_shell, is_shell),
    (check_links, lambda f: f.suffix == ".md" and "generated" not in f.parts),
]


def tool(name):
    """Returns the program of the pinned LLVM; another version judges otherwise."""
    for path in (f"{name}-{LLVM}", f"/usr/lib/llvm-{LLVM}/bin/{name}"):
        if shutil.which(path):
            return path
    sys.exit(f"lint: error: {name}-{LLVM} is not installed; ./dev setup installs it")


def check_format(files):
    """Yields one finding for each C++ file that clang-format would change."""
    sources = [str(f) for f in files if f.suffix in CPP]
    if not sources:
        return
    done = subprocess.run([tool("clang-format"), "--dry-run", *sources],
                          cwd=ROOT, capture_output=True, text=True)
    seen = set()
    for name, line in re.findall(r"^(\S+?):(\d+):\d+: .*clang-format", done.stderr, re.MULTILINE):
        if name not in seen:
            seen.add(name)
            yield pathlib.Path(name), int(line), "not as clang-format writes it"
    if done.returncode and not seen:
        sys.exit(f"lint: error: clang-format: {done.stderr.strip()}")


def fix(files):
    """Formats C++ and removes blanks at the end of lines and files."""
    sources = [str(f) for f in files if f.suffix in CPP]
    if sources:
        subprocess.run([tool("clang-format"), "-i", *sources], cwd=ROOT, check=True)
    for file in filter(is_prose_or_code, files):
        old = read(file)
        new = re.sub(r"[ \t\r]+$", "", old, flags=re.MULTILINE).rstrip("\n")
        new += "\n" if new else ""
        if new != old:
            (ROOT / file).write_text(new, encoding="utf-8")
            print(f"mended {file}")


def changed_files():
    """Returns what differs from main; on main itself, what its last commit changed."""
    for base in ("origin/main", "main"):
        fork = git("merge-base", "HEAD", base)
        if fork and fork != git("rev-parse", "HEAD"):
            break
    else:
        fork = git("rev-parse", "--verify", "HEAD^") or ["HEAD"]
    names = git("diff", "--name-only", fork[0]) + git("ls-files", "--others", "--exclude-standard")
    return {pathlib.Path(name) for name in names}


def tidy_sources(which):
    """Returns the .cpp files to tidy; a changed header stands for its own .cpp."""
    sources = [f for f in project_files() if f.suffix == ".cpp"]
    if which == "all":
        return sources
    stems = {f.with_suffix("") for f in changed_files() if f.suffix in CPP}
    return [f for f in sources if f.with_suffix("") in stems]


def run_tidy(sources, build, jobs):
    """Yields clang-tidy's output for each file in which it finds something."""
    known = (build / "compile_commands.json").read_text()
    sources = [f for f in sources if str(ROOT / f) in known]

    def check(source):
        done = subprocess.run([tool("clang-tidy"), "--quiet", "-p", str(build), str(ROOT / source)],
                              capture_output=True, text=True)
        return done.stdout if done.returncode else ""

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        yield from filter(None, pool.map(check, sources))


def report_lengths(files):
    """Names the files that have outgrown one job; a hint, not a failure."""
    long = [(read(f).count("\n"), f) for f in files if is_code(f)]
    for lines, file in sorted((e for e in long if e[0] > LONG_FILE), reverse=True):
        print(f"note: {file} has {lines} lines; is it still one job?")


def check_files(files):
    for check, applies in CHECKS:
        for file in filter(applies, files):
            yield from check(file)
    yield from check_format(files)


def main():
    cli = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    cli.add_argument("--fix", action="store_true", help="mend formatting and blanks")
    cli.add_argument("--list-tidy", choices=["changed", "all"], help="name what --tidy would see")
    cli.add_argument("--tidy", choices=["changed", "all"], help="run clang-tidy instead")
    cli.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    cli.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = cli.parse_args()

    if arguments.list_tidy:
        print(*tidy_sources(arguments.list_tidy), sep="\n")
        return 0
    if arguments.tidy:
        findings = list(run_tidy(tidy_sources(arguments.tidy), arguments.build, arguments.jobs))
        print(*findings, sep="", end="")
        return 1 if findings else 0

    files = project_files()
    if arguments.fix:
        fix(files)
        return 0
    findings = list(check_files(files))
    for file, line, message in findings:
        print(f"{file}:{line}: {message}", file=sys.stderr)
    report_lengths(files)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
