"""Means with intervals by group, and calibration: where a model is good and where it is not."""

from __future__ import annotations

import numpy as np
import pandas as pd

from newsreco.data import Impressions
from newsreco.evaluation.impressions import Evaluation
from newsreco.evaluation.intervals import mean_over_users

LEVELS = (0, 1, 5, 10, 20, 50)  # lower bounds of the groups of click counts
FEWEST = 20  # impressions of a group that is shown
BINS = 10


def group_means(
    values: np.ndarray, group: np.ndarray, user: np.ndarray, rng: int = 0
) -> pd.DataFrame:
    """Mean and interval of each group, by the groups' names; nan is left out."""
    rows = {}
    for name in sorted(set(group)):
        inside = (group == name) & np.isfinite(values)
        if inside.sum() >= FEWEST:
            mean, low, high = mean_over_users(values[inside], user[inside], rng)
            rows[name] = {"mean": mean, "low": low, "high": high, "impressions": inside.sum()}
    return pd.DataFrame(rows, ["mean", "low", "high", "impressions"]).T


def level(clicks: np.ndarray) -> np.ndarray:
    """Names of the groups of click counts, which sort as the counts do."""
    ends = [f" to {b - 1}" for b in LEVELS[1:]] + [" or more"]
    names = [f"{a:2d}{end}" for a, end in zip(LEVELS, ends)]
    names[0] = " 0"
    return np.array(names, object)[np.searchsorted(LEVELS, clicks, side="right") - 1]


def calibration_table(
    evaluation: Evaluation, predicted: np.ndarray, known: np.ndarray | None
) -> pd.DataFrame:
    """Deciles of what was shown by predicted click probability, beside the click-through rate."""
    rows = {}
    decile = np.argsort(np.argsort(predicted, kind="stable")) * BINS // len(predicted)
    user = evaluation.user_index[evaluation.shown.impression]
    for b in range(BINS):
        inside = decile == b
        if not inside.any():
            continue
        clicked = evaluation.shown.clicked[inside]
        mean, low, high = mean_over_users(clicked, user[inside], evaluation.rng)
        rows[b + 1] = {"predicted": predicted[inside].mean(), "observed": mean}
        rows[b + 1] |= {"low": low, "high": high}
        if known is not None:
            rows[b + 1]["known"] = np.mean(known[inside])
        rows[b + 1]["shown"] = inside.sum()
    return pd.DataFrame(rows).T


def first_clicked(shown: Impressions) -> np.ndarray:
    """Position of the first click of each impression; 0 if there is none."""
    clicked = np.flatnonzero(shown.clicked)
    impression = shown.impression[clicked]
    position = np.zeros(len(shown), np.int64)
    offset = clicked - shown.start[impression]
    position[impression[::-1]] = offset[::-1]  # the first one is written last
    return position
