r"""Drift: how far the features of later impressions differ from those that the ranker learned.

With :math:`p_b` and :math:`q_b` the fractions of the training rows and of the later rows in bin b,
the population stability index (Siddiqi 2006) of a feature is

.. math:: \mathrm{PSI} = \sum_b (q_b - p_b) \ln \frac{q_b}{p_b}

The bins are tenths of the training rows, and a value that holds more than a tenth has its own. The
second statistic is that of Kolmogorov and Smirnov, the largest difference of the two cumulative
distributions. Rows of one user are correlated, so neither has its textbook distribution; both are
compared with what they are when whole users are assigned to training or later at random.

Left out: drift of the labels, and autocorrelation over time, which the permutations do not keep.
The training ends with the last event that the model has counted, an update's events included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from newsreco.data import NewsLog
from newsreco.data.times import iso_time
from newsreco.features.matrix import FEATURES, replay
from newsreco.features.state import State
from newsreco.models.bundle import NewsModel
from newsreco.models.matching import match
from newsreco.training import WARM_UP
from recsys import validation

BINS = 10
GRID = np.arange(1, 101) / 100  # quantiles at which the cumulative distributions are compared
STEP = {"method": "inverted_cdf"}  # quantiles that are values of the data
MODERATE, LARGE = 0.1, 0.25  # Siddiqi's thresholds of the PSI
PERMUTATIONS = 999
LEVEL = 0.05  # of all features together


@dataclass(frozen=True)
class Drift:
    """Drift of one feature.

    Parameters
    ----------
    feature : str
    psi, ks : float
        Both statistics; 0 for equal distributions.
    psi_95, ks_95 : float
        Their 95th percentiles over permutations of the users.
    p : float
        Fraction of the permutations, the data included, whose `ks` is at least as large.
    """

    feature: str
    psi: float
    psi_95: float
    ks: float
    ks_95: float
    p: float

    @property
    def size(self) -> str:
        """The PSI in Siddiqi's words: small, moderate (from 0.1) or large (from 0.25)."""
        return "large" if self.psi >= LARGE else "moderate" if self.psi >= MODERATE else "small"


def is_significant(drift: Drift, n_features: int) -> bool:
    """Whether p is at most LEVEL divided by the number of features (Bonferroni)."""
    return drift.p <= LEVEL / n_features


def model_drift(model: NewsModel, log: NewsLog, rng: int = 0) -> list[Drift]:
    """Drift of every feature of a model, largest PSI first.

    Features are computed by replaying the log, as training does.

    Parameters
    ----------
    model : NewsModel
    log : NewsLog
        The log of the training, with later impressions.
    rng : int
        Seed of the permutations.

    Raises
    ------
    ValueError
        If the log lacks impressions of the training, or later ones.
    """
    matched = match(model, log)
    model, log = matched.model, matched.log
    shown = log.impressions
    end = int(np.searchsorted(shown.time, model.state.now, side="right"))
    first = int(end * WARM_UP)
    for n, words in ((end, "until"), (len(shown) - end, "after")):
        if n == 0:
            raise ValueError(
                f"log must hold impressions {words} the end of the training, "
                f"{iso_time(model.state.now)}: give the data of the training with later ones"
            )
    X = replay(log, State.empty(log, model.settings.half_life), model.vectors)
    user = shown.user[shown.impression]
    begin, cut = shown.start[first], shown.start[end]
    parts = X[begin:cut], X[cut:], user[begin:cut], user[cut:]
    return feature_drift(*parts, FEATURES, rng)


