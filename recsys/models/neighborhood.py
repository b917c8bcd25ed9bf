r"""Item-item neighbours: "users who chose this also chose that".

Two items are similar if the same users interacted with them. With :math:`n_{ij}` the number of
users who interacted with both, the shrunk cosine similarity is

.. math:: s_{ij} = \frac{n_{ij}}{\sqrt{n_i n_j} + \kappa}

and a user's score for item i sums :math:`s_{ji}` over the items j in their history, of which
only the N most similar items i count (Deshpande and Karypis 2004). The shrinkage :math:`\kappa`
damps pairs with few users in common. `user_knn` applies the same similarity to users instead of
items. Left out: ratings; repeated interactions count once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from recsys.compiled import compiled, prange
from recsys.interactions import Interactions
from recsys.kernels import CHUNKS
from recsys.models import similar
from recsys.models.base import largest_contributions
from recsys.models.partial import UpdatableRecommender
from recsys.retrieval.exact import select_row, sort_best
from recsys.threads import on_snapshot


@dataclass(eq=False)
class ItemKNN(UpdatableRecommender):
    """Item-item cosine neighbours.

    Parameters
    ----------
    n_neighbors : int or None
        Number of most similar items kept per item; None keeps all (small catalogues).
    shrinkage : float
        Added to the cosine's denominator, in users.
    n_threads : int, optional

    Attributes after `fit`
    ----------------------
    similarity : CSR matrix (n_items, n_items), float32
        Row j holds the neighbours of item j.
    """

    learned: ClassVar[tuple[str, ...]] = ("similarity",)

    n_neighbors: int | None = 250
    shrinkage: float = 0.0
    n_threads: int | None = field(default=None, repr=False)

    def _fit(self, train: Interactions, progress: bool) -> None:
        size = self.n_items
        if self.n_neighbors is not None:
            size = min(self.n_neighbors, size)
        users = self.history  # the observed pairs, by user
        items = users.T.tocsr()  # the same pairs, by item
        norms = np.sqrt(np.diff(items.indptr)).astype(np.float32)  # (n_items,)
        neighbors = np.full((self.n_items, size), -1, np.int32)
        similarities = np.full((self.n_items, size), -np.inf, np.float32)
        item_neighbors(
            items.indptr, items.indices, users.indptr, users.indices, norms,
            np.float32(self.shrinkage), neighbors, similarities,
        )  # fmt: skip
        found = neighbors >= 0
        rows = np.repeat(np.arange(self.n_items), found.sum(axis=1))
        self.similarity = sparse.csr_matrix(
            (similarities[found], (rows, neighbors[found])),
            shape=(self.n_items, self.n_items),
        )

    def _update(self, new_log: Interactions, progress: bool) -> None:
        self._fit(new_log, progress)  # which reads the history only

    def _scores(self, users: np.ndarray) -> np.ndarray:
        scores = np.zeros((len(users), self.n_items), np.float32)
        h, s = self.history, self.similarity
        add_neighbor_rows(
            h.indptr, h.indices, users, s.indptr, s.indices, s.data, scores
        )  # fmt: skip
        scores[scores == 0] = -np.inf  # no neighbour of the item is in the history
        return scores

    @on_snapshot
    def fold_in(self, histories: Any) -> ItemKNN:
        """The model for new users, numbered from 0.

        `histories` is a list of item id lists, a CSR matrix or Interactions.
        """
        return self.with_histories(histories)

    @on_snapshot
    def similar_items(
        self, items: int | Sequence[int], k: int = 10
    ) -> tuple[np.ndarray, np.ndarray]:
        """The k nearest of the stored neighbours of each item, and their similarities.

        Arrays (n, k) int32, padded with -1, and float32, padded with -inf; (k,) for one
        item.
        """
        self._check_fitted()
        return similar.stored("items", items, k, self.similarity)

    @on_snapshot
    def explain(
        self, user: int, item: int, k: int = 5
    ) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
        """The items of a user's history that contribute most to a score, and how much.

        Returns `items` (k,) int32, largest contribution first, ties to the lower id,
        padded with -1, and `contributions` (k,) float32, their similarities, padded
        with 0. With k at least the length of the history they sum to the score. An item
        that is no neighbour contributes 0.
        """
        history = self._history_of(user, item)
        contributions = self.similarity[history.indices][:, [item]].toarray().ravel()
        return largest_contributions(history.indices, contributions, k)


@compiled(parallel=True)
def item_neighbors(
    item_ptr, item_users, user_ptr, user_items, norms, shrinkage,
    neighbors, similarities,
):  # fmt: skip
    """Fill `neighbors` and `similarities`: each row an item's nearest, best first."""
    n_items = len(norms)
    for chunk in prange(CHUNKS):
        counts = np.zeros(n_items, np.float32)  # users of both i and j, for each j
        for i in range(chunk, n_items, CHUNKS):
            for j in range(n_items):
                counts[j] = 0
            for p in range(item_ptr[i], item_ptr[i + 1]):
                u = item_users[p]
                for q in range(user_ptr[u], user_ptr[u + 1]):
                    counts[user_items[q]] += 1
            counts[i] = 0  # an item is not its own neighbour
            for j in range(n_items):
                if counts[j] > 0:
                    counts[j] /= norms[i] * norms[j] + shrinkage
                else:
                    counts[j] = -np.inf
            select_row(counts, 0, neighbors[i], similarities[i])
            sort_best(neighbors[i], similarities[i])


def item_neighbors_reference(history: np.ndarray, shrinkage: float = 0.0) -> np.ndarray:
    """The full similarity matrix (n_items, n_items) of a dense 0/1 history, in plain NumPy."""
    X = (history > 0).astype(np.float32)
    norms = np.sqrt(X.sum(axis=0))
    counts = X.T @ X
    denominator = np.outer(norms, norms) + shrinkage
    similarity = np.divide(counts, denominator, out=np.zeros_like(counts), where=denominator > 0)
    np.fill_diagonal(similarity, 0)
    return similarity


@compiled(parallel=True)
def add_neighbor_rows(ptr, items, users, sim_ptr, sim_items, sim_values, scores):
    """Add to each user's scores the similarity rows of the items in their history."""
    for row in prange(len(users)):
        for p in range(ptr[users[row]], ptr[users[row] + 1]):
            for q in range(sim_ptr[items[p]], sim_ptr[items[p] + 1]):
                scores[row, sim_items[q]] += sim_values[q]
