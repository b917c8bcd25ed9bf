r"""User-user neighbours: "people whose history is like yours also met this".

The older half of the family in `neighborhood` (Resnick et al. 1994), with the same similarity
turned on its side. With :math:`n_u` the number of items that u met and :math:`n_{uv}` those that
both met, the N users v most similar to u vote for what they met:

.. math::
    \hat r_{ui} = \sum_{v \in N(u)} s_{uv} \, [v \text{ met } i], \qquad
    s_{uv} = \frac{n_{uv}}{\sqrt{n_u n_v} + h}

The model must keep the histories of those who vote, and there are usually more users than
items: that is why shops went from users to items (Sarwar et al. 2001, Linden et al. 2003). Left
out: ratings, and how far each person's scale is from the mean.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numba import njit, prange
from scipy import sparse

from recsys.interactions import Interactions
from recsys.models.base import Recommender, _largest_contributions, _threads
from recsys.models.neighborhood import CHUNKS
from recsys.retrieval.exact import select_row

LANE = 256  # voters whose counts are read and reset together
SHIFT = np.uint32(8)  # LANE is 2 to the SHIFT


@dataclass(eq=False)
class UserKNN(Recommender):
    """The most similar users vote for what they met.

    Parameters
    ----------
    n_neighbors : int or None
        How many most similar users vote; None lets all vote (dense, few users).
    shrinkage : float
        Added to the cosine's denominator, in items.
    n_threads : int, optional

    Attributes after `fit`
    ----------------------
    voters : CSR matrix (n_voters, n_items), float32
        Who met what among the users of the training log, as 0 and 1.
    similarity : CSR matrix (n_users, n_voters), float32
        Row u holds the neighbours of user u, most similar first.
    """

    learned: ClassVar[tuple[str, ...]] = ("voters", "similarity")

    n_neighbors: int | None = 50
    shrinkage: float = 0.0
    n_threads: int | None = field(default=None, repr=False)

    def _fit(self, train: Interactions, progress: bool) -> None:
        met = self.history
        ones = np.ones(met.nnz, np.float32)
        self.voters = sparse.csr_matrix((ones, met.indices, met.indptr), shape=met.shape)
        self.similarity = self._similar_to(met, itself=True)

    def _similar_to(self, history: sparse.csr_matrix, itself: bool) -> sparse.csr_matrix:
        """Each person's nearest voters; `itself`: person u is voter u, and does not vote."""
        n_voters = self.voters.shape[0]
        size = n_voters if self.n_neighbors is None else min(self.n_neighbors, n_voters)
        neighbors = np.full((history.shape[0], size), -1, np.int32)
        similarities = np.zeros(neighbors.shape, np.float32)  # to be beaten: 0 is no neighbour
        items = self.voters.T.tocsr()  # the same pairs, by item
        user_neighbors(
            history.indptr, history.indices, items.indptr, items.indices, norms(history),
            norms(self.voters), np.float32(self.shrinkage), itself, neighbors, similarities,
        )  # fmt: skip
        found = neighbors >= 0
        starts = np.concatenate([[0], np.cumsum(found.sum(axis=1))])
        parts = similarities[found], neighbors[found], starts
        return sparse.csr_matrix(parts, shape=(history.shape[0], n_voters))

    def _scores(self, users: np.ndarray) -> np.ndarray:
        scores = np.zeros((len(users), self.n_items), np.float32)
        s, met = self.similarity, self.voters
        add_votes(s.indptr, s.indices, s.data, users, met.indptr, met.indices, scores)
        scores[scores == 0] = -np.inf  # no neighbour met the item
        return scores

    def fold_in(self, histories: Any) -> UserKNN:
        """The same voters for people the model never saw; their neighbours are sought.

        Somebody of the training log who is folded in finds their own history among the voters.

        Parameters
        ----------
        histories : list of item id lists, CSR matrix or Interactions
            One history a new person.

        Returns
        -------
        UserKNN
            Its user 0 is the first of the new people, and so on.
        """
        model = self._for_histories(histories)
        with _threads(self.n_threads):
            model.similarity = model._similar_to(model.history, itself=False)
        return model

    def explain(self, user: int, item: int, k: int = 5) -> tuple[np.ndarray, np.ndarray]:
        r"""The items of a user's history that speak most for an item, through the voters.

        Similarity is a sum over the shared items, so each of them has its part in a vote:

        .. math::
            \hat r_{ui} = \sum_j \sum_{v} \frac{[v \text{ met } j]\,[v \text{ met } i]}
            {\sqrt{n_u n_v} + h}

        over the items j that u met and the neighbours v of u.

        Returns
        -------
        items : array (k,) int32
            Largest contribution first, ties to the lower id, padded with -1.
        contributions : array (k,) float32
            Padded with 0. With k at least the length of the history they sum to the score.
        """
        history = self._history_of(user, item)
        near = self.similarity[user]  # (1, n_voters)
        met = self.voters[near.indices]  # (neighbours, n_items)
        shared = met[:, history.indices].toarray()  # which of u's items each of them met
        votes = near.data * met[:, [item]].toarray().ravel()
        contributions = (votes / shared.sum(axis=1)) @ shared
        return _largest_contributions(history.indices, contributions, k)


