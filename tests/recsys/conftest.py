"""Logs and models that several tests share."""

import numpy as np
import pytest
from hypothesis import settings

from recsys import Interactions, leave_last_out, make_synthetic, models
from recsys.models import (
    BPR,
    EASE,
    WARP,
    ImplicitALS,
    ItemKNN,
    Popularity,
    PureSVD,
    Random,
    SampledSoftmax,
    Trending,
    UserKNN,
)
from recsys.models.base import as_interactions
from recsys.models.content import directions
from recsys.text import TfIdf, row_lengths
from recsys.threads import on_snapshot

# The same examples on every run; the first may wait for a kernel to be compiled.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


class BiasedMF(models.BiasedMF):
    """Takes logs without ratings, for the contract: each pair gets one from 1 to 5."""

    def _fit(self, train, progress):
        super()._fit(rated(train), progress)

    @on_snapshot
    def fold_in(self, histories):
        self._check_fitted()
        return super().fold_in(rated(as_interactions(histories, self.n_items)))


def rated(log):
    """The pairs of a log with a rating that depends on user and item."""
    value = 1 + (log.user * 3 + log.item * 5 + log.user * log.item) % 7 % 5
    sizes_and_labels = log.n_users, log.n_items, log.user_labels, log.item_labels
    return Interactions(log.user, log.item, None, value, *sizes_and_labels)


def features_of(log):
    """TF-IDF of titles and genres if the log has them, else one group per 16 items."""
    if "title" not in log.item_info:
        return np.eye(1 + log.n_items // 16)[np.arange(log.n_items) // 16]
    texts = np.char.add(np.char.add(log.item_info["genre"], " "), log.item_info["title"])
    return TfIdf().fit_transform(texts)


class WithFeatures:
    """Takes the item features from the log, for the contract."""

    def _fit(self, train, progress):
        self.item_features = features_of(train)
        self._directions = directions(self.item_features)
        self._described = row_lengths(self.item_features) > 0
        super()._fit(train, progress)


class ContentBased(WithFeatures, models.ContentBased):
    pass


class Markov(WithFeatures, models.Markov):
    pass


# One small instance of every model, by class name. Add new models here.
MODELS = {
    "Random": lambda **more: Random(**{"rng": 3} | more),
    "Popularity": Popularity,
    "Trending": lambda: Trending(half_life=5_000.0),
    "HackerNewsHot": models.HackerNewsHot,
    "RedditHot": models.RedditHot,
    "ItemKNN": lambda **more: ItemKNN(n_neighbors=40, **more),
    "UserKNN": lambda **more: UserKNN(n_neighbors=40, **more),
    "EASE": lambda **more: EASE(reg=5.0, **more),
    "ImplicitALS": lambda **more: ImplicitALS(**{"factors": 8, "iterations": 6} | more),
    "PureSVD": lambda **more: PureSVD(**{"factors": 8} | more),
    "BiasedMF": lambda **more: BiasedMF(**{"factors": 8, "learning_rate": 0.02} | more),
    "BPR": lambda **more: BPR(**{"factors": 8, "epochs": 40, "learning_rate": 0.1} | more),
    "ContentBased": lambda **more: ContentBased(np.eye(1), **{"half_life": 5_000.0} | more),
    "Markov": lambda: Markov(content_weight=0.3, item_features=np.eye(1)),
    "Fallback": lambda: models.Fallback(models.Markov(), Popularity()),
    "WARP": lambda **more: WARP(**{"factors": 8, "epochs": 20} | more),
    "AssociationRules": models.AssociationRules,
    "SampledSoftmax": lambda **more: SampledSoftmax(**{"factors": 8, "epochs": 20} | more),
    "TwoTower": lambda **more: models.TwoTower(
        **{"factors": 8, "epochs": 20, "learning_rate": 0.2, "reg": 0.1, "n_negatives": 31} | more
    ),
}


@pytest.fixture(scope="session")
def train_test():
    """The default synthetic log, split."""
    return leave_last_out(make_synthetic(rng=7))


@pytest.fixture(scope="session")
def train(train_test):
    return train_test[0]


@pytest.fixture(scope="session")
def fitted(train):
    """Every model, fitted once on `train`; tests must not change it."""
    return {name: make().fit(train, progress=False) for name, make in MODELS.items()}


@pytest.fixture
def ragged():
    """A log with repeats, users without history and items without interactions."""

    def make(n_users, n_items, n_rows, seed):
        rng = np.random.default_rng(seed)
        user = rng.integers(0, n_users, n_rows)
        item = (n_items * rng.random(n_rows) ** 2).astype(int)
        keep = (user % 7 != 3) & (item % 9 != 4)
        return Interactions(
            user[keep], item[keep], np.arange(keep.sum()), n_users=n_users, n_items=n_items
        )

    return make


@pytest.fixture
def make():
    """Make a fresh model by class name: make("BPR", rng=3)."""
    return lambda name, **parameters: MODELS[name](**parameters)


collect_ignore = ["programs"]  # scripts that the tests run in processes of their own
