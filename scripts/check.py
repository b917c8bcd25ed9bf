"""Everything that `make test` checks, step by step, with one line at the end that sums it up.

A step that fails does not stop the ones after it. Exit status 0 means that nothing failed.
Notebooks whose data cannot be had here are skipped by name; in CI, where RECSYS_DATA_DIR
promises the data, they fail instead.
"""

import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

import processor
from app import MODULES, install, node
from execute import (
    FOLDERS,
    ROOT,
    environment,
    missing_data,
    missing_packages,
    notebooks_in,
    packages_of,
    relative,
)
from extras import left_out

WORKERS = str(min(4, max(2, os.cpu_count() or 2)))
LIBRARY = [
    "recsys",
    "capstone/newsreco",
    "tests/recsys",
    "tests/newsreco",
    "tests/benchmarks",
    "tests/deploy",
]
# Naming the plugins instead of looking for them saves seconds at each start.
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "xdist.plugin", "-n", WORKERS]


@dataclass
class Step:
    """What one step found: counts, the names of what failed and was skipped, seconds."""

    name: str
    passed: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self) -> str:
        word = "FAILED" if self.failed else "passed"
        counts = f"{self.passed} passed, {len(self.failed)} failed, {len(self.skipped)} skipped"
        return f"{word}  {self.name:28} {counts:36} {self.seconds:4.0f} s"


def run(command: list[str]) -> int:
    """Run a command in the repository's root, its output in view; return its exit status."""
    env = environment() | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL).returncode


def command_step(name: str, command: list[str]) -> Step:
    """A step that a command's exit status decides."""
    status = run(command)
    return Step(name, failed=[f"exit status {status}"]) if status else Step(name, passed=1)


def read_report(step: Step, report: Path) -> None:
    """Add the results that pytest wrote as JUnit XML."""
    for case in ElementTree.parse(report).iter("testcase"):
        label = f"{case.get('classname')}::{case.get('name')}"
        if case.find("failure") is not None or case.find("error") is not None:
            step.failed.append(label)
        elif (skip := case.find("skipped")) is not None:
            step.skipped.append(f"{label}: {skip.get('message')}")
        else:
            step.passed += 1


def pytest_step(name: str, arguments: list[str]) -> Step:
    """A step made of many tests."""
    step = Step(name)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        status = run([*PYTEST, f"--junitxml={report}", *arguments])
        if report.exists():
            read_report(step, report)
    if status and not step.failed:
        step.failed.append(f"pytest stopped with exit status {status}")
    return step


def library_step(name: str, arguments: list[str]) -> Step:
    """The library's tests; what needs a package that is not installed is skipped by name."""
    step = pytest_step(name, arguments)
    present = {path: why for path, why in left_out().items() if (ROOT / path).exists()}
    step.skipped += [f"{path}: {why}" for path, why in present.items()]
    return step


def notebook_step(name: str, folder: Path) -> Step:
    """Run a folder's notebooks again and compare each output with the stored one, strictly.

    On a processor that rounds otherwise they are run, and that they are not compared is said.
    """
    promised = bool(os.environ.get("CI") and os.environ.get("RECSYS_DATA_DIR"))
    without = {path: missing_packages(path) for path in notebooks_in(folder)}
    missing = {path: missing_data(path) for path, why in without.items() if not why}
    present = [path for path, why in missing.items() if not why]
    # The first import builds matplotlib's font cache and may say so on stderr.
    run([sys.executable, "-c", "import matplotlib.font_manager"])
    step = Step(name)
    for strict, paths in comparable(present).items():
        add_notebooks(step, strict, paths)
    if not processor.can_compare():
        step.skipped.append("stored outputs were not compared: they need x86-64 with AVX2")
    step.skipped += [f"{relative(path)}: {why}" for path, why in without.items() if why]
    absent = [f"{relative(path)}: {why}" for path, why in missing.items() if why]
    (step.failed if promised else step.skipped).extend(absent)
    if not without:
        step.failed.append("there are no notebooks")
    return step


