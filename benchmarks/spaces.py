"""The hyperparameters of every model and the ranges that `make tune` draws them from.

Left out on both sides: what changes the time but not the objective (threads, ALS's conjugate
gradient steps and momentum), ALS's `reg_exponent`, whose penalties are on another scale, and how
BPR draws negatives: uniformly, as the paper, or in a race by popularity, as implicit.

The chapters compare all models on their own cuts, by a search of twice as many tries over the
ranges of `WIDE`, widened after a first search that ended at edges; on the likes of returning users
some of those ended at edges again, so `RETURNING` is wider still. BPR's way of drawing negatives is
searched there as well.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys import models
from recsys.text import multi_hot

EDGE = 0.05  # of a range, at either end
DAY = 24 * 3600.0


@dataclass(frozen=True)
class Between:
    """Numbers between two ends, evenly on a logarithmic scale, of two significant digits."""

    low: float
    high: float
    whole: bool = False

    def draw(self, rng: np.random.Generator) -> float | int:
        value = float(f"{np.exp(rng.uniform(np.log(self.low), np.log(self.high))):.1e}")
        return round(value) if self.whole else value

    def edge(self, value: float) -> str | None:
        """ "low" or "high" where the value lies in the outer twentieth of the range."""
        position = np.log(value / self.low) / np.log(self.high / self.low)
        return "low" if position < EDGE else "high" if position > 1 - EDGE else None


@dataclass(frozen=True)
class OneOf:
    """A few values, each as likely; those of a scale are given in rising order."""

    values: tuple
    scale: bool = True

    def draw(self, rng: np.random.Generator) -> Any:
        return self.values[rng.integers(len(self.values))]

    def edge(self, value: Any) -> str | None:
        if not self.scale or value not in (self.values[0], self.values[-1]):
            return None
        return "low" if value == self.values[0] else "high"


Ranges = dict[str, dict[str, Between | OneOf]]
FACTORS = OneOf((16, 32, 64, 128))
EPOCHS = Between(8, 50, whole=True)
MORE_EPOCHS = Between(8, 100, whole=True)  # for both sides of BPR, whose rival needs them
SGD = {"factors": FACTORS, "epochs": EPOCHS}
NEIGHBORS = {"n_neighbors": Between(10, 1000, whole=True), "shrinkage": Between(0.1, 100)}

SPACES: Ranges = {
    "ImplicitALS": {
        "factors": FACTORS,
        "alpha": Between(0.1, 40),
        "reg": Between(0.1, 300),
        "iterations": Between(3, 30, whole=True),
    },
    "BPR": {
        "factors": FACTORS,
        "epochs": MORE_EPOCHS,
        "learning_rate": Between(0.003, 0.2),
        "reg": Between(1e-4, 0.1),
    },
    "WARP": SGD | {
        "learning_rate": Between(0.01, 0.1),
        "reg": Between(1e-2, 2),
        "max_trials": Between(10, 100, whole=True),
    },
    "SampledSoftmax": {
        "factors": FACTORS,
        "epochs": EPOCHS,
        "learning_rate": Between(0.03, 0.6),
        "reg": Between(1e-3, 1),
        "n_negatives": Between(15, 250, whole=True),
        "correction": OneOf((False, True), scale=False),
    },
    "TwoTower": SGD | {  # on ids, linear, with the correction and all negatives
        "learning_rate": Between(0.03, 0.6),
        "reg": Between(1e-2, 1),
        "n_negatives": Between(60, 1000, whole=True),
    },
    "ItemKNN": NEIGHBORS,
    "UserKNN": NEIGHBORS,
    "EASE": {"reg": Between(5, 5000)},
    "PureSVD": {"factors": Between(4, 128, whole=True)},
    "BiasedMF": SGD | {"learning_rate": Between(0.001, 0.05), "reg": Between(0.005, 0.3)},
    "Markov": {"content_weight": OneOf((0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9))},
    "Trending": {"half_life": Between(DAY, 3650 * DAY)},
    "implicit ALS": {
        "factors": FACTORS,
        "alpha": Between(0.1, 40),
        "regularization": Between(0.1, 300),
        "iterations": Between(3, 30, whole=True),
    },
    "implicit BPR": {
        "factors": FACTORS,
        "iterations": MORE_EPOCHS,
        "learning_rate": Between(0.003, 0.2),
        "regularization": Between(1e-4, 0.1),
    },
    "implicit ItemKNN": {"n_neighbors": Between(10, 1000, whole=True)},
    "LightFM WARP": {
        "no_components": FACTORS,
        "epochs": EPOCHS,
        "learning_rate": Between(0.01, 0.1),
        "reg": Between(1e-7, 1e-4),
        "max_sampled": Between(10, 100, whole=True),
    },
}  # fmt: skip
LEARNED = {"factors": OneOf((4, 8, 16, 32, 64, 128, 256))}
HALF_LIFE = {"half_life": Between(10, 3e9)}  # to a century; not every log counts seconds
MORE_NEIGHBORS = {"n_neighbors": Between(2, 5000, whole=True), "shrinkage": Between(0.01, 300)}
WIDE: Ranges = {  # for the chapters
    "Trending": HALF_LIFE,
    "ContentBased": HALF_LIFE,
    "Markov": {"content_weight": Between(0.001, 1)},
    "UserKNN": MORE_NEIGHBORS,
    "ItemKNN": MORE_NEIGHBORS,
    "EASE": {"reg": Between(1, 20_000)},
    "PureSVD": {"factors": Between(2, 256, whole=True)},
    "ImplicitALS": LEARNED | {
        "alpha": Between(0.05, 100),
        "reg": Between(0.05, 1000),
        "iterations": Between(3, 30, whole=True),
    },
    "BPR": LEARNED | {
        "epochs": MORE_EPOCHS,
        "learning_rate": Between(0.002, 0.3),
        "reg": Between(1e-4, 0.3),
        "negatives": OneOf(("uniform", "popular"), scale=False),
    },
    "WARP": LEARNED | {
        "epochs": EPOCHS,
        "learning_rate": Between(0.005, 0.3),
        "reg": Between(1e-2, 3),
        "max_trials": Between(10, 300, whole=True),
    },
    "SampledSoftmax": LEARNED | {
        "epochs": Between(5, 30, whole=True),  # the slowest to train
        "learning_rate": Between(0.03, 1),
        "reg": Between(1e-3, 1),
        "n_negatives": Between(15, 250, whole=True),
        "correction": OneOf((False, True), scale=False),
    },
}  # fmt: skip
RETURNING: Ranges = WIDE | {  # where those ended at an edge
    "UserKNN": {"n_neighbors": Between(2, 6000, whole=True), "shrinkage": Between(0.01, 3000)},
    "ImplicitALS": {
        "factors": OneOf((1, 2, 4, 8, 16, 32, 64)),
        "alpha": Between(0.001, 100),
        "reg": Between(0.05, 10_000),
        "iterations": Between(3, 30, whole=True),
    },
    "BPR": WIDE["BPR"] | {"factors": OneOf((16, 32, 64, 128, 256, 512))},
    "WARP": WIDE["WARP"] | {
        "factors": OneOf((2, 4, 8, 16, 32, 64, 128)),
        "epochs": MORE_EPOCHS,
        "max_trials": Between(5, 100, whole=True),
    },
    "SampledSoftmax": WIDE["SampledSoftmax"] | {  # small, as all models do best here, so quick
        "factors": OneOf((1, 2, 4, 8, 16, 32, 64)),
        "epochs": Between(3, 20, whole=True),
        "n_negatives": Between(15, 120, whole=True),
    },
}  # fmt: skip
SAME_DRAWS = {"implicit ALS": "ImplicitALS", "implicit BPR": "BPR"}  # as the ranges are the same
SIZE_NAMES = ("factors", "no_components")


def draw(
    model: str, number: int, factors: int | None = None, ranges: Ranges = SPACES
) -> dict[str, Any]:
    """Setting `number` of a model; the same on every log, so that defaults can be compared.

    `factors`, where given, is taken instead of what was drawn.
    """
    rng = np.random.default_rng([zlib.crc32(SAME_DRAWS.get(model, model).encode()), number])
    setting = {name: space.draw(rng) for name, space in ranges[model].items()}
    return with_factors(setting, factors)


def with_factors(setting: dict[str, Any], factors: int | None) -> dict[str, Any]:
    """The setting with another number of factors, where that is given and there is one."""
    size = next((name for name in SIZE_NAMES if name in setting), None)
    return setting | ({size: factors} if factors and size else {})


def edges(
    model: str, setting: dict[str, Any], factors: int | None = None, ranges: Ranges = SPACES
) -> dict[str, str]:
    """The hyperparameters whose value lies at the edge of its range, and which edge."""
    spaces = ranges[model]
    free = {k: v for k, v in setting.items() if not (factors and k in SIZE_NAMES)}
    found = {name: spaces[name].edge(v) for name, v in free.items() if name in spaces}
    return {name: edge for name, edge in found.items() if edge}


def is_ours(model: str) -> bool:
    return hasattr(models, model)


def build(model: str, train: Any, rng: int, **setting: Any) -> Any:
    """One of our models, not fitted yet, with the features and threads that it takes."""
    kind: Callable[..., Any] = getattr(models, model)
    fields = kind.__dataclass_fields__
    if "item_features" in fields and model != "TwoTower":  # which learns from ids as well
        setting["item_features"] = genres(train)
    given = {"rng": rng, "n_threads": 2}
    return kind(**setting, **{name: value for name, value in given.items() if name in fields})


def genres(log: Any) -> Any:
    """The item features of a log: its genres, multi-hot."""
    column = "genres" if "genres" in log.item_info else "genre"
    return multi_hot(log.item_info[column].tolist())[0]
