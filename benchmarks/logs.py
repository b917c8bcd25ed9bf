"""The logs that settings are searched on, each cut into training, validation and test set.

The test set is the last fifth of each user's history, the validation set the last fifth of what
remains. The test set plays no part in any choice. Of MovieLens-1M only the likes before the cutoff
of `split_likes` are taken: those after it come from about a thousand users, too few to compare
settings on.

The logs of the chapters, `CHAPTERS`, are cut as the chapters cut them, and their validation sets by
the same rule from what is left for training.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from recsys import Interactions, load_movielens, make_synthetic
from recsys.bootstrap import bootstrap_means, interval
from recsys.datasets import load_synthetic_log, split_likes
from recsys.metrics import ndcg_at_k
from recsys.models import Popularity
from recsys.split import (
    keep_known_items,
    last_fraction,
    leave_last_out,
    temporal_fold_in,
    temporal_split,
)

K = 10
LEAST = 5  # likes of a film in training, on the small log; of a user before the cutoff


@dataclass(frozen=True, eq=False)
class Holdout:
    """A training set and what is held out of the same log.

    `history` holds the test users' histories where they are not those of the training set: a model
    learns from `train` alone, and folds them in.
    """

    train: Interactions
    held_out: Interactions
    history: Interactions | None = None

    def with_histories(self, model: Any) -> Any:
        """The fitted model, knowing the histories that it recommends from."""
        return model if self.history is None else model.fold_in(self.history)

    @cached_property
    def users(self) -> np.ndarray:
        """The users with held-out interactions."""
        return np.unique(self.held_out.user)

    @cached_property
    def popularity(self) -> np.ndarray:
        """NDCG@10 of Popularity, one value per user."""
        return self.ndcg(Popularity().fit(self.train))

    def ndcg(self, model: Any) -> np.ndarray:
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


@dataclass(frozen=True, eq=False)
class ChapterLog:
    """A log as a chapter cuts it: only the validation set is used here, never the test set."""

    name: str
    validation: Holdout


def load(name: str) -> Log | ChapterLog:
    """One of `LOGS` or of `CHAPTERS`."""
    if name in CHAPTERS:
        return ChapterLog(name, CHAPTERS[name]())
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


def _small(cut: Callable[[Interactions], tuple], folded: bool = False) -> Holdout:
    """The validation set of latest-small, of films with enough likes in its training set."""
    train = cut(load_movielens("latest-small").positives(4))[0]
    parts = keep_known_items(*cut(train), least=LEAST)
    return Holdout(parts[0], parts[2], parts[1]) if folded else Holdout(*parts)


def _returning_1m() -> Holdout:
    """The last likes before the cutoff, of the users with enough likes before those."""
    train, later = temporal_split(split_likes(load_movielens("1m-likes"))[0], VALIDATION_1M)
    n_likes = np.bincount(train.user, minlength=train.n_users)
    return Holdout(train, later.select(n_likes[later.user] >= LEAST))


VALIDATION_1M = 0.15  # of the training set; leaves the most users to validate on
RETURNING_1M = "1M, cut in time"
ALL_FILMS = "latest-small, all films, leave last out"  # of three models: EASE takes too long
CHAPTERS = {
    "synthetic log, leave last out": lambda: _last_out(load_synthetic_log()),
    "make_synthetic, leave last out": lambda: _last_out(make_synthetic(rng=0)),
    "latest-small, leave last out": lambda: _small(leave_last_out),
    "latest-small, last fifth": lambda: _small(last_fraction),
    "latest-small, cut in time": lambda: _small(
        lambda log: temporal_fold_in(log, 0.2, last=0.5), folded=True
    ),
    ALL_FILMS: lambda: _last_out(load_movielens("latest-small").positives(4)),
    "100K, last fifth": lambda: Holdout(*last_fraction(_liked("100k")[0])),
    RETURNING_1M: _returning_1m,
}


def _last_out(log: Interactions) -> Holdout:
    return Holdout(*leave_last_out(leave_last_out(log)[0]))


def mean_interval(values: np.ndarray) -> tuple[float, float]:
    """The 95 % bootstrap interval of the mean over users."""
    low, high = interval(bootstrap_means(values[:, None]))
    return float(low[0]), float(high[0])
