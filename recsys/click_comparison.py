"""Paired comparison of predicted click probabilities: log loss and AUC, resampled by user.

Rows of one user are correlated, so users are resampled with all of their rows; all models share
the resamples. The AUC is that of the resampled rows, a user who was drawn twice counting twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from recsys import validation
from recsys.bootstrap import interval
from recsys.metrics import auc, log_loss

if TYPE_CHECKING:
    import pandas as pd

RESAMPLES = 2000


def compare_clicks(
    probabilities: Mapping[str, Any],
    labels: Any,
    users: Any,
    baseline: str,
    level: float = 0.95,
    rng: int = 0,
) -> pd.DataFrame:
    """Log loss and AUC of several models, and their differences from a baseline as one family.

    Parameters
    ----------
    probabilities : dict of str to array (n,)
        Predicted for the same rows, by the name of the model; above 0 and below 1.
    labels : array-like (n,) of 0 and 1
    users : array-like (n,) of int
        The user of each row.
    baseline : str
        The model that the others are compared with.
    level : float
        Of all intervals of differences together (Bonferroni).
    rng : int
        Seed of the resamples.

    Returns
    -------
    DataFrame
        One row per model, and for each metric the columns mean, difference, low and high, with
        nan for the baseline's own. A log loss is better when lower, an AUC when higher.
    """
    import pandas as pd

    validation.one_of("baseline", baseline, list(probabilities))
    labels = np.asarray(labels, np.float64)
    draws, row_user = _user_draws(users, len(labels), validation.random_generator(rng))
    values = {"log_loss": {}, "auc": {}}
    for name, p in probabilities.items():
        values["log_loss"][name] = (
            log_loss(labels, p),
            resampled_log_loss(labels, p, row_user, draws),
        )
        values["auc"][name] = auc(labels, p), resampled_auc(labels, p, row_user, draws)
    n_differences = max(1, 2 * (len(probabilities) - 1))
    table = {}
    for metric, of_models in values.items():
        rows = [_row(of_models, name, baseline, level, n_differences) for name in of_models]
        for column, entries in zip(("mean", "difference", "low", "high"), zip(*rows)):
            table[metric, column] = entries
    return pd.DataFrame(table, index=list(probabilities)).rename_axis("model")


def resampled_log_loss(
    labels: np.ndarray, p: Any, row_user: np.ndarray, draws: np.ndarray
) -> np.ndarray:
    """The log loss of each resample: (b,). `draws` (b, n_users) says how often a user counts."""
    p = np.asarray(p, np.float64)
    losses = -np.log(np.where(labels == 1, p, 1 - p))
    n_users = draws.shape[1]
    sums = draws @ np.bincount(row_user, losses, n_users)
    return sums / (draws @ np.bincount(row_user, minlength=n_users))


def resampled_auc(
    labels: np.ndarray, p: Any, row_user: np.ndarray, draws: np.ndarray
) -> np.ndarray:
    """The AUC of each resample: (b,); a tie counts half."""
    order = np.argsort(np.asarray(p), kind="stable")
    ranked = np.asarray(p)[order]
    first = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])  # of each run of ties
    user, positive = row_user[order], labels[order] == 1
    found = np.empty(len(draws))
    for b, times in enumerate(draws):
        weight = times[user]
        pos = np.add.reduceat(np.where(positive, weight, 0), first).astype(np.float64)
        neg = np.add.reduceat(np.where(positive, 0, weight), first).astype(np.float64)
        below = np.cumsum(neg) - neg / 2
        found[b] = pos @ below / (pos.sum() * neg.sum())
    return found


def _user_draws(users: Any, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """How often each user is drawn (RESAMPLES, n_users), and the number of each row's user."""
    users = validation.ids("users", users)
    if len(users) != n:
        raise ValueError(f"users must have one entry per row, {n}, got {len(users)}")
    _, row_user = np.unique(users, return_inverse=True)
    n_users = int(row_user.max()) + 1
    return rng.multinomial(n_users, np.full(n_users, 1 / n_users), RESAMPLES), row_user


def _row(of_models: dict, name: str, baseline: str, level: float, n: int) -> tuple[float, ...]:
    """Mean, difference from the baseline, and the corrected ends of its interval."""
    (mean, resampled), (base, base_resampled) = of_models[name], of_models[baseline]
    if name == baseline:
        return mean, np.nan, np.nan, np.nan
    difference = (resampled - base_resampled)[:, None]
    (low,), (high,) = interval(difference, 1 - (1 - level) / n)
    return mean, mean - base, low, high
