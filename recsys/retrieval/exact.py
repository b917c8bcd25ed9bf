"""Exact top-k: the best k items of each row of scores, ties to the lower item id.

A full sort costs n log n per row. Only k items are wanted, and after the first few hundred
columns almost none exceeds the k-th best so far: one comparison per column suffices. A new one
takes its position in a short list, or replaces the worst of a long one, which is a binary heap
(Williams 1964) and is sorted at the end.
"""

from __future__ import annotations

import numpy as np

from recsys import validation
from recsys.compiled import compiled, prange

ORDERED = 32  # up to this k, the best items are kept in order; above, in a heap
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

    `items` and `best` start as -1 and -inf; items must come in rising order. After the
    last row, `sort_best` puts them in order.
    """
    k = len(items)
    worst = 0 if k > ORDERED else k - 1
    for start in range(0, len(scores), BLOCK):
        stop = min(start + BLOCK, len(scores))
        threshold = best[worst]
        exceeded = False
        for j in range(start, stop):
            exceeded |= scores[j] > threshold
        if not exceeded:  # the usual case
            continue
        for j in range(start, stop):
            if scores[j] > best[worst]:  # strictly: on a tie the earlier item stays
                if k > ORDERED:
                    replace_worst(items, best, k, first + j, scores[j])
                else:
                    insert(items, best, first + j, scores[j])


@compiled
def insert(items, best, item, score):
    """Put an item in its position; the last one drops out."""
    position = len(items) - 1
    while position > 0 and score > best[position - 1]:
        best[position] = best[position - 1]
        items[position] = items[position - 1]
        position -= 1
    best[position] = score
    items[position] = item


@compiled
def replace_worst(items, best, n, item, score):
    """Put an item in place of the first of a heap of n, in which no child is worse than its parent.

    Of two items the worse has the lower score, or the same score and the higher id.
    """
    position, child = 0, 1
    while child < n:
        if child + 1 < n:  # the worse of two children, without a branch that is hard to predict
            lower, tied = best[child + 1] < best[child], best[child + 1] == best[child]
            child += lower | (tied & (items[child + 1] > items[child]))
        if score < best[child] or (score == best[child] and item > items[child]):
            break
        best[position] = best[child]
        items[position] = items[child]
        position, child = child, 2 * child + 1
    best[position] = score
    items[position] = item


@compiled
def sort_best(items, best):
    """Order what `select_row` found, best first: the worst goes last, again and again."""
    if len(items) > ORDERED:
        for n in range(len(items) - 1, 0, -1):
            item, score = items[n], best[n]
            items[n], best[n] = items[0], best[0]
            replace_worst(items, best, n, item, score)


@compiled(parallel=True)
def _top_k_rows(scores, items, best):
    for row in prange(len(scores)):
        select_row(scores[row], 0, items[row], best[row])
        sort_best(items[row], best[row])
