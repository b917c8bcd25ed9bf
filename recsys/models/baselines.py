"""Baselines: a random order, the most popular items, the items popular now.

They are not personalised: a personalised model that does not outperform them significantly has
learned nothing. The "hot" scores of news sites are in `hot`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from recsys import validation
from recsys.compiled import compiled, prange
from recsys.interactions import Interactions
from recsys.kernels import draw, mix
from recsys.models.base import Recommender
from recsys.threads import on_snapshot


@dataclass(eq=False)
class Random(Recommender):
    """A fixed random order of the items for each user.

    Parameters
    ----------
    rng : int or numpy.random.Generator
    """

    needs_history: ClassVar[bool] = False
    learned: ClassVar[tuple[str, ...]] = ("seed",)

    rng: int | np.random.Generator = 0

    def _fit(self, train: Interactions, progress: bool) -> None:
        self.seed = validation.random_generator(self.rng).integers(2**63, size=1, dtype=np.uint64)

    def _scores(self, users: np.ndarray) -> np.ndarray:
        scores = np.empty((len(users), self.n_items), np.float32)
        random_scores(users, self.seed[0], scores)
        return scores


@compiled(parallel=True)
def random_scores(users, seed, scores):
    """Fill each user's row with numbers from [0, 1) that depend on seed, user and item only."""
    n_items = scores.shape[1]
    key = mix(seed + np.uint64(0x9E3779B97F4A7C15))
    for row in prange(len(users)):
        for item in range(n_items):
            pair = np.uint64(users[row]) * np.uint64(n_items) + np.uint64(item)
            _, number = draw(pair ^ key, 2**24)
            scores[row, item] = np.float32(number) / np.float32(2**24)


@dataclass(eq=False)
class Popularity(Recommender):
    """The items with the most interactions, for all users.

    Attributes after `fit`
    ----------------------
    item_scores : array (n_items,) float64
        Each item's number of interactions.
    """

    needs_history: ClassVar[bool] = False
    learned: ClassVar[tuple[str, ...]] = ("item_scores",)

    def _fit(self, train: Interactions, progress: bool) -> None:
        self.item_scores = np.bincount(train.item, minlength=self.n_items).astype(np.float64)

    def _scores(self, users: np.ndarray) -> np.ndarray:
        return np.tile(self.item_scores.astype(np.float32), (len(users), 1))

    @on_snapshot
    def fold_in(self, histories: Any) -> Popularity:
        """The model for new users, numbered from 0: the same list, less their histories.

        `histories` is a list of item id lists, a CSR matrix or Interactions.
        """
        return self.with_histories(histories)


@dataclass(eq=False)
class Trending(Popularity):
    r"""Popularity in which an interaction's weight halves every `half_life`.

    .. math:: s_i = \sum_{t \in T_i} 2^{-(t_\text{now} - t) / h}

    with :math:`t_\text{now}` the last time in the training log.

    Parameters
    ----------
    half_life : float
        In the unit of the log's times; the default is a week in seconds.

    Attributes after `fit`
    ----------------------
    item_scores : array (n_items,) float64
        Each item's decayed number of interactions.
    """

    half_life: float = 7 * 24 * 3600.0

    def _fit(self, train: Interactions, progress: bool) -> None:
        if train.time is None:
            raise ValueError("train.time must be given for Trending, got None")
        age = train.time.max() - train.time
        order = np.lexsort((age, train.item))  # the same sum for any order of the rows
        weight = 0.5 ** (age[order] / self.half_life)
        self.item_scores = np.bincount(train.item[order], weight, minlength=self.n_items)