def norms(history: sparse.csr_matrix) -> np.ndarray:
    """The length (n,) float32 of each 0/1 row."""
    return np.sqrt(np.diff(history.indptr)).astype(np.float32)


@njit(parallel=True, cache=True, error_model="numpy")  # 0 / 0 is nan, which beats nobody
def user_neighbors(
    ptr, met, item_ptr, item_voters, norms, voter_norms, shrinkage, itself, neighbors, similarities
):
    """Fill each person's most similar voters: rows of `neighbors` and `similarities`, best first.

    A person shares items with few of a million voters. So the counts of `LANE` voters at a time
    are read and reset, and only where one of them was touched.
    """
    for chunk in prange(CHUNKS):
        together = np.zeros(len(voter_norms), np.float32)  # items that u and each v both met
        touched = np.zeros(len(together) // LANE + 1, np.uint8)
        for u in range(chunk, len(norms), CHUNKS):
            for p in range(ptr[u], ptr[u + 1]):
                for q in range(item_ptr[met[p]], item_ptr[met[p] + 1]):
                    v = np.uint32(item_voters[q])
                    together[v] += 1
                    touched[v >> SHIFT] = 1
            if itself:
                together[u] = 0  # nobody is their own neighbour
            ids, best, length = neighbors[u], similarities[u], norms[u]
            for lane in range(len(touched)):
                if touched[lane]:
                    touched[lane] = 0
                    part = together[lane * LANE : (lane + 1) * LANE]
                    lengths = voter_norms[lane * LANE : (lane + 1) * LANE]
                    for k in range(len(part)):
                        part[k] /= length * lengths[k] + shrinkage
                    select_row(part, lane * LANE, ids, best)
                    for k in range(len(part)):
                        part[k] = 0


def user_neighbors_reference(
    history: np.ndarray, voters: np.ndarray, shrinkage: float = 0.0
) -> np.ndarray:
    """All similarities (n, n_voters) of dense 0/1 histories with voters, in plain NumPy."""
    people, others = (history > 0).astype(np.float32), (voters > 0).astype(np.float32)
    together = people @ others.T
    lengths = np.outer(np.sqrt(people.sum(axis=1)), np.sqrt(others.sum(axis=1))) + shrinkage
    return np.divide(together, lengths, out=np.zeros_like(together), where=together > 0)


@njit(parallel=True, cache=True)
def add_votes(ptr, neighbors, weights, users, voter_ptr, voter_items, scores):
    """Add to each user's scores the weight of every neighbour who met the item."""
    for row in prange(len(users)):
        for p in range(ptr[users[row]], ptr[users[row] + 1]):
            v = neighbors[p]
            for q in range(voter_ptr[v], voter_ptr[v + 1]):
                scores[row, voter_items[q]] += weights[p]
