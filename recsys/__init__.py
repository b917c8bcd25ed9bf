"""recsys: the library that every chapter of the book imports."""

import os

from recsys.bundle import load
from recsys.datasets import load_movielens, load_synthetic_log, make_synthetic
from recsys.evaluate import Report, evaluate, leaderboard
from recsys.interactions import Interactions
from recsys.show import show
from recsys.split import (
    keep_known_items,
    last_fraction,
    leave_last_out,
    temporal_fold_in,
    temporal_split,
)
from recsys.version import __version__

__all__ = [
    "Interactions",
    "Report",
    "__version__",
    "evaluate",
    "keep_known_items",
    "last_fraction",
    "leaderboard",
    "leave_last_out",
    "load",
    "load_movielens",
    "load_synthetic_log",
    "make_synthetic",
    "show",
    "temporal_fold_in",
    "temporal_split",
]

# Idle threads of compiled loops sleep; by default they spin, and slow down all others.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
