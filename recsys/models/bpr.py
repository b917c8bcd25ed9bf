r"""Bayesian personalised ranking (Rendle et al. 2009).

For each pair (u, i) that met, draw an item j that u has not met, and push the score of i above
that of j. With :math:`\hat r_{ui} = b_i + x_u^\top y_i`, stochastic gradient ascent maximises

.. math:: \sum_{(u,i,j)} \Big( \ln \sigma(\hat r_{ui} - \hat r_{uj})
    - \tfrac{\lambda}{2} \big( \|x_u\|^2 + \|y_i\|^2 + \|y_j\|^2 + b_i^2 + b_j^2 \big) \Big)

Steps on different users and different items do not touch each other. So each epoch deals users
and items into blocks; the block pairs of one diagonal share no row, run side by side, and give
the same bits on any number of threads (Gemulla et al. 2011). A pair's negative comes from its
own block of items, which is dealt anew each epoch. Left out: weights for repeated interactions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numba import njit, prange

from recsys import validation
from recsys.interactions import Interactions
from recsys.kernels import (
    LINE,
    aligned,
    draw,
    may_contain,
    mix,
    pair_filter,
    sort_into_cells,
)
from recsys.models.base import FactorRecommender, progress_bar

BLOCKS = 8  # at most; also the most threads that can work at once
ITEMS_A_BLOCK = 16  # at least, so that a negative can be found
ONE = np.float32(1)  # a whole number would make the sums float64
TRIES = 16  # draws of a negative before a pair is skipped


@dataclass(eq=False)
class BPR(FactorRecommender):
    """Matrix factorization trained to rank what was met above what was not.

    Parameters
    ----------
    factors : int
        Length of the vectors.
    learning_rate, reg : float
        Step size, and pull of every parameter towards zero.
    epochs : int
        Passes over all pairs.
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
    reg: float = 0.01
    epochs: int = 30
    rng: int | np.random.Generator = 0
    n_threads: int | None = field(default=None, repr=False)

    def _fit(self, train: Interactions, progress: bool) -> None:
        rng = validation.random_generator(self.rng)
        X = aligned(rng.normal(0, 0.01, (self.n_users, self.factors)))
        Y = aligned(rng.normal(0, 0.01, (self.n_items, self.factors)))
        b = aligned(np.zeros((self.n_items, LINE)))  # a bias in the first column
        pairs = self.history.tocoo()  # row: user, col: item
        n_blocks = max(1, min(BLOCKS, self.n_users, self.n_items // ITEMS_A_BLOCK))
        step, reg = np.float32(self.learning_rate), np.float32(self.reg)
        for _ in progress_bar(range(self.epochs), "BPR", progress):
            user_block, _, _ = deal(rng, self.n_users, n_blocks)
            item_block, members, starts = deal(rng, self.n_items, n_blocks)
            cells = sort_into_cells(pairs.row, pairs.col, user_block, item_block, n_blocks)
            seed = rng.integers(2**63, dtype=np.uint64)
            bpr_epoch(X, Y, b, *cells, members, starts, step, reg, seed)
        self.user_factors, self.item_factors, self.item_biases = X, Y, b[:, 0].copy()


def deal(
    rng: np.random.Generator, n: int, n_blocks: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Deal n rows into blocks at random; block sizes differ by at most one.

    Returns each row's block (n,), the rows block by block (n,), and where each block starts
    (n_blocks + 1,).
    """
    members = rng.permutation(n).astype(np.int32)
    starts = np.linspace(0, n, n_blocks + 1).astype(np.int64)
    block = np.empty(n, np.int32)
    block[members] = np.repeat(np.arange(n_blocks), np.diff(starts))
    return block, members, starts


@njit(parallel=True, cache=True)
def bpr_epoch(X, Y, b, cell_starts, users, items, members, starts, step, reg, seed):
    """One pass over all pairs, diagonal by diagonal of the grid of cells.

    `users` and `items` are the pairs cell by cell, `members` the items block by block.
    """
    n_blocks = len(starts) - 1
    for diagonal in range(n_blocks):
        for row in prange(n_blocks):  # these cells share no user and no item
            col = (row + diagonal) % n_blocks
            cell = row * n_blocks + col
            here = slice(cell_starts[cell], cell_starts[cell + 1])
            candidates = members[starts[col] : starts[col + 1]]
            state = mix(seed + np.uint64(cell))
            bpr_cell(X, Y, b, users[here], items[here], candidates, step, reg, state)


@njit(fastmath=True, error_model="numpy", cache=True)
def bpr_cell(X, Y, b, users, items, candidates, step, reg, state):
    """Gradient steps on the pairs of one cell; negatives come from its items, `candidates`."""
    negatives = draw_negatives(users, items, candidates, state)
    apart = np.empty(X.shape[1], np.float32)
    for p in range(len(users)):
        if negatives[p] >= 0:
            u, i, j = users[p], items[p], negatives[p]
            bpr_step(X, Y, b, u, i, j, step, reg, apart)


@njit(cache=True)
def draw_negatives(users, items, candidates, state):
    """Shuffle the pairs in place and draw each an item its user has not met; -1: none found."""
    met = pair_filter(users, items)
    negatives = np.full(len(users), -1, np.int32)
    for p in range(len(users)):
        state, other = draw(state, len(users) - p)
        other += p
        users[p], users[other] = users[other], users[p]
        items[p], items[other] = items[other], items[p]
        for _ in range(TRIES):
            state, c = draw(state, len(candidates))
            if not may_contain(met, users[p], candidates[c]):
                negatives[p] = candidates[c]
                break
    return negatives


@njit(inline="always")  # a call costs as much as the step
def bpr_step(X, Y, b, u, i, j, step, reg, apart):
    """One gradient step on ln sigma(r_ui - r_uj), in place; `apart` (f,) is room for y_i - y_j.

    Loops that write one row each are the ones that the compiler turns into vector instructions;
    the first writes none, so that its sum is made in one way, wherever the rows lie in memory.
    """
    margin = b[i, 0] - b[j, 0]
    for k in range(len(apart)):
        margin += X[u, k] * (Y[i, k] - Y[j, k])
    for k in range(len(apart)):
        apart[k] = Y[i, k] - Y[j, k]
    pull = step / (ONE + np.exp(margin))  # step times sigma(-margin)
    keep = ONE - step * reg
    b[i, 0] = keep * b[i, 0] + pull
    b[j, 0] = keep * b[j, 0] - pull
    for k in range(len(apart)):
        Y[i, k] = keep * Y[i, k] + pull * X[u, k]
    for k in range(len(apart)):
        Y[j, k] = keep * Y[j, k] - pull * X[u, k]
    for k in range(len(apart)):
        X[u, k] = keep * X[u, k] + pull * apart[k]


def bpr_reference(
    X: np.ndarray, Y: np.ndarray, b: np.ndarray, triples: np.ndarray, step: float, reg: float
) -> None:
    """Gradient steps on the rows (u, i, j) of `triples`, one after the other, in plain NumPy."""
    for u, i, j in triples:
        x, y_i, y_j = X[u].copy(), Y[i].copy(), Y[j].copy()
        pull = 1 / (1 + np.exp(b[i] - b[j] + x @ (y_i - y_j)))
        X[u] += step * (pull * (y_i - y_j) - reg * x)
        Y[i] += step * (pull * x - reg * y_i)
        Y[j] += step * (-pull * x - reg * y_j)
        b[i] += step * (pull - reg * b[i])
        b[j] += step * (-pull - reg * b[j])
