"""Means over impressions with 95 % intervals by the cluster bootstrap.

Impressions of one user are correlated. So users are resampled, each with all their impressions
(`recsys.bootstrap.bootstrap_ratios`). One `rng` gives the same draws, so differences are paired.
"""

from __future__ import annotations

import numpy as np

from recsys.bootstrap import bootstrap_ratios, interval


def mean_over_users(
    values: np.ndarray, user: np.ndarray, rng: int = 0
) -> tuple[float, float, float]:
    """Mean and the ends of its interval.

    Parameters
    ----------
    values : array (n,)
        One value per impression; nan is left out.
    user : array (n,) of int
        User of each impression.
    rng : int
    """
    low, high = interval(bootstrap_means_over_users(values, user, rng))
    return float(np.nanmean(values)), float(low), float(high)


def paired_difference(
    first: np.ndarray, second: np.ndarray, user: np.ndarray, rng: int = 0
) -> tuple[float, float, float]:
    """Mean of first minus second on the same impressions, and the ends of its interval."""
    return mean_over_users(first - second, user, rng)


def bootstrap_means_over_users(values: np.ndarray, user: np.ndarray, rng: int = 0) -> np.ndarray:
    """The mean in each resample of the users: (RESAMPLES,); parameters as `mean_over_users`."""
    present = np.isfinite(values)
    _, user = np.unique(user, return_inverse=True)
    sums = np.bincount(user, np.where(present, values, 0))
    counts = np.bincount(user, present)
    return bootstrap_ratios(sums[:, None], counts[:, None], rng)[:, 0]
