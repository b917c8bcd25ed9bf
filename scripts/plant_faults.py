"""Mutation testing with faults chosen by hand: which ones do the tests catch?

Each entry of `faults.toml` is one realistic fault: an edit of one file, and the test files of its
module. The files that git does not ignore are copied to a temporary folder. There one fault at a
time is planted, the tests run until the first failure, and the file is restored; the checkout is
never edited.

    python scripts/plant_faults.py --only bootstrap
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIST = Path(__file__).with_name("faults.toml")
SOURCES = {"recsys": "", "capstone/newsreco": "capstone/"}  # folder: what module names leave out
WHOLE = ["tests/recsys", "tests/newsreco", "recsys", "capstone/newsreco"]
LIMIT = 900  # seconds; a fault that makes the tests run for longer counts as caught


@dataclass(frozen=True)
class Fault:
    """One edit: `old`, which occurs once in `file`, becomes `new`."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def planted(self, text: str) -> str:
        """The file's text with the fault; ValueError unless `old` occurs exactly once."""
        if (count := text.count(self.old)) != 1:
            raise ValueError(f"{self.name}: {self.file} holds the old text {count} times, not once")
        return text.replace(self.old, self.new)


def read_faults(path: Path = LIST) -> list[Fault]:
    """All faults of a list."""
    entries = tomllib.loads(path.read_text())["fault"]
    return [Fault(**entry | {"tests": tuple(entry["tests"])}) for entry in entries]


def copy_tracked(folder: Path) -> None:
    """Copy the repository's files, as they are now, but for those that git ignores."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.check_output(command, cwd=ROOT, text=True)
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def importers(folder: Path, file: str) -> set[Path]:
    """The file and all that import it, directly or not."""
    modules = {}
    for source, prefix in SOURCES.items():
        for path in (folder / source).rglob("*.py"):
            name = str(path.relative_to(folder)).removeprefix(prefix).removesuffix(".py")
            modules[name.replace("/", ".").removesuffix(".__init__")] = path
    found = {folder / file}
    while True:
        names = {name for name, path in modules.items() if path in found}
        more = {path for path in modules.values() if imported(path) & names} - found
        if not more:
            return found
        found |= more


def imported(path: Path) -> set[str]:
    """Names of the modules that a file may import."""
    pairs = re.findall(r"^\s*from ([\w.]+) import (\(?[\w, \n]+)", path.read_text(), re.MULTILINE)
    names = {f"{module}.{name}" for module, many in pairs for name in re.findall(r"\w+", many)}
    return names | {module for module, _ in pairs}


def forget_compiled(folder: Path, cache: Path, file: str) -> None:
    """Delete the compiled code that a change of the file makes wrong.

    Numba looks at the file of a function itself, not at those that it imports.
    """
    if "@compiled" not in (folder / file).read_text():
        return
    for path in importers(folder, file):
        for compiled in cache.glob(f"*/{path.stem}.*"):
            compiled.unlink()


def run_tests(folder: Path, cache: Path, tests: list[str]) -> str:
    """The first failure, or an empty string if all tests passed."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    paths = os.pathsep.join([str(folder), str(folder / "capstone")])
    env = os.environ | {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    env["NUMBA_CACHE_DIR"] = str(cache)
    try:
        done = subprocess.run(
            command, cwd=folder, env=env, capture_output=True, text=True, timeout=LIMIT
        )
    except subprocess.TimeoutExpired:
        return f"more than {LIMIT} s"
    if done.returncode == 0:
        return ""
    failures = re.findall(r"^(?:FAILED|ERROR) ([^\n]*)", done.stdout, re.MULTILINE)
    return failures[0][:90] if failures else f"exit status {done.returncode}: {done.stdout[-300:]}"


def plant(folder: Path, cache: Path, fault: Fault, tests: list[str]) -> str:
    """Plant a fault, run tests, restore the file; what caught it, or an empty string."""
    path = folder / fault.file
    text, times = path.read_text(), (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    path.write_text(fault.planted(text))
    try:
        forget_compiled(folder, cache, fault.file)
        return run_tests(folder, cache, tests)
    finally:
        path.write_text(text)
        os.utime(path, ns=times)
        forget_compiled(folder, cache, fault.file)


def main(arguments: list[str] | None = None) -> int:
    """Plant the faults and print a table; exit status 1 if one survived."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="", help="faults whose name or file holds this text")
    parser.add_argument("--whole", action="store_true", help="run survivors against all tests")
    options = parser.parse_args(arguments)
    faults = [f for f in read_faults() if options.only in f.name or options.only in f.file]
    with tempfile.TemporaryDirectory() as temporary:
        folder, cache = Path(temporary, "copy"), Path(temporary, "compiled")
        copy_tracked(folder)
        for fault in faults:
            fault.planted((folder / fault.file).read_text())
        tests = sorted({test for fault in faults for test in fault.tests})
        if failure := run_tests(folder, cache, tests):
            print(f"The tests must pass without a fault: {failure}")
            return 2
        caught = 0
        for fault in faults:
            begin = time.monotonic()
            failure = plant(folder, cache, fault, list(fault.tests))
            if not failure and options.whole:
                failure = plant(folder, cache, fault, WHOLE)
            caught += bool(failure)
            verdict = "caught" if failure else "SURVIVED"
            seconds = time.monotonic() - begin
            print(f"{verdict:8}  {fault.name:60}  {seconds:4.0f} s  {failure}", flush=True)
    print(f"{caught} of {len(faults)} faults caught ({caught / max(len(faults), 1):.0%})")
    return caught < len(faults)


if __name__ == "__main__":
    sys.exit(main())
