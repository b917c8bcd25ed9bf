"""`python -m benchmarks.start`: seconds of the first `newsreco train` on a fresh checkout.

Three situations, each in new processes with the default sample: *first*, with an empty cache of
compiled code and no MLflow database; *second*, with both there; *untracked*, the same without
MLflow. Printed are the medians of elapsed and of processor seconds; the second hardly depends on
what else the machine does. `--phases` prints where the first training compiles.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.newsroom import ROOT, environment

PHASES = """
import sys, time
from numba.core import event

class Compilations(event.Listener):
    running, rows = [], []
    def on_start(self, started):
        self.running.append(time.perf_counter())
    def on_end(self, ended):
        seconds = time.perf_counter() - self.running.pop()
        if not self.running:  # compiled for a call from Python, with all that it calls
            self.rows.append((seconds, ended.data["dispatcher"].py_func.__qualname__))

event.register("numba:compile", Compilations())
from newsreco.cli import main
main(sys.argv[1:])
print(f"{sum(seconds for seconds, _ in Compilations.rows):6.2f} s compiling")
for seconds, name in sorted(Compilations.rows, reverse=True)[:10]:
    print(f"{seconds:6.2f} s {name}")
"""


def train(folder: Path, *options: str, program: tuple[str, ...] = ("-m", "newsreco")) -> str:
    """Output of one training, in a new process, with its compiled code and records in `folder`."""
    command = [sys.executable, *program, "train", "--quiet", "--data", "data", "--out", "model"]
    return subprocess.run(
        [*command, *options], cwd=folder, check=True, stdout=subprocess.PIPE, text=True,
        env=environment() | {"NUMBA_CACHE_DIR": str(folder / "compiled")},
    ).stdout  # fmt: skip


def measured(folder: Path, *options: str) -> tuple[float, float]:
    """Elapsed and processor seconds of one training."""
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    train(folder, *options)
    elapsed, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return elapsed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure_all(runs: int) -> dict[str, list[tuple[float, float]]]:
    """The seconds of each situation, one pair per run."""
    rows: dict[str, list[tuple[float, float]]] = {"first": [], "second": [], "untracked": []}
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            make_sample(folder)
            rows["first"].append(measured(folder))
            rows["second"].append(measured(folder))
            rows["untracked"].append(measured(folder, "--no-tracking"))
    return rows


def make_sample(folder: Path) -> None:
    """The default sample, by a command of its own: nothing it compiles is in `folder`."""
    command = [sys.executable, "-m", "newsreco", "sample", "--out", str(folder / "data"), "--quiet"]
    subprocess.run(command, cwd=ROOT, env=environment(), check=True, stdout=subprocess.PIPE)


def main(argv: list[str]) -> None:
    """Print a table, or where the first training compiles."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="runs of each situation (default: 3)")
    parser.add_argument(
        "--phases", action="store_true", help="print what is compiled, slowest first"
    )
    options = parser.parse_args(argv)
    if options.phases:
        with tempfile.TemporaryDirectory() as folder:
            make_sample(Path(folder))
            lines = train(Path(folder), "--no-tracking", program=("-c", PHASES)).splitlines()
        print("\n".join(lines[-11:]))
        return
    print(f"load {os.getloadavg()[0]:.1f}\n{'training':10}{'elapsed':>9}{'processor':>11}")
    for name, pairs in measure_all(options.runs).items():
        elapsed, processor = (statistics.median(column) for column in zip(*pairs))
        print(f"{name:10}{elapsed:7.1f} s{processor:9.1f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
