"""What all factor models share: scores as inner products, and the search for the largest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys.interactions import Interactions
from recsys.models.base import Recommender
from recsys.models.filters import ItemFilter
from recsys.models.similar import nearest
from recsys.retrieval.mips import best_products
from recsys.threads import on_snapshot, one_blas_thread


@dataclass(eq=False)
class FactorRecommender(Recommender):
    """Base of the models whose score is the inner product of two vectors, plus a bias.

    Attributes after `fit`
    ----------------------
    user_factors : array (n_users, factors) float32
    item_factors : array (n_items, factors) float32
    """

    item_biases: ClassVar[np.ndarray | None] = None
    user_levels: ClassVar[np.ndarray | None] = None  # changes scores, never their order

    def fit(self, train: Interactions, progress: bool = True) -> FactorRecommender:
        """As for every model; factors that diverge raise ValueError."""
        with np.errstate(over="ignore", invalid="ignore"):
            return super().fit(train, progress)

    def _check_learned(self) -> None:
        learned = (self.user_factors, self.item_factors, self.item_biases)
        if all(np.isfinite(array).all() for array in learned if array is not None):
            return
        if hasattr(self, "learning_rate"):
            name, got = "learning_rate", self.learning_rate
        else:
            name, got = "train.value", f"values up to {self.history.data.max():g}"
        raise ValueError(f"{name} must be smaller for {self!r}: the factors diverged, got {got}")

    def _scores(self, users: np.ndarray) -> np.ndarray:
        scores = self.user_factors[users] @ self.item_factors.T
        if self.item_biases is not None:
            scores += self.item_biases
        if self.user_levels is not None:
            scores += self.user_levels[users][:, None]
        return scores

    def _recommend(
        self, users: np.ndarray, allowed: ItemFilter, items: np.ndarray, scores: np.ndarray
    ) -> None:
        biases = np.zeros(self.n_items, np.float32)
        if self.item_biases is not None:
            biases += self.item_biases
        biases[self.cold_items] = -np.inf
        Y, seen = self.item_factors, allowed.among_candidates()
        if allowed.candidates is not None:
            Y, biases = Y[allowed.candidates], biases[allowed.candidates]
        rows = np.arange(len(users))
        if self.needs_history:
            rows = np.flatnonzero(np.diff(self.history.indptr)[users])
        with one_blas_thread():
            best_products(
                self.user_factors, Y, biases, seen.hidden.indptr, seen.hidden.indices, seen.rows,
                users, rows, items, scores,
            )  # fmt: skip
        items[:] = allowed.ids(items)
        if self.user_levels is not None:
            scores += self.user_levels[users][:, None]

    @on_snapshot
    def similar_items(
        self, items: int | Sequence[int], k: int = 10
    ) -> tuple[np.ndarray, np.ndarray]:
        """The k items whose vectors have the highest cosine to that of each item.

        The item itself is left out. Arrays (n, k) int32, padded with -1, and float32, padded with
        -inf; (k,) for one item. An item without interactions has an empty list and is in none.
        """
        self._check_fitted()
        return nearest("items", items, k, self.item_factors, self.cold_items)

    @on_snapshot
    def similar_users(
        self, users: int | Sequence[int], k: int = 10
    ) -> tuple[np.ndarray, np.ndarray]:
        """The k users whose vectors have the highest cosine to that of each user.

        As `similar_items`; a user without history has an empty list and is in none.
        """
        self._check_fitted()
        without = np.flatnonzero(np.diff(self.history.indptr) == 0)
        return nearest("users", users, k, self.user_factors, without)
