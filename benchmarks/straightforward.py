"""Two-stage recommendation as one writes it first: every article in a loop, every feature too.

It makes the same list by the same definitions as `newsreco.models.pipeline`, in plain Python with
NumPy's inner products: no index, no compiled loop over articles. What that costs, `make bench`
shows; that the lists are the same, a test.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from newsreco.features.matrix import FEATURES, _visit
from newsreco.features.state import DAY
from newsreco.models.pipeline import HOUR


class PlainRecommender:
    """The same model, state and settings as a `RecommendationPipeline`, read as Python reads them."""

    def __init__(self, served: Any):
        self.served = served
        self.model = served.model
        self.vectors = list(served.model.vectors)  # one array an article
        self.state = {k: v.tolist() for k, v in served.state.arrays._asdict().items()}
        self.tables = {
            name: [
                dict(zip(row.indices.tolist(), row.data.tolist()))
                for row in map(table.getrow, range(table.shape[0]))
            ]
            for name, table in served.model.tables.items()
        }

    def recommend(self, user: int, k: int = 10) -> list[int]:
        """The k best articles for one person where the state stands."""
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
        """The person's last clicks, newest first: article, time, decayed weight."""
        s, found = self.state, []
        click = s["user_newest"][user]
        while click >= 0 and len(found) < limit:
            moment = s["click_time"][click]
            weight = 0.5 ** ((now - moment) / s["profile_half_life"][0])
            found.append((s["click_item"][click], moment, weight))
            click = s["click_before"][click]
        return found

    def pool(self, clicks: list, live: list[int], now: float) -> list[int]:
        """What four scans of everything find, taken in turns."""
        profile = sum(weight * self.vectors[item] for item, _, weight in clicks)
        content = {item: float(profile @ self.vectors[item]) for item in live}
        newest = clicks[0][1]
        untimed = newest <= self.state["begin"][0]
        last = clicks[:1] if untimed else [c for c in clicks if c[1] == newest]
        lists = [
            self.best(content, self.served.pool_size),
            self.best(self.follow("item_item", clicks, live), self.served.pool_size),
            self.best(
                self.follow("sequence", [(i, t, 1.0) for i, t, _ in last], live),
                self.served.pool_size,
            ),
            self.best({i: self.trend(i, 0, now) for i in live}, self.served.pool_size, least=-1),
        ]
        taken: list[int] = []
        for rank in range(self.served.pool_size):
            for found in lists:
                if rank < len(found) and found[rank] not in taken:
                    taken.append(found[rank])
        return taken[: self.served.pool_size]

    @staticmethod
    def best(scores: dict[int, float], k: int, least: float = 0) -> list[int]:
        """The k articles that score most, ties to the lower id, none of `least` or less."""
        order = sorted(scores, key=lambda item: (-scores[item], item))
        return [item for item in order[:k] if scores[item] > least]

    def follow(self, name: str, clicks: list, live: list[int]) -> dict[int, float]:
        """What the table's rows of the clicks add up to, for every live article."""
        rows = [(weight, self.tables[name][item]) for item, _, weight in clicks]
        return {item: sum(w * row.get(item, 0.0) for w, row in rows) for item in live}

    def trend(self, item: int, h: int, now: float) -> float:
        """Decayed clicks of an article."""
        age = now - self.state["item_time"][item]
        return self.state["item_clicks"][item][h] * 0.5 ** (age / self.state["half_lives"][h])

    def features(self, items: list[int], user: int, now: float) -> np.ndarray:
        """The ranker's features of some articles: the library's loop as Python runs it."""
        items, places = np.array(items, np.int32), np.zeros(len(items), np.int64)
        X = np.zeros((len(items), len(FEATURES)), np.float32)
        arrays = self.served.state.arrays
        _visit.py_func(arrays, self.model.vectors, user, now, items, places, X)
        return X

    def rerank(
        self, pool: list[int], scores: list[float], clicks: list, now: float, k: int
    ) -> list[int]:
        """No story twice, a bonus for the new, and MMR with every likeness anew."""
        served, story = self.served, self.served._story.tolist()
        low, span = min(scores), max(scores) - min(scores)
        worth = {}
        for item, score in zip(pool, scores):
            hours = max(now - self.state["first_shown"][item], 0.0) / HOUR
            fresh = served.fresh_bonus * 0.5 ** (hours / served.fresh_hours)
            worth[item] = ((score - low) / span if span else 1.0) + fresh
        told, left = {story[item] for item, _, _ in clicks}, []
        for item in sorted(worth, key=lambda i: (-worth[i], i)):
            if story[item] not in told:
                told.add(story[item])
                left.append(item)
        chosen: list[int] = []
        while left and len(chosen) < k:
            best = max(left, key=lambda i: self.value(i, worth[i], chosen))
            left.remove(best)
            chosen.append(best)
        return chosen

    def value(self, item: int, worth: float, chosen: list[int]) -> float:
        """Maximal marginal relevance."""
        share = self.served.trade_off
        likeness = [float(self.vectors[item] @ self.vectors[other]) for other in chosen]
        return share * worth - (1 - share) * max(likeness, default=0.0)
