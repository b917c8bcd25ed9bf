"""The promotion gate: two models compared on the same impressions.

Metrics of two separate evaluations cannot be compared. So both models are evaluated again, on
impressions later than the training data of either, with a confidence interval of the paired
difference by bootstrap over users, each with all their impressions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from newsreco.evaluation.impressions import check_metric
from newsreco.evaluation.intervals import paired_difference
from newsreco.evaluation.model import evaluate

if TYPE_CHECKING:
    from newsreco.data import NewsLog
    from newsreco.models.bundle import NewsModel

MIN_USERS = 20  # an interval over fewer is not trusted


@dataclass(frozen=True)
class Comparison:
    """Comparison of a candidate with the version in production.

    Parameters
    ----------
    candidate : int
    production : int, optional
        None if there is no version in production yet.
    metric : str
    difference, low, high : float
        Candidate minus production, and its 95 % confidence interval over users.
    users, impressions : int
        Numbers evaluated.
    """

    candidate: int
    production: int | None
    metric: str
    difference: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    users: int = 0
    impressions: int = 0

    @property
    def passes(self) -> bool:
        """Whether the candidate may be promoted."""
        return self.production is None or (self.users >= MIN_USERS and self.low > 0)

    def __str__(self) -> str:
        if self.production is None:
            return f"version {self.candidate}, the first in production"
        if not self.impressions:
            return f"version {self.candidate} against {self.production}: not compared"
        text = (
            f"version {self.candidate} against {self.production}: {self.metric} "
            f"{self.difference:+.4f} ({self.low:+.4f} to {self.high:+.4f}) on "
            f"{self.impressions} impressions of {self.users} users"
        )
        few = f"; at least {MIN_USERS} users are needed"
        return text + (few if self.users < MIN_USERS else "")


class Refused(ValueError):
    """The candidate is not significantly better than production; see `comparison`."""

    def __init__(self, comparison: Comparison):
        super().__init__(f"refused: {comparison}")
        self.comparison = comparison


def compare_models(
    candidate: NewsModel,
    production: NewsModel,
    log: NewsLog,
    metric: str = "ranker_auc",
) -> tuple[float, float, float, int, int]:
    """Candidate minus production on the impressions later than both trainings.

    Returns the mean difference, the ends of its 95 % confidence interval, and the
    numbers of users and impressions evaluated. Either model takes on the articles that
    it does not know, so that both order the same impressions.
    """
    check_metric(metric)
    column = metric.removeprefix("ranker_")
    tables = []
    for model in (candidate, production):
        tables.append(evaluate(model, log, lists=0)[0].per_impression("ranker"))
    n = min(map(len, tables))  # the last n impressions are later than both trainings
    user = log.impressions.user[-n:]
    first, second = (table[column].to_numpy()[-n:] for table in tables)
    evaluated = np.isfinite(first - second)
    users, impressions = len(np.unique(user[evaluated])), int(evaluated.sum())
    if not impressions:
        message = "log must hold later impressions that can be evaluated, got none"
        raise ValueError(message)
    return *paired_difference(first, second, user), users, impressions
