r"""Re-ranking: the list as a whole, after a ranker scored one item at a time.

Ten good items that tell the same story make a poor list. *Maximal marginal relevance* (Carbonell
and Goldstein 1998) fills the list one position at a time, with C the candidates, S those already
selected, and :math:`\lambda` the trade-off between relevance and diversity:

.. math:: \arg\max_{i \in C \setminus S} \;
          \lambda \, r_i - (1 - \lambda) \max_{j \in S} v_i^\top v_j

The highest similarity of a candidate to a selected item never falls, so it is kept and compared
with the newest one only: k passes over n candidates, not :math:`k^2`. Left out: editorial rules
("no two of one desk in a row"), and lists calibrated to a user's preferences (Steck 2018).
"""

from __future__ import annotations

from collections.abc import Sequence
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


def drop_duplicates(items: Any, keys: Any) -> np.ndarray:
    """Indices of the items to keep: the first of each key.

    >>> drop_duplicates([31, 12, 5, 8], keys=[7, 2, 7, 2])
    array([0, 1], dtype=int32)
    """
    items, keys = np.asarray(items), np.asarray(keys)
    if items.shape != keys.shape or items.ndim != 1:
        raise ValueError(f"keys must have one entry per item, {items.shape}, got {keys.shape}")
    _, first = np.unique(keys, return_index=True)
    return np.sort(first).astype(np.int32)


def number_texts(texts: Sequence[str], normalize: Any = str.casefold) -> np.ndarray:
    """Keys (n,) int32 for `drop_duplicates`: one number per text, the same if equal normalised.

    >>> number_texts(["Goal!", "GOAL!", "Own goal"])
    array([0, 0, 1], dtype=int32)
    """
    numbers: dict[str, int] = {}
    keys = [numbers.setdefault(normalize(text), len(numbers)) for text in texts]
    return np.array(keys, np.int32)


def to_unit_range(scores: Any) -> np.ndarray:
    """Scores scaled linearly to the range 0 to 1 (min-max); all 1 if they are all equal.

    >>> to_unit_range([-2.0, 0.0, 2.0])
    array([0. , 0.5, 1. ])
    """
    scores = validation.amounts("scores", scores, low=-np.inf)
    if scores.size == 0 or scores.max() == scores.min():
        return np.ones_like(scores)
    return (scores - scores.min()) / (scores.max() - scores.min())


def freshness(age: Any, half_life: float) -> np.ndarray:
    """Exponential decay: 1 at age 0, halved every `half_life`, in the unit of the ages.

    >>> freshness([0, 6, 12], half_life=6)
    array([1.  , 0.5 , 0.25])
    """
    half_life = validation.real_number("half_life", half_life, open_low=True)
    return 0.5 ** (validation.amounts("age", age) / half_life)
