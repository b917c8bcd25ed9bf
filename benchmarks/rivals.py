"""The rivals behind the one method that an evaluation needs: `recommend(users, k)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from implicit.nearest_neighbours import CosineRecommender
from scipy import sparse

from recsys import Interactions
from recsys.retrieval import top_k

THREADS = 2
USERS_AT_ONCE = 1000
Watch = Callable[[int, Any], None]  # called after each step with its number, from 1, and the model


def writable(log: Interactions) -> sparse.csr_matrix:
    """A copy of the log's matrix, which is read-only; implicit asks for writable arrays."""
    return log.matrix.copy()


class Ranked:
    """A rival's fitted model, ranking all items but those of the user's history."""

    def __init__(self, model: Any, history: sparse.csr_matrix):
        self.model, self.history = model, history

    def recommend(self, users: np.ndarray, k: int = 10) -> tuple[np.ndarray, np.ndarray]:
        """The k best unseen items of each user and their scores, as our models return them."""
        parts = np.array_split(users, 1 + len(users) // USERS_AT_ONCE)
        items, scores = zip(*(top_k(self._unseen_scores(part), k) for part in parts), strict=True)
        return np.vstack(items), np.vstack(scores)

    def _unseen_scores(self, users: np.ndarray) -> np.ndarray:
        scores = np.array(self._scores(users), np.float32)
        rows, columns = self.history[users].nonzero()
        scores[rows, columns] = -np.inf
        return scores

    def _scores(self, users: np.ndarray) -> np.ndarray:
        model = self.model
        if isinstance(model, CosineRecommender):
            return (self.history[users] @ model.similarity).toarray()
        if hasattr(model, "get_item_representations"):  # LightFM; a user's bias changes no order
            biases, items = model.get_item_representations()
            return model.get_user_representations()[1][users] @ items.T + biases
        return np.asarray(model.user_factors)[users] @ np.asarray(model.item_factors).T


def implicit_als(
    history: sparse.csr_matrix, rng: int, watch: Watch | None = None, *, alpha: float,
    **setting: Any,
) -> Any:  # fmt: skip
    """Our objective: implicit's matrix holds the whole confidence, 1 + alpha r."""
    confidence = history.copy()
    confidence.data = 1 + np.float32(alpha) * confidence.data
    model = AlternatingLeastSquares(
        alpha=1.0, num_threads=THREADS, random_state=rng, use_gpu=False, **setting
    )
    model.fit(confidence, show_progress=False, callback=_callback(watch, model))
    return model


def implicit_bpr(
    history: sparse.csr_matrix, rng: int, watch: Watch | None = None, **setting: Any
) -> Any:
    model = BayesianPersonalizedRanking(
        num_threads=THREADS, random_state=rng, use_gpu=False, **setting
    )
    model.fit(history, show_progress=False, callback=_callback(watch, model))
    return model


def _callback(watch: Watch | None, model: Any) -> Callable[..., None] | None:
    return None if watch is None else lambda step, *others: watch(step + 1, model)


def implicit_item_knn(history: sparse.csr_matrix, rng: int, *, n_neighbors: int) -> Any:
    """implicit's K neighbours include the item itself."""
    model = CosineRecommender(K=n_neighbors + 1, num_threads=THREADS)
    model.fit(history, show_progress=False)
    return model


def lightfm_warp(
    history: sparse.csr_matrix, rng: int, watch: Watch | None = None, *, epochs: int, reg: float,
    **setting: Any,
) -> Any:  # fmt: skip
    """One penalty for users and items."""
    from lightfm import LightFM  # only `make tune` and `make bench` install it

    model = LightFM(loss="warp", random_state=rng, item_alpha=reg, user_alpha=reg, **setting)
    pairs = history.tocoo()
    if watch is None:
        return model.fit(pairs, epochs=epochs, num_threads=THREADS)
    for step in range(1, epochs + 1):
        model.fit_partial(pairs, epochs=1, num_threads=THREADS)
        watch(step, model)
    return model


FIT = {
    "implicit ALS": implicit_als,
    "implicit BPR": implicit_bpr,
    "implicit ItemKNN": implicit_item_knn,
    "LightFM WARP": lightfm_warp,
}
