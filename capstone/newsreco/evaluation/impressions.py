"""Evaluation of rankings: how well scores order what was shown, with intervals over users.

Every scorer is evaluated on the same impressions by the official metrics per impression. For
synthetic data, the true click probabilities give the best possible values.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from newsreco.data import Impressions
from newsreco.evaluation.intervals import bootstrap_means_over_users, paired_difference
from recsys.bootstrap import interval
from recsys.metrics import auc, impression_metrics

METRICS = {"auc": "auc", "mrr": "mrr", "ndcg@5": "ndcg_at_5", "ndcg@10": "ndcg_at_10"}


class Evaluation:
    """Held-out impressions, and the metrics of each scorer on them.

    Parameters
    ----------
    shown : Impressions
    rng : int
        Seed of the resamples, the same for all scorers.

    Attributes
    ----------
    scores : dict of str to array (n_shown,)
        By scorer.
    values : dict of str to dict of str to array (n_impressions,)
        By scorer and metric; nan for impressions with one label only.
    """

    def __init__(self, shown: Impressions, rng: int = 0):
        self.shown, self.rng = shown, rng
        self.users, self.user_index = np.unique(shown.user, return_inverse=True)
        self.values: dict[str, dict[str, np.ndarray]] = {}
        self.scores: dict[str, np.ndarray] = {}
        self._bootstrap_means: dict[tuple[str, str], np.ndarray] = {}

    def add(self, name: str, scores: np.ndarray) -> None:
        """Evaluate one score per article shown: (n_shown,), higher is better."""
        shown = self.shown
        self.scores[name] = np.asarray(scores)
        self.values[name] = impression_metrics(shown.clicked, scores, shown.start, shown.item)

    @property
    def n_evaluated(self) -> int:
        """Number of impressions with a click and an article not clicked; only these count."""
        first = next(iter(self.values.values()))["auc"]
        return int(np.isfinite(first).sum())

    def mean(self, name: str, metric: str = "auc") -> float:
        """Mean over the evaluated impressions."""
        return float(np.nanmean(self.values[name][metric]))

    def bootstrap_means(self, name: str, metric: str = "auc") -> np.ndarray:
        """The mean in each resample of the users, (RESAMPLES,)."""
        if (name, metric) not in self._bootstrap_means:
            values = self.values[name][metric]
            means = bootstrap_means_over_users(values, self.user_index, self.rng)
            self._bootstrap_means[name, metric] = means
        return self._bootstrap_means[name, metric]

    def metrics(self, name: str, prefix: str) -> dict[str, float]:
        """All metrics of one scorer with 95 % intervals, and the AUC's standard error."""
        metrics = {}
        for metric, key in METRICS.items():
            low, high = interval(self.bootstrap_means(name, metric))
            metrics |= {
                f"{prefix}_{key}": self.mean(name, metric),
                f"{prefix}_{key}_low": float(low),
                f"{prefix}_{key}_high": float(high),
            }
        metrics[f"{prefix}_auc_se"] = float(self.bootstrap_means(name).std(ddof=1))
        return metrics

    def difference(self, name: str, other: str, metric: str = "auc") -> tuple[float, float, float]:
        """Mean of name minus other, and the ends of its paired 95 % interval."""
        first, second = (self.values[scorer][metric] for scorer in (name, other))
        return paired_difference(first, second, self.user_index, self.rng)

    def table(self, baseline: str) -> pd.DataFrame:
        """One row per scorer: the metrics, and the difference in AUC from the baseline."""
        rows = {}
        for name in self.values:
            difference, low, high = self.difference(name, baseline)
            rows[name] = {metric: self.mean(name, metric) for metric in METRICS} | {
                "auc difference": difference,
                "low": low,
                "high": high,
            }
        return pd.DataFrame(rows).T

    def per_impression(self, name: str) -> pd.DataFrame:
        """One row per impression: user, time and metrics, nan if not evaluated."""
        columns = {key: self.values[name][metric] for metric, key in METRICS.items()}
        frame = pd.DataFrame({"user": self.shown.user, "time": self.shown.time} | columns)
        return frame.rename_axis("impression")


def check_metric(metric: str) -> None:
    """ValueError for a metric without values per impression."""
    known = [f"ranker_{key}" for key in METRICS.values()]
    if metric not in known:
        raise ValueError(f"metric must be one of {known}, got {metric!r}")


def pooled_auc(shown: Impressions, scores: np.ndarray) -> float:
    """AUC over all rows at once; nan if all or none were clicked."""
    if shown.clicked.all() or not shown.clicked.any():
        return float("nan")
    return auc(shown.clicked, scores)
