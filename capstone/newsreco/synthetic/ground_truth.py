"""The known click probabilities of a synthetic world."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from newsreco.data.log import NewsLog
from newsreco.data.mind import data_folders

TRUTH = "truth.tsv"


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """What no real log tells: how likely each click was.

    Parameters
    ----------
    probability : array (n_shown,) float64
        The chance of a click on each article shown, aligned with `log.impressions.item`.
    relevance : array (n_shown,) float64
        The same with the effect of the place taken out: as at the top of the page.
    """

    probability: np.ndarray
    relevance: np.ndarray


def read_ground_truth(folder: str | Path, log: NewsLog) -> GroundTruth | None:
    """The probabilities that belong to a log read from `folder`; None where the folder has none.

    What the log left out, lines or entries, is left out here, too.

    Raises
    ------
    ValueError
        If a line of truth.tsv is broken, or something in the log is not told by it.
    """
    paths = [part / TRUTH for part in data_folders(Path(folder)) if (part / TRUTH).is_file()]
    if not paths:
        return None
    page = _Pages(log)
    for path in paths:
        with path.open(encoding="utf-8", errors="replace") as file:  # then it is no number
            for number, line in enumerate(file, 1):
                try:
                    page.fill(*line.rstrip("\n").split("\t"))
                except (ValueError, TypeError) as error:
                    raise ValueError(f"{path}:{number}: no line of {TRUTH}: {error}") from None
    missing = int(np.isnan(page.probability).sum())
    if missing:
        raise ValueError(f"{paths[0]} does not tell the probability of {missing:,} entries shown")
    return GroundTruth(page.probability, page.relevance)


class _Pages:
    """The probabilities of a log, filled in page by page."""

    def __init__(self, log: NewsLog) -> None:
        shown = log.impressions
        self.item, self.start = shown.item, shown.start.tolist()
        self.number = {name: i for i, name in enumerate(log.articles.ids)}
        self.probability, self.relevance = np.full((2, len(shown.item)), np.nan)
        self.row: dict[str, int] = {}
        self.namesakes: dict[str, list[int]] = {}  # an id may occur once in each folder
        for row, name in enumerate(shown.ids):
            if self.row.setdefault(name, row) != row:
                self.namesakes.setdefault(name, []).append(row)

    def fill(self, name: str, items: str, chances: str, tops: str) -> None:
        """Put in what one line tells."""
        told = [self.number.get(article) for article in items.split(" ")]
        chance, top = (list(map(float, text.split(" "))) for text in (chances, tops))
        if not len(told) == len(chance) == len(top):
            raise ValueError(f"{len(told)} articles, {len(chance)} and {len(top)} probabilities")
        rows = [self.row[name]] if name in self.row else []
        for row in rows + self.namesakes.get(name, []):
            first, last = self.start[row], self.start[row + 1]
            shown = self.item[first:last].tolist()
            place = range(len(shown)) if shown == told else self._places(shown, told)
            if place and np.isnan(self.probability[first]):
                self.probability[first:last] = [chance[j] for j in place]
                self.relevance[first:last] = [top[j] for j in place]
                return

    def _places(self, shown: list[int], told: list[int | None]) -> list[int]:
        """Where the articles of a page stand in a line; empty if one does not."""
        return [told.index(i) for i in shown] if set(shown) <= set(told) else []