def comparable(paths: list[Path]) -> dict[bool, list[Path]]:
    """The notebooks whose outputs this processor can compute to the last digit, and the others."""
    groups = {True: [], False: []}
    for path in paths:
        torch = "torch" in packages_of(path) and not processor.can_compare_torch()
        groups[processor.can_compare() and not torch].append(path)
    return {strict: group for strict, group in groups.items() if group}


def add_notebooks(step: Step, strict: bool, paths: list[Path]) -> None:
    """Run notebooks, compared strictly or not, and add what was found to the step."""
    compare = "--nbval" if strict else "--nbval-lax"
    nbval = ["-p", "nbval.plugin", compare, "--nbval-current-env", "--dist", "loadfile"]
    done = pytest_step(step.name, [*nbval, *map(str, paths)])
    step.passed += done.passed
    step.failed += done.failed
    step.skipped += done.skipped
    if processor.can_compare() and not strict:
        step.skipped += [f"{relative(path)}: {processor.OTHER_TORCH}" for path in paths]


def type_step(name: str) -> Step:
    """Check the web app's types."""
    install()
    status = node(MODULES / "typescript" / "bin" / "tsc").returncode
    return Step(name, failed=[f"exit status {status}"]) if status else Step(name, passed=1)


def vitest_step(name: str) -> Step:
    """Run the web app's unit tests."""
    step = Step(name)
    install()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        options = ["--reporter=dot", "--reporter=junit", f"--outputFile.junit={report}"]
        status = node(MODULES / "vitest" / "vitest.mjs", "run", *options).returncode
        if report.exists():
            read_report(step, report)
    if status and not step.failed:
        step.failed.append(f"vitest stopped with exit status {status}")
    return step


def papermill_step(name: str) -> Step:
    """Run the capstone end to end on a small world, with another seed than the stored outputs."""
    with tempfile.TemporaryDirectory() as runs:
        script = [sys.executable, "scripts/capstone.py", "--runs", runs]
        return command_step(name, [*script, "--size", "small", "--seed", "1"])


def timed(make_step, *arguments) -> Step:
    """Take a step, note its seconds, and turn its own breakdown into a failure."""
    title = arguments[0]
    print(f"\n--- {title}", flush=True)
    started = time.monotonic()
    try:
        step = make_step(*arguments)
    except Exception as error:  # the steps after this one still count
        step = Step(title, failed=[f"{type(error).__name__}: {error}"])
    step.seconds = time.monotonic() - started
    return step


def main() -> int:
    """Take all steps, then print what failed, what was skipped, and the sum."""
    ruff = [sys.executable, "-m", "ruff"]
    hypothesis = ["-p", "_hypothesis_pytestplugin"]
    steps = [
        timed(command_step, "style (ruff check)", [*ruff, "check", "."]),
        timed(command_step, "format (ruff format)", [*ruff, "format", "--check", "."]),
        timed(pytest_step, "conventions", ["tests/repo"]),
        timed(library_step, "library", [*hypothesis, *LIBRARY]),
        timed(type_step, "web app (types)"),
        timed(vitest_step, "web app (vitest)"),
        timed(command_step, "book (strict)", [sys.executable, "scripts/render.py"]),
        timed(pytest_step, "app and book in a browser", ["-n", "0", "tests/frontend"]),
        timed(notebook_step, "notebooks (nbval)", FOLDERS[0]),
        timed(notebook_step, "capstone (nbval)", FOLDERS[1]),
        timed(papermill_step, "capstone (papermill)"),
    ]
    print("\n--- summary")
    for step in steps:
        print(step)
    for step in steps:
        for name in step.skipped:
            print(f"SKIPPED {step.name}: {name}")
        for name in step.failed:
            print(f"FAILED {step.name}: {name}")
    passed = sum(step.passed for step in steps)
    failed = sum(len(step.failed) for step in steps)
    skipped = sum(len(step.skipped) for step in steps)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
