r"""Hybrid search: one ranked list out of several.

Vectors find what is meant, keywords what is named: each finds items that the other misses.
*Reciprocal rank fusion* (Cormack, Clarke and Büttcher 2009) merges lists whose scores are not
comparable by the ranks alone. With :math:`r_l(i)` the rank of item i in list l, from 1:

.. math:: s(i) = \sum_{l:\, i \in l} \frac{w_l}{c + r_l(i)}

The constant c (60 in the paper) lessens the lead of the first ranks, so that an item that several
lists found can pass one that a single list put first. Left out: fusion of scores, and weights that
are learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from recsys import validation


def reciprocal_rank_fusion(
    lists: Sequence[Any], k: int, c: float = 60.0, weights: Sequence[float] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """One ranked list for each query from several.

    Parameters
    ----------
    lists : sequence of arrays (n, m) of int
        The items that each retriever found, best first, -1 where it found fewer; m may differ.
    k : int
        Items to return; may exceed the number found.
    c : float
        At least 0; the larger, the less the first ranks count more than the next.
    weights : sequence of float, optional
        One weight per list, at least 0; 1 by default.

    Returns
    -------
    items : array (n, k) int32, -1 where fewer were found; ties to the lower id
    scores : array (n, k) float32, -inf there

    Examples
    --------
    Item 7 is second in both lists, which is worth more than first in one:

    >>> items, scores = reciprocal_rank_fusion([[[4, 7]], [[2, 7]]], k=3)
    >>> items
    array([[7, 2, 4]], dtype=int32)
    >>> scores.round(4)
    array([[0.0323, 0.0164, 0.0164]], dtype=float32)
    """
    arrays = [validation.lists(f"lists[{i}]", one) for i, one in enumerate(lists)]
    if len({len(one) for one in arrays}) != 1:
        raise ValueError(f"lists must be of the same queries, got {[len(a) for a in arrays]} rows")
    k, c = validation.whole_number("k", k), validation.real_number("c", c)
    weights = np.ones(len(arrays)) if weights is None else validation.amounts("weights", weights)
    if weights.shape != (len(arrays),):
        raise ValueError(f"weights must be one per list, {len(arrays)}, got {weights.shape}")
    gains = [w / (c + np.arange(1, one.shape[1] + 1)) for one, w in zip(arrays, weights)]
    found = np.hstack(arrays)
    _check_distinct(arrays)
    items = np.full((len(found), k), -1, np.int32)
    scores = np.full((len(found), k), -np.inf, np.float32)
    for row, flat in enumerate(found):
        ids, position = np.unique(flat, return_inverse=True)
        total = np.bincount(position.ravel(), np.concatenate(gains), len(ids))
        ids, total = ids[ids >= 0], total[ids >= 0]
        best = np.lexsort((ids, -total))[:k]
        items[row, : len(best)], scores[row, : len(best)] = ids[best], total[best]
    return items, scores


def _check_distinct(arrays: Sequence[np.ndarray]) -> None:
    """ValueError if a list names an item twice."""
    for i, one in enumerate(arrays):
        ordered = np.sort(one, axis=1)
        twice = (np.diff(ordered, axis=1) == 0) & (ordered[:, 1:] >= 0)
        if twice.any():
            item = ordered[:, 1:][twice][0]
            raise ValueError(f"lists[{i}] must name an item once per row, got {item} twice")
