r"""Bayesian personalised ranking (Rendle et al. 2009).

For each observed pair (u, i), draw an item j that u has not interacted with, and raise the score
of i above that of j. With :math:`\hat r_{ui} = b_i + x_u^\top y_i`, stochastic gradient ascent
maximises

.. math:: \sum_{(u,i,j)} \Big( \ln \sigma(\hat r_{ui} - \hat r_{uj})
    - \tfrac{\lambda}{2} \big( \|x_u\|^2 + \|y_i\|^2 + \|y_j\|^2 + b_i^2 + b_j^2 \big) \Big)

Pairs are dealt into blocks (`sgd`), and a pair's negative is drawn from its own block of items,
which is dealt anew each epoch: uniformly, or in proportion to the pairs of each item. Left out:
weights for repeated interactions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from recsys import validation
from recsys.compiled import compiled, prange
from recsys.interactions import Interactions
from recsys.kernels import (
    CHUNKS,
    LINE,
    ONE,
    aligned,
    contains,
    dot,
    draw,
    may_contain,
    mix,
    pair_filter,
)  # fmt: skip
from recsys.models.sgd import SGDRecommender, adagrad_step, history_seed
from recsys.threads import on_snapshot

TRIES = 16  # draws of a negative before a pair is skipped


@dataclass(eq=False)
class BPR(SGDRecommender):
    """Matrix factorization trained to rank observed items above the others.

    Parameters
    ----------
    factors : int
        Length of the vectors.
    learning_rate, reg : float
        Step size of gradient ascent, and L2 regularisation of every parameter.
    epochs : int
        Passes over all pairs.
    negatives : "uniform" or "popular"
        How an unobserved item is drawn. Popular ones teach in fewer epochs, and too many epochs
        then do more harm.
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

    reg: float = 0.03
    epochs: int = 60
    negatives: str = "uniform"
    rng: int | np.random.Generator = 0
    n_threads: int | None = field(default=None, repr=False)

    def _fit(self, train: Interactions, progress: bool) -> None:
        rng = validation.random_generator(self.rng)
        X, Y = self._initial_factors(rng)
        b = aligned(np.zeros((self.n_items, LINE)))  # a bias in the first column
        for blocks, seed in self._dealt_epochs(rng, progress):
            bpr_epoch(X, Y, b, *blocks, *self._step_sizes(), self.negatives == "popular", seed)
        self.user_factors, self.item_factors, self.item_biases = X, Y, b[:, 0].copy()
        self.item_counts = np.bincount(self.history.indices, minlength=self.n_items)

    @on_snapshot
    def fold_in(self, histories: Any) -> BPR:
        """The model for new users, with the same items: `epochs` passes over their histories.

        `histories` is a list of item id lists, a CSR matrix or Interactions. The steps on a user's
        vector are those of `fit`, with the items fixed; they depend on their own history only.
        """
        self._check_fitted()
        counts = self.item_counts if self.negatives == "popular" else np.ones(self.n_items, int)
        return self._fold_in(histories, bpr_new_users, np.cumsum(counts))


@compiled(parallel=True)
def bpr_epoch(
    X, Y, b, cell_starts, users, items, members, starts,
    learning_rate, reg, popular, seed,
):  # fmt: skip
    """One pass over all pairs, diagonal by diagonal of the grid of cells.

    `users` and `items` are the pairs cell by cell, `members` the items block by block.
    With `popular`, a cell's negatives are drawn from the items of its pairs.
    """
    n_blocks = len(starts) - 1
    for diagonal in range(n_blocks):
        for row in prange(n_blocks):  # these cells share no user and no item
            col = (row + diagonal) % n_blocks
            cell = row * n_blocks + col
            here = slice(cell_starts[cell], cell_starts[cell + 1])
            u, i, block = users[here], items[here], slice(starts[col], starts[col + 1])
            candidates = i.copy() if popular else members[block]
            state = mix(seed + np.uint64(cell))
            bpr_cell(X, Y, b, u, i, candidates, learning_rate, reg, state)


@compiled(fastmath=True, error_model="numpy")
def bpr_cell(X, Y, b, users, items, candidates, learning_rate, reg, state):
    """Gradient steps on the pairs of one cell, with negatives from `candidates`."""
    negatives = draw_negatives(users, items, candidates, state)
    difference = np.empty(X.shape[1], np.float32)
    for p in range(len(users)):
        if negatives[p] >= 0:
            u, i, j = users[p], items[p], negatives[p]
            bpr_step(X, Y, b, u, i, j, learning_rate, reg, difference)


