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
batch twice is no negative of itself.

Pairs are dealt into blocks (`sgd`), and a batch comes from one cell; within it the popularities
stay in proportion, so the correction holds. The learning rate of each row shrinks with its squared
gradients (AdaGrad, as in `warp`). Left out: the temperature and the towers of the paper.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from recsys import validation
from recsys.compiled import compiled, prange
from recsys.interactions import Interactions
from recsys.kernels import CHUNKS, ONE, add_rows, dot, draw, mix
from recsys.models.sgd import SGDRecommender, adagrad_step, history_seed
from recsys.threads import on_snapshot, one_blas_thread

ITEMS_PER_BLOCK = 128  # at least, so that the negatives of a batch are of many items


@dataclass(eq=False)
class SampledSoftmax(SGDRecommender):
    """Matrix factorization trained to pick the observed item out of a batch.

    Parameters
    ----------
    factors : int
        Length of the vectors.
    learning_rate, reg : float
        Initial step size of gradient descent, and L2 regularisation of every parameter.
    epochs : int
        Passes over all pairs.
    n_negatives : int
        Other pairs in a batch, at most; their items are the negatives.
    correction : bool
        Whether a score is corrected by the probability that its item is in a batch (logQ).
    rng : int or numpy.random.Generator
    n_threads : int, optional
        Changes the time, never the result.

    Attributes after `fit`
    ----------------------
    user_factors : array (n_users, factors) float32
    item_factors : array (n_items, factors) float32
    item_biases : array (n_items,) float32
    item_counts : array (n_items,) int64
        Pairs with each item.
    """

    learned: ClassVar[tuple[str, ...]] = (*SGDRecommender.learned, "item_counts")

    learning_rate: float = 0.2
    reg: float = 0.1
    epochs: int = 15
    n_negatives: int = 31
    correction: bool = True
    rng: int | np.random.Generator = 0
    n_threads: int | None = field(default=None, repr=False)

    def _fit(self, train: Interactions, progress: bool) -> None:
        rng = validation.random_generator(self.rng)
        X, Y = self._initial_factors(rng)
        b = np.zeros(self.n_items, np.float32)
        squares = tuple(np.ones(len(rows), np.float32) for rows in (X, Y, b))  # AdaGrad's sums
        log_q = log_popularity(self.history.indices, self.n_items) * np.float32(self.correction)
        batch_size = self.n_negatives + 1
        with one_blas_thread():  # the loop below brings its own threads
            for blocks, seed in self._dealt_epochs(rng, progress, ITEMS_PER_BLOCK):
                step_sizes = self._step_sizes()
                softmax_epoch((X, Y, b), squares, log_q, *blocks, *step_sizes, batch_size, seed)
        self.user_factors, self.item_factors, self.item_biases = X, Y, b
        self.item_counts = np.bincount(self.history.indices, minlength=self.n_items)

    @on_snapshot
    def fold_in(self, histories: Any) -> SampledSoftmax:
        """The model for new users, with the same items: `epochs` passes over their histories.

        `histories` is a list of item id lists, a CSR matrix or Interactions. The steps on a user's
        vector are those of `fit`, with the items fixed and negatives drawn by popularity;
        they depend on their own history only.
        """
        self._check_fitted()
        pairs = np.repeat(np.arange(self.n_items), self.item_counts)
        log_q = log_popularity(pairs, self.n_items) * np.float32(self.correction)
        ends = np.cumsum(self.item_counts)
        return self._fold_in(histories, softmax_new_users, log_q, ends, self.n_negatives)


def log_popularity(items: np.ndarray, n_items: int) -> np.ndarray:
    """ln q_i (n_items,) float32: the fraction of pairs with each item; 0 for one in no pair."""
    counts = np.bincount(items, minlength=n_items)
    return np.log(counts / len(items), where=counts > 0, out=np.zeros(n_items)).astype(np.float32)


@compiled(parallel=True)
def softmax_epoch(
    parameters, squares, log_q, cell_starts, users, items, members, starts, learning_rate, reg,
    batch_size, seed,
):  # fmt: skip
    """One pass over all pairs, diagonal by diagonal of the grid of cells.

    `parameters` are X, Y and b; `users` and `items` the pairs cell by cell.
    """
    n_blocks = len(starts) - 1
    for diagonal in range(n_blocks):
        for row in prange(n_blocks):  # these cells share no user and no item
            cell = row * n_blocks + (row + diagonal) % n_blocks
            here = slice(cell_starts[cell], cell_starts[cell + 1])
            state = mix(seed + np.uint64(cell))
            softmax_cell(
                parameters, squares, users[here], items[here], log_q, learning_rate, reg,
                batch_size, state,
            )  # fmt: skip


