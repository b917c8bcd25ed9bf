"""Backup and restore of the events: one file, whole or refused.

The file is JSON lines, gzipped. Its first line names the columns of each table, each further line
is a row, and the last line holds the number of rows and the SHA-256 of all lines before it. A
backup reads one state of the database while the service goes on writing. A restore is one
transaction: rows whose ids are known change nothing, so it may be repeated, and what is stored of
a user who was deleted, here or in the backup, is removed. Rows get new numbers, in the same order.

Left out: users deleted after the backup was made, whom an empty database does not know of. Delete
them again, or restore into the database that remembers them.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from newsreco.api.events import tables
from newsreco.api.events.store import INSERT, KEYS, TABLES, EventStore
from newsreco.output import json_text
from recsys.files import atomic_file

FORMAT = "newsreco events, version 1"
KEY_OF = {table.name: KEYS[kind] for kind, table in TABLES.items()} | {"deleted_users": "user_id"}
STORED = {table.name: table for table in tables.METADATA.sorted_tables}
PER_USER = (tables.EVENTS, tables.LISTS)
BATCH = 1_000  # rows inserted at once
MAX_LINE = 16_000_000  # bytes; an article is hundreds of times smaller

UNREADABLE = (  # what broken gzip, JSON or rows raise
    EOFError, gzip.BadGzipFile, zlib.error, ValueError, TypeError, KeyError, RecursionError,
)  # fmt: skip

Counts = dict[str, int]


def write_backup(store: EventStore, file: str | Path) -> Counts:
    """Write all that is stored to a file that only its owner may read: the rows of each table.

    Raises
    ------
    ConnectionError
        If the database cannot be read. An earlier file stays as it was.
    """
    counts: Counts = dict.fromkeys(STORED, 0)
    with atomic_file(file) as draft:
        draft.touch(0o600)
        with open(draft, "wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
            checksum = hashlib.sha256()
            for line in _lines(store, counts):
                checksum.update(line)
                packed.write(line)
            packed.write(_line({"rows": counts, "sha256": checksum.hexdigest()}))
        _sync(draft)
    return counts


def _lines(store: EventStore, counts: Counts) -> Iterator[bytes]:
    """The columns, then all rows of one state of the database, counted as they pass."""
    yield _line({"format": FORMAT, "columns": _columns()})
    with store.reading() as connection:
        if store.engine.dialect.name == "postgresql":  # SQLite's transactions are so anyway
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for name, table in STORED.items():
            columns = [table.c[column] for column in _columns()[name]]
            query = sa.select(*columns).order_by(table.c.number)
            for row in connection.execute(query.execution_options(yield_per=BATCH)):
                counts[name] += 1
                yield _line([name, *row])


def _columns() -> dict[str, list[str]]:
    """The columns of each table that are kept: all but the number."""
    return {name: [c.name for c in t.c if c.name != "number"] for name, t in STORED.items()}


def _line(value: object) -> bytes:
    return json_text(value).encode() + b"\n"


def _sync(file: Path) -> None:
    """Return when the file is on the disk."""
    with open(file, "rb") as written:
        os.fsync(written.fileno())


def restore_backup(store: EventStore, file: str | Path) -> Counts:
    """Add what a backup holds to a database, all or nothing: by how many rows each table grew.

    Raises
    ------
    ValueError
        If the file is no backup, is truncated or was changed.
    ConnectionError
        If the database cannot be written.
    """
    check_backup(file)
    with store.transaction() as connection:
        before = _sizes(connection)
        batches: dict[str, list[dict]] = defaultdict(list)
        for name, row in read_backup(file):
            batches[name].append(row)
            if len(batches[name]) == BATCH:
                _insert(connection, name, batches.pop(name))
        for name, rows in batches.items():
            _insert(connection, name, rows)
        deleted = sa.select(tables.DELETED_USERS.c.user_id)
        for table in PER_USER:
            connection.execute(sa.delete(table).where(table.c.user_id.in_(deleted)))
        after = _sizes(connection)
    return {name: after[name] - before[name] for name in after}


def _insert(connection: sa.Connection, name: str, rows: list[dict]) -> None:
    insert = INSERT[connection.dialect.name](STORED[name])
    connection.execute(insert.on_conflict_do_nothing(index_elements=[KEY_OF[name]]), rows)


def _sizes(connection: sa.Connection) -> Counts:
    count = sa.func.count
    return {
        name: connection.scalar(sa.select(count()).select_from(table))
        for name, table in STORED.items()
    }


def check_backup(file: str | Path) -> Counts:
    """Read a backup to its end: the rows of each table; ValueError as for `restore_backup`."""
    counts: Counts = dict.fromkeys(STORED, 0)
    for name, _ in read_backup(file):
        counts[name] += 1
    return counts


def read_backup(file: str | Path) -> Iterator[tuple[str, dict]]:
    """Table and values of each row; ValueError at the latest after the last, so keep none before.

    Raises
    ------
    ValueError
        If the file is no backup, is truncated or was changed.
    """
    try:
        with gzip.open(file, "rb") as lines:
            yield from _rows(lines)
    except _Refused as error:
        reason = str(error)
    except UNREADABLE:
        reason = "is no backup of events, or is truncated, or was changed"
    else:
        return
    raise ValueError(f"backup {str(file)!r} {reason}: nothing was restored")


def _rows(lines: gzip.GzipFile) -> Iterator[tuple[str, dict]]:
    columns, checksum, counts = _columns(), hashlib.sha256(), dict.fromkeys(STORED, 0)
    _check_head(line := lines.readline(MAX_LINE))
    while True:
        checksum.update(line)
        value = json.loads(line := lines.readline(MAX_LINE))
        if isinstance(value, dict):
            break
        name, *values = value
        counts[name] += 1
        yield name, dict(zip(columns[name], values, strict=True))
    if value != {"rows": counts, "sha256": checksum.hexdigest()} or lines.read(1):
        raise _Refused("is truncated or was changed")


def _check_head(line: bytes) -> None:
    head = json.loads(line)
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise _Refused(f"must begin with the format {FORMAT!r}")
    if head.get("columns") != _columns():
        raise _Refused("is of another version of the tables: restore it with that of its making")


class _Refused(Exception):
    """What is wrong with a backup."""
