"""SparkALS beside ImplicitALS: quality on one log, growth with the log, where one machine ends.

`python -m benchmarks --only distributed` runs this part alone. Quality: both are tuned by as many
tries on the validation set of MovieLens-1M likes, and compared on its test set, paired by user;
beside them Spark's objective solved by our own loops. Growth: generated logs of several sizes, each
fit in a process of its own. Seconds are those of a fit with the log in memory, its first call on
this machine made before; memory is the peak of all resident pages, of Java and Python together.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.data import long_tailed
from benchmarks.extrapolation import line_through, reach
from benchmarks.logs import LIKES_1M, Holdout, Log, load, mean_interval
from benchmarks.spaces import FACTORS, Between
from benchmarks.storage import machine
from recsys import Interactions
from recsys.models import ImplicitALS
from recsys.spark import SparkALS
from recsys.spark_session import STARTED, spark_session
from recsys.tuned import tuned_settings

THREADS, SEEDS, TRIES = 2, (0, 1, 2), 12
MASTER, HEAP = f"local[{THREADS}]", "6g"
# Java takes all that it may before it collects; these keep its heap near what is in use
TIGHT = "-XX:+UseSerialGC -XX:MinHeapFreeRatio=10 -XX:MaxHeapFreeRatio=20"
SPACE = {"factors": FACTORS, "alpha": Between(0.1, 40), "reg": Between(0.003, 3)}
SWEEPS = 15  # of SparkALS everywhere, and of the extrapolation
SIZES = (100_000, 300_000, 1_000_000, 3_000_000)  # interactions
GIGABYTES = (16, 64, 256)
ENGINES = ("ImplicitALS", "SparkALS")


def run(runs: int = 5, sizes: tuple[int, ...] = SIZES, log: str = LIKES_1M) -> dict[str, Any]:
    """All that is stored under "distributed"; prints each row once it is measured."""
    rows = []
    for row in growth(runs, sizes):
        rows.append(row)
        print(growth_line(row), flush=True)
    limits = [limit for engine in ENGINES for limit in ends(engine, rows)]
    for limit in limits:
        print(limit_line(limit))
    found = quality(load(log))
    for row in found["comparisons"]:
        print(quality_line(row))
    setting = {"factors": 64, "sweeps": SWEEPS, "threads": THREADS, "heap": HEAP,
               "java": TIGHT, "runs": runs}  # fmt: skip
    here = machine(("numpy", "scipy", "numba", "pyspark"))
    return {"machine": here, "setting": setting, "growth": rows, "limits": limits, "quality": found}


def quality(log: Log) -> dict[str, Any]:
    """Settings chosen on the validation set, and paired differences in NDCG@10 on the test set."""
    spark = tuned(log.validation)
    ours = tuned_settings(log.name)["ImplicitALS"]
    holdout, values, seconds = log.test, {}, {}
    with spark_session(MASTER, HEAP):
        for name, kind, setting in (
            ("ImplicitALS", ImplicitALS, ours),
            ("SparkALS", SparkALS, spark | {"master": MASTER, "memory": HEAP}),
            ("SparkALS, our loops", SparkALS, spark | {"master": None}),
        ):
            fits = [timed_fit(kind(**setting, rng=rng), holdout) for rng in SEEDS]
            values[name] = np.mean([ndcg for ndcg, _ in fits], axis=0)
            seconds[name] = [second for _, second in fits]
    pairs = (("SparkALS", "SparkALS, our loops"), ("SparkALS", "ImplicitALS"))
    means = {name: [float(v.mean()), *mean_interval(v)] for name, v in values.items()}
    return {
        "log": log.name, "tries": TRIES, "at_edge": at_edge(spark),
        "settings": {"SparkALS": spark, "ImplicitALS": ours},
        "popularity": float(holdout.popularity.mean()), "ndcg_at_10": means, "seconds": seconds,
        "users": len(holdout.users), "seeds": len(SEEDS),
        "comparisons": [difference(values, *pair) for pair in pairs],
    }  # fmt: skip


def tuned(validation: Holdout, tries: int = TRIES) -> dict[str, Any]:
    """The best of random settings on the validation set, solved by our loops: the same minimum."""
    rng, best = np.random.default_rng(0), (-1.0, {})
    for _ in tqdm(range(tries), desc="settings", disable=None):
        setting = {name: space.draw(rng) for name, space in SPACE.items()} | {"iterations": SWEEPS}
        model = SparkALS(**setting, master=None, n_threads=THREADS)
        value = timed_fit(model, validation)[0].mean()
        best = max(best, (value, setting), key=lambda pair: pair[0])
    return best[1]


def at_edge(setting: dict[str, Any]) -> dict[str, str]:
    """The settings that lie at an end of their range, and which."""
    found = {name: space.edge(setting[name]) for name, space in SPACE.items()}
    return {name: end for name, end in found.items() if end}


def timed_fit(model: Any, holdout: Holdout) -> tuple[np.ndarray, float]:
    """NDCG@10 of each held-out user, and the seconds of the fit."""
    start = time.perf_counter()
    model.fit(holdout.train, progress=False)
    seconds = time.perf_counter() - start
    return holdout.ndcg(model), seconds


def difference(values: dict[str, np.ndarray], first: str, second: str) -> dict[str, Any]:
    """The mean difference of two models with its 95 % bootstrap interval over users."""
    gap = values[first] - values[second]
    low, high = mean_interval(gap)
    return {"first": first, "second": second, "difference": float(gap.mean()),
            "low": low, "high": high}  # fmt: skip


def growth(runs: int, sizes: tuple[int, ...]) -> Iterator[dict[str, Any]]:
    """Seconds of one sweep and of the rest, and the peak memory, by engine and interactions."""
    with tempfile.TemporaryDirectory() as folder:
        for pairs in sizes:
            n_users, n_items = pairs // 165, round(3_706 * (pairs / 1e6) ** 0.5)
            log = long_tailed(n_users, n_items, pairs)
            path = Path(folder) / "log.npz"
            np.savez(path, user=log.user, item=log.item, sizes=[n_users, n_items])
            fits: dict[str, list] = {engine: [] for engine in ENGINES}
            for _ in range(runs):
                for engine in ENGINES:  # in turns
                    command = [sys.executable, "-m", "benchmarks.distributed", engine, str(path)]
                    done = subprocess.run(command, capture_output=True, check=True, text=True)
                    fits[engine].append(json.loads(done.stdout.splitlines()[-1]))
            for engine, measured in fits.items():
                yield {"engine": engine, "pairs": pairs, "users": n_users, "items": n_items} | {
                    key: [one[key] for one in measured] for key in measured[0]
                }


def measure(engine: str, path: str) -> dict[str, float]:
    """One process: fits of 1 and of 4 sweeps, and the peak of what Python and Java held."""
    with np.load(path) as file:
        log = Interactions(file["user"], file["item"], None, None, *file["sizes"].tolist())
    if engine == "ImplicitALS":
        return seconds_and_peak(lambda n: ImplicitALS(iterations=n, n_threads=THREADS), log)
    os.environ["JDK_JAVA_OPTIONS"] = TIGHT
    with spark_session(MASTER, HEAP):
        options = {"master": MASTER, "memory": HEAP, "n_threads": THREADS}
        return seconds_and_peak(lambda n: SparkALS(iterations=n, **options), log)


def seconds_and_peak(make: Any, log: Interactions) -> dict[str, float]:
    """Seconds of a sweep and of all else in a fit, and the peak in MB."""
    make(4).fit(long_tailed(300, 200, 3_000), progress=False)  # compiles
    seconds = {}
    for sweeps in (1, 4):
        start = time.perf_counter()
        make(sweeps).fit(log, progress=False)
        seconds[sweeps] = time.perf_counter() - start
    sweep = max(seconds[4] - seconds[1], 0) / 3
    processes = [os.getpid(), *(gateway.proc.pid for gateway in STARTED)]
    peak = sum(peak_mb(process) for process in processes)
    return {"sweep": sweep, "rest": max(seconds[1] - sweep, 0), "peak_mb": peak}


def peak_mb(process: int) -> float:
    """The peak resident memory of a process."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def ends(engine: str, rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """How many interactions fit into a memory, and the hours that they then take.

    A line through the peaks, and one through the logarithms of the seconds; intervals are those of
    the fitted lines, and assume that growth stays as measured.
    """
    own = [row for row in rows if row["engine"] == engine]
    pairs = np.repeat([row["pairs"] for row in own], [len(row["sweep"]) for row in own])
    peaks = np.concatenate([row["peak_mb"] for row in own])
    seconds = np.concatenate([SWEEPS * np.array(r["sweep"]) + r["rest"] for r in own])
    memory = line_through(pairs, peaks, weights=1 / peaks)
    duration = line_through(np.log(pairs), np.log(seconds))
    for gigabytes in GIGABYTES:
        yield {"engine": engine, "gb": gigabytes} | reach(memory, duration, 1024 * gigabytes)


def growth_line(row: dict[str, Any]) -> str:
    """One row of the table of growth."""
    sweep, rest, peak = (median(row[key]) for key in ("sweep", "rest", "peak_mb"))
    return (
        f"{row['engine']:<12}{row['pairs']:>10,} interactions  {sweep:8.3f} s a sweep  "
        f"{rest:7.2f} s else  {peak:8.0f} MB"
    )


def limit_line(row: dict[str, Any]) -> str:
    """One row of the table of limits."""
    low, middle, high = (value / 1e6 for value in row["pairs"])
    return (
        f"{row['engine']:<12}{row['gb']:>4} GB end at {middle:7.0f} M interactions "
        f"({low:.0f} to {high:.0f}), {row['hours'][1]:.2f} h "
        f"({row['hours'][0]:.2f} to {row['hours'][2]:.2f})"
    )


def quality_line(row: dict[str, Any]) -> str:
    """One comparison."""
    return (
        f"{row['first']} - {row['second']}: NDCG@10 {row['difference']:+.4f} "
        f"({row['low']:+.4f} to {row['high']:+.4f})"
    )


if __name__ == "__main__":
    print(json.dumps(measure(*sys.argv[1:3])))
