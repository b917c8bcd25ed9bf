"""Timing side by side: the two take turns, so that a slow moment of the machine hits both."""

from __future__ import annotations

import ctypes
import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.logs import Holdout
from benchmarks.quality import check_above_popularity, compare


@dataclass
class Race:
    """One task done by us and by a rival.

    `ours` and `theirs` take the number of the run, which is the seed, do the work and return its
    product; only they are timed. `quality` evaluates a product by metric. Where `ranked` is given
    it makes a product a model that can `recommend`, and both sides are compared on `holdout`.
    """

    rival: str
    ours: Callable[[int], Any]
    theirs: Callable[[int], Any]
    target: float
    setting: dict[str, Any] = field(default_factory=dict)
    quality: Callable[[Any], dict[str, float]] = lambda product: {}
    holdout: Holdout | None = None
    ranked: Callable[[Any], Any] = lambda product: product
    prepare: Callable[[], None] = lambda: None  # before each run, not timed
    blas_threads: int = 1  # one where the loops bring their own threads, as implicit asks for

    def metrics(self, product: Any) -> tuple[dict[str, float], np.ndarray | None]:
        """The quality of a product, and its NDCG@10 per user where the race is about lists."""
        if self.holdout is None:
            return self.quality(product), None
        ndcg = self.holdout.ndcg(self.ranked(product))
        return {"ndcg@10": float(ndcg.mean())} | self.quality(product), ndcg


SIDES = ("ours", "theirs")


def run(what: str, race: Race, runs: int) -> dict[str, Any]:
    """Warm both up once, then time them in turn: medians, ranges, ratio and quality.

    Raises `RefusedRace` where a side that recommends is no better than Popularity.
    """
    seconds: dict[str, list[float]] = {side: [] for side in SIDES}
    quality: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
    ndcg: dict[str, list[np.ndarray]] = {side: [] for side in SIDES}
    for turn in range(-1, runs):
        for side in SIDES if turn % 2 else SIDES[::-1]:
            product, elapsed = _timed(race, getattr(race, side), max(turn, 0))
            metrics, per_user = race.metrics(product)
            if turn < 0:
                if per_user is not None:
                    check_above_popularity(side, per_user[None], race.holdout.popularity)
                continue
            seconds[side].append(elapsed)
            quality[side].append(metrics)
            ndcg[side].append(per_user)
    row = _summary(what, race, seconds, quality)
    if race.holdout is not None:
        values = (np.array(ndcg[side]) for side in SIDES)
        row["comparison"] = compare(*values, race.holdout.popularity)
    return row


def _summary(what: str, race: Race, seconds: dict, quality: dict) -> dict[str, Any]:
    """What is stored of a race: medians over the runs."""
    ratios = [b / a for a, b in zip(seconds["ours"], seconds["theirs"], strict=True)]
    return {
        "what": what,
        "rival": race.rival,
        "setting": race.setting,
        "target": race.target,
        "ratio": median(seconds["theirs"]) / median(seconds["ours"]),
        "ratio_low": min(ratios),
        "ratio_high": max(ratios),
        "seconds": seconds,
        "peak_mb": {side: _peak_of(race, side) for side in SIDES},
        "quality": {
            side: {name: median(q[name] for q in found) for name in found[0]}
            for side, found in quality.items()
        },
    }


def _peak_of(race: Race, side: str) -> int | None:
    """The most memory in MB that one more run takes beyond what the process held before it."""
    race.prepare()
    gc.collect()
    before = reset_peak()
    with threadpool_limits(race.blas_threads, "blas"):
        product = getattr(race, side)(0)
    peak = None if before is None else status("VmHWM") - before
    del product
    return peak


def reset_peak() -> int | None:
    """Set the process's peak memory to what it holds now, in MB; None where Linux is not."""
    try:
        ctypes.CDLL(None).malloc_trim(0)  # give back what was freed, so that it cannot be reused
        Path("/proc/self/clear_refs").write_text("5")
        return status("VmRSS")
    except (OSError, AttributeError):
        return None


def status(key: str) -> int:
    """A size in MB that the system keeps of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) // 1024


def _timed(race: Race, work: Callable[[int], Any], turn: int) -> tuple[Any, float]:
    race.prepare()
    gc.collect()
    time.sleep(0.2)  # until the threads of the last run sleep
    with threadpool_limits(race.blas_threads, "blas"):
        start = time.perf_counter()
        product = work(turn)
        return product, time.perf_counter() - start
