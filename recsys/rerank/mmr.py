r"""Maximal marginal relevance: a list of good items that differ from each other.

Ten good items that tell the same story make a poor list. *Maximal marginal relevance* (Carbonell
and Goldstein 1998) fills the list one position at a time, with C the candidates, S those already
selected, and :math:`\lambda` the trade-off between relevance and diversity:

.. math:: \arg\max_{i \in C \setminus S} \;
          \lambda \, r_i - (1 - \lambda) \max_{j \in S} v_i^\top v_j

The highest similarity of a candidate to a selected item never falls, so it is kept and compared
with the newest one only: k passes over n candidates, not :math:`k^2`. Left out: diversity of the
whole list at once, such as determinantal point processes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys import validation
from recsys.compiled import compiled


def mmr(relevance: Any, vectors: Any, k: int, trade_off: float) -> np.ndarray:
    """The k best candidates by maximal marginal relevance.

    Parameters
    ----------
    relevance : array (n,) of float
        Higher is better. On the scale of the similarities, such as 0 to 1: see `to_unit_range`.
    vectors : array (n, d)
        The candidates' vectors; their inner product is their similarity.
    k : int
        May exceed n.
    trade_off : float
        From 1, relevance only, to 0, diversity only.

    Returns
    -------
    array (min(k, n),) int32
        Indices of the selected candidates, in order; ties to the lower index.

    Examples
    --------
    The second is nearly the first again, so the third is shown before it:

    >>> mmr([1.0, 0.9, 0.5], np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]]), k=3, trade_off=0.5)
    array([0, 2, 1], dtype=int32)
    """
    relevance, vectors, k, trade_off = _check(relevance, vectors, k, trade_off)
    selected = np.empty(min(k, len(relevance)), np.int32)
    _select(relevance, vectors, trade_off, selected)
    return selected


@compiled
def _select(relevance, vectors, trade_off, selected):
    """Fill `selected`, one position at a time."""
    n, d = vectors.shape
    highest = np.full(n, -np.inf)  # similarity to the most similar selected item
    left = np.ones(n, np.bool_)
    for position in range(len(selected)):
        best, best_value = -1, -np.inf
        for i in range(n):
            if not left[i]:
                continue
            value = trade_off * relevance[i]
            if position > 0:
                similarity = 0.0
                for c in range(d):
                    similarity += vectors[i, c] * vectors[selected[position - 1], c]
                highest[i] = max(highest[i], similarity)
                value -= (1 - trade_off) * highest[i]
            if best < 0 or value > best_value:
                best, best_value = i, value
        selected[position] = best
        left[best] = False


def _check(
    relevance: Any, vectors: Any, k: int, trade_off: float
) -> tuple[np.ndarray, np.ndarray, int, float]:
    vectors = validation.features("vectors", vectors).astype(np.float64)
    relevance = validation.finite("relevance", relevance, len(vectors), np.float64)
    trade_off = validation.real_number("trade_off", trade_off, high=1.0)
    return relevance, vectors, validation.whole_number("k", k), trade_off
