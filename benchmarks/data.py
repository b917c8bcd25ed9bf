"""Generated logs and files of any size, for races in which only the size matters."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from recsys import Interactions

GENRES = 128


def long_tailed(n_users: int, n_items: int, n_pairs: int, seed: int = 0) -> Interactions:
    """Different pairs of users, of lognormal activity, with items of Zipf-like popularity.

    Each user spreads over a few of 128 genres, each item over a few too: structure that more
    factors can follow further. Times are random.
    """
    rng = np.random.default_rng(seed)
    activity = rng.lognormal(0, 1.1, n_users)
    popularity = 1 / (np.arange(n_items) + 20) ** 0.9
    preference = rng.gamma(0.05, 1, (n_users, GENRES)) + 1e-12
    weight = rng.gamma(0.03, 1, (n_items, GENRES)) * rng.permutation(popularity)[:, None]
    chosen = np.empty(0, np.int64)
    while len(chosen) < n_pairs:
        n = n_pairs // 2
        user = rng.choice(n_users, n, p=activity / activity.sum())
        genre = _pick(rng, preference, user)
        item = np.empty(n, np.int64)
        for g in range(GENRES):
            rows = genre == g
            item[rows] = rng.choice(n_items, rows.sum(), p=weight[:, g] / weight[:, g].sum())
        chosen = np.unique(np.concatenate([chosen, user * n_items + item]))
    chosen = rng.permutation(chosen)[:n_pairs]
    return Interactions(
        chosen // n_items, chosen % n_items, rng.random(n_pairs), None, n_users, n_items
    )


def ratings_file(n_rows: int = 25_000_095) -> Path:
    """A CSV file with the columns and the size of MovieLens-25M's ratings; kept for later runs."""
    path = Path(tempfile.gettempdir()) / f"ratings-{n_rows}.csv"
    if not path.is_file():
        rng = np.random.default_rng(0)
        user = np.sort(_powers(rng, 162_541, n_rows))
        item = rng.permutation(209_171)[_powers(rng, 59_047, n_rows)]
        stars = rng.integers(1, 11, n_rows) / 2
        time = rng.integers(789_652_009, 1_574_327_703, n_rows)
        columns = {"userId": user + 1, "movieId": item + 1, "rating": stars, "timestamp": time}
        draft = path.with_suffix(".draft")
        pl.DataFrame(columns).write_csv(draft)
        draft.replace(path)
    return path


def _powers(rng: np.random.Generator, n: int, size: int) -> np.ndarray:
    """`size` numbers below n; number i about as often as 1 / (i + 30)."""
    return (30 * ((n / 30 + 1) ** rng.random(size) - 1)).astype(np.int64)


def _pick(rng: np.random.Generator, weights: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """A column for each of `rows`, drawn by the row's weights."""
    ends = np.cumsum(weights, axis=1)
    ends = ends / ends[:, -1:] + np.arange(len(ends))[:, None]  # row r ends between r and r + 1
    return np.searchsorted(ends.ravel(), rows + rng.random(len(rows))) % weights.shape[1]
