"""The report of loading a data set: lines read, skipped or incomplete, with reasons."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from newsreco.data.file_report import FileReport, lost, notes
from recsys import validation

MAX_PROBLEMS = 20  # problems that are listed; the others are only counted


class Problem(NamedTuple):
    """One line, or part of a line, that could not be used."""

    file: str
    line: int
    reason: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}" + (f" ({self.detail})" * bool(self.detail))


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
        return lost(self.files)

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
            rows += [f"  {f.file}: {note}" for note in notes(f)]
        rows += [str(problem) for problem in self.problems]
        rows += [f"lost: {self._percentages()}"]
        rows += [", ".join(f"{n:,} {what}" for what, n in self.sizes.items())]
        return "\n".join(rows)
