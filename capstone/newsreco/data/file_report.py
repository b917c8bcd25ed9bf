"""The report of one file, and what several files lost.

What is lost is measured three ways, because a log can lose much in one and little in another: the
fraction of the lines (of news.tsv or of behaviors.tsv, whichever is larger), of the entries
(articles shown, and clicks before the log) and of the clicks. A header, a repeated line and a test
set, which has no labels, are no loss.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

NO_LABELS = "no labels, as in a test set"


@dataclass
class FileReport:
    """One file: `lines` = `read` + `headers` + `repeated` + all that `skipped` counts.

    Parameters
    ----------
    skipped : Counter
        Number of lines left out, by reason.
    dropped : Counter
        Number of entries left out of lines that were read, by reason.
    known : int
        Lines of articles that an earlier folder of the same data set holds, too.
    headers, repeated : int
        Lines that name the columns, and lines identical to one that was read.
    same_id : int
        Impressions that were read although an earlier, different one has their id.
    entries, clicks, lost_entries, lost_clicks : int
        Articles shown and earlier clicks, and clicks; those of skipped lines included.
    """

    file: str
    lines: int = 0
    read: int = 0
    known: int = 0
    headers: int = 0
    repeated: int = 0
    same_id: int = 0
    entries: int = 0
    clicks: int = 0
    lost_entries: int = 0
    lost_clicks: int = 0
    skipped: Counter = field(default_factory=Counter)
    dropped: Counter = field(default_factory=Counter)

    @property
    def is_test_set(self) -> bool:
        """Whether the file is whole, but has no labels."""
        return not self.read and set(self.skipped) == {NO_LABELS}


def lost(files: list[FileReport]) -> dict[str, float]:
    """Fractions of the lines, of the entries and of the clicks that could not be used."""
    files = [file for file in files if not file.is_test_set]
    return {
        "lines": max(_lost_lines(files).values(), default=0.0),
        "entries": _fraction((f.lost_entries, f.entries) for f in files),
        "clicks": _fraction((f.lost_clicks, f.clicks) for f in files),
    }


def _lost_lines(files: list[FileReport]) -> dict[str, float]:
    """Fraction of the lines skipped, for each name of files."""
    kinds: dict[str, list[FileReport]] = {}
    for file in files:
        kinds.setdefault(file.file.rpartition("/")[2], []).append(file)
    return {
        name: _fraction((n := f.skipped.total(), n + f.read) for f in kind)
        for name, kind in kinds.items()
    }


def _fraction(counts: Iterable[tuple[int, int]]) -> float:
    """What is lost of a total, from (lost, total) of each part."""
    lost, total = np.sum([(0, 0), *counts], axis=0)
    return float(lost / max(total, 1))


def notes(file: FileReport) -> list[str]:
    """What a report says of a file, line by line."""
    counts = {
        "header": file.headers,
        "repeated, identical to an earlier line": file.repeated,
        "read, although an earlier impression has the same id": file.same_id,
    }
    notes = [f"{n:,} {what}" for what, n in counts.items() if n]
    notes += [f"{n:,} skipped, {why}" for why, n in file.skipped.items()]
    return notes + [f"{n:,} dropped, {why}" for why, n in file.dropped.items()]
