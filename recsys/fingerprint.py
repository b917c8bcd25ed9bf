"""Fingerprints of logs: they depend on the rows and the sizes, not on the order of the rows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np


def log_fingerprint(n_users: int, n_items: int, row_digest: np.ndarray) -> str:
    """The fingerprint of a log of which only the sizes and the digest of the rows are known."""
    length, has_time, has_value, *totals = row_digest.tolist()
    parts = [length, n_users, n_items, bool(has_time), bool(has_value), *totals]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def digest_of_rows(columns: Sequence[np.ndarray | None], n_rows: int) -> np.ndarray:
    """Number of rows, whether they have times and values, and two sums of hashes: (5,) uint64.

    `columns` are user, item, time and value. The sums of two logs add up to those of both.
    """
    rows = np.zeros(n_rows, np.uint64)
    for column in columns:
        if column is not None:
            rows = _hash64(rows ^ column.astype(np.float64).view(np.uint64))
    present = [column is not None for column in columns[2:]]
    totals = [_hash64(rows + np.uint64(salt)).sum(dtype=np.uint64) for salt in (1, 2)]
    return np.array([n_rows, *present, *totals], np.uint64)


def _hash64(x: np.ndarray) -> np.ndarray:
    """Hash of each 64-bit word (SplitMix64, Steele et al. 2014)."""
    x = (x + np.uint64(0x9E3779B97F4A7C15)).astype(np.uint64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
