"""The known click probabilities of a synthetic world."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from newsreco.data.log import NewsLog

TRUTH = "truth.tsv"


@dataclass(frozen=True, eq=False)
class Truth:
    """What no real log tells: how likely each click was.

    Parameters
    ----------
    probability : array (n_shown,) float64
        The chance of a click on each article shown, aligned with `log.impressions.item`.
    relevance : array (n_shown,) float64
        The same with the effect of the position taken out: as at the top of the page.
    """

    probability: np.ndarray
    relevance: np.ndarray


def read_truth(folder: str | Path, log: NewsLog) -> Truth | None:
    """The probabilities that belong to a log read from `folder`; None where the folder has none.

    Raises
    ------
    ValueError
        If the file does not tell the probability of everything in the log.
    """
    path = Path(folder) / TRUTH
    if not path.is_file():
        return None
    shown = log.impressions
    rows = {name: row for row, name in enumerate(shown.ids)}
    number = {name: i for i, name in enumerate(log.articles.ids)}
    probability, relevance = np.full((2, len(shown.item)), np.nan)
    with path.open(encoding="utf-8") as file:
        for line in file:
            name, items, chances, tops = line.rstrip("\n").split("\t")
            if (row := rows.get(name)) is None:
                continue
            first, last = shown.start[row], shown.start[row + 1]
            place = {number.get(article): j for j, article in enumerate(items.split(" "))}
            order = [place[i] for i in shown.item[first:last]]
            probability[first:last] = np.array(chances.split(" "), np.float64)[order]
            relevance[first:last] = np.array(tops.split(" "), np.float64)[order]
    if np.isnan(probability).any():
        raise ValueError(f"{path} lacks impressions of the log: {np.isnan(probability).sum()} gaps")
    return Truth(probability, relevance)
