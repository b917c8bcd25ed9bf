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
from recsys.models.partial import UpdatableRecommender, padded


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

    def fold_in(self, histories: Any) -> Random:
        """The model for new users, numbered from 0: random orders, less their histories.

        `histories` is a list of item id lists, a CSR matrix or Interactions.
        """
        return self.with_histories(histories)


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
class ItemScores(Recommender):
    """Base of the models whose scores are the same for all users.

    Attributes after `fit`
    ----------------------
    item_scores : array (n_items,) float64
    """

    needs_history: ClassVar[bool] = False
    learned: ClassVar[tuple[str, ...]] = ("item_scores",)

    def _scores(self, users: np.ndarray) -> np.ndarray:
        return np.tile(self.item_scores.astype(np.float32), (len(users), 1))

    def fold_in(self, histories: Any) -> ItemScores:
        """The model for new users, numbered from 0: the same list, less their histories.

        `histories` is a list of item id lists, a CSR matrix or Interactions.
        """
        return self.with_histories(histories)


@dataclass(eq=False)
class Popularity(UpdatableRecommender, ItemScores):
    """The items with the most interactions, for all users.

    Attributes after `fit`
    ----------------------
    item_scores : array (n_items,) float64
        Each item's number of interactions.
    """

    def _fit(self, train: Interactions, progress: bool) -> None:
        counts = np.bincount(train.item, minlength=self.n_items)
        self.item_scores = counts.astype(np.float64)

    def _update(self, new_log: Interactions, progress: bool) -> None:
        self.item_scores = padded(self.item_scores, self.n_items) + np.bincount(
            new_log.item, minlength=self.n_items
        )


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
    last_time : float64
        The last time in the training log.
    """

    learned: ClassVar[tuple[str, ...]] = ("item_scores", "last_time")

    half_life: float = 7 * 24 * 3600.0

    def _fit(self, train: Interactions, progress: bool) -> None:
        if train.time is None:
            raise ValueError("train.time must be given for Trending, got None")
        self.last_time = train.time.max()
        self.item_scores = decayed_counts(train, self.last_time, self.half_life)

    def _update(self, new_log: Interactions, progress: bool) -> None:
        if new_log.time is None:
            raise ValueError("new_log.time must be given for Trending, got None")
        before, self.last_time = (
            self.last_time,
            max(self.last_time, new_log.time.max(initial=-np.inf)),
        )
        decay = 0.5 ** ((self.last_time - before) / self.half_life)
        new = decayed_counts(new_log, self.last_time, self.half_life)
        self.item_scores = decay * padded(self.item_scores, self.n_items) + new


def decayed_counts(log: Interactions, now: float, half_life: float) -> np.ndarray:
    """Each item's interactions (n_items,) float64, weighed by their age at a time."""
    age = now - log.time
    order = np.lexsort((age, log.item))  # the same sum for any order of the rows
    weight = 0.5 ** (age[order] / half_life)
    return np.bincount(log.item[order], weight, minlength=log.n_items)
