r"""User-user neighbours: "users whose history is like yours also chose this".

The older half of the family in `neighborhood` (Resnick et al. 1994), with the same similarity
between users instead of items. With :math:`I_u` the items in u's history, the N users v most
similar to u vote for the items in theirs:

.. math::
    \hat r_{ui} = \sum_{v \in N(u)} s_{uv} \, [i \in I_v], \qquad
    s_{uv} = \frac{|I_u \cap I_v|}{\sqrt{|I_u| |I_v|} + \kappa}

The model must keep the histories of the users who vote, and there are usually more users than
items: that is why online shops went from users to items (Sarwar et al. 2001, Linden et al. 2003).
Left out: ratings, and the mean of each user's ratings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from recsys.compiled import compiled, prange
from recsys.interactions import Interactions, read_only
from recsys.kernels import CHUNKS
from recsys.models import similar
from recsys.models.base import largest_contributions
from recsys.models.partial import UpdatableRecommender
from recsys.retrieval.exact import select_row, sort_best
from recsys.threads import limit_threads, on_snapshot

LANE = 256  # voters whose counts are read and reset together
SHIFT = np.uint32(8)  # LANE is 2 to the SHIFT


@dataclass(eq=False)
class UserKNN(UpdatableRecommender):
    """The most similar users vote for the items in their histories.

    Parameters
    ----------
    n_neighbors : int or None
        Number of most similar users who vote; None lets all vote (dense, few users).
    shrinkage : float
        Added to the cosine's denominator, in items.
    n_threads : int, optional

    Attributes after `fit`
    ----------------------
    voters : CSR matrix (n_voters, n_items), float32
        Observed pairs of the training log, as 0 and 1.
    similarity : CSR matrix (n_users, n_voters), float32
        Row u holds the neighbours of user u, most similar first.
    """

    learned: ClassVar[tuple[str, ...]] = ("voters", "similarity")

    n_neighbors: int | None = 50
    shrinkage: float = 0.0
    n_threads: int | None = field(default=None, repr=False)

    def _fit(self, train: Interactions, progress: bool) -> None:
        history = self.history
        ones = np.ones(history.nnz, np.float32)
        self.voters = sparse.csr_matrix((ones, history.indices, history.indptr), history.shape)
        self.similarity = self._similarities(history, exclude_self=True)

    def _similarities(self, history: sparse.csr_matrix, exclude_self: bool) -> sparse.csr_matrix:
        """Each user's nearest voters; `exclude_self`: user u is voter u, and does not vote."""
        n_voters = self.voters.shape[0]
        size = n_voters if self.n_neighbors is None else min(self.n_neighbors, n_voters)
        neighbors = np.full((history.shape[0], size), -1, np.int32)
        similarities = np.zeros(neighbors.shape, np.float32)  # a neighbour must have more than 0
        items = self.voters.T.tocsr()  # the same pairs, by item
        user_neighbors(
            history.indptr, history.indices, items.indptr, items.indices, norms(history),
            norms(self.voters), np.float32(self.shrinkage), exclude_self, neighbors,
            similarities,
        )  # fmt: skip
        found = neighbors >= 0
        starts = np.concatenate([[0], np.cumsum(found.sum(axis=1))])
        parts = similarities[found], neighbors[found], starts
        return sparse.csr_matrix(parts, shape=(history.shape[0], n_voters))

    def _update(self, new_log: Interactions, progress: bool) -> None:
        self._fit(new_log, progress)  # which reads the history only

    def _scores(self, users: np.ndarray) -> np.ndarray:
        scores = np.zeros((len(users), self.n_items), np.float32)
        s, voters = self.similarity, read_only(self.voters)  # after `fit` they share its arrays
        add_votes(s.indptr, s.indices, s.data, users, voters.indptr, voters.indices, scores)
        scores[scores == 0] = -np.inf  # no neighbour interacted with the item
        return scores

    @on_snapshot
    def fold_in(self, histories: Any) -> UserKNN:
        """The model for new users, numbered from 0; their neighbours are users of the training log.

        A training user who is folded in has their own history among the voters. `histories` is a
        list of item id lists, a CSR matrix or Interactions.
        """
        model = self.with_histories(histories)
        with limit_threads(self.n_threads):
            model.similarity = model._similarities(model.history, exclude_self=False)
        return model

    @on_snapshot
    def similar_users(
        self, users: int | Sequence[int], k: int = 10
    ) -> tuple[np.ndarray, np.ndarray]:
        """The k nearest of the stored neighbours of each user, and their similarities.

        Neighbours are users of the training log, also of folded-in users. Arrays (n, k) int32,
        padded with -1, and float32, padded with -inf; (k,) for one user.
        """
        self._check_fitted()
        return similar.stored("users", users, k, self.similarity)

    @on_snapshot
    def explain(self, user: int, item: int, k: int = 5) -> tuple[np.ndarray, np.ndarray]:
        r"""The items of a user's history that contribute most to a score, through the voters.

        Similarity is a sum over the shared items, so each of them contributes to a vote:

        .. math::
            \hat r_{ui} = \sum_{j \in I_u} \sum_{v \in N(u)} \frac{[j \in I_v]\,[i \in I_v]}
            {\sqrt{|I_u| |I_v|} + \kappa}

        Returns
        -------
        items : array (k,) int32
            Largest contribution first, ties to the lower id, padded with -1.
        contributions : array (k,) float32
            Padded with 0. With k at least the length of the history they sum to the score.
        """
        history = self._history_of(user, item)
        neighbors = self.similarity[user]  # (1, n_voters)
        voters = self.voters[neighbors.indices]  # (neighbours, n_items)
        shared = voters[:, history.indices].toarray()  # whether each has each item of the history
        votes = neighbors.data * voters[:, [item]].toarray().ravel()
        contributions = (votes / shared.sum(axis=1)) @ shared
        return largest_contributions(history.indices, contributions, k)


