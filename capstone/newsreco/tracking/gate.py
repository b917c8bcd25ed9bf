"""The evaluation of two models on the same impressions, and whether the first is better.

A larger figure may be luck, and metrics of two evaluations cannot be compared at all. So both models are
examined anew, on impressions later than anything that either has learned from, and the interval of
the difference is taken over people, each with all of their impressions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from newsreco.evaluation.impressions import check_metric
from newsreco.evaluation.intervals import paired_difference

if TYPE_CHECKING:
    from newsreco.data import NewsLog
    from newsreco.models.bundle import NewsModel

FEWEST_PEOPLE = 20  # an interval over fewer says nothing


@dataclass(frozen=True)
class Comparison:
    """What the evaluation of two versions says.

    Parameters
    ----------
    candidate : int
    production : int, optional
        None where nobody serves yet: then there is nobody to beat.
    metric : str
    gap, low, high : float
        Candidate minus production, and the 95 % interval over people.
    people, impressions : int
        Judged.
    """

    candidate: int
    production: int | None
    metric: str
    gap: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    users: int = 0
    impressions: int = 0

    @property
    def passes(self) -> bool:
        """The candidate may serve."""
        return self.production is None or (self.users >= FEWEST_PEOPLE and self.low > 0)

    def __str__(self) -> str:
        if self.production is None:
            return f"version {self.candidate} has no rival"
        text = (
            f"version {self.candidate} against {self.production}: {self.metric} {self.gap:+.4f} "
            f"({self.low:+.4f} to {self.high:+.4f}) on {self.impressions} impressions of "
            f"{self.users} people"
        )
        few = f"; fewer than {FEWEST_PEOPLE} people say nothing"
        return text + (few if self.users < FEWEST_PEOPLE else "")


class Refused(ValueError):
    """The candidate has not shown that it is better; `comparison_result` says by how much it is not."""

    def __init__(self, comparison_result: Comparison):
        super().__init__(f"refused: {comparison_result}")
        self.comparison_result = comparison_result


def judge(
    candidate: NewsModel, production: NewsModel, log: NewsLog, metric: str = "ranker_auc"
) -> tuple[float, float, float, int, int]:
    """Candidate minus production on the impressions that neither has learned from.

    Returns the mean difference, its 95 % interval's ends, and how many people and impressions
    were judged. The log must begin as the training logs did.
    """
    from newsreco.training import evaluate

    check_metric(metric)
    column = metric.removeprefix("ranker_")
    evaluations = []
    for model in (candidate, production):
        if model.articles.ids != log.articles.ids:
            raise ValueError("log must hold the articles that the models were trained with")
        evaluations.append(evaluate(model, log, lists=0)[0].per_impression("ranker"))
    n = min(
        len(evaluation) for evaluation in evaluations
    )  # the last ones: later than both trainings
    user = evaluations[0]["user"].to_numpy()[-n:]
    first, second = (evaluation[column].to_numpy()[-n:] for evaluation in evaluations)
    counted = np.isfinite(first - second)
    people, impressions = len(np.unique(user[counted])), int(counted.sum())
    if not impressions:
        raise ValueError("log must hold later impressions that can be judged, got none")
    return *paired_difference(first, second, user), people, impressions
