"""The report of loading a data set: lines read, skipped or incomplete, with reasons.

What is lost is measured three ways, because a file can lose much in one and little in another:
the fraction of the lines (of news.tsv or of behaviors.tsv, whichever is larger), of the entries
(articles shown, and clicks before the log) and of the clicks. A header line, a repeated line and a test set, which has no labels, are no loss.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from recsys import validation

MAX_PROBLEMS = 20  # problems that are listed; the others are only counted
NO_LABELS = "no labels, as in a test set"


class Problem(NamedTuple):
    """One line, or part of a line, that could not be used."""

    file: str
    line: int
    reason: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}" + (f" ({self.detail})" * bool(self.detail))


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


@dataclass
class LoadReport:
    """The report of a folder; `print` it, or take `as_dict()`.

    Parameters
    ----------
    folder : str
    strict : bool
        Whether the first problem is raised as a ValueError.
    files : list of FileReport
    problems : list of Problem
        The first, at most 20.
    sizes : dict
        Numbers of articles, users, impressions, entries shown, and clicks.
    """

    folder: str
    strict: bool = False
    files: list[FileReport] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)

    def open(self, name: str) -> FileReport:
        """Start the report of the next file."""
        self.files.append(FileReport(name))
        return self.files[-1]

    def skip(self, file: FileReport, line: int, reason: str, detail: str = "") -> None:
        """Count a line that is left out; in strict mode, raise."""
        self._note(Problem(file.file, line, reason, detail))
        file.skipped[reason] += 1

    def drop(self, file: FileReport, line: int, reason: str, detail: str = "", n: int = 1) -> None:
        """Count entries of a line that are left out; in strict mode, raise."""
        self._note(Problem(file.file, line, reason, detail))
        file.dropped[reason] += n

    def _note(self, problem: Problem) -> None:
        if self.strict:
            raise ValueError(str(problem))
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)

    @property
    def clean(self) -> bool:
        """Whether nothing was left out."""
        return not any(file.skipped or file.dropped for file in self.files)

    @property
    def lost(self) -> dict[str, float]:
        """Fractions of the lines, of the entries and of the clicks that could not be used."""
        files = [file for file in self.files if not file.is_test_set]
        return {
            "lines": max(_lost_lines(files).values(), default=0.0),
            "entries": _fraction((f.lost_entries, f.entries) for f in files),
            "clicks": _fraction((f.lost_clicks, f.clicks) for f in files),
        }

    def metrics(self) -> dict[str, float]:
        """The fractions lost, under the names that results give them."""
        return {f"lost_{what}": fraction for what, fraction in self.lost.items()}

    def check_loss(self, max_loss: float) -> None:
        """ValueError if more than `max_loss`, 0 to 1, of the lines, entries or clicks is lost."""
        validation.real_number("max-loss", max_loss, high=1.0)
        if max(self.lost.values()) > max_loss:
            raise ValueError(
                f"{self.folder}: {self._percentages()} cannot be used, and max-loss allows "
                f"{max_loss:.1%}, the first: {self.problems[0]}; `newsreco check` lists the "
                "reasons, --max-loss sets the limit"
            )

    def _percentages(self) -> str:
        lost = [f"{fraction:.1%} of the {what}" for what, fraction in self.lost.items()]
        return f"{lost[0]}, {lost[1]} and {lost[2]}"

    def passed_over(self) -> str:
        """One line on what was left out without a loss; empty if there is nothing of it."""
        counts = {
            "repeated": sum(file.repeated for file in self.files),
            "header": sum(file.headers for file in self.files),
        }
        found = [f"{n:,} {what} lines" for what, n in counts.items() if n]
        return f"{self.folder}: {' and '.join(found)} left out, which is no loss" if found else ""

    def short(self) -> str:
        """One line: how much was left out, and the first problem."""
        lines = sum(file.skipped.total() for file in self.files)
        entries = sum(file.dropped.total() for file in self.files)
        return (
            f"{self.folder}: {lines:,} lines and {entries:,} entries left out "
            f"({self._percentages()}), the first: {self.problems[0]}; `newsreco check` lists them"
        )

    def as_dict(self) -> dict[str, Any]:
        """The report as numbers and strings, for JSON."""
        files = [
            {
                "file": f.file,
                "lines": f.lines,
                "read": f.read,
                "known_from_another_folder": f.known,
                "headers": f.headers,
                "repeated": f.repeated,
                "same_id": f.same_id,
                "skipped": dict(f.skipped),
                "dropped": dict(f.dropped),
            }
            for f in self.files
        ]
        problems = [problem._asdict() for problem in self.problems]
        found = {"clean": self.clean, "sizes": self.sizes, "lost": self.lost}
        return found | {"files": files, "problems": problems}

    def __str__(self) -> str:
        width = max([4, *(len(f.file) for f in self.files)])
        rows = [f"{'file':{width}} {'lines':>10} {'read':>10} {'skipped':>8} {'dropped':>8}"]
        for f in self.files:
            counts = f"{f.skipped.total():>8,} {f.dropped.total():>8,}"
            rows.append(f"{f.file:{width}} {f.lines:>10,} {f.read:>10,} {counts}")
        for f in self.files:
            rows += [f"  {f.file}: {note}" for note in _notes(f)]
        rows += [str(problem) for problem in self.problems]
        rows += [f"lost: {self._percentages()}"]
        rows += [", ".join(f"{n:,} {what}" for what, n in self.sizes.items())]
        return "\n".join(rows)


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
    lost, total = map(sum, zip(*counts, strict=True))
    return lost / max(total, 1)


def _notes(file: FileReport) -> list[str]:
    """What a report says of a file, line by line."""
    counts = {
        "header": file.headers,
        "repeated, identical to an earlier line": file.repeated,
        "read, although an earlier impression has the same id": file.same_id,
    }
    notes = [f"{n:,} {what}" for what, n in counts.items() if n]
    notes += [f"{n:,} skipped, {why}" for why, n in file.skipped.items()]
    return notes + [f"{n:,} dropped, {why}" for why, n in file.dropped.items()]
