"""Two-stage recommendation written the straightforward way: a loop over all articles and features.

It recommends the same lists as `newsreco.models.pipeline`, by the same definitions, in Python with
NumPy's inner products: no index, no compiled loop over articles. `make bench` measures how much
longer it takes; a test compares the lists.
"""

from __future__ import annotations

import math
from types import FunctionType

import numpy as np

from newsreco.data.times import DAY, HOUR
from newsreco.features import kernels
from newsreco.features.matrix import FEATURES
from newsreco.models.pipeline import RecommendationPipeline


def python_features() -> FunctionType:
    """`kernels.compute_features` with its loops over articles run by Python."""
    loops = kernels.similarities, kernels.topic_fractions, kernels.follow_ups, kernels.popularity
    names = vars(kernels) | {loop.__name__: loop.py_func for loop in loops}
    return FunctionType(kernels.compute_features.py_func.__code__, names)


class PlainRecommender:
    """The model, state and settings of a `RecommendationPipeline`, as Python lists and dicts."""

    def __init__(self, served: RecommendationPipeline):
        self.served = served
        self.model = served.model
        self.vectors = list(served.model.vectors)  # one array per article
        self.state = {k: v.tolist() for k, v in served.state.arrays._asdict().items()}
        self.compute_features = python_features()
        self.tables = {
            name: [
                dict(zip(row.indices.tolist(), row.data.tolist()))
                for row in map(table.getrow, range(table.shape[0]))
            ]
            for name, table in served.model.tables.items()
        }

    def recommend(self, user: int, k: int = 10) -> list[int]:
        """The k best articles for one user as of the state's time."""
        now, s = self.state["now"][0], self.state
        clicks = self.clicks(user, now)
        seen = {item for item, _, _ in self.clicks(user, now, limit=math.inf)}
        live = [
            item
            for item, shown in enumerate(s["last_shown"])
            if shown >= now - self.served.window_days * DAY and item not in seen
        ]
        pool = self.pool(clicks, live, now)
        scores = self.model.ranker.scores(self.features(pool, user, now)).tolist()
        return self.rerank(pool, scores, clicks, now, k)

    def clicks(self, user: int, now: float, limit: float = 50) -> list[tuple[int, float, float]]:
        """The user's last clicks, newest first: article, time, decayed weight."""
        s, found = self.state, []
        click = s["user_newest"][user]
        while click >= 0 and len(found) < limit:
            time = s["click_time"][click]
            weight = 0.5 ** ((now - time) / s["profile_half_life"][0])
            found.append((s["click_item"][click], time, weight))
            click = s["click_previous"][click]
        return found

    def pool(self, clicks: list, live: list[int], now: float) -> list[int]:
        """The candidates of four scans of all articles, merged round-robin."""
        profile = sum(weight * self.vectors[item] for item, _, weight in clicks)
        content = {item: float(profile @ self.vectors[item]) for item in live}
        newest = clicks[0][1]
        untimed = newest <= self.state["begin"][0]
        last = clicks[:1] if untimed else [c for c in clicks if c[1] == newest]
        lists = [
            self.best(content, self.served.pool_size),
            self.best(self.sum_rows("item_item", clicks, live), self.served.pool_size),
            self.best(
                self.sum_rows("sequence", [(i, t, 1.0) for i, t, _ in last], live),
                self.served.pool_size,
            ),
            self.best({i: self.trend(i, 0, now) for i in live}, self.served.pool_size, above=-1),
        ]
        taken: list[int] = []
        for rank in range(self.served.pool_size):
            for found in lists:
                if rank < len(found) and found[rank] not in taken:
                    taken.append(found[rank])
        return taken[: self.served.pool_size]

    @staticmethod
    def best(scores: dict[int, float], k: int, above: float = 0) -> list[int]:
        """The k articles with the highest scores above a minimum, ties to the lower id."""
        order = sorted(scores, key=lambda item: (-scores[item], item))
        return [item for item in order[:k] if scores[item] > above]

    def sum_rows(self, name: str, clicks: list, live: list[int]) -> dict[int, float]:
        """Weighted sum of the clicks' rows of a table, for every live article."""
        rows = [(weight, self.tables[name][item]) for item, _, weight in clicks]
        return {item: sum(w * row.get(item, 0.0) for w, row in rows) for item in live}

    def trend(self, item: int, h: int, now: float) -> float:
        """Decayed clicks of an article."""
        age = now - self.state["item_time"][item]
        return self.state["item_clicks"][item][h] * 0.5 ** (age / self.state["half_lives"][h])

    def features(self, items: list[int], user: int, now: float) -> np.ndarray:
        """The ranker's features of some articles."""
        items, positions = np.array(items, np.int32), np.zeros(len(items), np.int64)
        X = np.zeros((len(items), len(FEATURES)), np.float32)
        arrays = self.served.state.arrays
        self.compute_features(arrays, self.model.vectors, user, now, items, positions, X)
        return X

    def rerank(
        self, pool: list[int], scores: list[float], clicks: list, now: float, k: int
    ) -> list[int]:
        """No duplicate story, a bonus for new articles, and MMR that recomputes similarities."""
        served, story = self.served, self.served.story.tolist()
        low, span = min(scores), max(scores) - min(scores)
        relevance = {}
        for item, score in zip(pool, scores):
            hours = max(now - self.state["first_shown"][item], 0.0) / HOUR
            fresh = served.fresh_bonus * 0.5 ** (hours / served.fresh_hours)
            relevance[item] = ((score - low) / span if span else 1.0) + fresh
        used, left = {story[item] for item, _, _ in clicks}, []
        for item in sorted(relevance, key=lambda i: (-relevance[i], i)):
            if story[item] not in used:
                used.add(story[item])
                left.append(item)
        chosen: list[int] = []
        while left and len(chosen) < k:
            best = max(left, key=lambda i: self.marginal_relevance(i, relevance[i], chosen))
            left.remove(best)
            chosen.append(best)
        return chosen

    def marginal_relevance(self, item: int, relevance: float, chosen: list[int]) -> float:
        """Relevance less the largest similarity to an article chosen already."""
        weight = self.served.trade_off
        similarity = [float(self.vectors[item] @ self.vectors[other]) for other in chosen]
        return weight * relevance - (1 - weight) * max(similarity, default=0.0)
