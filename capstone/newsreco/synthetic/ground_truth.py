"""The known click probabilities of synthetic data."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from newsreco.data.log import NewsLog
from newsreco.data.mind import data_folders

TRUTH = "truth.tsv"


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """The probability of each click, which a real log does not hold.

    Parameters
    ----------
    probability : array (n_shown,) float64
        Of a click on each article shown, aligned with `log.impressions.item`.
    relevance : array (n_shown,) float64
        The same without position bias: as at the top of the page.
    """

    probability: np.ndarray
    relevance: np.ndarray


def read_ground_truth(folder: str | Path, log: NewsLog) -> GroundTruth | None:
    """The probabilities of a log read from `folder`; None if the folder has none.

    Lines and entries that the loader left out of the log are left out here, too.

    Raises
    ------
    ValueError
        If a line of truth.tsv is malformed, or an entry of the log is missing in it.
    """
    paths = [part / TRUTH for part in data_folders(Path(folder)) if (part / TRUTH).is_file()]
    if not paths:
        return None
    reader = _TruthReader(log)
    for path in paths:
        reader.read(path)
    missing = int(np.isnan(reader.probability).sum())
    if missing:
        raise ValueError(f"{paths[0]} lacks the probability of {missing:,} entries shown")
    return GroundTruth(reader.probability, reader.relevance)


class _TruthReader:
    """The probabilities of a log, filled in one impression at a time."""

    def __init__(self, log: NewsLog) -> None:
        shown = log.impressions
        self.item, self.start = shown.item, shown.start.tolist()
        self.number = {name: i for i, name in enumerate(log.articles.ids)}
        self.probability, self.relevance = np.full((2, len(shown.item)), np.nan)
        self.rows: dict[str, list[int]] = defaultdict(list)  # ids may repeat between folders
        for row, name in enumerate(shown.ids):
            self.rows[name].append(row)

    def read(self, path: Path) -> None:
        """Fill in the lines of a file."""
        with path.open(encoding="utf-8", errors="replace") as file:  # then it is not a number
            for number, line in enumerate(file, 1):
                try:
                    self._fill(*line.rstrip("\n").split("\t"))
                except (ValueError, TypeError) as error:
                    raise ValueError(f"{path}:{number}: not a line of {TRUTH}: {error}") from None

    def _fill(self, name: str, items: str, probabilities: str, relevances: str) -> None:
        listed = [self.number.get(article) for article in items.split(" ")]
        values = np.array([text.split(" ") for text in (probabilities, relevances)], float)
        if values.shape[1] != len(listed):
            raise ValueError(f"{len(listed)} articles, {values.shape[1]} probabilities")
        for row in self.rows.get(name, []):
            part = slice(self.start[row], self.start[row + 1])
            position = _positions(self.item[part].tolist(), listed)
            if position and np.isnan(self.probability[part.start]):
                self.probability[part], self.relevance[part] = values[:, position]
                return


def _positions(shown: list[int], listed: list[int | None]) -> list[int]:
    """The positions of an impression's articles in a line; empty if one is not in it."""
    return [listed.index(i) for i in shown] if set(shown) <= set(listed) else []
