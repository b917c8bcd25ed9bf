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

from threadpoolctl import threadpool_limits


@dataclass
class Contest:
    """One thing done by us and by a rival.

    `ours` and `theirs` take the number of the run, do the work and return its product; only
    they are timed. `quality` judges a product by name and figure.
    """

    rival: str
    ours: Callable[[int], Any]
    theirs: Callable[[int], Any]
    quality: Callable[[Any], dict[str, float]]
    target: float
    setting: dict[str, Any] = field(default_factory=dict)
    prepare: Callable[[], None] = lambda: None  # before each run, not timed
    blas_threads: int = 1  # one where the loops bring their own threads, as implicit asks for


def run(what: str, contest: Contest, runs: int) -> dict[str, Any]:
    """Warm both up once, then time them in turn; medians, spreads, ratio and quality."""
    seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
    quality: dict[str, list[dict[str, float]]] = {"ours": [], "theirs": []}
    for turn in range(-1, runs):
        order = ("ours", "theirs") if turn % 2 else ("theirs", "ours")
        for side in order:
            product, elapsed = _timed(contest, getattr(contest, side), max(turn, 0))
            if turn >= 0:
                seconds[side].append(elapsed)
                quality[side].append(contest.quality(product))
    peak_mb = {side: _peak_of(contest, side) for side in ("ours", "theirs")}
    ratios = [b / a for a, b in zip(seconds["ours"], seconds["theirs"], strict=True)]
    return {
        "what": what,
        "rival": contest.rival,
        "setting": contest.setting,
        "target": contest.target,
        "ratio": median(seconds["theirs"]) / median(seconds["ours"]),
        "ratio_low": min(ratios),
        "ratio_high": max(ratios),
        "seconds": seconds,
        "peak_mb": peak_mb,
        "quality": {
            side: {name: median(q[name] for q in found) for name in found[0]}
            for side, found in quality.items()
        },
    }


def _peak_of(contest: Contest, side: str) -> int | None:
    """The most memory in MB that one more run takes beyond what the process held before it."""
    contest.prepare()
    gc.collect()
    before = reset_peak()
    with threadpool_limits(contest.blas_threads, "blas"):
        product = getattr(contest, side)(0)
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
    """A figure in MB that the system keeps of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) // 1024


def _timed(contest: Contest, work: Callable[[int], Any], turn: int) -> tuple[Any, float]:
    contest.prepare()
    gc.collect()
    time.sleep(0.2)  # until the threads of the last run sleep
    with threadpool_limits(contest.blas_threads, "blas"):
        start = time.perf_counter()
        product = work(turn)
        return product, time.perf_counter() - start
