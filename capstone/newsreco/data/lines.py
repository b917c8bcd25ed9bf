"""The lines of a large file, one at a time: only its last block is in memory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path

from tqdm import tqdm

from newsreco.data.file_report import FileReport
from newsreco.data.load_report import LoadReport

BLOCK = 1 << 20  # bytes per read
MAX_LINE = 1 << 24  # bytes
SIGNATURES = {
    b"PK\x03\x04": "a zip archive: unpack it first",
    b"\x1f\x8b": "compressed by gzip: unpack it first",
    b"\xff\xfe": "in UTF-16; it must be in UTF-8",
    b"\xfe\xff": "in UTF-16; it must be in UTF-8",
}
BOM = b"\xef\xbb\xbf"
NAMES = re.compile("[^a-z]")  # what is left out of a column's name before it is compared


def rows(
    path: Path, n_columns: int, report: LoadReport, file: FileReport, progress: bool
) -> Iterator[tuple[int, list[str]]]:
    """(line number from 1, columns) of all lines with `n_columns` columns.

    The others are counted in the report. Line ends may be LF or CRLF; a byte order mark is ignored.
    """
    for number, line in enumerate(_lines(path, progress), 1):
        file.lines = number
        if line is None:
            report.skip(file, number, "line too long", f"over {MAX_LINE:,} bytes")
            continue
        try:
            columns = line.decode().split("\t")
        except UnicodeDecodeError as error:
            report.skip(file, number, "not UTF-8", f"byte {error.start + 1}")
            continue
        if b"\0" in line:
            report.skip(file, number, "zero byte", f"byte {line.index(0) + 1}")
        elif len(columns) == n_columns:
            yield number, columns
        elif columns == [""]:
            report.skip(file, number, "empty line")
        else:
            detail = f"{len(columns)}, expected {n_columns}"
            report.skip(file, number, "wrong number of columns", detail)


def is_header(columns: Sequence[str], names: dict[int, Sequence[str]]) -> bool:
    """Whether the columns that `names` numbers hold one of their names, in any spelling.

    >>> is_header(["News_ID", "Title"], {0: ["newsid", "id"], 1: ["title"]})
    True
    """
    return all(NAMES.sub("", columns[c].lower()) in known for c, known in names.items())


def line_digest(columns: Sequence[str]) -> bytes:
    """16 bytes that tell a line from all others."""
    return blake2b("\t".join(columns).encode(), digest_size=16).digest()


def _lines(path: Path, progress: bool) -> Iterator[bytes | None]:
    """Lines without their ends; None for a line longer than MAX_LINE."""
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
            if len(rest) > MAX_LINE:
                rest, too_long = b"", True
        if rest or too_long:
            yield None if too_long else rest.removesuffix(b"\r")


def _bar(path: Path, progress: bool) -> tqdm:
    return tqdm(
        total=path.stat().st_size, disable=not progress, desc=path.name, unit="B", unit_scale=True
    )


def _check_kind(path: Path, block: bytes) -> None:
    """Refuse a file whose signature is not that of text."""
    for signature, kind in SIGNATURES.items():
        if block.startswith(signature):
            raise ValueError(f"{path} is {kind}")
