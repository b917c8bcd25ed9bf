r"""Ranking metrics: are the relevant items in the list, and at which ranks?

For one user with the set R of n relevant items and a ranked list cut at k. All six share their
arguments: `recommended`, the lists, padded with -1 if short, as an array (n_users, >= k) or a
list of lists; `relevant`, the sets R, as a list of sets or arrays or a CSR matrix, row by row
the same users; and `k`. All return one value per user, (n_users,) float64; `.mean()` is the score.

A user without relevant items has no value: nan. An item listed twice, k below 1, different numbers
of rows, and a stored value that is not above 0 raise ValueError. An item is relevant or it is not;
only `ndcg_at_k` can grade.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse

from recsys import validation
from recsys.compiled import compiled, prange


def recall_at_k(recommended: Any, relevant: Any, k: int) -> np.ndarray:
    """Fraction of the relevant items that the list holds: hits / n.

    >>> recall_at_k([[7, 3, 9]], [{3, 4}], k=3)
    array([0.5])
    """
    hits, n = hits_at_k(recommended, relevant, k)
    return _per_user(hits.sum(axis=1) / np.maximum(n, 1), n)


def precision_at_k(recommended: Any, relevant: Any, k: int) -> np.ndarray:
    """Fraction of the k positions that hold a relevant item: hits / k, also for short lists.

    >>> precision_at_k([[7, 3, 9, 1]], [{3, 4}], k=4)
    array([0.25])
    """
    hits, n = hits_at_k(recommended, relevant, k)
    return _per_user(hits.sum(axis=1) / k, n)


def hit_at_k(recommended: Any, relevant: Any, k: int) -> np.ndarray:
    """1 if the list holds at least one relevant item, else 0.

    >>> hit_at_k([[7, 3], [7, 3]], [{3, 4}, {5}], k=2)
    array([1., 0.])
    """
    hits, n = hits_at_k(recommended, relevant, k)
    return _per_user(hits.any(axis=1).astype(np.float64), n)


def ndcg_at_k(
    recommended: Any,
    relevant: Any,
    k: int,
    graded: bool = False,
) -> np.ndarray:
    r"""Normalised discounted cumulative gain: a hit at rank r counts 1 / log2(r + 1).

    The ideal list has its min(n, k) hits first (Järvelin and Kekäläinen 2002). With
    `graded`, a hit counts its value in the sparse matrix `relevant`, and the ideal list
    has the highest first.

    >>> ndcg_at_k([[7, 9, 3]], [{3}], k=3)
    array([0.5])
    """
    if validation.true_or_false("graded", graded):
        return _graded_ndcg(recommended, relevant, k)
    hits, n = hits_at_k(recommended, relevant, k)
    discount = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discount)[np.clip(n, 1, k) - 1]
    return _per_user((hits * discount).sum(axis=1) / ideal, n)


def _graded_ndcg(recommended: Any, relevant: Any, k: int) -> np.ndarray:
    if not sparse.issparse(relevant):
        raise ValueError(
            f"relevant must be a sparse matrix of gains, got {type(relevant).__name__}"
        )
    gains = _as_csr(relevant).astype(np.float64)
    hits, n = hits_at_k(recommended, gains, k)
    users, positions = np.nonzero(hits)
    discount = 1 / np.log2(np.arange(2, k + 2))
    found = gains[users, _as_lists(recommended, k)[users, positions]]
    dcg = np.bincount(users, np.ravel(found) * discount[positions], minlength=len(n))

    rows = np.repeat(np.arange(len(n)), n)
    best = np.lexsort((-gains.data, rows))  # by user, highest gain first; users stay in order
    rank = np.arange(len(rows)) - gains.indptr[rows]
    counted = rank < k
    ideal = gains.data[best][counted] * discount[rank[counted]]
    ideal = np.bincount(rows[counted], ideal, minlength=len(n))
    return _per_user(dcg / np.where(n > 0, ideal, 1), n)


def average_precision_at_k(recommended: Any, relevant: Any, k: int) -> np.ndarray:
    """Average precision: the sum of that at each hit, over min(n, k); its mean is MAP.

    >>> average_precision_at_k([[3, 7, 4]], [{3, 4}], k=3).round(3)
    array([0.833])
    """
    hits, n = hits_at_k(recommended, relevant, k)
    precision = np.cumsum(hits, axis=1) / np.arange(1, k + 1)
    return _per_user((hits * precision).sum(axis=1) / np.clip(n, 1, k), n)


def reciprocal_rank_at_k(recommended: Any, relevant: Any, k: int) -> np.ndarray:
    """Reciprocal rank: 1 / rank of the first hit, 0 without one; its mean is MRR.

    >>> reciprocal_rank_at_k([[7, 3, 4]], [{3, 4}], k=3)
    array([0.5])
    """
    hits, n = hits_at_k(recommended, relevant, k)
    first = 1 + hits.argmax(axis=1)
    return _per_user(hits.any(axis=1) / first, n)


def hits_at_k(recommended: Any, relevant: Any, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Which positions hold a relevant item, and the number of relevant items.

    Returns
    -------
    hits : array (n_users, k) of bool
    n : array (n_users,) of int
        Size of each relevant set.
    """
    k = validation.whole_number("k", k)
    lists = _as_lists(recommended, k)
    relevant = _as_csr(relevant)
    if len(lists) != relevant.shape[0]:
        raise ValueError(
            "recommended and relevant must have the same users, "
            f"got {len(lists)} and {relevant.shape[0]} rows"
        )
    hits = np.zeros((len(lists), k), np.bool_)
    duplicates = np.zeros(len(lists), np.bool_)
    _mark_hits(lists, relevant.indptr, relevant.indices, hits, duplicates)
    if duplicates.any():
        first = lists[duplicates.argmax()].tolist()
        raise ValueError(f"recommended must not list an item twice, got {first}")
    return hits, np.diff(relevant.indptr)


