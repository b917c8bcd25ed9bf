r"""EASE: the linear item-item model in closed form (Steck 2019).

Find the item-item weights B, with a zero diagonal, that best reconstruct each history from
its other items:

.. math:: \min_B \|X - XB\|_F^2 + \lambda \|B\|_F^2, \qquad \operatorname{diag}(B) = 0

With :math:`P = (X^\top X + \lambda I)^{-1}` the answer is :math:`B_{ij} = -P_{ij} / P_{jj}`
off the diagonal. X is binary: repeated interactions count once. Dense by nature: B takes
4 n_items^2 bytes, and fitting 16 n_items^2, so it suits catalogues of up to some 20,000 items.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from scipy import sparse
from scipy.linalg import lapack

from recsys.compiled import compiled, prange
from recsys.interactions import Interactions
from recsys.kernels import CHUNKS
from recsys.models.base import Recommender, largest_contributions
from recsys.threads import on_snapshot, one_blas_thread

SMALL = 1000  # below so many items, a second thread waits longer than it works
TILE = 64  # rows and columns transposed at once, so that both sides stay in the cache


@dataclass(eq=False)
class EASE(Recommender):
    """Item-item weights by ridge regression with a zero diagonal.

    Parameters
    ----------
    reg : float
        The ridge penalty, in users: a few hundred on sparse data.
    n_threads : int, optional

    Attributes after `fit`
    ----------------------
    item_weights : array (n_items, n_items) float32
        Row j holds what item j in a history adds to the score of each item.
    """

    learned: ClassVar[tuple[str, ...]] = ("item_weights",)

    reg: float = 200.0
    n_threads: int | None = field(default=None, repr=False)

    def _fit(self, train: Interactions, progress: bool) -> None:
        gram = gram_matrix(self.history)
        with one_blas_thread() if self.n_items < SMALL else nullcontext():
            self.item_weights = ease_weights(gram, self.reg)

    def _scores(self, users: np.ndarray) -> np.ndarray:
        scores = np.zeros((len(users), self.n_items), np.float32)
        add_weight_rows(self.history.indptr, self.history.indices, users, self.item_weights, scores)
        return scores

    @on_snapshot
    def fold_in(self, histories: Any) -> EASE:
        """The model for new users, numbered from 0.

        `histories` is a list of item id lists, a CSR matrix or Interactions.
        """
        return self.with_histories(histories)

    @on_snapshot
    def explain(self, user: int, item: int, k: int = 5) -> tuple[np.ndarray, np.ndarray]:
        """The items of a user's history that contribute most to a score: their weights.

        Returns `items` (k,) int32, largest contribution first, ties to the lower id, padded with
        -1, and `contributions` (k,) float32, padded with 0. With k at least the length of the
        history they sum to the score.
        """
        history = self._history_of(user, item)
        return largest_contributions(history.indices, self.item_weights[history.indices, item], k)


def gram_matrix(history: sparse.csr_matrix) -> np.ndarray:
    """The lower triangle of X'X (n_items, n_items) float64: users who interacted with both."""
    position = np.arange(history.nnz, dtype=np.int32 if history.nnz < 2**31 else np.int64)
    pairs = sparse.csr_matrix((position, history.indices, history.indptr), history.shape)
    by_item = pairs.T.tocsr()  # its data: each pair's position in its user's row
    gram = np.empty((history.shape[1],) * 2)
    count_cooccurrences(
        by_item.indptr, by_item.indices, by_item.data, history.indptr, history.indices, gram
    )
    return gram


@compiled(parallel=True)
def count_cooccurrences(item_ptr, item_users, position, user_ptr, user_items, gram):
    """Set gram[i, j], for j up to i, to the number of users who interacted with both.

    Of each user of item i, the items from the start of the row to `position`, that of i, count.
    """
    for chunk in prange(CHUNKS):
        counts = np.zeros(len(gram), np.int32)  # a row that stays in the L1 cache
        for i in range(chunk, len(gram), CHUNKS):
            for p in range(item_ptr[i], item_ptr[i + 1]):
                for q in range(user_ptr[item_users[p]], position[p] + 1):
                    counts[user_items[q]] += 1
            for j in range(i + 1):
                gram[i, j] = counts[j]
                counts[j] = 0


def ease_weights(gram: np.ndarray, reg: float) -> np.ndarray:
    """B (n_items, n_items) float32 from X'X, whose lower triangle is overwritten.

    A Cholesky factor and its inverse (LAPACK potrf and potri) cost a third less than a
    general inverse, and only one triangle is ever computed.
    """
    gram[np.diag_indices_from(gram)] += reg
    # LAPACK is column-major: our lower triangle is its upper one
    factor, failed = lapack.dpotrf(gram.T, lower=0, overwrite_a=1, clean=0)
    if failed:
        raise ValueError(f"reg must be large enough to invert X'X + reg I, got {reg!r}")
    inverse, _ = lapack.dpotri(factor, lower=0, overwrite_c=1)
    weights = np.empty(inverse.shape, np.float32)
    _divide_by_diagonal(inverse.T, -1 / np.diag(inverse), weights)
    return weights


@compiled(parallel=True)
def _divide_by_diagonal(lower, factor, weights):
    """B_ij = -P_ij / P_jj from P's lower triangle and factor_j = -1 / P_jj; zero for i = j."""
    n = len(lower)
    for tile in prange((n + TILE - 1) // TILE):
        rows = range(tile * TILE, min((tile + 1) * TILE, n))
        for start in range(0, (tile + 1) * TILE, TILE):
            for i in rows:
                for j in range(start, min(start + TILE, i)):
                    weights[i, j] = lower[i, j] * factor[j]
                    weights[j, i] = lower[i, j] * factor[i]
        for i in rows:
            weights[i, i] = 0


def ease_reference(history: np.ndarray, reg: float) -> np.ndarray:
    """B from a dense history by a general inverse, in plain NumPy."""
    X = (history > 0).astype(np.float64)
    inverse = np.linalg.inv(X.T @ X + reg * np.eye(X.shape[1]))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights


@compiled(parallel=True)
def add_weight_rows(ptr, items, users, weights, scores):
    """Add to each user's scores the weight rows of the items in their history."""
    for row in prange(len(users)):
        for p in range(ptr[users[row]], ptr[users[row] + 1]):
            for i in range(len(weights)):
                scores[row, i] += weights[items[p], i]