@compiled
def softmax_cell(
    parameters, squares, users, items, log_q, learning_rate, reg, batch_size, state
):  # fmt: skip
    """Shuffle the pairs of one cell in place, and take a step on each batch of them."""
    n = len(users)
    for p in range(n):
        state, other = draw(state, n - p)
        other += p
        users[p], users[other] = users[other], users[p]
        items[p], items[other] = items[other], items[p]
    n_batches = (n + batch_size - 1) // batch_size
    for batch in range(n_batches):  # sizes differ by at most one
        here = slice(batch * n // n_batches, (batch + 1) * n // n_batches)
        softmax_step(parameters, squares, users[here], items[here], log_q, learning_rate, reg)


@compiled
def softmax_step(parameters, squares, users, items, log_q, learning_rate, reg):
    """One gradient step, in place, on the batch of pairs (users[p], items[p])."""
    X, Y, b = parameters
    user_squares, item_squares, bias_squares = squares
    x, y = X[users], Y[items]  # (n, f)
    scores = np.dot(x, y.T)  # (n, n): row p holds user p's scores of the batch's items
    for p in range(len(users)):
        for q in range(len(items)):
            scores[p, q] += b[items[q]] - log_q[items[q]]
    error = errors(scores, items)
    user_gradients, item_gradients = np.dot(error, y), np.dot(error.T, x)
    bias_gradients = error.sum(axis=0)
    for p in range(len(users)):  # a row may occur twice
        u, i = users[p], items[p]
        descend(X[u], user_gradients[p], u, user_squares, learning_rate, reg)
        descend(Y[i], item_gradients[p], i, item_squares, learning_rate, reg)
        bias, gradient = b[i : i + 1], bias_gradients[p : p + 1]
        descend(bias, gradient, i, bias_squares, learning_rate, reg)


@compiled
def errors(scores, items):
    """Gradient of the loss by `scores` (n, n), in place; row p's positive is item p."""
    for p in range(len(items)):
        row, highest = scores[p], scores[p].max()
        for q in range(len(items)):
            row[q] = np.exp(row[q] - highest)
        for q in range(len(items)):
            if items[q] == items[p] and q != p:  # no item is its own negative
                row[q] = 0
        row /= row.sum()
        row[p] -= ONE
    return scores


@compiled
def descend(row, gradient, index, squares, learning_rate, reg):
    """One AdaGrad step of a row against its gradient, in place."""
    adagrad_step(row, gradient, -ONE, learning_rate / np.sqrt(squares[index]), reg)
    squares[index] += dot(gradient, gradient) / np.float32(len(row))


@compiled(parallel=True)
def softmax_new_users(X, Y, b, ptr, items, learning_rate, reg, epochs, log_q, ends, n_negatives):
    """Learn each new user's row of X from their history, a row of the CSR matrix.

    `ends` (n_items,) counts the pairs with items up to each one.
    """
    for chunk in prange(CHUNKS):
        for u in range(chunk, len(X), CHUNKS):
            history = items[ptr[u] : ptr[u + 1]]
            softmax_new_user(
                X[u], Y, b, history, learning_rate, reg, epochs, log_q, ends, n_negatives
            )


@compiled
def softmax_new_user(x, Y, b, history, learning_rate, reg, epochs, log_q, ends, n_negatives):
    """Gradient steps for x alone, in place."""
    state, square = history_seed(history), np.ones(1, np.float32)
    items, scores = np.empty(n_negatives + 1, np.int32), np.empty(n_negatives + 1, np.float32)
    gradient = np.empty(len(x), np.float32)
    for _ in range(epochs):
        for i in history:
            items[0] = i
            for q in range(1, len(items)):
                state, pair = draw(state, ends[-1])
                items[q] = np.searchsorted(ends, pair, side="right")
            for q in range(len(items)):
                scores[q] = b[items[q]] - log_q[items[q]] + dot(x, Y[items[q]])
            highest = scores.max()
            total = np.float32(0)
            for q in range(len(items)):
                scores[q] = np.exp(scores[q] - highest)
                if q > 0 and items[q] == i:  # no item is its own negative
                    scores[q] = 0
                total += scores[q]
            for q in range(len(items)):
                scores[q] /= total
            scores[0] -= ONE
            gradient[:] = 0
            add_rows(Y, items, scores, gradient)
            descend(x, gradient, 0, square, learning_rate, reg)


def softmax_reference(
    parameters: tuple, squares: tuple, users: np.ndarray, items: np.ndarray, log_q: np.ndarray,
    learning_rate: float, reg: float,
) -> None:  # fmt: skip
    """`softmax_step` in plain NumPy, in place."""
    (X, Y, b), (user_squares, item_squares, bias_squares) = parameters, squares
    x, y, own = X[users], Y[items], np.eye(len(items), dtype=bool)
    weights = np.exp(x @ y.T + b[items] - log_q[items])
    weights[(items[:, None] == items) & ~own] = 0
    error = weights / weights.sum(axis=1, keepdims=True) - own
    gradients = error @ y, error.T @ x, error.sum(axis=0)
    for p in range(len(items)):
        for rows, square, at, gradient in (
            (X, user_squares, users[p], gradients[0][p]),
            (Y, item_squares, items[p], gradients[1][p]),
            (b, bias_squares, items[p], gradients[2][p]),
        ):
            rows[at] -= learning_rate / np.sqrt(square[at]) * (gradient + reg * rows[at])
            square[at] += np.mean(gradient**2)
