"""Reading behaviors.tsv: impression id, user id, time, history, and what was shown.

What was shown is a list such as `N12-0 N7-1`: article 12, not clicked, above article 7, clicked.
The impressions are stored in flat arrays; lines are not kept.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from newsreco.data.file_report import NO_LABELS, FileReport
from newsreco.data.lines import is_header, line_digest, rows
from newsreco.data.load_report import LoadReport
from newsreco.data.times import parse_time
from newsreco.output import CONTROL

COLUMNS = 5
HEADER = {1: ("userid", "user", "uid"), 2: ("time", "timestamp", "datetime", "date")}
UNKNOWN_EARLIER = "earlier click on an article not in news.tsv"


class History(NamedTuple):
    """The position of a user's history in `history_item`, and the impression it is from."""

    time: float
    start: int
    end: int
    unknown: int
    file: FileReport
    line: int


@dataclass
class BehaviorsReader:
    """Impressions read from files; users are numbered by first appearance in the files.

    Parameters
    ----------
    number : dict
        Row of each article id.

    Attributes
    ----------
    code : array of int
        2 x article + 1 if clicked, for each entry shown.
    size : array of int
        Number of entries of each impression.
    histories : list of History
        The history of each user's earliest impression.
    """

    report: LoadReport
    number: dict[str, int]
    ids: list[str] = field(default_factory=list)
    user: array = field(default_factory=lambda: array("i"))
    time: array = field(default_factory=lambda: array("d"))
    size: array = field(default_factory=lambda: array("q"))
    code: array = field(default_factory=lambda: array("i"))
    users: dict[str, int] = field(default_factory=dict)
    histories: list[History] = field(default_factory=list)
    history_item: array = field(default_factory=lambda: array("i"))
    seen: set[bytes] = field(default_factory=set)  # digests of the lines read
    impression_ids: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        pairs = self.number.items()
        self.codes = {f"{name}-{label}": 2 * i + label for name, i in pairs for label in (0, 1)}

    def read(self, path: Path, name: str, progress: bool) -> None:
        """Add the impressions of a file, except lines that are identical to one already read."""
        file = self.report.open(name)
        for line, columns in rows(path, COLUMNS, self.report, file, progress):
            digest = line_digest(columns)
            if is_header(columns, HEADER):
                file.headers += 1
            elif digest in self.seen:
                file.repeated += 1
            elif self._read_line(columns, file, line):
                self.seen.add(digest)

    def _read_line(self, columns: list[str], file: FileReport, line: int) -> bool:
        """Add one impression; False if it is skipped."""
        impression, user, when, history, shown = columns
        tokens = shown.split()
        try:
            _check_ids(impression, user)
            time = _time(when)
            codes = self._codes(tokens, file, line)
        except _Skip as error:
            _count(file, tokens, kept=[])
            self.report.skip(file, line, *error.args)
            return False
        _count(file, tokens, codes)
        file.read += 1
        file.same_id += impression in self.impression_ids
        self.impression_ids.add(impression)
        self._add(impression, user, time, codes)
        row = self.user[-1]
        if row == len(self.histories) or time < self.histories[row].time:
            self._take_history(row, time, history.split(), file, line)
        return True

    def _add(self, impression: str, user: str, time: float, codes: list[int]) -> None:
        self.ids.append(impression)
        self.user.append(self.users.setdefault(user, len(self.users)))
        self.time.append(time)
        self.size.append(len(codes))
        self.code.extend(codes)

    def _codes(self, tokens: list[str], file: FileReport, line: int) -> list[int]:
        """The codes of an impression's entries; slow only if one of them is invalid."""
        codes = list(map(self.codes.get, tokens))
        if codes and None not in codes and len({code >> 1 for code in codes}) == len(codes):
            return codes
        return self._known_once(tokens, file, line)

    def _known_once(self, tokens: list[str], file: FileReport, line: int) -> list[int]:
        """The entries whose article is known, each article at its first position only."""
        _check_labels(tokens)
        known = [self.codes[token] for token in tokens if token in self.codes]
        if not known:
            raise _Skip("no known article shown", tokens[0][:40])
        if lost := [token for token in tokens if token not in self.codes]:
            self.report.drop(file, line, "shown article not in news.tsv", lost[0][:40], len(lost))
        first: dict[int, int] = {}
        for code in known:
            first.setdefault(code >> 1, code)
        if n_again := len(known) - len(first):
            self.report.drop(file, line, "article shown twice", n=n_again)
        return list(first.values())

    def _take_history(
        self, user: int, time: float, history: list[str], file: FileReport, line: int
    ) -> None:
        """Keep the history of a user's earliest impression so far."""
        known = [i for name in history if (i := self.number.get(name)) is not None]
        unknown = len(history) - len(known)
        if unknown and self.report.strict:
            self.report.drop(file, line, UNKNOWN_EARLIER, n=unknown)
        start = len(self.history_item)
        self.history_item.extend(known)
        taken = History(time, start, start + len(known), unknown, file, line)
        self.histories[user : user + 1] = [taken]

    def finish(self) -> None:
        """Count the histories that were kept in the end, and report their unknown articles."""
        for history in self.histories:
            history.file.entries += history.end - history.start + history.unknown
            history.file.lost_entries += history.unknown
            if history.unknown:
                self.report.drop(history.file, history.line, UNKNOWN_EARLIER, n=history.unknown)


class _Skip(Exception):
    """A line that cannot be used: (reason, detail)."""


def _check_ids(impression: str, user: str) -> None:
    if not impression or not user:
        raise _Skip("no impression id or no user id")
    if wrong := CONTROL.search(impression + user):
        raise _Skip("control character in an id", repr(wrong[0]))


def _count(file: FileReport, tokens: list[str], kept: list[int]) -> None:
    """Count the entries and the clicks of a line, and those that are not kept."""
    clicks = sum(token.endswith("-1") for token in tokens)
    entries = clicks + sum(token.endswith("-0") for token in tokens)
    file.entries, file.clicks = file.entries + entries, file.clicks + clicks
    file.lost_entries += entries - len(kept)
    file.lost_clicks += clicks - sum(code & 1 for code in kept)


def _check_labels(tokens: list[str]) -> None:
    if not tokens:
        raise _Skip("nothing shown")
    if not any("-" in token for token in tokens):
        raise _Skip(NO_LABELS, tokens[0][:40])
    for token in tokens:
        if token[-2:] not in ("-0", "-1"):
            raise _Skip("label is not 0 or 1", token[:40])


def _time(text: str) -> float:
    try:
        return parse_time(text)
    except (ValueError, OverflowError):
        raise _Skip("time unreadable", text[:40]) from None
