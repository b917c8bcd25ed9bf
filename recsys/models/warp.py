r"""WARP: weighted approximate-rank pairwise loss (Weston, Bengio and Usunier 2011).

BPR counts every pair of items the same. The top of a list matters more, so WARP makes a mistake
cost the more the further down the met item is ranked:

.. math:: \min \sum_{(u,i)} L(\rho_{ui}), \qquad
    \rho_{ui} = \sum_{j \text{ not met}} [\hat r_{uj} > \hat r_{ui} - 1], \qquad
    L(\rho) = \sum_{r=1}^{\rho} \frac{1}{r}

with :math:`\hat r_{ui} = b_i + x_u^\top y_i`. To find :math:`\rho` would mean to score all items.
Instead items are drawn until one violates the margin. Were it the T-th draw, then about one item
in T does, so :math:`\rho \approx \lfloor (N - 1) / T \rfloor`. One gradient step on the hinge
:math:`L(\rho)\,(1 - \hat r_{ui} + \hat r_{uj})` follows. A pair for which no violation is found in
`max_trials` draws is learned well enough and left alone.

Early steps, on frequent users and items, would otherwise be too long, so the step of each row
shrinks with the squared gradients it has seen (AdaGrad, Duchi, Hazan and Singer 2011; one number
a row). Pairs are dealt into blocks as for BPR, for the same bits on any number of threads. The
draws come from the pair's own block, a random sample of the items: of it, too, one in T violates,
so the estimate is for the whole catalogue. Left out: weights for repeated interactions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numba import njit, prange

from recsys import validation
from recsys.interactions import Interactions
from recsys.kernels import draw, may_contain, mix, pair_filter, sort_into_cells
from recsys.models.als import dot
from recsys.models.base import FactorRecommender, progress_bar
from recsys.models.bpr import BLOCKS, ITEMS_A_BLOCK, deal

ONE = np.float32(1)  # a whole number would make the sums float64


@dataclass(eq=False)
class WARP(FactorRecommender):
    """Matrix factorization trained to rank what was met at the top.

    Parameters
    ----------
    factors : int
        Length of the vectors.
    learning_rate, reg : float
        Step size, and pull of every parameter towards zero.
    epochs : int
        Passes over all pairs.
    max_trials : int
        Draws of an item that violates the margin before a pair is left alone. More draws look
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

    learned: ClassVar[tuple[str, ...]] = ("user_factors", "item_factors", "item_biases")

    factors: int = 64
    learning_rate: float = 0.05
    reg: float = 0.3
    epochs: int = 30
    max_trials: int = 50
    rng: int | np.random.Generator = 0
    n_threads: int | None = field(default=None, repr=False)

    def _fit(self, train: Interactions, progress: bool) -> None:
        rng = validation.random_generator(self.rng)
        X = rng.normal(0, 0.01, (self.n_users, self.factors)).astype(np.float32)
        Y = rng.normal(0, 0.01, (self.n_items, self.factors)).astype(np.float32)
        b = np.zeros(self.n_items, np.float32)
        sizes = self.n_users, self.n_items, self.n_items
        squares = tuple(np.ones(n, np.float32) for n in sizes)  # AdaGrad's sums, a number a row
        loss = rank_loss(self.n_items)
        pairs = self.history.tocoo()  # row: user, col: item
        n_blocks = max(1, min(BLOCKS, self.n_users, self.n_items // ITEMS_A_BLOCK))
        step, reg = np.float32(self.learning_rate), np.float32(self.reg)
        for _ in progress_bar(range(self.epochs), "WARP", progress):
            user_block, _, _ = deal(rng, self.n_users, n_blocks)
            item_block, members, starts = deal(rng, self.n_items, n_blocks)
            cells = sort_into_cells(pairs.row, pairs.col, user_block, item_block, n_blocks)
            seed = rng.integers(2**63, dtype=np.uint64)
            warp_epoch(
                (X, Y, b), squares, loss, *cells, members, starts, step, reg, self.max_trials, seed
            )
        self.user_factors, self.item_factors, self.item_biases = X, Y, b


def rank_loss(n_items: int) -> np.ndarray:
    """L(0), ..., L(n_items): what it costs to rank a met item below so many others."""
    return np.cumsum(np.r_[0, 1 / np.arange(1, n_items + 1)]).astype(np.float32)


@njit(parallel=True, cache=True)
def warp_epoch(
    rows, squares, loss, cell_starts, users, items, members, starts, step, reg, trials, seed
):
    """One pass over all pairs, diagonal by diagonal of the grid of cells.

    `rows` are X, Y and b; `users` and `items` the pairs cell by cell, `members` the items block
    by block.
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
                rows, squares, loss, users[here], items[here], candidates, step, reg, trials, state
            )


@njit(cache=True)
def warp_cell(rows, squares, loss, users, items, candidates, step, reg, trials, state):
    """Steps on the pairs of one cell in random order; its items, `candidates`, are drawn from."""
    X, Y, b = rows
    met = pair_filter(users, items)
    apart = np.empty(X.shape[1], np.float32)
    for p in range(len(users)):
        state, other = draw(state, len(users) - p)
        other += p
        users[p], users[other] = users[other], users[p]
        items[p], items[other] = items[other], items[p]
        u, i = users[p], items[p]
        margin = b[i] + dot(X[u], Y[i]) - ONE
        for trial in range(1, trials + 1):
            state, c = draw(state, len(candidates))
            j = candidates[c]
            if b[j] + dot(X[u], Y[j]) > margin and not may_contain(met, u, j):
                weight = loss[max(1, (len(Y) - 1) // trial)]
                warp_step(rows, squares, u, i, j, weight, step, reg, apart)
                break


@njit(cache=True)
def warp_step(rows, squares, u, i, j, weight, step, reg, apart):
    """One gradient step on the hinge weight (1 - r_ui + r_uj), in place; `apart` (f,) is room."""
    X, Y, b = rows
    of_user, of_item, of_bias = squares
    for k in range(len(apart)):
        apart[k] = Y[i, k] - Y[j, k]
    mean_square = weight * weight / np.float32(len(apart))
    square_x, square_apart = dot(X[u], X[u]), dot(apart, apart)
    for item, way in ((i, weight), (j, -weight)):
        rate = step / np.sqrt(of_bias[item])
        b[item] += rate * (way - reg * b[item])
        move(Y[item], X[u], way, step / np.sqrt(of_item[item]), reg)
        of_bias[item] += weight * weight
        of_item[item] += mean_square * square_x
    move(X[u], apart, weight, step / np.sqrt(of_user[u]), reg)
    of_user[u] += mean_square * square_apart


@njit(fastmath=True, cache=True)
def move(row, towards, weight, rate, reg):
    """row += rate (weight towards - reg row)."""
    keep, pull = ONE - rate * reg, rate * weight
    for k in range(len(row)):
        row[k] = keep * row[k] + pull * towards[k]


def warp_reference(
    rows: tuple, squares: tuple, users: np.ndarray, items: np.ndarray, candidates: np.ndarray,
    step: float, reg: float, trials: int, state: int,
) -> None:  # fmt: skip
    """`warp_cell` in plain NumPy, in place, with the same draws."""
    (X, Y, b), (of_user, of_item, of_bias) = rows, squares
    met, todo = pair_filter(users, items), list(zip(users, items))
    for p in range(len(todo)):
        state, other = draw(np.uint64(state), len(todo) - p)
        todo[p], todo[p + other] = todo[p + other], todo[p]
        u, i = todo[p]
        for trial in range(1, trials + 1):
            state, c = draw(np.uint64(state), len(candidates))
            j = candidates[c]
            hinge = 1 - (b[i] + X[u] @ Y[i]) + (b[j] + X[u] @ Y[j])
            if hinge > 0 and not may_contain(met, u, j):
                rank = max(1, (len(Y) - 1) // trial)
                weight = sum(1 / r for r in range(1, rank + 1))
                gradient = [
                    (b, of_bias, i, weight), (Y, of_item, i, weight * X[u]),
                    (b, of_bias, j, -weight), (Y, of_item, j, -weight * X[u]),
                    (X, of_user, u, weight * (Y[i] - Y[j])),
                ]  # fmt: skip
                for rows, square, at, towards in gradient:
                    rows[at] += step / np.sqrt(square[at]) * (towards - reg * rows[at])
                    square[at] += np.mean(towards**2)
                break
