"""The report of loading a data set: lines read, skipped or incomplete, with reasons."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

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
class FileReport:
    """One file: `lines` = `read` + all that `skipped` counts.

    Parameters
    ----------
    skipped : Counter
        Number of lines left out, by reason.
    dropped : Counter
        Number of entries left out of lines that were read, by reason.
    known : int
        Lines of articles that an earlier folder of the same data set holds, too.
    """

    file: str
    lines: int = 0
    read: int = 0
    known: int = 0
    skipped: Counter = field(default_factory=Counter)
    dropped: Counter = field(default_factory=Counter)


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

    def short(self) -> str:
        """One line: how much was left out, and the first problem."""
        lines = sum(file.skipped.total() for file in self.files)
        entries = sum(file.dropped.total() for file in self.files)
        return (
            f"{self.folder}: {lines:,} lines and {entries:,} entries left out, the first: "
            f"{self.problems[0]}; `newsreco check` lists them"
        )

    def as_dict(self) -> dict[str, Any]:
        """The report as numbers and strings, for JSON."""
        files = [
            {
                "file": f.file,
                "lines": f.lines,
                "read": f.read,
                "known_from_another_folder": f.known,
                "skipped": dict(f.skipped),
                "dropped": dict(f.dropped),
            }
            for f in self.files
        ]
        problems = [problem._asdict() for problem in self.problems]
        return {"clean": self.clean, "sizes": self.sizes, "files": files, "problems": problems}

    def __str__(self) -> str:
        width = max([4, *(len(f.file) for f in self.files)])
        rows = [f"{'file':{width}} {'lines':>10} {'read':>10} {'skipped':>8} {'dropped':>8}"]
        for f in self.files:
            counts = f"{f.skipped.total():>8,} {f.dropped.total():>8,}"
            rows.append(f"{f.file:{width}} {f.lines:>10,} {f.read:>10,} {counts}")
        for f in self.files:
            rows += [f"  {f.file}: {n:,} skipped, {why}" for why, n in f.skipped.items()]
            rows += [f"  {f.file}: {n:,} dropped, {why}" for why, n in f.dropped.items()]
        rows += [str(problem) for problem in self.problems]
        rows += [", ".join(f"{n:,} {what}" for what, n in self.sizes.items())]
        return "\n".join(rows)
