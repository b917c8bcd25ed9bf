"""The evaluation of the SVD system: one cut in time, whole impressions, full ranking.

What was clicked after the cut is to be found, by each person who clicked, in a list of k drawn up
from what the store knew at the cut. Everything live then and not yet clicked by the person is a
candidate. Clicks on articles that came later cannot be foreseen, are not left out, and are
counted. Every person counts once, so the people are what the intervals draw again.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from newsreco.data.log import NewsLog
from newsreco.data.times import HOUR
from newsreco.feature_store.store import FeatureStore
from newsreco.models.svd import SVDSystem, best, index_of
from recsys.bootstrap import bootstrap_means, interval
from recsys.metrics import precision_at_k, recall_at_k

METRICS = {"precision": precision_at_k, "recall": recall_at_k}


class SVDEvaluation:
    """People, what they will click, and what can be recommended to them.

    Parameters
    ----------
    store : FeatureStore
    log : NewsLog
        Holds the clicks after the cut.
    system : SVDSystem
        Says the cut (`system.at`), the articles and which of them are live.
    k : int
    until : float
        Clicks from here on are not asked for.
    """

    def __init__(
        self, store: FeatureStore, log: NewsLog, system: SVDSystem, k: int = 5,
        until: float = np.inf,
    ):  # fmt: skip
        self.k, self.system = k, system
        self.views = system.exposure(store, system.at)
        self.live = self.views > 0
        self.users, self.relevant = clicked_between(log, system.at, until)
        place = index_of(system.items, pd.Series(log.articles.ids))
        # articles without a place get numbers behind those that have one: in no list, but wanted
        unknown = len(system.items) + np.arange(log.n_items)
        number = np.where(place >= 0, place, unknown)
        self.relevant = [number[items] for items in self.relevant]
        pairs = dict(list(store.snapshot("user_item", system.at).groupby("user_id")))
        nothing = pd.DataFrame({"item_id": [], "clicks": []})
        names = [log.user_ids[person] for person in self.users]
        self.ratings = [system.ratings(pairs.get(name, nothing)) for name in names]
        self.values: dict[str, pd.DataFrame] = {}

    def add(self, name: str, scores: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> None:
        """Judge a scorer: scores(rows, ratings) of each person are (n_items,) numbers."""
        lists = [
            best(scores(rows, ratings), self.live, rows[ratings > 0], self.k)[0]
            for rows, ratings in self.ratings
        ]
        self.judge(name, np.array(lists).reshape(len(self.users), self.k))

    def judge(self, name: str, lists: np.ndarray) -> None:
        """Judge lists of article numbers, (n_people, k), padded with -1."""
        found = {m: metric(lists, self.relevant, self.k) for m, metric in METRICS.items()}
        self.values[name] = pd.DataFrame(found, index=self.users)

    def metrics(self) -> dict[str, float]:
        """All values and intervals by name, and what there was to find: for JSON and MLflow."""
        found = {}
        for (name, metric), row in self.table("popularity").iterrows():
            ends = {"": row.value, "_low": row.low, "_high": row.high}
            found |= {f"{name}_{metric}{end}": float(number) for end, number in ends.items()}
        able, targets = self.reachable()
        return found | {"users": len(self.users), "targets": targets, "reachable": able}

    def reachable(self) -> tuple[int, int]:
        """How many targets could have been recommended, and how many there are."""
        able = [
            np.append(self.live, np.zeros(items.max() + 1, bool))[items]
            & ~np.isin(items, rows[ratings > 0])
            for items, (rows, ratings) in zip(self.relevant, self.ratings)
        ]
        return sum(int(a.sum()) for a in able), sum(map(len, self.relevant))

    def table(self, baseline: str) -> pd.DataFrame:
        """One row a scorer and metric: value, low, high, and the difference from a baseline."""
        rows = {}
        for metric in METRICS:
            values = np.column_stack([frame[metric] for frame in self.values.values()])
            means, base = bootstrap_means(values), list(self.values).index(baseline)
            gaps = means - means[:, [base]]
            ends = np.transpose([*interval(means), *interval(gaps)])
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
    lately = clicks - clicks_at(store, system, system.at - 24 * HOUR)
    evaluation.add("popularity", lambda rows, ratings: clicks)
    evaluation.add("trending", lambda rows, ratings: lately)
    evaluation.add("svd", lambda rows, ratings: system.scores(evaluation.views, rows, ratings))
    return evaluation


def clicks_at(store: FeatureStore, system: SVDSystem, moment: float) -> np.ndarray:
    """Each article's clicks as the store knew them at a moment, 0 where it knew none."""
    return store.as_of("item", system.items, moment).clicks.fillna(0).to_numpy()


def clicked_between(log: NewsLog, start: float, end: float) -> tuple[np.ndarray, list[np.ndarray]]:
    """Who clicked from one moment to before another, and the different articles of each."""
    part = log.impressions.rows(log.cut(start), max(log.cut(start), log.cut(end)))
    if not part.clicked.any():
        raise ValueError("data must hold clicks after the moment of training, got none")
    clicks = pd.DataFrame({"u": part.user[part.impression[part.clicked]]})
    clicks["i"] = part.item[part.clicked]
    grouped = clicks.drop_duplicates().sort_values(["u", "i"]).groupby("u").i
    return np.array(list(grouped.groups)), [items.to_numpy() for _, items in grouped]
