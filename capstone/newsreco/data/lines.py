"""The lines of a large file, one at a time: only its last block is in memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path

from tqdm import tqdm

from newsreco.data.load_report import FileReport, LoadReport

BLOCK = 1 << 20  # bytes read at once
LONGEST = 1 << 24  # bytes of the longest line that is kept
SIGNATURES = {
    b"PK\x03\x04": "a zip archive: unpack it first",
    b"\x1f\x8b": "packed by gzip: unpack it first",
    b"\xff\xfe": "in UTF-16; it must be in UTF-8",
    b"\xfe\xff": "in UTF-16; it must be in UTF-8",
}
BOM = b"\xef\xbb\xbf"


def rows(
    path: Path, n_columns: int, report: LoadReport, file: FileReport, progress: bool
) -> Iterator[tuple[int, list[str]]]:
    """(line number from 1, its columns) of all lines that have as many columns as they must.

    The others are counted in the report. Line ends may be LF or CRLF; a byte order mark is left
    out.
    """
    for number, line in enumerate(_lines(path, progress), 1):
        file.lines = number
        if line is None:
            report.skip(file, number, "line too long", f"over {LONGEST:,} bytes")
            continue
        try:
            columns = line.decode().split("\t")
        except UnicodeDecodeError as error:
            report.skip(file, number, "not UTF-8", f"byte {error.start + 1}")
            continue
        if len(columns) == n_columns:
            yield number, columns
        elif columns == [""]:
            report.skip(file, number, "empty line")
        else:
            detail = f"{len(columns)}, expected {n_columns}"
            report.skip(file, number, "wrong number of columns", detail)


def _lines(path: Path, progress: bool) -> Iterator[bytes | None]:
    """Lines without their ends; None in place of one that is too long to be one."""
    with open(path, "rb") as file, _bar(path, progress) as bar:
        rest, too_long, first = b"", False, True
        while block := file.read(BLOCK):
            bar.update(len(block))
            if first:
                _check_kind(path, block)
                block, first = block.removeprefix(BOM), False
            head, *tail = block.split(b"\n")
            rest += b"" if too_long else head
            for piece in tail:
                yield None if too_long else rest.removesuffix(b"\r")
                rest, too_long = piece, False
            if len(rest) > LONGEST:
                rest, too_long = b"", True
        if rest or too_long:
            yield None if too_long else rest.removesuffix(b"\r")


def _bar(path: Path, progress: bool) -> tqdm:
    return tqdm(
        total=path.stat().st_size, disable=not progress, desc=path.name, unit="B", unit_scale=True
    )


def _check_kind(path: Path, block: bytes) -> None:
    """A file that is plainly no text is refused at once."""
    for signature, kind in SIGNATURES.items():
        if block.startswith(signature):
            raise ValueError(f"{path} is {kind}")


AMERICAN = re.compile(r"(\d\d?/\d\d?/\d{4}) (\d\d?):([0-5]\d):([0-5]\d) ([AP]M)", re.ASCII)
ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def seconds(text: str) -> float:
    """Seconds UTC of a time in MIND's form, 11/13/2019 8:36:57 AM (month first), or in ISO 8601.

    A time without a zone is UTC, whatever the zone of the machine.

    Raises
    ------
    ValueError
        If it is no time.

    >>> seconds("11/13/2019 8:36:57 AM"), seconds("2019-11-13T09:36:57+01:00")
    (1573634217.0, 1573634217.0)
    """
    if match := AMERICAN.fullmatch(text):
        day, hour, minute, second, half = match.groups()
        if not 1 <= int(hour) <= 12:
            raise ValueError(f"no time: {text!r}")
        hours = int(hour) % 12 + 12 * (half == "PM")
        return float(_midnight(day) + hours * 3600 + int(minute) * 60 + int(second))
    if not ISO.fullmatch(text):
        raise ValueError(f"no time: {text!r}")
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


@lru_cache(maxsize=4096)
def _midnight(day: str) -> int:
    """Seconds UTC at which a day such as 11/13/2019 begins."""
    month, number, year = map(int, day.split("/"))
    return (date(year, month, number) - EPOCH.date()).days * 86_400