def norms(history: sparse.csr_matrix) -> np.ndarray:
    """The length (n,) float32 of each 0/1 row."""
    return np.sqrt(np.diff(history.indptr)).astype(np.float32)


@compiled(parallel=True, error_model="numpy")  # 0 / 0 is nan, which is never selected
def user_neighbors(
    user_ptr, user_items, item_ptr, item_voters, norms, voter_norms, shrinkage,
    exclude_self, neighbors, similarities,
):  # fmt: skip
    """Fill `neighbors` and `similarities`: each row a user's nearest, best first.

    A user shares items with few of a million voters. So the counts are read and reset
    in blocks of `LANE` voters, and only in blocks that were touched.
    """
    for chunk in prange(CHUNKS):
        counts = np.zeros(len(voter_norms), np.float32)  # items that u and each v share
        touched = np.zeros(len(counts) // LANE + 1, np.uint8)
        for u in range(chunk, len(norms), CHUNKS):
            for p in range(user_ptr[u], user_ptr[u + 1]):
                for q in range(item_ptr[user_items[p]], item_ptr[user_items[p] + 1]):
                    v = np.uint32(item_voters[q])
                    counts[v] += 1
                    touched[v >> SHIFT] = 1
            if exclude_self:
                counts[u] = 0  # a user is not their own neighbour
            ids, best, length = neighbors[u], similarities[u], norms[u]
            for lane in range(len(touched)):
                if touched[lane]:
                    touched[lane] = 0
                    part = counts[lane * LANE : (lane + 1) * LANE]
                    lengths = voter_norms[lane * LANE : (lane + 1) * LANE]
                    for k in range(len(part)):
                        part[k] /= length * lengths[k] + shrinkage
                    select_row(part, lane * LANE, ids, best)
                    for k in range(len(part)):
                        part[k] = 0
            sort_best(ids, best)


def user_neighbors_reference(
    history: np.ndarray, voters: np.ndarray, shrinkage: float = 0.0
) -> np.ndarray:
    """All similarities (n, n_voters) of dense 0/1 histories with voters, in plain NumPy."""
    X, V = (history > 0).astype(np.float32), (voters > 0).astype(np.float32)
    counts = X @ V.T
    lengths = np.outer(np.sqrt(X.sum(axis=1)), np.sqrt(V.sum(axis=1))) + shrinkage
    return np.divide(counts, lengths, out=np.zeros_like(counts), where=counts > 0)


@compiled(parallel=True)
def add_votes(ptr, neighbors, weights, users, voter_ptr, voter_items, scores):
    """Add to each user's scores the weight of each neighbour who has the item."""
    for row in prange(len(users)):
        for p in range(ptr[users[row]], ptr[users[row] + 1]):
            v = neighbors[p]
            for q in range(voter_ptr[v], voter_ptr[v + 1]):
                scores[row, voter_items[q]] += weights[p]
