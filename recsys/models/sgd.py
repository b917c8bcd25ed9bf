"""What the models trained by stochastic gradient descent share: parameters, start and blocks.

Steps on different users and different items do not touch each other. So users and items are
dealt into blocks at random; the cells (block of users, block of items) of one diagonal share no
row, run side by side, and give the same bits on any number of threads (Gemulla et al. 2011).
Each model's file holds its objective, its step, and the loop over the pairs of one cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from recsys.compiled import compiled
from recsys.kernels import ONE, aligned, mix, sort_into_cells
from recsys.models.factor import FactorRecommender
from recsys.progress import progress_bar
from recsys.threads import limit_threads

BLOCKS = 8  # at most; also the most threads that can work at once
ITEMS_PER_BLOCK = 16  # at least, so that a negative can be found


@dataclass(eq=False)
class SGDRecommender(FactorRecommender):
    """Base of BPR, WARP, BiasedMF and SampledSoftmax.

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

    def _fold_in(self, histories: Any, learn: Callable, *arguments: Any) -> SGDRecommender:
        """The model for new users: `learn` fills their vectors, with all items fixed.

        It is given (X, Y, b, indptr, indices, learning_rate, reg, epochs, *arguments).
        """
        model = self.with_histories(histories)
        X = np.zeros((model.n_users, self.factors), np.float32)
        rows = model.history.indptr, model.history.indices
        with limit_threads(self.n_threads):
            learn(
                X, self.item_factors, self.item_biases, *rows, *self._step_sizes(), self.epochs,
                *arguments,
            )  # fmt: skip
        model.user_factors = X
        return model

    def _step_sizes(self) -> tuple[np.float32, np.float32]:
        """`learning_rate` and `reg` in the precision of the factors."""
        return np.float32(self.learning_rate), np.float32(self.reg)

    def _initial_factors(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Small random vectors X (n_users, factors) and Y (n_items, factors), float32."""
        X = aligned(rng.normal(0, 0.01, (self.n_users, self.factors)))
        Y = aligned(rng.normal(0, 0.01, (self.n_items, self.factors)))
        return X, Y

    def _epochs(self, progress: bool) -> Iterator[int]:
        return progress_bar(range(self.epochs), type(self).__name__, progress)

    def _dealt_epochs(
        self, rng: np.random.Generator, progress: bool, items_per_block: int = ITEMS_PER_BLOCK
    ) -> Iterator[tuple]:
        """Once per epoch: the observed pairs, dealt into cells anew, and a seed.

        Yields ((cell_starts, users, items, members, starts), seed): the pairs cell by cell, the
        items block by block, and where each cell and each block starts.
        """
        pairs = self.history.tocoo()  # row: user, col: item
        n_blocks = max(1, min(BLOCKS, self.n_users, self.n_items // items_per_block))
        for _ in self._epochs(progress):
            user_block, _, _ = deal(rng, self.n_users, n_blocks)
            item_block, members, starts = deal(rng, self.n_items, n_blocks)
            cells = sort_into_cells(pairs.row, pairs.col, user_block, item_block, n_blocks)
            yield (*cells, members, starts), rng.integers(2**63, dtype=np.uint64)


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


@compiled(fastmath=True)
def adagrad_step(row, direction, weight, rate, reg):
    """row += rate (weight direction - reg row), with the row's own learning rate."""
    shrink, gradient_scale = ONE - rate * reg, rate * weight
    for k in range(len(row)):
        row[k] = shrink * row[k] + gradient_scale * direction[k]


@compiled
def history_seed(history):
    """A random state that depends on a history and on nothing else."""
    state = mix(np.uint64(len(history)))
    for item in history:
        state = mix(state ^ np.uint64(item))
    return state
