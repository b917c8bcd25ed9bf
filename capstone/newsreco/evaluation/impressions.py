"""How well a ranker orders what was shown, with intervals over people.

Every score is judged on the same impressions by the official per-impression metrics. People are
drawn again for the intervals, each with all of their impressions, because impressions of one
person are alike. Where the data is made up, its known click chances say how good anybody could
have been.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from newsreco.data import Impressions
from recsys.bootstrap import bootstrap_ratios, interval
from recsys.metrics import auc, impression_metrics

METRICS = {"auc": "auc", "mrr": "mrr", "ndcg@5": "ndcg_at_5", "ndcg@10": "ndcg_at_10"}


class Evaluation:
    """Impressions to order, and what each scorer's scores are worth on them.

    Parameters
    ----------
    shown : Impressions
        The held-out impressions.
    rng : int
        Of the resamples; one evaluation uses the same draws for all, so differences are paired.
    """

    def __init__(self, shown: Impressions, rng: int = 0):
        self.shown, self.rng = shown, rng
        self.users, self.user_index = np.unique(shown.user, return_inverse=True)
        self.found: dict[str, dict[str, np.ndarray]] = {}
        self.scores: dict[str, np.ndarray] = {}
        self._means: dict[tuple[str, str], np.ndarray] = {}

    def add(self, name: str, scores: np.ndarray) -> None:
        """Judge one score for each article shown: (n_shown,), higher is better."""
        shown = self.shown
        self.scores[name] = np.asarray(scores)
        self.found[name] = impression_metrics(shown.clicked, scores, shown.start, shown.item)

    @property
    def n_evaluated(self) -> int:
        """Impressions with a click and something not clicked: only these count."""
        first = next(iter(self.found.values()))["auc"]
        return int(np.isfinite(first).sum())

    def mean(self, name: str, metric: str = "auc") -> float:
        """Mean over the impressions that count."""
        return float(np.nanmean(self.found[name][metric]))

    def means(self, name: str, metric: str = "auc") -> np.ndarray:
        """The mean in each resample of the people, (RESAMPLES,)."""
        if (name, metric) not in self._means:
            means = resampled_means(self.found[name][metric], self.user_index, self.rng)
            self._means[name, metric] = means
        return self._means[name, metric]

    def metrics(self, name: str, prefix: str) -> dict[str, float]:
        """All metrics of one scorer with the 95 % interval, and the AUC's standard error."""
        metrics = {}
        for metric, key in METRICS.items():
            low, high = interval(self.means(name, metric))
            metrics |= {
                f"{prefix}_{key}": self.mean(name, metric),
                f"{prefix}_{key}_low": float(low),
                f"{prefix}_{key}_high": float(high),
            }
        metrics[f"{prefix}_auc_se"] = float(self.means(name).std(ddof=1))
        return metrics

    def difference(self, name: str, other: str, metric: str = "auc") -> tuple[float, float, float]:
        """Mean of name minus other, and the ends of its paired 95 % interval."""
        return paired(
            self.found[name][metric], self.found[other][metric], self.user_index, self.rng
        )

    def table(self, baseline: str) -> pd.DataFrame:
        """One row a scorer: the metrics, and the difference in AUC from one of them."""
        rows = {}
        for name in self.found:
            gap, low, high = self.difference(name, baseline)
            rows[name] = {metric: self.mean(name, metric) for metric in METRICS} | {
                "auc difference": gap,
                "low": low,
                "high": high,
            }
        return pd.DataFrame(rows).T

    def per_impression(self, name: str) -> pd.DataFrame:
        """One row an impression: its place, person, time and metrics (nan where none)."""
        columns = {key: self.found[name][metric] for metric, key in METRICS.items()}
        frame = pd.DataFrame({"user": self.shown.user, "time": self.shown.time} | columns)
        return frame.rename_axis("impression")


def paired(
    first: np.ndarray, second: np.ndarray, user: np.ndarray, rng: int = 0
) -> tuple[float, float, float]:
    """Mean of first minus second, impression by impression, and the ends of its 95 % interval.

    Parameters
    ----------
    first, second : array (n,)
        A metric's values on the same impressions, nan where it has none.
    user : array (n,) of int
        Whose impression it is: people are drawn again, each with all of theirs.
    rng : int
    """
    gap = first - second
    low, high = interval(resampled_means(gap, user, rng))
    return float(np.nanmean(gap)), float(low), float(high)


def resampled_means(values: np.ndarray, user: np.ndarray, rng: int = 0) -> np.ndarray:
    """Means over impressions when people are drawn again, each with all of theirs: (RESAMPLES,).

    Parameters
    ----------
    values : array (n,)
        One an impression; nan where it does not count.
    user : array (n,) of int
    rng : int
    """
    counted = np.isfinite(values)
    _, person = np.unique(user, return_inverse=True)
    sums = np.bincount(person, np.where(counted, values, 0))
    counts = np.bincount(person, counted)
    return bootstrap_ratios(sums[:, None], counts[:, None], rng)[:, 0]


def check_metric(metric: str) -> None:
    """ValueError for a metric that was not kept impression by impression."""
    known = [f"ranker_{key}" for key in METRICS.values()]
    if metric not in known:
        raise ValueError(f"metric must be one of {known}, got {metric!r}")


def pooled_auc(shown: Impressions, scores: np.ndarray) -> float:
    """AUC over all rows at once; nan where all or none were clicked."""
    if shown.clicked.all() or not shown.clicked.any():
        return float("nan")
    return auc(shown.clicked, scores)
