"""Pooling: the lists of several retrievers become one set of candidates.

Each list is good at something the others miss, and their scores are on scales of their own. So the
lists take turns, rank by rank, and a ranker orders the pool by one scale. Left out: weights of the
retrievers, and fusing the ranks to a final order (`hybrid`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recsys import validation
from recsys.compiled import compiled


def pool(found: Sequence[np.ndarray], n_items: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The first `size` different articles of several lists, merged round-robin.

    Parameters
    ----------
    found : sequence of arrays (m,) int32
        One list per retriever, best first.
    n_items, size : int

    Returns
    -------
    items : array (n,) int32
    found_by : array (n, len(found)) bool
        Which retrievers had found each, at any rank.

    >>> items, found_by = pool([np.array([4, 1]), np.array([4, 2, 0])], n_items=5, size=3)
    >>> items
    array([4, 1, 2], dtype=int32)
    >>> found_by
    array([[ True,  True],
           [ True, False],
           [False,  True]])
    """
    lists = np.full((len(found), max(map(len, found), default=0)), -1, np.int32)
    for row, items in enumerate(found):
        lists[row, : len(items)] = items
    items = np.empty(min(lists.size, validation.whole_number("size", size)), np.int32)
    found_by = np.zeros((len(items), len(lists)), np.bool_)
    n = round_robin(lists, np.full(n_items, -1, np.int32), items, found_by)
    return items[:n], found_by[:n]


@compiled
def round_robin(lists, row, items, found_by):
    """Take the next of each list in turn, rank by rank; return how many different ones."""
    n = 0
    for rank in range(lists.shape[1]):
        for r in range(len(lists)):
            item = lists[r, rank]
            if item < 0:
                continue
            if row[item] < 0 and n < len(items):
                items[n], row[item] = item, n
                n += 1
            if row[item] >= 0:
                found_by[row[item], r] = True
    return n