def _per_user(values: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Values of users with a relevant item, nan elsewhere."""
    return np.where(n > 0, values, np.nan)


def _as_lists(recommended: Any, k: int) -> np.ndarray:
    """Lists as an int32 array (n_users, k), padded with -1."""
    if not isinstance(recommended, np.ndarray):
        table = validation.is_table(recommended)
        if not np.iterable(recommended) or isinstance(recommended, str) or table:
            raise ValueError(f"recommended must be one list per user, got {recommended!r}")
        recommended = list(recommended)
        padded = np.full((len(recommended), k), -1, np.int64)
        for row, items in zip(padded, recommended, strict=True):
            items = validation.as_array("recommended", items)
            if items.ndim != 1:
                raise ValueError(f"recommended must be one list per user, got {items.tolist()!r}")
            if items.dtype.kind not in "iu" and items.size:
                raise ValueError(f"recommended must hold item ids, got {items.tolist()!r}")
            items = items[:k]
            row[: len(items)] = items
        recommended = padded
    if recommended.ndim != 2 or recommended.shape[1] < k:
        raise ValueError(
            f"recommended must have at least k = {k} columns, got shape {recommended.shape}"
        )
    if recommended.dtype.kind not in "iu":
        raise ValueError(f"recommended must hold item ids, got type {recommended.dtype}")
    recommended = recommended[:, :k]
    low, high = recommended.min(initial=0), recommended.max(initial=0)
    if low < -1 or high > validation.MAX_ID:
        raise ValueError(
            f"recommended must hold ids from 0 to {validation.MAX_ID}, or -1 if short, "
            f"got {low if low < -1 else high}"
        )
    return np.ascontiguousarray(recommended, np.int32)


def _as_csr(relevant: Sequence | sparse.csr_matrix) -> sparse.csr_matrix:
    """Relevant sets as a CSR matrix with sorted rows, each item once."""
    if sparse.issparse(relevant):
        relevant = relevant.tocsr()
        validation.no_stored_zeros("relevant", relevant)
        if relevant.dtype != bool:
            validation.amounts("relevant", relevant.data)
        if not relevant.has_canonical_format:
            relevant = relevant.copy()
            relevant.sum_duplicates()
        return relevant
    validation.not_dense("relevant", relevant)
    if not np.iterable(relevant) or isinstance(relevant, str):
        raise ValueError(f"relevant must be one set of items per user, got {relevant!r}")
    relevant = list(relevant)
    for items in relevant:
        if not np.iterable(items):
            raise ValueError(f"relevant must hold one set of items per user, got {items!r}")
    rows = [np.unique(validation.ids("relevant", list(items))) for items in relevant]
    lengths = [len(row) for row in rows]
    indices = np.concatenate([*rows, np.empty(0, np.int32)])
    shape = (len(rows), int(indices.max(initial=-1)) + 1)
    indptr = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    return sparse.csr_matrix((np.ones(len(indices), np.float32), indices, indptr), shape=shape)


@compiled(parallel=True)
def _mark_hits(lists, indptr, relevant, hits, duplicates):
    """Mark the positions that hold a relevant item, and the rows that list an item twice."""
    n, k = hits.shape
    for u in prange(n):
        targets = relevant[indptr[u] : indptr[u + 1]]
        for p in range(k):
            item = lists[u, p]
            if item < 0:
                continue
            for q in range(p):
                if lists[u, q] == item:
                    duplicates[u] = True
            index = np.searchsorted(targets, item)
            hits[u, p] = index < len(targets) and targets[index] == item