def feature_drift(
    training: np.ndarray,
    later: np.ndarray,
    training_user: np.ndarray,
    later_user: np.ndarray,
    names: Sequence[str],
    rng: int = 0,
) -> list[Drift]:
    """Drift of each column, largest PSI first.

    Parameters
    ----------
    training, later : array (n, f), (m, f)
    training_user, later_user : array (n,), (m,) of int
        Whose row each is.
    names : sequence of str
        Of the columns.
    rng : int
    """
    rng = validation.whole_number("rng", rng, low=0)
    users, user = np.unique(np.concatenate([training_user, later_user]), return_inverse=True)
    if len(users) < 2:
        raise ValueError(f"rows must be of at least 2 users, got {len(users)}")
    is_later = np.repeat([False, True], [len(training), len(later)])
    chosen = permuted_users(len(users), is_later.mean(), rng)
    found = []
    for column, name in enumerate(names):
        values = np.concatenate([training[:, column], later[:, column]])
        grid = np.unique(np.quantile(values, GRID, **STEP))
        cells = ((psi, bin_edges(training[:, column])), (ks, grid))
        compared = [
            _compared(statistic, np.searchsorted(edges, values), user, is_later, chosen)
            for statistic, edges in cells
        ]
        found.append(_drift(name, compared))
    return sorted(found, key=lambda one: (-one.psi, one.feature))


def bin_edges(training: np.ndarray) -> np.ndarray:
    """Upper ends of all bins but the last: an edge belongs to the bin below it.

    >>> bin_edges(np.arange(20)).tolist()
    [1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0, 17.0]
    """
    tenths = np.quantile(np.asarray(training, float), np.arange(1, BINS) / BINS, **STEP)
    edges, count = np.unique(tenths, return_counts=True)
    return np.union1d(edges, np.nextafter(edges[count > 1], -np.inf))


def psi(training: np.ndarray, later: np.ndarray) -> np.ndarray:
    """Population stability index of the counts in bins, the last axis.

    Half a row is added to each bin that is not empty in both, so that no logarithm is
    infinite.

    >>> round(float(psi(np.array([49.5, 49.5]), np.array([24.5, 74.5]))), 4)
    0.2747
    """
    used = training + later > 0
    p, q = (_fractions(np.where(used, counts + 0.5, 0)) for counts in (training, later))
    ratio = np.divide(q, p, out=np.ones_like(q), where=used)
    return ((q - p) * np.log(ratio)).sum(axis=-1)


def ks(training: np.ndarray, later: np.ndarray) -> np.ndarray:
    """Kolmogorov-Smirnov statistic of the counts in ordered cells, the last axis.

    >>> float(ks(np.array([1, 1, 2]), np.array([0, 1, 1])))
    0.25
    """
    difference = _fractions(later) - _fractions(training)
    return np.abs(difference.cumsum(axis=-1)).max(axis=-1)


def _fractions(counts: np.ndarray) -> np.ndarray:
    return counts / counts.sum(axis=-1, keepdims=True)


def permuted_users(n_users: int, fraction: float, rng: int) -> np.ndarray:
    """Users assigned to the later rows, about `fraction` of all: (PERMUTATIONS, n_users) bool."""
    size = min(max(round(n_users * fraction), 1), n_users - 1)
    draw, chosen = np.random.default_rng(rng), np.zeros((PERMUTATIONS, n_users), bool)
    for row in chosen:
        row[draw.choice(n_users, size, replace=False)] = True
    return chosen


def _compared(statistic, cell, user, is_later, chosen) -> tuple[float, np.ndarray]:
    """A statistic of the data, and of each permutation (PERMUTATIONS,)."""
    shape = user.max() + 1, cell.max() + 1
    counts = np.zeros((2, *shape))  # per period, user and cell
    np.add.at(counts, (is_later.astype(int), user, cell), 1)
    both = counts.sum(axis=0)
    there = np.concatenate([part @ both for part in np.array_split(chosen, 20)])
    permuted = statistic(both.sum(axis=0) - there, there)
    return float(statistic(*counts.sum(axis=1))), permuted


def _drift(name: str, compared: list[tuple[float, np.ndarray]]) -> Drift:
    (index, indices), (distance, distances) = compared
    p = (1 + np.count_nonzero(distances >= distance - 1e-12)) / (1 + len(distances))
    ends = (float(np.percentile(values, 95)) for values in (indices, distances))
    return Drift(name, index, next(ends), distance, next(ends), p)
