"""Batches of pairs (user, item), and negatives that are never a user's own items."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from scipy import sparse


def pairs(history: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """The users and items (n,) of a history's pairs, int64."""
    users = np.repeat(np.arange(history.shape[0]), np.diff(history.indptr))
    return users, history.indices.astype(np.int64)


def batches(rng: np.random.Generator | None, n: int, size: int) -> Iterator[np.ndarray]:
    """The numbers 0..n-1, in random order with `rng`, in batches of at most `size`.

    The batches are as equal as can be.
    """
    order = np.arange(n) if rng is None else rng.permutation(n)
    yield from np.array_split(order, max(1, -(-n // size))) if n else ()


class Negatives:
    """Draws items uniformly from those that a user has not interacted with.

    With a sorted history h_0 < h_1 < ..., the r-th item outside it is r plus the number of j
    with h_j - j <= r: one search in one sorted array, and no draw is ever repeated.
    """

    def __init__(self, history: sparse.csr_matrix) -> None:
        history = history.sorted_indices()
        self.n_items = history.shape[1]
        self.starts = history.indptr[:-1].astype(np.int64)
        self.free = self.n_items - np.diff(history.indptr).astype(np.int64)
        users, items = pairs(history)
        gaps = items - (np.arange(len(items)) - self.starts[users])
        self.keys = users * (self.n_items + 1) + gaps

    def draw(self, rng: np.random.Generator, users: np.ndarray) -> np.ndarray:
        """One item (n,) for each user; all of them must have `free` items."""
        rank = rng.integers(0, self.free[users])
        before = np.searchsorted(self.keys, users * (self.n_items + 1) + rank, side="right")
        return rank + before - self.starts[users]


def as_bags(rows: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A CSR matrix as what `torch.nn.functional.embedding_bag` reads: columns, starts, values."""
    starts = rows.indptr[:-1].astype(np.int64)
    return rows.indices.astype(np.int64), starts, rows.data.astype(np.float32)


def on_device(network: torch.nn.Module, *arrays: np.ndarray) -> list[torch.Tensor]:
    """Arrays as tensors on a network's device."""
    device = next(network.parameters()).device
    return [torch.from_numpy(np.ascontiguousarray(array)).to(device) for array in arrays]
