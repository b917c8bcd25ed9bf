r"""Sampled softmax with in-batch negatives and the logQ correction (Yi et al. 2019).

The softmax loss asks which of all items belongs to each observed pair (u, i). The sum over all
items would take too long, so the other items of a random batch B of pairs serve as negatives:

.. math:: \min \sum_{(u,i) \in B} \Big( - \ln \frac{e^{s_{ui}}}{\sum_{j \in B} e^{s_{uj}}}
    + \tfrac{\lambda}{2} \big( \|x_u\|^2 + \|y_i\|^2 + b_i^2 \big) \Big)

They cost nothing, since their vectors are at hand. But an item is drawn in proportion to its
popularity, so popular items are penalised. With :math:`\hat r_{ui} = b_i + x_u^\top y_i` and
:math:`q_j` the fraction of pairs with item j, the score

.. math:: s_{uj} = \hat r_{uj} - \ln q_j

weighs each draw by its inverse probability (Bengio and Senécal 2003), and :math:`\hat r`
approaches :math:`\ln p(i \mid u)`. Without the correction, s = r, it approaches
:math:`\ln p(i \mid u) - \ln q_i`: what this user likes more than others do. An item that is in the
batch twice is no negative of itself. Left out: the temperature and the towers of the paper.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys import validation
from recsys.interactions import Interactions
from recsys.models.sgd import SGDRecommender
from recsys.threads import one_blas_thread


@dataclass(eq=False)
class SampledSoftmax(SGDRecommender):
    """Matrix factorization trained to pick the observed item out of a batch.

    Parameters
    ----------
    factors : int
        Length of the vectors.
    learning_rate, reg : float
        Step size of gradient descent, and L2 regularisation of every parameter.
    epochs : int
        Passes over all pairs.
    n_negatives : int
        Other pairs in a batch; their items are the negatives.
    correction : bool
        Whether a score is corrected by the probability that its item is in a batch (logQ).
    rng : int or numpy.random.Generator

    Attributes after `fit`
    ----------------------
    user_factors : array (n_users, factors) float32
    item_factors : array (n_items, factors) float32
    item_biases : array (n_items,) float32
    """

    reg: float = 0.1
    epochs: int = 20
    n_negatives: int = 127
    correction: bool = True
    rng: int | np.random.Generator = 0

    def _fit(self, train: Interactions, progress: bool) -> None:
        rng = validation.random_generator(self.rng)
        X, Y = self._initial_factors(rng)
        b = np.zeros(self.n_items, np.float32)
        pairs = self.history.tocoo()  # row: user, col: item
        log_q = log_popularity(pairs.col, self.n_items) * np.float32(self.correction)
        n_batches = -(-pairs.nnz // (self.n_negatives + 1))  # rounded up
        with one_blas_thread():  # the same bits on any number of threads
            for _ in self._epochs(progress):
                for batch in np.array_split(rng.permutation(pairs.nnz), n_batches):
                    users, items = pairs.row[batch], pairs.col[batch]
                    softmax_step(X, Y, b, users, items, log_q, *self._step_sizes())
        self.user_factors, self.item_factors, self.item_biases = X, Y, b


def log_popularity(items: np.ndarray, n_items: int) -> np.ndarray:
    """ln q_i (n_items,) float32: the fraction of pairs with each item; 0 for one in no pair."""
    counts = np.bincount(items, minlength=n_items)
    return np.log(counts / len(items), where=counts > 0, out=np.zeros(n_items)).astype(np.float32)


def softmax_step(
    X: np.ndarray, Y: np.ndarray, b: np.ndarray, users: np.ndarray, items: np.ndarray,
    log_q: np.ndarray, learning_rate: float, reg: float,
) -> None:  # fmt: skip
    """One gradient step, in place, on the batch of pairs (users[p], items[p])."""
    x, y, bias = X[users], Y[items], b[items]  # (n, f), (n, f), (n,)
    error = errors(x @ y.T + (bias - log_q[items]), items)  # (n, n)
    np.subtract.at(X, users, learning_rate * (error @ y + reg * x))  # a row may occur twice
    np.subtract.at(Y, items, learning_rate * (error.T @ x + reg * y))
    np.subtract.at(b, items, learning_rate * (error.sum(axis=0) + reg * bias))


def errors(scores: np.ndarray, items: np.ndarray) -> np.ndarray:
    """The gradient of the loss by `scores` (n, n), in which row p's positive is column p."""
    own = np.eye(len(items), dtype=bool)
    scores[(items[:, None] == items) & ~own] = -np.inf  # no item is its own negative
    probabilities = np.exp(scores - scores.max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return probabilities - own
