"""One person's list out of 100,000 articles: how long, in which stage, and beside plain Python.

    NUMBA_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.two_stage

The straightforward version makes the same list from the same model and state: it compares the
profile with one article after another, sorts everything, and computes features candidate by
candidate with NumPy on small arrays. `same_lists` is the share of lists that are equal; the
others differ by a rounding error at the edge of the pool.
"""

from __future__ import annotations

import argparse
import json
from time import perf_counter

import numpy as np
from tqdm import tqdm

from newsreco.data import make_world
from newsreco.features import NEAR, PRIOR
from newsreco.model import NewsModel, Settings
from newsreco.recommender import HOUR, Recommender, plain_title
from newsreco.state import DAY
from newsreco.training import _learn
from recsys.rerank import mmr_reference

TARGET_MS, TARGET_RATIO = 10.0, 20.0
WARM_UP = 50


def measure(
    n_articles: int = 100_000,
    n_impressions: int = 200_000,
    n_users: int = 20_000,
    requests: int = 2_000,
    plain_requests: int = 20,
    progress: bool = True,
) -> dict:
    """Median and p99 in milliseconds of ours, each stage's share, and the ratio to plain."""
    model = make_model(n_articles, n_impressions, n_users, progress)
    recommender = Recommender(model)
    users = np.random.default_rng(0).integers(0, len(model.user_ids), requests + WARM_UP)
    plain = Plain(recommender)
    for user in users[:WARM_UP].tolist():
        recommender.recommend(user)
    totals, stages = [], []
    for user in tqdm(users[WARM_UP:].tolist(), "ours", disable=not progress):
        start = perf_counter()
        found = recommender.recommend(user)
        totals.append(1e3 * (perf_counter() - start))
        stages.append(list(found.seconds.values()))
    ratios, equal, slow = [], [], []
    for user in tqdm(users[:plain_requests].tolist(), "plain Python", disable=not progress):
        start = perf_counter()
        ours = recommender.recommend(user).items.tolist()
        between = perf_counter()
        theirs = plain.recommend(user)
        slow.append(1e3 * (perf_counter() - between))
        ratios.append(slow[-1] / (1e3 * (between - start)))
        equal.append(ours == theirs)
    share = np.sum(stages, axis=0) / np.sum(stages)
    live = recommender.state.arrays.last_shown >= recommender.state.now - 3 * DAY
    return {
        "articles": n_articles,
        "live": int(live.sum()),
        "requests": requests,
        "median_ms": float(np.median(totals)),
        "p99_ms": float(np.percentile(totals, 99)),
        "target_ms": TARGET_MS,
        "share": dict(zip(found.seconds, share.round(3).tolist())),
        "plain_median_ms": float(np.median(slow)),
        "ratio": float(np.median(ratios)),
        "target_ratio": TARGET_RATIO,
        "same_lists": float(np.mean(equal)),
    }


def make_model(n_articles: int, n_impressions: int, n_users: int, progress: bool) -> NewsModel:
    """A model trained on a made-up world of that size."""
    log = make_world(n_articles, n_impressions, n_users, progress=progress).log
    with tqdm(disable=True) as bar:
        return _learn(log, Settings(), bar)[0]


