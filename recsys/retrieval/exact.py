"""Exact top-k: the best k items of each row of scores, ties to the lower item id.

A full sort costs n log n per row. Only k items are wanted, and after the first few hundred
columns almost none exceeds the k-th best so far: one comparison per column suffices.
"""

from __future__ import annotations

import numpy as np

from recsys import validation
from recsys.compiled import compiled, prange

FEW = 256  # up to this k, the best items are kept in a sorted list; above, all are sorted
BLOCK = 32  # columns compared at once with the k-th best score so far


def top_k(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k best columns of each row, best first.

    Parameters
    ----------
    scores : array (n, n_items) of float
        -inf and NaN mean "not to be recommended".
    k : int
        May exceed n_items.

    Returns
    -------
    items : array (n, k) int32, -1 where fewer than k exist
    best : array (n, k) float32, -inf there

    Examples
    --------
    >>> items, best = top_k(np.array([[0.1, 0.7, 0.7]]), k=2)
    >>> items
    array([[1, 2]], dtype=int32)
    """
    scores = validation.matrix("scores", scores)
    with np.errstate(over="ignore"):  # too large for float32: infinite, and still the best
        scores = np.ascontiguousarray(scores, np.float32)
    k = validation.whole_number("k", k)
    if k > FEW:
        return top_k_reference(scores, k)
    items = np.full((len(scores), k), -1, np.int32)
    best = np.full((len(scores), k), -np.inf, np.float32)
    _top_k_rows(scores, items, best)
    return items, best


def top_k_reference(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """`top_k` by a full stable sort, in plain NumPy."""
    scores = np.where(np.isnan(scores), -np.inf, scores).astype(np.float32)
    padding = np.full((len(scores), max(0, k - scores.shape[1])), -np.inf, np.float32)
    scores = np.hstack([scores, padding])
    items = np.argsort(-scores, axis=1, kind="stable")[:, :k].astype(np.int32)
    best = np.take_along_axis(scores, items, axis=1)
    items[np.isneginf(best)] = -1
    return items, best


@compiled
def select_row(scores, first, items, best):
    """Merge a row of scores, of the items first, first + 1, ..., into the best so far.

    `items` and `best` start as -1 and -inf; items must come in rising order.
    """
    k = len(items)
    for start in range(0, len(scores), BLOCK):
        stop = min(start + BLOCK, len(scores))
        threshold = best[k - 1]
        exceeded = False
        for j in range(start, stop):
            exceeded |= scores[j] > threshold
        if not exceeded:  # the usual case
            continue
        for j in range(start, stop):
            if scores[j] > best[k - 1]:  # strictly: on a tie the earlier item stays
                position = k - 1
                while position > 0 and scores[j] > best[position - 1]:
                    best[position] = best[position - 1]
                    items[position] = items[position - 1]
                    position -= 1
                best[position] = scores[j]
                items[position] = first + j


@compiled(parallel=True)
def _top_k_rows(scores, items, best):
    for row in prange(len(scores)):
        select_row(scores[row], 0, items[row], best[row])
