r"""WARP: weighted approximate-rank pairwise loss (Weston, Bengio and Usunier 2011).

BPR weighs every pair of items the same. The top of a list matters more, so WARP makes a mistake
cost the more the further down an observed item is ranked:

.. math:: \min \sum_{(u,i)} L(\rho_{ui}), \qquad
    \rho_{ui} = \sum_{j \notin I_u} [\hat r_{uj} > \hat r_{ui} - 1], \qquad
    L(\rho) = \sum_{r=1}^{\rho} \frac{1}{r}

with :math:`\hat r_{ui} = b_i + x_u^\top y_i` and :math:`I_u` the items in u's history. Computing
:math:`\rho` exactly would mean to score all items. Instead items are drawn until one violates the
margin. If it is the T-th draw, about one item in T does, so
:math:`\rho \approx \lfloor (N - 1) / T \rfloor`. One gradient step on the hinge loss
:math:`L(\rho)\,(1 - \hat r_{ui} + \hat r_{uj})` follows. A pair for which no violation is found in
`max_trials` draws is learned well enough and skipped.

Early steps, on frequent users and items, would otherwise be too long, so the learning rate of
each row shrinks with its squared gradients so far (AdaGrad, Duchi, Hazan and Singer 2011; one
number per row). Pairs are dealt into blocks (`sgd`). The draws come from the pair's own block, a
random sample of the items: one in T of these violates, too, so the estimate holds for the whole
catalogue. Left out: weights for repeated interactions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recsys import validation
from recsys.compiled import compiled, prange
from recsys.interactions import Interactions
from recsys.kernels import CHUNKS, ONE, contains, dot, draw, may_contain, mix, pair_filter
from recsys.models.sgd import SGDRecommender, adagrad_step, history_seed
from recsys.threads import on_snapshot


@dataclass(eq=False)
class WARP(SGDRecommender):
    """Matrix factorization trained to rank observed items at the top.

    Parameters
    ----------
    factors : int
        Length of the vectors.
    learning_rate, reg : float
        Initial step size of gradient descent, and L2 regularisation of every parameter.
    epochs : int
        Passes over all pairs.
    max_trials : int
        Draws of an item that violates the margin before a pair is skipped. More draws look
        further up the list and take longer.
    rng : int or numpy.random.Generator
    n_threads : int, optional
        Changes the time, never the result.

    Attributes after `fit`
    ----------------------
    user_factors : array (n_users, factors) float32
    item_factors : array (n_items, factors) float32
    item_biases : array (n_items,) float32
    """

    factors: int = 32
    reg: float = 0.3
    max_trials: int = 50
    rng: int | np.random.Generator = 0
    n_threads: int | None = field(default=None, repr=False)

    def _fit(self, train: Interactions, progress: bool) -> None:
        rng = validation.random_generator(self.rng)
        X, Y = self._initial_factors(rng)
        b = np.zeros(self.n_items, np.float32)
        squares = tuple(np.ones(len(rows), np.float32) for rows in (X, Y, b))  # AdaGrad's sums
        loss = rank_loss(self.n_items)
        for blocks, seed in self._dealt_epochs(rng, progress):
            step_sizes = self._step_sizes()
            warp_epoch((X, Y, b), squares, loss, *blocks, *step_sizes, self.max_trials, seed)
        self.user_factors, self.item_factors, self.item_biases = X, Y, b

    @on_snapshot
    def fold_in(self, histories: Any) -> WARP:
        """The model for new users, with the same items: `epochs` passes over their histories.

        `histories` is a list of item id lists, a CSR matrix or Interactions. The steps on a user's
        vector are those of `fit`, with the items fixed; they depend on their own history only.
        """
        self._check_fitted()
        loss = rank_loss(self.n_items)
        return self._fold_in(histories, warp_new_users, loss, self.max_trials)


def rank_loss(n_items: int) -> np.ndarray:
    """L(0), ..., L(n_items): the loss of an observed item below so many others."""
    return np.cumsum(np.r_[0, 1 / np.arange(1, n_items + 1)]).astype(np.float32)


@compiled(parallel=True)
def warp_epoch(
    parameters, squares, loss, cell_starts, users, items, members, starts, learning_rate, reg,
    max_trials, seed,
):  # fmt: skip
    """One pass over all pairs, diagonal by diagonal of the grid of cells.

    `parameters` are X, Y and b; `users` and `items` the pairs cell by cell, `members` the items
    block by block.
    """
    n_blocks = len(starts) - 1
    for diagonal in range(n_blocks):
        for row in prange(n_blocks):  # these cells share no user and no item
            col = (row + diagonal) % n_blocks
            cell = row * n_blocks + col
            here = slice(cell_starts[cell], cell_starts[cell + 1])
            candidates = members[starts[col] : starts[col + 1]]
            state = mix(seed + np.uint64(cell))
            warp_cell(
                parameters, squares, loss, users[here], items[here], candidates, learning_rate,
                reg, max_trials, state,
            )  # fmt: skip


@compiled
def warp_cell(
    parameters, squares, loss, users, items, candidates, learning_rate, reg,
    max_trials, state,
):  # fmt: skip
    """Steps on the pairs of one cell in random order; draws are from `candidates`."""
    X, Y, b = parameters
    positives = pair_filter(users, items)
    difference = np.empty(X.shape[1], np.float32)
    for p in range(len(users)):
        state, other = draw(state, len(users) - p)
        other += p
        users[p], users[other] = users[other], users[p]
        items[p], items[other] = items[other], items[p]
        u, i = users[p], items[p]
        margin = b[i] + dot(X[u], Y[i]) - ONE
        for trial in range(1, max_trials + 1):
            state, c = draw(state, len(candidates))
            j = candidates[c]
            if b[j] + dot(X[u], Y[j]) > margin and not may_contain(positives, u, j):
                weight = loss[max(1, (len(Y) - 1) // trial)]
                warp_step(
                    parameters, squares, u, i, j, weight, learning_rate, reg, difference
                )  # fmt: skip
                break


@compiled
def warp_step(parameters, squares, u, i, j, weight, learning_rate, reg, difference):
    """One gradient step on the hinge loss weight (1 - r_ui + r_uj), in place.

    `difference` (f,) holds y_i - y_j.
    """
    X, Y, b = parameters
    user_squares, item_squares, bias_squares = squares
    for k in range(len(difference)):
        difference[k] = Y[i, k] - Y[j, k]
    mean_square = weight * weight / np.float32(len(difference))
    x_square, difference_square = dot(X[u], X[u]), dot(difference, difference)
    for item, signed in ((i, weight), (j, -weight)):
        rate = learning_rate / np.sqrt(bias_squares[item])
        b[item] += rate * (signed - reg * b[item])
        rate = learning_rate / np.sqrt(item_squares[item])
        adagrad_step(Y[item], X[u], signed, rate, reg)
        bias_squares[item] += weight * weight
        item_squares[item] += mean_square * x_square
    rate = learning_rate / np.sqrt(user_squares[u])
    adagrad_step(X[u], difference, weight, rate, reg)
    user_squares[u] += mean_square * difference_square


@compiled(parallel=True)
def warp_new_users(X, Y, b, ptr, items, learning_rate, reg, epochs, loss, max_trials):
    """Learn each new user's row of X from their history, a row of the CSR matrix."""
    for chunk in prange(CHUNKS):
        for u in range(chunk, len(X), CHUNKS):
            history = items[ptr[u] : ptr[u + 1]]
            warp_new_user(X[u], Y, b, history, learning_rate, reg, epochs, loss, max_trials)