class Plain:
    """The two stages as one would first write them."""

    def __init__(self, recommender: Recommender):
        self.served, self.model, self.state = recommender, recommender.model, recommender.state
        self.titles = [plain_title(title) for title in self.model.articles.title]

    def recommend(self, user: int, k: int = 10) -> list[int]:
        """The same list as `Recommender.recommend`."""
        now, arrays, vectors = self.state.now, self.state.arrays, self.model.vectors
        clicks, times = self.state.recent_clicks(user)
        clicked = set(self.state.recent_clicks(user, 10**9)[0].tolist())
        since = now - self.served.window_days * DAY
        live = [
            i for i in range(len(vectors)) if arrays.last_shown[i] >= since and i not in clicked
        ]
        weights = 0.5 ** ((now - times) / arrays.profile_half_life[0])
        found = [
            self.content(clicks, weights, live),
            self.follow("item_item", clicks, weights, live),
            self.follow("sequence", *self.last_visit(clicks, times), live),
            self.trending(now, live),
        ]
        items = self.pool(found)
        X = np.array([self.features(i, user, now, clicks, times, weights) for i in items])
        return self.rerank(items, self.model.ranker.scores(X), now, clicks, k)

    def content(self, clicks, weights, live):
        if len(clicks) == 0:
            return []
        profile = (weights @ self.model.vectors[clicks]).astype(np.float32)
        profile /= np.linalg.norm(profile)
        scores = {i: float(np.dot(self.model.vectors[i], profile)) for i in live}
        return self.best({i: score for i, score in scores.items() if score > 0})

    def follow(self, name, sources, weights, live):
        table, sums, allowed = self.model.tables[name], {}, set(live)
        for j, weight in zip(sources, weights):
            row = slice(table.indptr[j], table.indptr[j + 1])
            for i, value in zip(table.indices[row].tolist(), table.data[row].tolist()):
                if i in allowed:
                    sums[i] = np.float32(sums.get(i, 0) + np.float32(weight) * np.float32(value))
        return self.best(sums)

    def last_visit(self, clicks, times):
        if len(clicks) == 0:
            return clicks, []
        untimed = times[0] <= self.state.arrays.begin[0]
        n_last = 1 if untimed else int((times == times[0]).sum())
        return clicks[:n_last], np.ones(n_last)

    def trending(self, now, live):
        arrays = self.state.arrays
        clicks, counted = arrays.item_clicks[:, 0], arrays.item_time
        hours = arrays.half_lives[0]
        faded = {i: clicks[i] * 0.5 ** ((now - counted[i]) / hours) for i in live}
        return self.best({i: np.float32(score) for i, score in faded.items()})

    def best(self, scores):
        return sorted(scores, key=lambda i: (-scores[i], i))[: self.served.pool_size]

    def pool(self, found):
        items: list[int] = []
        for rank in range(self.served.pool_size):
            for ranked in found:
                if rank < len(ranked) and ranked[rank] not in items:
                    items.append(ranked[rank])
        return items[: self.served.pool_size]

    def features(self, item, user, now, clicks, times, weights):
        """One candidate's row; see newsreco.features for the meaning of each."""
        arrays, vectors = self.state.arrays, self.model.vectors
        likeness = vectors[clicks] @ vectors[item]
        profile = weights @ vectors[clicks] if len(clicks) else np.zeros(vectors.shape[1])
        length = np.linalg.norm(profile)
        n_last = len(self.last_visit(clicks, times)[0])
        common = (arrays.totals[0] + 1) / (arrays.totals[1] + PRIOR)
        category, subcategory = arrays.category, arrays.subcategory
        kind = category[item]
        hours, days = 0.5 ** ((now - arrays.item_time[item]) / arrays.half_lives)
        kind_kept = 0.5 ** ((now - arrays.kind_time[kind]) / arrays.half_lives[1])

        def rate(clicked, viewed, kept):
            return np.log((clicked * kept + PRIOR * common) / ((viewed * kept + PRIOR) * common))

        return [
            profile @ vectors[item] / length if length > 0 else 0,
            likeness[:n_last].max(initial=0),
            likeness[:NEAR].max(initial=0),
            weights[category[clicks] == kind].sum() / (weights.sum() + 1),
            weights[subcategory[clicks] == subcategory[item]].sum() / (weights.sum() + 1),
            float((subcategory[clicks[:n_last]] == subcategory[item]).any()),
            np.log1p(arrays.item_clicks[item, 0] * hours),
            np.log1p(arrays.item_clicks[item, 1] * days),
            rate(arrays.item_clicks[item, 1], arrays.item_views[item], days),
            rate(arrays.kind_clicks[kind], arrays.kind_views[kind], kind_kept),
            np.log1p((now - arrays.first_shown[item]) / HOUR),
            0.0,
            np.log1p(arrays.user_clicks[user]),
            0.0,
        ]

    def rerank(self, items, scores, now, clicks, k):
        low, high, hours = scores.min(), scores.max(), self.served.fresh_hours
        relevance = {}
        for item, score in zip(items, scores):
            age = (now - self.state.arrays.first_shown[item]) / HOUR
            unit = (score - low) / (high - low) if high > low else 1.0
            relevance[item] = unit + self.served.fresh_bonus * 0.5 ** (age / hours)
        told, kept = {self.titles[c] for c in clicks}, []
        for item in sorted(relevance, key=lambda i: (-relevance[i], i)):
            if self.titles[item] not in told:
                told.add(self.titles[item])
                kept.append(item)
        values = [relevance[i] for i in kept]
        chosen = mmr_reference(values, self.model.vectors[kept], k, self.served.trade_off)
        return [kept[position] for position in chosen]


def main(argv: list[str] | None = None) -> dict:
    """Measure, print, and return the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--impressions", type=int, default=200_000)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--plain-requests", type=int, default=20)
    parser.add_argument("--quiet", action="store_true")
    given = parser.parse_args(argv)
    sizes = given.articles, given.impressions, given.users
    found = measure(*sizes, given.requests, given.plain_requests, not given.quiet)
    print(json.dumps(found, indent=2))
    return found


if __name__ == "__main__":
    main()
