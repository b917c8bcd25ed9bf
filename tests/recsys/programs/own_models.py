"""Models as a user of the library writes them; as a script, saves and loads each.

own_models.py FOLDER
"""

import sys
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import recsys
from recsys.models import ImplicitALS
from recsys.models.base import Recommender


@dataclass(eq=False)
class Newest(Recommender):
    """The items with the latest interaction."""

    needs_history: ClassVar[bool] = False
    learned: ClassVar[tuple[str, ...]] = ("last",)

    weight: float = 1.0

    def _fit(self, train, progress):
        self.last = np.full(self.n_items, -np.inf)
        np.maximum.at(self.last, train.item, train.time)

    def _scores(self, users):
        return np.tile(self.weight * self.last, (len(users), 1))


@dataclass(eq=False)
class DampedALS(ImplicitALS):
    """ImplicitALS whose popular items score lower."""

    learned: ClassVar[tuple[str, ...]] = (*ImplicitALS.learned, "item_biases")

    damping: float = 0.1

    def _fit(self, train, progress):
        super()._fit(train, progress)
        counts = np.bincount(train.item, minlength=self.n_items)
        self.item_biases = (-self.damping * np.log1p(counts)).astype(np.float32)


def fitted():
    """Both models, fitted on a small log."""
    log = recsys.Interactions([0, 0, 1, 1, 2, 2], [0, 1, 0, 2, 1, 3], range(6))
    return [Newest(2.0).fit(log), DampedALS(2, damping=0.5).fit(log, progress=False)]


if __name__ == "__main__":
    for model in fitted():
        folder = f"{sys.argv[1]}/{type(model).__name__}"
        model.save(folder)
        loaded = recsys.load(folder)
        same = np.array_equal(loaded.score([0, 1, 2]), model.score([0, 1, 2]))
        print(type(loaded) is type(model) and same and repr(loaded) == repr(model))