@compiled
def warp_new_user(x, Y, b, history, learning_rate, reg, epochs, loss, max_trials):
    """Gradient steps on the hinge loss for x alone, in place."""
    state, square = history_seed(history), ONE
    difference = np.empty(len(x), np.float32)
    for _ in range(epochs):
        for i in history:
            margin = b[i] + dot(x, Y[i]) - ONE
            for trial in range(1, max_trials + 1):
                state, j = draw(state, len(Y))
                if b[j] + dot(x, Y[j]) > margin and not contains(history, j):
                    weight = loss[max(1, (len(Y) - 1) // trial)]
                    for k in range(len(x)):
                        difference[k] = Y[i, k] - Y[j, k]
                    adagrad_step(x, difference, weight, learning_rate / np.sqrt(square), reg)
                    square += weight * weight * dot(difference, difference) / np.float32(len(x))
                    break


def warp_reference(
    parameters: tuple, squares: tuple, users: np.ndarray, items: np.ndarray,
    candidates: np.ndarray, learning_rate: float, reg: float, max_trials: int, state: int,
) -> None:  # fmt: skip
    """`warp_cell` in plain NumPy, in place, with the same draws."""
    (X, Y, b), (user_squares, item_squares, bias_squares) = parameters, squares
    positives, pairs = pair_filter(users, items), list(zip(users, items))
    for p in range(len(pairs)):
        state, other = draw(np.uint64(state), len(pairs) - p)
        pairs[p], pairs[p + other] = pairs[p + other], pairs[p]
        u, i = pairs[p]
        for trial in range(1, max_trials + 1):
            state, c = draw(np.uint64(state), len(candidates))
            j = candidates[c]
            hinge = 1 - (b[i] + X[u] @ Y[i]) + (b[j] + X[u] @ Y[j])
            if hinge > 0 and not may_contain(positives, u, j):
                rank = max(1, (len(Y) - 1) // trial)
                weight = sum(1 / r for r in range(1, rank + 1))
                gradients = [
                    (b, bias_squares, i, weight), (Y, item_squares, i, weight * X[u]),
                    (b, bias_squares, j, -weight), (Y, item_squares, j, -weight * X[u]),
                    (X, user_squares, u, weight * (Y[i] - Y[j])),
                ]  # fmt: skip
                for rows, square, at, gradient in gradients:
                    rows[at] += learning_rate / np.sqrt(square[at]) * (gradient - reg * rows[at])
                    square[at] += np.mean(gradient**2)
                break
