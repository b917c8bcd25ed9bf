"""Nearest neighbours by cosine: items like an item, users like a user."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from recsys import validation
from recsys.interactions import read_only
from recsys.retrieval.mips import best_products
from recsys.text import row_lengths
from recsys.threads import one_blas_thread

Lists = tuple[np.ndarray, np.ndarray]


def nearest(name: str, ids: Any, k: int, vectors: np.ndarray, unknown: np.ndarray) -> Lists:
    """The k rows of `vectors` (m, f) with the highest cosine to each given row, itself left out.

    Rows `unknown` and rows of zeros are in no list and have an empty one. `name` is that of `ids`.

    Returns neighbours (n, k) int32, padded with -1, and cosines (n, k) float32, padded with -inf;
    one id gives shape (k,) for both.
    """
    rows, neighbors, cosines = empty_lists(name, ids, k, len(vectors))
    lengths = row_lengths(vectors)
    lengths[unknown] = 0
    unit = (vectors / np.where(lengths > 0, lengths, 1)[:, None]).astype(np.float32)
    masks = np.where(lengths > 0, 0, -np.inf).astype(np.float32)
    starts = np.arange(len(rows) + 1, dtype=np.int32)
    itself = (np.ones(len(rows), np.float32), rows, starts)
    itself = read_only(sparse.csr_matrix(itself, (len(rows), len(vectors))))
    with one_blas_thread():
        best_products(
            unit, unit, masks, itself.indptr, itself.indices, starts[:-1], rows,
            np.flatnonzero(lengths[rows] > 0), neighbors, cosines,
        )  # fmt: skip
    return (neighbors, cosines) if np.iterable(ids) else (neighbors[0], cosines[0])


def stored(name: str, ids: Any, k: int, similarity: sparse.csr_matrix) -> Lists:
    """The k largest entries of each given row of a CSR matrix, as `nearest` returns them."""
    rows, neighbors, similarities = empty_lists(name, ids, k, similarity.shape[0])
    for n, row in enumerate(rows):
        entries = slice(similarity.indptr[row], similarity.indptr[row + 1])
        columns, values = similarity.indices[entries], similarity.data[entries]
        best = np.lexsort((columns, -values))[:k]
        neighbors[n, : len(best)], similarities[n, : len(best)] = columns[best], values[best]
    return (neighbors, similarities) if np.iterable(ids) else (neighbors[0], similarities[0])


def empty_lists(
    name: str, ids: Any, k: int, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The checked ids (n,), and lists of k neighbours and scores for each: -1 and -inf."""
    k = validation.whole_number("k", k)
    rows = validation.ids(name, ids if np.iterable(ids) else [ids], size)
    return rows, np.full((len(rows), k), -1, np.int32), np.full((len(rows), k), -np.inf, np.float32)
