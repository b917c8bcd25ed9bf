r"""Paired differences of several models from one baseline, with simultaneous intervals.

With $m$ intervals of 95 % each, one of them misses the truth more often than once in twenty
tables. Bonferroni's correction takes intervals of level $1 - 0.05 / m$ instead: then all $m$ hold
the truth together in 95 % of tables or more, however they depend on each other (Dunn 1961).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from recsys import validation
from recsys.bootstrap import bootstrap_means, interval
from recsys.evaluate import Report

if TYPE_CHECKING:
    import pandas as pd

SETS_OF_RESAMPLES = 20  # the ends of a corrected interval lie far out


def compare(
    reports: Mapping[str, Report],
    baseline: str,
    metrics: Sequence[str],
    level: float = 0.95,
) -> pd.DataFrame:
    """Differences of all models from a baseline, in several metrics, as one family.

    Parameters
    ----------
    reports : dict of str to Report
        Of the same test set, by the name of the model.
    baseline : str
        The model that the others are compared with.
    metrics : sequence of str
        Such as ["ndcg@10", "recall@20"].
    level : float
        Of all intervals together (Bonferroni).

    Returns
    -------
    DataFrame
        One row per model other than the baseline. For each metric the columns mean,
        difference, low and high; where low is above zero, the model is significantly
        better.
    """
    import pandas as pd

    validation.one_of("baseline", baseline, list(reports))
    first = reports[baseline]
    if any(not np.array_equal(r.users, first.users) for r in reports.values()):
        raise ValueError("reports must be of the same test set, got other users")
    others = [name for name in reports if name != baseline]
    corrected = 1 - (1 - level) / (len(others) * len(metrics))
    table = {}
    for metric in metrics:
        values = np.column_stack([reports[name].per_user[metric] for name in others])
        differences = values - first.per_user[metric][:, None]
        sets = [bootstrap_means(differences, rng) for rng in range(SETS_OF_RESAMPLES)]
        low, high = interval(np.vstack(sets), corrected)
        table[metric, "mean"] = values.mean(axis=0)
        table[metric, "difference"] = differences.mean(axis=0)
        table[metric, "low"], table[metric, "high"] = low, high
    return pd.DataFrame(table, index=others).rename_axis("model")
