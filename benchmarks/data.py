"""The logs that are timed: MovieLens-1M where it is at hand, else one of its size and shape."""

from __future__ import annotations

import numpy as np

from recsys import Interactions
from recsys.datasets import MOVIELENS, data_folders, load_movielens

GENRES = 128


def movielens_sized() -> tuple[str, Interactions]:
    """A name and a log of about a million different pairs."""
    folder = MOVIELENS["1m"].folder
    if any((base / name).exists() for base in data_folders() for name in (folder, f"{folder}.zip")):
        ratings = load_movielens("1m")
        return "MovieLens-1M", ratings.positives(0)
    return "generated, the size of MovieLens-1M", long_tailed(6040, 3706, 1_000_000)


def long_tailed(n_users: int, n_items: int, n_pairs: int, seed: int = 0) -> Interactions:
    """Different pairs of users, of lognormal activity, with items of Zipf-like popularity.

    Each user spreads over a few of 128 genres, each item over a few too: structure that more
    factors can follow further. Times are random.
    """
    rng = np.random.default_rng(seed)
    activity = rng.lognormal(0, 1.1, n_users)
    popularity = 1 / (np.arange(n_items) + 20) ** 0.9
    taste = rng.gamma(0.05, 1, (n_users, GENRES)) + 1e-12
    chance = rng.gamma(0.03, 1, (n_items, GENRES)) * rng.permutation(popularity)[:, None]
    chosen = np.empty(0, np.int64)
    while len(chosen) < n_pairs:
        n = n_pairs // 2
        user = rng.choice(n_users, n, p=activity / activity.sum())
        genre = _pick(rng, taste, user)
        item = np.empty(n, np.int64)
        for g in range(GENRES):
            mine = genre == g
            item[mine] = rng.choice(n_items, mine.sum(), p=chance[:, g] / chance[:, g].sum())
        chosen = np.unique(np.concatenate([chosen, user * n_items + item]))
    chosen = rng.permutation(chosen)[:n_pairs]
    return Interactions(
        chosen // n_items, chosen % n_items, rng.random(n_pairs), None, n_users, n_items
    )


def _pick(rng: np.random.Generator, weights: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """A column for each of `rows`, drawn by the row's weights."""
    ends = np.cumsum(weights, axis=1)
    ends = ends / ends[:, -1:] + np.arange(len(ends))[:, None]  # row r ends between r and r + 1
    return np.searchsorted(ends.ravel(), rows + rng.random(len(rows))) % weights.shape[1]
