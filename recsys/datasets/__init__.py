"""Data sets: real ones to download, and synthetic ones whose structure is known."""

from recsys.datasets.movielens import load_movielens, split_likes
from recsys.datasets.movielens_sequences import split_sequences
from recsys.datasets.movielens_users import load_movielens_users
from recsys.datasets.open_bandit import BanditLog, load_open_bandit
from recsys.datasets.synthetic import load_synthetic_log, make_synthetic

__all__ = [
    "BanditLog",
    "load_movielens",
    "load_movielens_users",
    "load_open_bandit",
    "load_synthetic_log",
    "make_synthetic",
    "split_likes",
    "split_sequences",
]