@compiled
def draw_negatives(users, items, candidates, state):
    """Shuffle the pairs in place and draw each an unobserved item of its user; -1: none found."""
    positives = pair_filter(users, items)
    negatives = np.full(len(users), -1, np.int32)
    for p in range(len(users)):
        state, other = draw(state, len(users) - p)
        other += p
        users[p], users[other] = users[other], users[p]
        items[p], items[other] = items[other], items[p]
        for _ in range(TRIES):
            state, c = draw(state, len(candidates))
            if not may_contain(positives, users[p], candidates[c]):
                negatives[p] = candidates[c]
                break
    return negatives


@compiled(inline="always")  # a call costs as much as the step
def bpr_step(X, Y, b, u, i, j, learning_rate, reg, difference):
    """One gradient step on ln sigma(r_ui - r_uj), in place.

    `difference` (f,) holds y_i - y_j. The compiler vectorises loops that write one row
    each. The first loop writes none, so that its sum is computed in the same order,
    wherever the rows lie in memory.
    """
    margin = b[i, 0] - b[j, 0]
    for k in range(len(difference)):
        margin += X[u, k] * (Y[i, k] - Y[j, k])
    for k in range(len(difference)):
        difference[k] = Y[i, k] - Y[j, k]
    gradient_scale = learning_rate / (ONE + np.exp(margin))  # times sigma(-margin)
    shrink = ONE - learning_rate * reg
    b[i, 0] = shrink * b[i, 0] + gradient_scale
    b[j, 0] = shrink * b[j, 0] - gradient_scale
    for k in range(len(difference)):
        Y[i, k] = shrink * Y[i, k] + gradient_scale * X[u, k]
    for k in range(len(difference)):
        Y[j, k] = shrink * Y[j, k] - gradient_scale * X[u, k]
    for k in range(len(difference)):
        X[u, k] = shrink * X[u, k] + gradient_scale * difference[k]


@compiled(parallel=True)
def bpr_new_users(X, Y, b, ptr, items, learning_rate, reg, epochs, ends):
    """Learn each new user's row of X from their history, a row of the CSR matrix.

    Item j is drawn with probability (ends[j] - ends[j - 1]) / ends[-1].
    """
    for chunk in prange(CHUNKS):
        for u in range(chunk, len(X), CHUNKS):
            history = items[ptr[u] : ptr[u + 1]]
            bpr_new_user(X[u], Y, b, history, learning_rate, reg, epochs, ends)


@compiled(error_model="numpy")
def bpr_new_user(x, Y, b, history, learning_rate, reg, epochs, ends):
    """Gradient steps on ln sigma(r_ui - r_uj) for x alone, in place."""
    state = history_seed(history)
    difference = np.empty(len(x), np.float32)
    for _ in range(epochs):
        for i in history:
            for _ in range(TRIES):
                state, pair = draw(state, ends[-1])
                j = np.searchsorted(ends, pair, side="right")
                if not contains(history, j):
                    for k in range(len(x)):
                        difference[k] = Y[i, k] - Y[j, k]
                    margin = b[i] - b[j] + dot(x, difference)
                    adagrad_step(x, difference, ONE / (ONE + np.exp(margin)), learning_rate, reg)
                    break


def bpr_reference(
    X: np.ndarray, Y: np.ndarray, b: np.ndarray, triples: np.ndarray,
    learning_rate: float, reg: float,
) -> None:  # fmt: skip
    """Gradient steps on the rows (u, i, j) of `triples`, one after the other, in plain NumPy."""
    for u, i, j in triples:
        x, y_i, y_j = X[u].copy(), Y[i].copy(), Y[j].copy()
        gradient = 1 / (1 + np.exp(b[i] - b[j] + x @ (y_i - y_j)))  # by the margin
        X[u] += learning_rate * (gradient * (y_i - y_j) - reg * x)
        Y[i] += learning_rate * (gradient * x - reg * y_i)
        Y[j] += learning_rate * (-gradient * x - reg * y_j)
        b[i] += learning_rate * (gradient - reg * b[i])
        b[j] += learning_rate * (-gradient - reg * b[j])
