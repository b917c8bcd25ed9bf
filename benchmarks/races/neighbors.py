"""Neighbours of items and of users, the same number on both sides."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from benchmarks.harness import Race
from benchmarks.logs import LIKES_1M, Holdout
from benchmarks.rivals import THREADS, Ranked, implicit_item_knn, writable
from benchmarks.tune import Search, tuned
from recsys.models import ItemKNN, UserKNN

N_VOTERS = 50


def item_knn(holdout: Holdout) -> Race:
    """The cosine neighbours of each item, as many as are best for the rival."""
    n_neighbors = tuned(Search("implicit ItemKNN", LIKES_1M))["n_neighbors"]
    history = writable(holdout.train)

    def ours(run: int) -> Any:
        model = ItemKNN(n_neighbors=n_neighbors, shrinkage=0.0, n_threads=THREADS)
        return model.fit(holdout.train, progress=False)

    return Race(
        rival="implicit",
        ours=ours,
        theirs=lambda run: implicit_item_knn(history, run, n_neighbors=n_neighbors),
        target=2.5,
        setting={"n_neighbors": n_neighbors},
        quality=total_similarity,
        holdout=holdout,
        ranked=lambda model: model if isinstance(model, ItemKNN) else Ranked(model, history),
    )


def user_knn(holdout: Holdout) -> Race:
    """The cosine neighbours of each user; the rival takes the users for items."""
    by_item = holdout.train.matrix.T.tocsr()

    def ours(run: int) -> Any:
        model = UserKNN(n_neighbors=N_VOTERS, shrinkage=0.0, n_threads=THREADS)
        return model.fit(holdout.train, progress=False)

    def ranked(model: Any) -> Any:
        return model if isinstance(model, UserKNN) else Votes(model.similarity, holdout)

    return Race(
        rival="implicit",
        ours=ours,
        theirs=lambda run: implicit_item_knn(by_item, run, n_neighbors=N_VOTERS),
        target=1.5,
        setting={"n_neighbors": N_VOTERS},
        quality=total_similarity,
        holdout=holdout,
        ranked=ranked,
    )


class Votes(Ranked):
    """The rival's similar users, each voting for the items of their history."""

    def __init__(self, similarity: sparse.csr_matrix, holdout: Holdout):
        super().__init__(None, holdout.train.matrix)
        self.similarity = without_diagonal(similarity)

    def _scores(self, users: np.ndarray) -> np.ndarray:
        return (self.similarity[users] @ self.history).toarray()


def without_diagonal(similarity: Any) -> sparse.csr_matrix:
    similarity = similarity.tocsr().copy()
    similarity.setdiag(0)
    return similarity


def total_similarity(model: Any) -> dict[str, float]:
    """The sum of the similarities kept, which both sides maximise."""
    return {"similarity": float(without_diagonal(model.similarity).sum(dtype=np.float64))}
