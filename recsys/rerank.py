r"""Re-ranking: a list as a whole, where a ranker judged one item at a time.

Ten good items that are ten times the same story make a poor list. *Maximal marginal relevance*
(Carbonell and Goldstein 1998) fills the list place by place, with C the candidates, S what has
been chosen, and :math:`\lambda` the trade-off:

.. math:: \arg\max_{i \in C \setminus S} \;
          \lambda \, r_i - (1 - \lambda) \max_{j \in S} v_i^\top v_j

The likeness of a candidate to the nearest chosen one only ever grows, so it is kept and compared
with the newest one alone: k passes over n candidates, not :math:`k^2`. Left out: rules of a
newsroom ("no two of one desk in a row"), and lists that are calibrated to a person's tastes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit

from recsys import validation


def mmr(relevance: Any, vectors: Any, k: int, trade_off: float) -> np.ndarray:
    """The k best candidates, each judged by its relevance and by what it repeats.

    Parameters
    ----------
    relevance : array (n,) of float
        Higher is better. On the scale of the likenesses, such as 0 to 1: see `to_unit_range`.
    vectors : array (n, d)
        The candidates' vectors; their inner product is their likeness.
    k : int
        May exceed n.
    trade_off : float
        1 looks at relevance alone, 0 at repetition alone.

    Returns
    -------
    array (min(k, n),) int32
        Positions of the chosen, in the order chosen; ties to the lower position.

    Examples
    --------
    The second is nearly the first again, so the third is shown before it:

    >>> mmr([1.0, 0.9, 0.5], np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]]), k=3, trade_off=0.5)
    array([0, 2, 1], dtype=int32)
    """
    relevance, vectors, k, trade_off = _check(relevance, vectors, k, trade_off)
    chosen = np.empty(min(k, len(relevance)), np.int32)
    _choose(relevance, vectors, trade_off, chosen)
    return chosen


@njit(cache=True)
def _choose(relevance, vectors, trade_off, chosen):
    """Fill `chosen`, place by place."""
    n, d = vectors.shape
    nearest = np.full(n, -np.inf)  # likeness to the nearest one chosen
    left = np.ones(n, np.bool_)
    for place in range(len(chosen)):
        best, best_value = -1, -np.inf
        for i in range(n):
            if not left[i]:
                continue
            value = trade_off * relevance[i]
            if place > 0:
                likeness = 0.0
                for c in range(d):
                    likeness += vectors[i, c] * vectors[chosen[place - 1], c]
                nearest[i] = max(nearest[i], likeness)
                value -= (1 - trade_off) * nearest[i]
            if best < 0 or value > best_value:
                best, best_value = i, value
        chosen[place] = best
        left[best] = False


def mmr_reference(relevance: Any, vectors: Any, k: int, trade_off: float) -> np.ndarray:
    """`mmr` as the formula has it: every likeness anew for every place, in plain NumPy."""
    relevance, vectors, k, trade_off = _check(relevance, vectors, k, trade_off)
    chosen: list[int] = []
    while len(chosen) < min(k, len(relevance)):
        left = [i for i in range(len(relevance)) if i not in chosen]
        values = trade_off * relevance[left]
        if chosen:
            values = values - (1 - trade_off) * (vectors[left] @ vectors[chosen].T).max(axis=1)
        chosen.append(left[int(values.argmax())])
    return np.array(chosen, np.int32)


def _check(
    relevance: Any, vectors: Any, k: int, trade_off: float
) -> tuple[np.ndarray, np.ndarray, int, float]:
    vectors = validation.features("vectors", vectors).astype(np.float64)
    relevance = validation.finite("relevance", relevance, len(vectors), np.float64)
    trade_off = validation.real_number("trade_off", trade_off, high=1.0)
    return relevance, vectors, validation.whole_number("k", k), trade_off


def drop_duplicates(items: Any, keys: Any) -> np.ndarray:
    """Positions of the items to keep: of those with one key, the first.

    >>> drop_duplicates([31, 12, 5, 8], keys=[7, 2, 7, 2])
    array([0, 1], dtype=int32)
    """
    items, keys = np.asarray(items), np.asarray(keys)
    if items.shape != keys.shape or items.ndim != 1:
        raise ValueError(f"keys must have one entry an item, {items.shape}, got {keys.shape}")
    _, first = np.unique(keys, return_index=True)
    return np.sort(first).astype(np.int32)


def number_texts(texts: Sequence[str], normalize: Any = str.casefold) -> np.ndarray:
    """Keys for `drop_duplicates`: texts that are equal once normalised share a number, (n,) int32.

    >>> number_texts(["Goal!", "GOAL!", "Own goal"])
    array([0, 0, 1], dtype=int32)
    """
    numbers: dict[str, int] = {}
    found = [numbers.setdefault(normalize(text), len(numbers)) for text in texts]
    return np.array(found, np.int32)


def to_unit_range(scores: Any) -> np.ndarray:
    """Scores moved and stretched to lie between 0 and 1; all 1 where they are all equal.

    >>> to_unit_range([-2.0, 0.0, 2.0])
    array([0. , 0.5, 1. ])
    """
    scores = validation.amounts("scores", scores, low=-np.inf)
    if scores.size == 0 or scores.max() == scores.min():
        return np.ones_like(scores)
    return (scores - scores.min()) / (scores.max() - scores.min())


def freshness(age: Any, half_life: float) -> np.ndarray:
    """A bonus that is 1 for what is new and halves every `half_life`, in the unit of the ages.

    >>> freshness([0, 6, 12], half_life=6)
    array([1.  , 0.5 , 0.25])
    """
    half_life = validation.real_number("half_life", half_life, open_low=True)
    return 0.5 ** (validation.amounts("age", age) / half_life)
