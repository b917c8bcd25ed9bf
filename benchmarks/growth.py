"""How time and memory grow with the log, and how near the hottest loops come to the machine.

Each fit runs in a process of its own, so that its peak memory is its own:
`python -m benchmarks.growth ALS ours log.npz` prints seconds and megabytes.
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
from typing import Any

import numpy as np

from benchmarks.data import long_tailed
from benchmarks.harness import SIDES, reset_peak, status
from recsys import Interactions

SIZES = {1_000_000: (6_040, 3_706), 10_000_000: (60_400, 11_700), 25_000_000: (151_000, 18_500)}
MODELS = ("ALS", "BPR", "ItemKNN")


def growth(sizes: dict[int, tuple[int, int]] = SIZES) -> Iterator[dict[str, Any]]:
    """Seconds and peak megabytes of ours and implicit's fits, for logs of several sizes."""
    with tempfile.TemporaryDirectory() as folder:
        for pairs, (n_users, n_items) in sizes.items():
            log = long_tailed(n_users, n_items, pairs)
            path = Path(folder) / "log.npz"
            np.savez(path, user=log.user, item=log.item, sizes=[n_users, n_items])
            for model in MODELS:
                for side in SIDES:
                    command = [sys.executable, "-m", "benchmarks.growth", model, side, str(path)]
                    done = subprocess.run(command, capture_output=True, check=True, text=True)
                    yield json.loads(done.stdout.splitlines()[-1])


def growth_summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """From the smallest log to the largest: growth of time per pair, and the ratio of peaks."""
    by_key = {(row["model"], row["side"], row["pairs"]): row for row in rows}
    sizes = sorted({row["pairs"] for row in rows})
    small, large = sizes[0], sizes[-1]
    found = []
    for model in dict.fromkeys(row["model"] for row in rows):
        ends = {side: [by_key[model, side, n] for n in (small, large)] for side in SIDES}
        grown = {
            side: (last["seconds"] / large) / (first["seconds"] / small)
            for side, (first, last) in ends.items()
        }
        peaks = [ends[side][1]["peak_mb"] for side in SIDES]
        memory = None if None in peaks else peaks[0] / peaks[1]
        found.append({"model": model, "pairs": large, **grown, "memory": memory})
    return found


def measure(model: str, side: str, path: str) -> dict[str, Any]:
    """One sweep or epoch of 64 factors, or the neighbours; compiled before on a small log."""
    fit = OURS[model] if side == "ours" else _theirs(model)
    small = long_tailed(300, 200, 3_000)
    fit(small if side == "ours" else small.matrix.copy())  # compiles
    with np.load(path) as file:
        log = Interactions(file["user"], file["item"], None, None, *file["sizes"].tolist())
    log.matrix, log.fingerprint  # noqa: B018  both are made once, before
    given = log if side == "ours" else log.matrix.copy()  # the log's own is read-only
    before = reset_peak()
    start = time.perf_counter()
    fit(given)
    seconds = time.perf_counter() - start
    peak = None if before is None else status("VmHWM") - before
    return {"model": model, "side": side, "pairs": len(log), "seconds": seconds, "peak_mb": peak}


def _our_als(log: Any) -> Any:
    from recsys.models import ImplicitALS

    return ImplicitALS(64, alpha=1.0, reg=10.0, iterations=3, cg_steps=1, n_threads=2).fit(log)


def _our_bpr(log: Any) -> Any:
    from recsys.models import BPR

    return BPR(64, epochs=3, n_threads=2).fit(log)


def _our_knn(log: Any) -> Any:
    from recsys.models import ItemKNN

    return ItemKNN(n_neighbors=50, n_threads=2).fit(log)


OURS = {"ALS": _our_als, "BPR": _our_bpr, "ItemKNN": _our_knn}


def _theirs(model: str) -> Any:
    from implicit.als import AlternatingLeastSquares
    from implicit.bpr import BayesianPersonalizedRanking
    from implicit.nearest_neighbours import CosineRecommender
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, "blas")
    options = {"iterations": 3, "num_threads": 2, "use_gpu": False}
    make = {
        "ALS": lambda: AlternatingLeastSquares(64, 10.0, **options),
        "BPR": lambda: BayesianPersonalizedRanking(64, 0.05, **options),
        "ItemKNN": lambda: CosineRecommender(K=51, num_threads=2),
    }  # fmt: skip
    return lambda history: make[model]().fit(history, show_progress=False)


def loops() -> list[dict[str, Any]]:
    """Arithmetic of the two hottest loops beside the fastest that this machine multiplies."""
    from recsys.models import BPR, ImplicitALS

    log = long_tailed(6_040, 3_706, 1_000_000)
    nnz, f = log.matrix.nnz, 64
    log.fingerprint  # noqa: B018
    limit = _product_rate()
    als = _best(lambda n: ImplicitALS(f, iterations=n, cg_steps=1, n_threads=2).fit(log), 6)
    bpr = _best(lambda n: BPR(f, epochs=n, n_threads=2).fit(log), 6)
    # a sweep: two sides, three passes over the rows, a multiplication and an addition each;
    # a step: 64 differences and products, then three updates of about three operations each
    work = {"ALS, one sweep": (2 * 3 * 2 * nnz * f, als), "BPR, one epoch": (12 * nnz * f, bpr)}
    return [
        {"loop": name, "reached": operations / seconds / 1e9, "limit": limit, "unit": "Gflop/s"}
        for name, (operations, seconds) in work.items()
    ]


def _best(fit: Any, n: int) -> float:
    """Seconds of one more sweep or epoch: the least of three differences."""

    def clock(steps: int) -> float:
        start = time.perf_counter()
        fit(steps)
        return time.perf_counter() - start

    clock(1)
    return min(clock(n + 1) - clock(1) for _ in range(3)) / n


def _product_rate() -> float:
    """Gflop/s of a large float32 matrix product on two threads."""
    from threadpoolctl import threadpool_limits

    a = np.ones((3_000, 3_000), np.float32)
    with threadpool_limits(2, "blas"):
        times = []
        for _ in range(5):
            start = time.perf_counter()
            a @ a
            times.append(time.perf_counter() - start)
    return 2 * 3_000**3 / min(times) / 1e9


if __name__ == "__main__":
    os.environ.setdefault("NUMBA_NUM_THREADS", "2")
    print(json.dumps(measure(*sys.argv[1:4])))
