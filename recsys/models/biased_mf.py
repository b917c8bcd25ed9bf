r"""Biased matrix factorization for rating prediction (Koren, Bell and Volinsky 2009).

A rating is the mean, plus the deviations of the user and of the item from it, plus their
interaction:

.. math:: \hat r_{ui} = \mu + b_u + b_i + x_u^\top y_i

Stochastic gradient descent (Funk 2006) takes the known ratings one after the other and minimises

.. math:: \sum_{(u,i)} \Big( (r_{ui} - \hat r_{ui})^2
    + \lambda \big( b_u^2 + b_i^2 + \|x_u\|^2 + \|y_i\|^2 \big) \Big)

Only known ratings enter the sum; which items a user did not rate is ignored. So this model
predicts how a user would rate an item, and is weak at predicting which items they choose
(Cremonesi et al. 2010). Users and items are dealt into blocks (`sgd`), once. Left out: implicit
feedback and time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from recsys import validation
from recsys.compiled import compiled, prange
from recsys.interactions import Interactions
from recsys.kernels import ONE, dot, sort_into_cells
from recsys.models.base import as_interactions
from recsys.models.sgd import BLOCKS, SGDRecommender, deal
from recsys.threads import limit_threads, on_snapshot, one_blas_thread

RATINGS_PER_BLOCK = 20_000  # at least, so that threads have enough to do before they wait


@dataclass(eq=False)
class BiasedMF(SGDRecommender):
    """Matrix factorization of explicit ratings, with biases of users and items.

    Parameters
    ----------
    factors : int
        Length of the vectors.
    learning_rate, reg : float
        Step size of gradient descent, and L2 regularisation of every parameter.
    epochs : int
        Passes over all ratings.
    rng : int or numpy.random.Generator
    n_threads : int, optional
        Changes the time, never the result.

    Attributes after `fit`
    ----------------------
    mean : float32
        The mean rating.
    rating_range : array (2,) float32
        The lowest and the highest rating in training; `predict` stays between them.
    user_biases : array (n_users,) float32
    item_biases : array (n_items,) float32
    user_factors : array (n_users, factors) float32
    item_factors : array (n_items, factors) float32

    Notes
    -----
    Each row of the log is a rating of its own: of an item rated twice by the same user the model
    predicts about the average. A user without ratings has bias 0 and vector 0, so their list is
    the items by mean + b_i. An item without ratings is never recommended; `predict` gives it
    mean + b_u.
    """

    needs_history: ClassVar[bool] = False
    learned: ClassVar[tuple[str, ...]] = (
        "mean", "rating_range", "user_biases", "item_biases", "user_factors", "item_factors"
    )  # fmt: skip

    learning_rate: float = 0.01
    reg: float = 0.1
    epochs: int = 40
    rng: int | np.random.Generator = 0
    n_threads: int | None = field(default=None, repr=False)

    def _fit(self, train: Interactions, progress: bool) -> None:
        if train.value is None:
            raise ValueError("train.value must hold the ratings for BiasedMF, got None")
        rng = validation.random_generator(self.rng)
        X = np.float32(0.1) * rng.standard_normal((self.n_users, self.factors), np.float32)
        Y = np.float32(0.1) * rng.standard_normal((self.n_items, self.factors), np.float32)
        b_u, b_i = np.zeros(self.n_users, np.float32), np.zeros(self.n_items, np.float32)
        order = rng.permutation(sorted_rows(train))
        users, items, values = train.user[order], train.item[order], train.value[order]
        mean = np.float32(values.mean(dtype=np.float64))
        n_blocks = max(1, min(BLOCKS, self.n_users, self.n_items, len(users) // RATINGS_PER_BLOCK))
        user_block, item_block = (deal(rng, n, n_blocks)[0] for n in (len(X), len(Y)))
        starts, rows = ratings_by_cell(users, items, user_block, item_block, n_blocks)
        ratings = users[rows], items[rows], values[rows] - mean  # cell by cell
        for _ in self._epochs(progress):
            diagonals = rng.permutation(n_blocks)
            rating_epoch(X, Y, b_u, b_i, starts, *ratings, diagonals, *self._step_sizes())
        X[np.bincount(users, minlength=len(X)) == 0] = 0
        Y[np.bincount(items, minlength=len(Y)) == 0] = 0
        self.mean, self.rating_range = mean, np.array([values.min(), values.max()])
        self.user_biases, self.item_biases = b_u, b_i
        self.user_factors, self.item_factors = X, Y

    @property
    def user_levels(self) -> np.ndarray:
        """The mean plus each user's bias: (n_users,) float32."""
        return self.mean + self.user_biases

    @on_snapshot
    def predict(self, users: Sequence[int], items: Sequence[int]) -> np.ndarray:
        """The expected rating of each pair (users[p], items[p]).

        Parameters
        ----------
        users, items : array-like of int, shape (n,)

        Returns
        -------
        array (n,) float32
            Within `rating_range`. If the user or the item has no ratings, the mean plus
            the other's bias.
        """
        users = self._check_users(users)
        items = validation.ids("items", items, self.n_items)
        if len(users) != len(items):
            raise ValueError(
                f"users and items must be equally long, got {len(users)} and {len(items)}"
            )
        ratings = np.empty(len(users), np.float32)
        with limit_threads(self.n_threads):
            rate_pairs(
                self.user_factors, self.item_factors, self.user_levels, self.item_biases,
                users, items, ratings,
            )  # fmt: skip
        return np.clip(ratings, *self.rating_range)

    @on_snapshot
    def fold_in(self, histories: Any) -> BiasedMF:
        """The model for new users, with the same items: a ridge regression on each one's ratings.

        `histories` is a CSR matrix of ratings, or Interactions with values; a list of items holds
        no ratings.
        """
        self._check_fitted()
        log = as_interactions(histories, self.n_items)
        if log.value is None:
            raise ValueError(
                "histories must hold the ratings for BiasedMF, as a CSR matrix or Interactions "
                f"with values, got {type(histories).__name__} without"
            )
        model = self.with_histories(log)
        model.user_biases = np.zeros(log.n_users, np.float32)
        model.user_factors = np.zeros((log.n_users, self.factors), np.float32)
        rows = sorted_rows(log)
        starts = np.searchsorted(log.user[rows], np.arange(log.n_users + 1))
        with one_blas_thread():  # the same bits on any number of threads
            for u in np.flatnonzero(np.diff(starts)):
                own = rows[starts[u] : starts[u + 1]]
                rest = log.value[own] - self.mean - self.item_biases[log.item[own]]
                solution = ridge(self.item_factors[log.item[own]], rest, self.reg)
                model.user_biases[u], model.user_factors[u] = solution[0], solution[1:]
        return model

    def _scores(self, users: np.ndarray) -> np.ndarray:
        scores = super()._scores(users)
        scores[:, self.cold_items] = -np.inf
        return scores


