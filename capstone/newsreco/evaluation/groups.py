"""Means with intervals over people, by group: where a model is good and where it is not."""

from __future__ import annotations

import numpy as np
import pandas as pd

from newsreco.evaluation.impressions import resampled_means
from recsys.bootstrap import interval

LEVELS = (0, 1, 5, 10, 20, 50)  # where a group of clicks known begins
FEWEST = 20  # impressions of a group that is shown
BINS = 10


def mean_over_users(values, person, rng: int = 0) -> tuple[float, float, float]:
    """The mean, and the ends of its 95 % interval when the people are drawn again."""
    low, high = interval(resampled_means(values, person, rng))
    return float(np.mean(values)), float(low), float(high)


def group_means(values, group, person, rng: int = 0) -> pd.DataFrame:
    """Mean and interval over people of each group, by the groups' names; nan is left out."""
    rows = {}
    for name in sorted(set(group)):
        inside = (group == name) & np.isfinite(values)
        if inside.sum() >= FEWEST:
            mean, low, high = mean_over_users(values[inside], person[inside], rng)
            rows[name] = {"mean": mean, "low": low, "high": high, "impressions": inside.sum()}
    return pd.DataFrame(rows, ["mean", "low", "high", "impressions"]).T


def level(clicks: np.ndarray) -> np.ndarray:
    """The group of a number of clicks, in words that sort as the numbers do."""
    ends = [f" to {b - 1}" for b in LEVELS[1:]] + [" or more"]
    names = [f"{a:2d}{end}" for a, end in zip(LEVELS, ends)]
    names[0] = " 0"
    return np.array(names, object)[np.searchsorted(LEVELS, clicks, side="right") - 1]


def calibration_table(evaluation, promised: np.ndarray, known: np.ndarray | None) -> pd.DataFrame:
    """Tenths of what was shown, by the promised chance: means, and the interval of the share."""
    rows = {}
    tenth = np.argsort(np.argsort(promised, kind="stable")) * BINS // len(promised)
    person = evaluation.user_index[evaluation.shown.impression]
    for b in range(BINS):
        inside = tenth == b
        if not inside.any():
            continue
        mean, low, high = mean_over_users(
            evaluation.shown.clicked[inside], person[inside], evaluation.rng
        )
        rows[b + 1] = {"predicted": promised[inside].mean(), "observed": mean}
        rows[b + 1] |= {"low": low, "high": high}
        if known is not None:
            rows[b + 1]["known"] = np.mean(known[inside])
        rows[b + 1]["shown"] = inside.sum()
    return pd.DataFrame(rows).T


def first_clicked(shown) -> np.ndarray:
    """Place of the first click of each visit; 0 where there is none."""
    clicked = np.flatnonzero(shown.clicked)
    visit = shown.impression[clicked]
    place = np.zeros(len(shown), np.int64)
    place[visit[::-1]] = (clicked - shown.start[visit])[::-1]  # the first one is written last
    return place
