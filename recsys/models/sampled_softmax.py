r"""Sampled softmax with negatives from the batch, and the logQ correction (Yi et al. 2019).

The softmax asks of each pair (u, i) that met: of all items, was it this one? To sum over all
items would take too long, so the other items of a random batch B of pairs stand for them:

.. math:: \min \sum_{(u,i) \in B} \Big( - \ln \frac{e^{s_{ui}}}{\sum_{j \in B} e^{s_{uj}}}
    + \tfrac{\lambda}{2} \big( \|x_u\|^2 + \|y_i\|^2 + b_i^2 \big) \Big)

They cost nothing, for their vectors are at hand. But an item comes into a batch as often as it is
met, so popular items are punished for being popular. With :math:`\hat r_{ui} = b_i + x_u^\top y_i`
and :math:`q_j` the share of item j among the pairs, the score

.. math:: s_{uj} = \hat r_{uj} - \ln q_j

counts each draw by the inverse of its chance (Bengio and Senécal 2003), and :math:`\hat r` comes
to follow :math:`\ln p(i \mid u)`. Without the correction, s = r, it follows
:math:`\ln p(i \mid u) - \ln q_i`: what this user likes more than others do. An item that is in the
batch twice is no negative of itself. Left out: the temperature and the towers of the paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys import validation
from recsys.interactions import Interactions
from recsys.models.base import FactorRecommender, one_blas_thread, progress_bar


@dataclass(eq=False)
class SampledSoftmax(FactorRecommender):
    """Matrix factorization trained to pick the met item out of a batch.

    Parameters
    ----------
    factors : int
        Length of the vectors.
    learning_rate, reg : float
        Step size, and pull of every parameter towards zero.
    epochs : int
        Passes over all pairs.
    n_negatives : int
        Other pairs in a batch; their items are the negatives.
    correction : bool
        Whether a score is corrected by the chance of its item to be in a batch.
    rng : int or numpy.random.Generator

    Attributes after `fit`
    ----------------------
    user_factors : array (n_users, factors) float32
    item_factors : array (n_items, factors) float32
    item_biases : array (n_items,) float32
    """

    learned: ClassVar[tuple[str, ...]] = ("user_factors", "item_factors", "item_biases")

    factors: int = 64
    learning_rate: float = 0.05
    reg: float = 0.1
    epochs: int = 20
    n_negatives: int = 127
    correction: bool = True
    rng: int | np.random.Generator = 0

    def _fit(self, train: Interactions, progress: bool) -> None:
        rng = validation.random_generator(self.rng)
        X = rng.normal(0, 0.01, (self.n_users, self.factors)).astype(np.float32)
        Y = rng.normal(0, 0.01, (self.n_items, self.factors)).astype(np.float32)
        b = np.zeros(self.n_items, np.float32)
        pairs = self.history.tocoo()  # row: user, col: item
        log_q = log_shares(pairs.col, self.n_items) * np.float32(self.correction)
        n_batches = -(-pairs.nnz // (self.n_negatives + 1))  # rounded up
        step, reg = np.float32(self.learning_rate), np.float32(self.reg)
        with one_blas_thread():  # the same bits on any number of threads
            for _ in progress_bar(range(self.epochs), "softmax", progress):
                for batch in np.array_split(rng.permutation(pairs.nnz), n_batches):
                    softmax_step(X, Y, b, pairs.row[batch], pairs.col[batch], log_q, step, reg)
        self.user_factors, self.item_factors, self.item_biases = X, Y, b


def log_shares(items: np.ndarray, n_items: int) -> np.ndarray:
    """ln q_i (n_items,) float32: each item's share of the pairs; 0 for one that is in none."""
    counts = np.bincount(items, minlength=n_items)
    return np.log(counts / len(items), where=counts > 0, out=np.zeros(n_items)).astype(np.float32)


def softmax_step(
    X: np.ndarray, Y: np.ndarray, b: np.ndarray, users: np.ndarray, items: np.ndarray,
    log_q: np.ndarray, step: float, reg: float,
) -> None:  # fmt: skip
    """One gradient step, in place, on the batch of pairs (users[p], items[p])."""
    x, y, bias = X[users], Y[items], b[items]  # (n, f), (n, f), (n,)
    error = errors(x @ y.T + (bias - log_q[items]), items)  # (n, n)
    np.subtract.at(X, users, step * (error @ y + reg * x))  # a row may be in the batch twice
    np.subtract.at(Y, items, step * (error.T @ x + reg * y))
    np.subtract.at(b, items, step * (error.sum(axis=0) + reg * bias))


def errors(scores: np.ndarray, items: np.ndarray) -> np.ndarray:
    """The loss's gradient by `scores` (n, n), whose row p should pick its own item, column p."""
    own = np.eye(len(items), dtype=bool)
    scores[(items[:, None] == items) & ~own] = -np.inf  # no item is its own negative
    chances = np.exp(scores - scores.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    return chances - own
