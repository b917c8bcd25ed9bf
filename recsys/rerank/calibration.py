r"""Calibrated recommendations: a list with the mix of genres of the user's history.

Somebody who watched seven romances and three thrillers may be shown ten romances, since each of
them scores a little higher. Steck (2018) subtracts from a list's relevance its divergence from the
history, with p the distribution of the genres in the history, q(I) that in the list I, and
:math:`\lambda` the trade-off between relevance and calibration:

.. math:: \max_{I: |I| = k} \; \lambda \sum_{i \in I} r_i
          - (1 - \lambda) \, \mathrm{KL}(p \,\|\, (1 - \alpha) q(I) + \alpha p)

The list is filled greedily: each position takes the candidate that makes the value of the list so
far the largest. Steck's own :math:`\lambda` is :math:`1 - \lambda` here, so that 1 means relevance
only in every re-ranker of this package. The divergence is that of the metric
`recsys.metrics.calibration`. Left out: weights of the positions in q, and the best list instead of
the greedy one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from recsys import validation
from recsys.compiled import compiled


def calibrated(
    relevance: Any,
    genres: Any,
    target: Any,
    k: int,
    trade_off: float,
    smoothing: float = 0.01,
) -> np.ndarray:
    """The k candidates that trade relevance for the genres of the history (Steck 2018).

    Parameters
    ----------
    relevance : array (n,) of float
        Higher is better. It adds up over the list, and a divergence is a few nats at
        most: bring it to a scale such as 0 to 1, see `to_unit_range`.
    genres : array or sparse matrix (n, g) of float
        How the candidates count for each genre, at least 0. Rows that sum to 1 divide
        an item among its genres, as Steck does.
    target : array (g,) of float
        Genres of the history, at least 0; scaled to sum 1. With sparse `genres` of all
        items it is `(train.matrix[user] @ genres).toarray()[0]`.
    k : int
        May exceed n.
    trade_off : float
        From 1, relevance only, to 0, calibration only.
    smoothing : float
        The alpha above, above 0 and at most 1.

    Returns
    -------
    array (min(k, n),) int32
        Indices of the selected candidates, in order; ties to the lower index. A list
        without any genre counts as the farthest from the target.

    Raises
    ------
    ValueError
        If an argument is not as above, or target is 0 for all genres.

    Examples
    --------
    Two romances and a thriller, for somebody who watched as many of the one as of the
    other. The thriller scores less than the second romance, and is shown before it:

    >>> genres = np.array([[1, 0], [1, 0], [0, 1]])
    >>> calibrated([1.0, 0.9, 0.5], genres, target=[5, 5], k=2, trade_off=0.5)
    array([0, 2], dtype=int32)
    """
    genres = _table(genres)
    relevance = validation.finite("relevance", relevance, len(genres), np.float64)
    target = _distribution(target, genres.shape[1])
    trade_off = validation.real_number("trade_off", trade_off, high=1.0)
    smoothing = validation.real_number("smoothing", smoothing, open_low=True, high=1.0)
    selected = np.empty(min(validation.whole_number("k", k), len(genres)), np.int32)
    _select(relevance, genres, target, trade_off, smoothing, selected)
    return selected


@compiled
def _select(relevance, genres, target, trade_off, smoothing, selected):
    """Fill `selected`, one position at a time."""
    counts = np.zeros(len(target))  # of the list so far
    left = np.ones(len(relevance), np.bool_)
    for position in range(len(selected)):
        best, best_value = -1, -np.inf
        for i in range(len(relevance)):
            if left[i]:
                divergence = _divergence(target, counts, genres[i], smoothing)
                value = trade_off * relevance[i] - (1 - trade_off) * divergence
                if best < 0 or value > best_value:
                    best, best_value = i, value
        selected[position] = best
        left[best] = False
        counts += genres[best]


@compiled
def _divergence(target, counts, added, smoothing):
    """Divergence from the target of a list with these counts and one more item."""
    total = 0.0
    for g in range(len(target)):
        total += counts[g] + added[g]
    divergence = 0.0
    for g in range(len(target)):
        if target[g] > 0:
            q = (counts[g] + added[g]) / total if total > 0 else 0.0
            mixed = (1 - smoothing) * q + smoothing * target[g]
            divergence += target[g] * np.log(target[g] / mixed)
    return divergence


def _table(genres: Any) -> np.ndarray:
    """Genres as a dense float64 table, finite and at least 0."""
    table = validation.matrix("genres", genres)
    dense = (table.toarray() if sparse.issparse(table) else table).astype(np.float64)
    return np.ascontiguousarray(validation.amounts("genres", dense))


def _distribution(target: Any, n_genres: int) -> np.ndarray:
    target = validation.amounts("target", validation.finite("target", target, n_genres, np.float64))
    if not target.any():
        raise ValueError("target must be above 0 for some genre, got 0 for all")
    return target / target.sum()
