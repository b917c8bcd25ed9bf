"""Baselines: chance, what everybody likes, what everybody likes now.

They know nothing of the person in front of them. A personalised model that does not beat them
by more than the noise has learned nothing. The "hot" scores of news sites are in `hot`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from recsys import validation
from recsys.interactions import Interactions, _mix
from recsys.models.base import Recommender


@dataclass(eq=False)
class Random(Recommender):
    """A fixed random order of the items for each user: what chance achieves.

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
        cell = users[:, None].astype(np.uint64) * np.uint64(self.n_items)
        cell = cell + np.arange(self.n_items, dtype=np.uint64)  # (n, n_items)
        return (_mix(cell ^ _mix(self.seed)) >> np.uint64(40)) / np.float32(2**24)


@dataclass(eq=False)
class Popularity(Recommender):
    """Everybody gets the items with the most interactions.

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

    def fold_in(self, histories: Any) -> Popularity:
        """The same list for people the model never saw, less what is in their histories.

        `histories` is a list of item id lists, a CSR matrix or Interactions.
        """
        return self._for_histories(histories)


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
