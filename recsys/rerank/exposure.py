r"""Exposure: how much attention lists give to each item and to each provider.

Users look at the top of a list more than at its end. With the weight :math:`w_r` of rank r, that
of the discounted gain, the exposure of a provider g is the sum over all lists (Singh and Joachims
2018), and its fraction of all exposure is :math:`E_g`:

.. math:: w_r = \frac{1}{\log_2 (r + 1)} \qquad
          E_g = \sum_{u, r: \, g(L_{ur}) = g} w_r \; \Big/ \; \sum_{u, r} w_r

What is fair is a target fraction :math:`\tau_g`, which somebody must choose: equal for all, or in
proportion to merit. One list cannot give ten providers a tenth each, so exposure is shared out over
many lists (amortised; Biega et al. 2018). `share_exposure` fills the lists one after another, and
each position takes the candidate i of provider g(i) with the largest

.. math:: \lambda \, r_i + (1 - \lambda) \, (\tau_{g(i)} - E_{g(i)})

with :math:`E_g` the fraction so far: a feedback controller, as in Morik et al. (2020), who correct
by the difference in exposure per merit. Left out: the integer program of Biega et al., and
guarantees. A provider without candidates receives nothing, however far below its target it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys import validation
from recsys.compiled import compiled


def position_weights(k: int) -> np.ndarray:
    """Exposure of the ranks 1 to k, 1 / log2(rank + 1): (k,) float64.

    >>> position_weights(3).round(3)
    array([1.   , 0.631, 0.5  ])
    """
    return 1 / np.log2(np.arange(2, validation.whole_number("k", k) + 2))


def exposure(recommended: Any, n_items: int) -> np.ndarray:
    """Exposure of each item over a set of lists, (n_items,) float64.

    Parameters
    ----------
    recommended : array (n_users, k) of int
        Item ids, best first, padded with -1, as `recommend` returns them.
    n_items : int

    Returns
    -------
    array (n_items,) float64
        Sum of `position_weights` over the ranks at which the item stands.

    Examples
    --------
    Item 2 is first in one list and second in the other, 1 + 0.631:

    >>> exposure([[2, 0], [1, 2]], n_items=4).round(3)
    array([0.631, 1.   , 1.631, 0.   ])
    """
    n_items = validation.whole_number("n_items", n_items)
    lists = validation.lists("recommended", recommended, n_items)
    if lists.size == 0:
        return np.zeros(n_items)
    weights = np.broadcast_to(position_weights(lists.shape[1]), lists.shape)
    shown = lists >= 0
    return np.bincount(lists[shown], weights[shown], minlength=n_items)


def provider_exposure(recommended: Any, provider: Any) -> np.ndarray:
    """Fraction of all exposure that each provider receives, (n_providers,) float64.

    Parameters
    ----------
    recommended : array (n_users, k) of int
        As for `exposure`.
    provider : array (n_items,) of int
        The provider of each item, from 0 to n_providers - 1, which is the largest that occurs.

    Returns
    -------
    array (n_providers,) float64
        Sums to 1; all 0 where no list holds an item.

    Examples
    --------
    Provider 0 owns items 0 and 1, provider 1 owns item 2:

    >>> provider_exposure([[2, 0], [1, 2]], provider=[0, 0, 1])
    array([0.5, 0.5])
    """
    provider = _providers(provider)
    shown = np.bincount(provider, exposure(recommended, len(provider)))
    return shown / max(shown.sum(), np.finfo(float).tiny)


def share_exposure(
    candidates: Any,
    relevance: Any,
    provider: Any,
    k: int,
    trade_off: float,
    target: Any = None,
    received: Any = None,
) -> np.ndarray:
    """Lists that bring the providers' fractions of exposure towards a target, over many lists.

    Parameters
    ----------
    candidates : array (n_users, m) of int
        Candidate items of each list, none twice, padded with -1. Lists are filled in this order.
    relevance : array (n_users, m) of float
        On one scale, such as 0 to 1, for all lists; that of padding is ignored.
    provider : array (n_items,) of int
        The provider of each item, from 0 to n_providers - 1, which is the largest that occurs.
    k : int
        May exceed m.
    trade_off : float
        From 1, relevance only, to 0, exposure only.
    target : array (n_providers,) of float, optional
        Fractions of exposure, at least 0, scaled to sum 1. By default the same for all.
    received : array (n_providers,) of float, optional
        Exposure, at least 0, that the providers had before, such as in yesterday's lists.

    Returns
    -------
    array (n_users, min(k, m)) int32
        Item ids, best first, padded with -1; ties to the lower item id.

    Raises
    ------
    ValueError
        If an argument is not as above.

    Examples
    --------
    Items 0 and 1 are provider 0's, item 2 is provider 1's and scores lower everywhere. The first
    list is by relevance, as nobody has received anything yet; the second makes up for the first:

    >>> candidates, relevance = [[0, 1, 2], [0, 1, 2]], [[1.0, 0.9, 0.8], [1.0, 0.9, 0.8]]
    >>> share_exposure(candidates, relevance, provider=[0, 0, 1], k=1, trade_off=0.5)
    array([[0],
           [2]], dtype=int32)
    """
    provider = _providers(provider)
    n_providers = int(provider.max()) + 1
    candidates = validation.lists("candidates", candidates, len(provider))
    relevance = _relevance(relevance, candidates)
    target = _fractions("target", target, n_providers, 1.0)
    if not target.any():
        raise ValueError("target must be above 0 for some provider, got 0 for all")
    received = _fractions("received", received, n_providers, 0.0)
    k = min(validation.whole_number("k", k), candidates.shape[1])
    trade_off = validation.real_number("trade_off", trade_off, high=1.0)
    lists = np.full((len(candidates), k), -1, np.int32)
    if lists.size:
        weights, target = position_weights(k), target / target.sum()
        _share(candidates, relevance, provider, trade_off, target, received, weights, lists)
    return lists


@compiled
def _share(candidates, relevance, provider, trade_off, target, received, weights, lists):
    """Fill `lists`, one position at a time; `received` grows with each."""
    left = np.empty(candidates.shape[1], np.bool_)
    total = received.sum()
    for u in range(len(lists)):
        left[:] = candidates[u] >= 0
        for position in range(len(weights)):
            best, best_value = -1, -np.inf
            for c in range(len(left)):
                if not left[c]:
                    continue
                item = candidates[u, c]
                gap = target[provider[item]]
                if total > 0:
                    gap -= received[provider[item]] / total
                value = trade_off * relevance[u, c] + (1 - trade_off) * gap
                tie = best >= 0 and value == best_value and item < candidates[u, best]
                if best < 0 or value > best_value or tie:
                    best, best_value = c, value
            if best < 0:
                break
            item = candidates[u, best]
            lists[u, position] = item
            left[best] = False
            received[provider[item]] += weights[position]
            total += weights[position]


def _providers(provider: Any) -> np.ndarray:
    provider = validation.ids("provider", provider)
    if len(provider) == 0:
        raise ValueError("provider must have one entry per item, got none")
    return provider


def _relevance(values: Any, candidates: np.ndarray) -> np.ndarray:
    """Relevance (n_users, m) float64, finite where there is a candidate; no candidate twice."""
    relevance = validation.matrix("relevance", validation.as_array("relevance", values))
    if relevance.shape != candidates.shape:
        raise ValueError(
            f"relevance must have the shape of candidates, {candidates.shape}, "
            f"got {relevance.shape}"
        )
    ordered = np.sort(candidates, axis=1)
    twice = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)
    if twice.any():
        row = int(np.argmax(twice.any(axis=1)))
        raise ValueError(f"candidates must hold no item twice, got one in row {row}")
    relevance = np.where(candidates >= 0, relevance, 0.0).astype(np.float64)
    return validation.all_finite("relevance", relevance)


def _fractions(name: str, values: Any, length: int, default: float) -> np.ndarray:
    """A copy (length,) float64 of at least 0, or the default for all."""
    if values is None:
        return np.full(length, default)
    return validation.amounts(name, validation.finite(name, values, length, np.float64))
