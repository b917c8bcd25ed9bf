"""The logs that settings are searched on, each cut into training, validation and test set.

The test set is the last fifth of each user's history, the validation set the last fifth of what
remains. The test set plays no part in any choice. Of MovieLens-1M only the likes before the cutoff
of `split_likes` are taken: those after it come from about a thousand users, too few to compare
settings on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recsys import Interactions, load_movielens, make_synthetic
from recsys.bootstrap import bootstrap_means, interval
from recsys.datasets import load_synthetic_log, split_likes
from recsys.metrics import ndcg_at_k
from recsys.models import Popularity
from recsys.split import last_fraction

K = 10


@dataclass(frozen=True, eq=False)
class Holdout:
    """A training set and what is held out of the same log."""

    train: Interactions
    held_out: Interactions

    @cached_property
    def users(self) -> np.ndarray:
        """The users with held-out interactions."""
        return np.unique(self.held_out.user)

    @cached_property
    def popularity(self) -> np.ndarray:
        """NDCG@10 of Popularity, one value per user."""
        return self.ndcg(Popularity().fit(self.train))

    def ndcg(self, model: object) -> np.ndarray:
        """NDCG@10 by full ranking, seen items left out, one value per user."""
        lists = model.recommend(self.users, K)[0]
        return ndcg_at_k(lists, self.held_out.matrix[self.users], K)


@dataclass(frozen=True, eq=False)
class Log:
    """A log by name: `validation` to choose settings by, `test` to report them."""

    name: str
    test: Holdout

    @cached_property
    def validation(self) -> Holdout:
        """Training set and validation set, both cut from the training set of `test`."""
        return Holdout(*last_fraction(self.test.train))


def load(name: str) -> Log:
    """One of `LOGS`."""
    return Log(name, Holdout(*LOGS[name]()))


def _liked(name: str) -> tuple[Interactions, Interactions]:
    return last_fraction(load_movielens(name).positives(4))


def _likes_1m() -> tuple[Interactions, Interactions]:
    return last_fraction(split_likes(load_movielens("1m-likes").positives(4))[0])


TINY = {"n_users": 150, "n_items": 60, "n_genres": 4, "n_interactions": 2500, "preference_power": 4}

LIKES_1M = "MovieLens-1M likes"
LOGS = {
    "synthetic": lambda: last_fraction(load_synthetic_log()),
    "latest-small likes": lambda: _liked("latest-small"),
    "100K likes": lambda: _liked("100k"),
    LIKES_1M: _likes_1m,
    "latest-small ratings": lambda: last_fraction(load_movielens("latest-small")),
    "100K ratings": lambda: last_fraction(load_movielens("100k")),
    "tiny": lambda: last_fraction(make_synthetic(**TINY, repeats=False, rng=0)),  # for the tests
}


def mean_interval(values: np.ndarray) -> tuple[float, float]:
    """The 95 % bootstrap interval of the mean over users."""
    low, high = interval(bootstrap_means(values[:, None]))
    return float(low[0]), float(high[0])
