"""Evaluation of the SVD system: one cut in time, full ranking.

For each user who clicked after the cut, a list of k is made from what the store knew at the cut;
the clicked articles are its targets. Every article that was live then and that the user had not
clicked is a candidate. Clicks on later articles cannot be predicted; they are counted as targets
all the same. Each user counts once, and the confidence intervals resample users.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from newsreco.data.log import NewsLog
from newsreco.data.times import DAY
from newsreco.feature_store.store import FeatureStore
from newsreco.models.svd import SVDSystem, best, index_of
from recsys.bootstrap import bootstrap_means, interval
from recsys.metrics import precision_at_k, recall_at_k

METRICS = {"precision": precision_at_k, "recall": recall_at_k}


class SVDEvaluation:
    """Users, their later clicks, and the articles that can be recommended to them.

    Parameters
    ----------
    store : FeatureStore
    log : NewsLog
        Holds the clicks after the cut.
    system : SVDSystem
        Gives the cut (`system.at`), the articles and which of them are live.
    k : int
    until : float
        Clicks from this time on are left out.
    """

    def __init__(
        self, store: FeatureStore, log: NewsLog, system: SVDSystem, k: int = 5,
        until: float = np.inf,
    ):  # fmt: skip
        self.k, self.system = k, system
        self.views = system.exposure(store, system.at)
        self.live = self.views > 0
        self.users, clicked = clicked_between(log, system.at, until)
        index = index_of(system.items, pd.Series(log.articles.ids))
        # articles unknown to the system get numbers beyond its own: targets, in no list
        number = np.where(index >= 0, index, len(system.items) + np.arange(log.n_items))
        self.relevant = [number[items] for items in clicked]
        pairs = dict(list(store.snapshot("user_item", system.at).groupby("user_id")))
        nothing = pd.DataFrame({"item_id": [], "clicks": []})
        labels = [log.user_ids[user] for user in self.users]
        self.ratings = [system.ratings(pairs.get(label, nothing)) for label in labels]
        self.values: dict[str, pd.DataFrame] = {}

    def add(self, name: str, scores: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> None:
        """Evaluate a scorer: scores(rows, ratings) of each user is an array (n_items,)."""
        lists = [
            best(scores(rows, ratings), self.live, rows[ratings > 0], self.k)[0]
            for rows, ratings in self.ratings
        ]
        lists = np.array(lists).reshape(len(self.users), self.k)
        found = {m: metric(lists, self.relevant, self.k) for m, metric in METRICS.items()}
        self.values[name] = pd.DataFrame(found, index=self.users)

    def metrics(self) -> dict[str, float]:
        """All values and intervals, and the numbers of users and targets: for JSON and MLflow."""
        found = {}
        for (name, metric), row in self.table("popularity").iterrows():
            ends = {"": row.value, "_low": row.low, "_high": row.high}
            found |= {f"{name}_{metric}{end}": float(number) for end, number in ends.items()}
        reachable, targets = self.reachable()
        return found | {"users": len(self.users), "targets": targets, "reachable": reachable}

    def reachable(self) -> tuple[int, int]:
        """Number of targets that could have been recommended, and of all targets."""
        reachable = [
            np.append(self.live, np.zeros(items.max() + 1, bool))[items]
            & ~np.isin(items, rows[ratings > 0])
            for items, (rows, ratings) in zip(self.relevant, self.ratings)
        ]
        return sum(int(part.sum()) for part in reachable), sum(map(len, self.relevant))

    def table(self, baseline: str) -> pd.DataFrame:
        """One row per scorer and metric: value, low, high, and the difference from a baseline."""
        rows = {}
        for metric in METRICS:
            values = np.column_stack([frame[metric] for frame in self.values.values()])
            means, base = bootstrap_means(values), list(self.values).index(baseline)
            differences = means - means[:, [base]]
            ends = np.transpose([*interval(means), *interval(differences)])
            value = values.mean(axis=0)
            for c, name in enumerate(self.values):
                row = [value[c], *ends[c, :2], value[c] - value[base], *ends[c, 2:]]
                rows[name, f"{metric}_at_{self.k}"] = row
        columns = ["value", "low", "high", "difference", "difference_low", "difference_high"]
        names = pd.MultiIndex.from_tuples(rows, names=["scorer", "metric"])
        return pd.DataFrame(list(rows.values()), index=names, columns=columns)


def evaluate_svd(
    store: FeatureStore, log: NewsLog, system: SVDSystem, k: int = 5, until: float = np.inf
) -> SVDEvaluation:
    """The system beside popularity (all clicks) and trending (those of the last day)."""
    evaluation = SVDEvaluation(store, log, system, k, until)
    clicks = clicks_at(store, system, system.at)
    recent = clicks - clicks_at(store, system, system.at - DAY)
    evaluation.add("popularity", lambda rows, ratings: clicks)
    evaluation.add("trending", lambda rows, ratings: recent)
    evaluation.add("svd", lambda rows, ratings: system.scores(evaluation.views, rows, ratings))
    return evaluation


def clicks_at(store: FeatureStore, system: SVDSystem, time: float) -> np.ndarray:
    """Clicks of each article as known at a time, 0 if none: (n_items,)."""
    return store.as_of("item", system.items, time).clicks.fillna(0).to_numpy()


def clicked_between(log: NewsLog, start: float, end: float) -> tuple[np.ndarray, list[np.ndarray]]:
    """Users who clicked in [start, end), and the distinct articles that each clicked."""
    part = log.impressions.rows(log.cut(start), max(log.cut(start), log.cut(end)))
    if not part.clicked.any():
        raise ValueError("data must hold clicks after the time of training, got none")
    clicks = pd.DataFrame({"u": part.user[part.impression[part.clicked]]})
    clicks["i"] = part.item[part.clicked]
    grouped = clicks.drop_duplicates().sort_values(["u", "i"]).groupby("u").i
    return np.array(list(grouped.groups)), [items.to_numpy() for _, items in grouped]