def ridge(y: np.ndarray, ratings: np.ndarray, reg: float) -> np.ndarray:
    """The b and x (1 + f,) that minimise sum((ratings - b - y x)^2 + reg (b^2 + |x|^2)).

    The penalty is counted once per rating, as in the objective; y is (n, f).
    """
    Z = np.column_stack([np.ones(len(y)), y])  # float64
    penalty = reg * len(y) * np.eye(Z.shape[1])
    return np.linalg.lstsq(Z.T @ Z + penalty, Z.T @ ratings, rcond=None)[0]


def sorted_rows(train: Interactions) -> np.ndarray:
    """The rows sorted by user, item and rating, so that the order of the log does not matter."""
    pair = train.user.astype(np.int64) * train.n_items + train.item
    if train.matrix.nnz == len(train):  # no pair twice: one key is enough, and sorts faster
        return np.argsort(pair)
    return np.lexsort((train.value, pair))


def ratings_by_cell(
    users: np.ndarray, items: np.ndarray, user_block: np.ndarray, item_block: np.ndarray,
    n_blocks: int,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """The rows of the ratings, cell by cell of the grid of blocks, and where each cell starts."""
    rows = np.arange(len(users), dtype=np.int32)  # each row stands for its user
    return sort_into_cells(rows, items, user_block[users], item_block, n_blocks)[:2]


@compiled(parallel=True)
def rating_epoch(X, Y, b_u, b_i, starts, users, items, ratings, diagonals, learning_rate, reg):
    """One pass over all ratings, less their mean, diagonal by diagonal of the grid of cells."""
    n_blocks = len(diagonals)
    for diagonal in diagonals:
        for block in prange(n_blocks):  # these cells share no user and no item
            cell = block * n_blocks + (block + diagonal) % n_blocks
            here = slice(starts[cell], starts[cell + 1])
            rating_cell(X, Y, b_u, b_i, users[here], items[here], ratings[here], learning_rate, reg)


@compiled(fastmath=True)
def rating_cell(X, Y, b_u, b_i, users, items, ratings, learning_rate, reg):
    """Gradient steps on the ratings of one cell, one after the other."""
    for p in range(len(users)):
        rating_step(X, Y, b_u, b_i, users[p], items[p], ratings[p], learning_rate, reg)


@compiled(inline="always")  # a call costs a fifth of the step
def rating_step(X, Y, b_u, b_i, u, i, rating, learning_rate, reg):
    """One gradient step on the squared error of a rating less the mean, in place."""
    expected = b_u[u] + b_i[i]
    for k in range(X.shape[1]):
        expected += X[u, k] * Y[i, k]
    gradient_scale = learning_rate * (rating - expected)
    shrink = ONE - learning_rate * reg
    b_u[u] = shrink * b_u[u] + gradient_scale
    b_i[i] = shrink * b_i[i] + gradient_scale
    for k in range(X.shape[1]):
        x, y = X[u, k], Y[i, k]
        X[u, k] = shrink * x + gradient_scale * y
        Y[i, k] = shrink * y + gradient_scale * x


@compiled(parallel=True)
def rate_pairs(X, Y, levels, b_i, users, items, out):
    """out[p] is the rating of user users[p] and item items[p]."""
    for p in prange(len(out)):
        out[p] = levels[users[p]] + b_i[items[p]] + dot(X[users[p]], Y[items[p]])


def biased_mf_reference(
    X: np.ndarray, Y: np.ndarray, b_u: np.ndarray, b_i: np.ndarray, triples: np.ndarray,
    learning_rate: float, reg: float,
) -> None:  # fmt: skip
    """Gradient steps on the rows (u, i, rating less the mean), one by one, in plain NumPy."""
    for u, i, rating in triples:
        u, i = int(u), int(i)
        x, y = X[u].copy(), Y[i].copy()
        error = rating - b_u[u] - b_i[i] - x @ y
        b_u[u] += learning_rate * (error - reg * b_u[u])
        b_i[i] += learning_rate * (error - reg * b_i[i])
        X[u] += learning_rate * (error * y - reg * x)
        Y[i] += learning_rate * (error * x - reg * y)
