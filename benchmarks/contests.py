"""What is timed: the same work, on the same log, to the same loss or quality."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from implicit.nearest_neighbours import CosineRecommender

from benchmarks.harness import Contest
from recsys import Interactions, leave_last_out
from recsys.metrics import ndcg_at_k
from recsys.models import BPR, ImplicitALS, ItemKNN
from recsys.models.als import als_loss, extra_confidence
from recsys.retrieval import top_k

THREADS = 2
REG, ALPHA = 0.1, 1.0
BPR_EPOCHS, BPR_RATE, BPR_REG = 10, 0.05, 0.01


class Arena:
    """A log, its split, and the judges."""

    def __init__(self, data: Interactions):
        self.train, self.test = leave_last_out(data)
        self.train.fingerprint  # noqa: B018  computed once, here, not inside a timing
        self.history = self.train.matrix
        self.users = np.unique(self.test.user)
        self.relevant = self.test.matrix[self.users]

    def factor_quality(self, model: Any) -> dict[str, float]:
        """Held-out NDCG@10 by full ranking and pairwise AUC of either library's factors."""
        X, Y = np.asarray(model.user_factors), np.asarray(model.item_factors)
        biases = getattr(model, "item_biases", None)
        rng = np.random.default_rng(0)
        lists, above = [], []
        for part in np.array_split(self.users, 16):
            scores = X[part] @ Y.T + (0 if biases is None else biases)
            target = scores[np.arange(len(part)), self.test.matrix[part].indices]
            rivals = rng.integers(self.train.n_items, size=(len(part), 100))
            above.append((target[:, None] > np.take_along_axis(scores, rivals, axis=1)).mean())
            rows, columns = self.history[part].nonzero()
            scores[rows, columns] = -np.inf
            lists.append(top_k(scores, 10)[0])
        ndcg = ndcg_at_k(np.vstack(lists), self.relevant, 10).mean()
        return {"ndcg@10": float(ndcg), "auc": float(np.mean(above))}

    def als_quality(self, model: Any) -> dict[str, float]:
        """The objective reached on the training log, and held-out NDCG@10."""
        extra = extra_confidence(self.history, ALPHA)
        X, Y = np.asarray(model.user_factors), np.asarray(model.item_factors)
        loss = als_loss(X, Y, extra, REG, 0.0)
        return {"loss": loss, "ndcg@10": self.factor_quality(model)["ndcg@10"]}


def contests(arena: Arena) -> Iterator[Contest]:
    """All of them, in the order of the table."""
    for factors in (32, 64, 128):
        yield als(arena, factors)
    for factors in (32, 64, 128):
        yield bpr(arena, factors)
    yield item_knn(arena)
    yield best_ten(arena)


def als(arena: Arena, factors: int) -> Contest:
    """Fifteen sweeps of each; implicit's matrix holds the whole confidence, 1 + alpha r."""
    confidence = arena.history.copy()
    confidence.data = 1 + ALPHA * confidence.data
    setting = {"factors": factors, "iterations": 15, "reg": REG}

    def ours(run: int) -> Any:
        model = ImplicitALS(
            factors=factors, alpha=ALPHA, reg=REG, iterations=15, rng=run, n_threads=THREADS
        )
        return model.fit(arena.train, progress=False)

    def theirs(run: int) -> Any:
        model = AlternatingLeastSquares(
            factors=factors, alpha=1.0, regularization=REG, iterations=15,
            num_threads=THREADS, random_state=run, use_gpu=False,
        )  # fmt: skip
        model.fit(confidence, show_progress=False)
        return model

    what = f"ALS fit, {factors} factors"
    return Contest(what, "implicit", ours, theirs, arena.als_quality, 0.8, setting)


def bpr(arena: Arena, factors: int) -> Contest:
    """The same epochs, step size and penalty."""
    setting = {"factors": factors, "epochs": BPR_EPOCHS, "learning_rate": BPR_RATE, "reg": BPR_REG}
    pairs = arena.history.tocsr()

    def ours(run: int) -> Any:
        model = BPR(
            factors=factors, epochs=BPR_EPOCHS, learning_rate=BPR_RATE, reg=BPR_REG,
            rng=run, n_threads=THREADS,
        )  # fmt: skip
        return model.fit(arena.train, progress=False)

    def theirs(run: int) -> Any:
        model = BayesianPersonalizedRanking(
            factors=factors, iterations=BPR_EPOCHS, learning_rate=BPR_RATE,
            regularization=BPR_REG, num_threads=THREADS, random_state=run, use_gpu=False,
        )  # fmt: skip
        model.fit(pairs, show_progress=False)
        return model

    what = f"BPR fit, {factors} factors"
    return Contest(what, "implicit", ours, theirs, arena.factor_quality, 0.8, setting)


def item_knn(arena: Arena) -> Contest:
    """The top 50 neighbours of each item; quality is the sum of the similarities kept."""

    def theirs(run: int) -> Any:
        model = CosineRecommender(K=51, num_threads=THREADS)  # its 51 hold the item itself
        model.fit(arena.history, show_progress=False)
        return model

    def ours(run: int) -> Any:
        return ItemKNN(n_neighbors=50, n_threads=THREADS).fit(arena.train, progress=False)

    def quality(model: Any) -> dict[str, float]:
        similarity = model.similarity.tocsr()
        similarity.setdiag(0)
        return {"similarity": float(similarity.sum())}

    setting = {"n_neighbors": 50}
    return Contest("ItemKNN fit", "implicit", ours, theirs, quality, 0.8, setting)


def best_ten(arena: Arena) -> Contest:
    """Top 10 for every user by one and the same factors, seen items left out."""
    model = ImplicitALS(factors=64, alpha=ALPHA, reg=REG, n_threads=THREADS)
    model.fit(arena.train, progress=False)
    rival = AlternatingLeastSquares(factors=64, num_threads=THREADS, use_gpu=False)
    rival.user_factors, rival.item_factors = model.user_factors, model.item_factors
    rival._item_norms = None

    def ours(run: int) -> Any:
        return model.recommend(arena.users, 10)[0]

    def theirs(run: int) -> Any:
        return rival.recommend(arena.users, arena.history[arena.users], N=10)[0]

    def quality(lists: Any) -> dict[str, float]:
        return {"ndcg@10": float(ndcg_at_k(np.asarray(lists), arena.relevant, 10).mean())}

    return Contest("top 10, all users", "implicit", ours, theirs, quality, 0.8, {"factors": 64})
