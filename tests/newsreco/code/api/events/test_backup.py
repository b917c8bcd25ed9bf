"""Backup and restore of the events, on SQLite and PostgreSQL."""

import gzip
import hashlib
import json
import stat
import threading
from dataclasses import replace

import pytest

from newsreco.api.events import Event, EventStore, NewArticle, ServedList
from newsreco.api.events import backup as module
from newsreco.api.events.backup import (
    check_backup,
    read_backup,
    restore_backup,
    write_backup,
)

KINDS = (Event, ServedList, NewArticle)


def event(n, user="ann"):
    return Event(f"e{n}", user, "N1", "click", 10.0 + n / 3, "l1", 3, 250)


SERVED = ServedList("l1", "ann", 5.1, "v1", "a", ("N3", "N1"), 1, 0.25)
ARTICLE = NewArticle("N9", "news", "local", 'Zürich\n"☃"', "", "", 7.0)
ROWS = [event(1), event(2, "bob"), SERVED, ARTICLE, replace(event(3), list_id=None, position=None)]


@pytest.fixture
def store(database):
    with EventStore(database) as store:
        yield store


@pytest.fixture
def empty(tmp_path):
    """A second store, without rows."""
    with EventStore(f"sqlite:///{tmp_path}/second.db") as store:
        yield store


@pytest.fixture
def file(tmp_path):
    return tmp_path / "events.jsonl.gz"


def contents(store):
    """All rows without their numbers, in order, and the deleted users."""
    rows = [replace(row, number=None) for kind in KINDS for row in store.all(kind)]
    return rows, [user for _, user in store.deleted_users()]


def lines_of(file):
    return gzip.decompress(file.read_bytes()).splitlines(keepends=True)


def write_lines(file, lines):
    file.write_bytes(gzip.compress(b"".join(lines)))


def signed(lines, rows):
    """The lines with a last one that fits them."""
    checksum = hashlib.sha256(b"".join(lines)).hexdigest()
    return [*lines, json.dumps({"rows": rows, "sha256": checksum}).encode() + b"\n"]


def test_restore_gives_back_every_row_in_order(store, empty, file):
    store.add(ROWS)
    store.delete_user("eve", 4.5)
    counts = {"events": 3, "lists": 1, "articles": 1, "deleted_users": 1}
    assert write_backup(store, file) == check_backup(file) == counts
    assert restore_backup(empty, file) == counts
    assert contents(empty) == contents(store)


def test_backup_of_either_database_restores_into_either(store, empty, file):
    empty.add(ROWS)
    write_backup(empty, file)
    restore_backup(store, file)
    assert contents(store) == contents(empty)
    store.add([event(9)])
    assert [row.event_id for row in store.all(Event)] == ["e1", "e2", "e3", "e9"]


def test_second_restore_changes_nothing(store, file):
    store.add(ROWS)
    before = store.after(Event, 0)
    write_backup(store, file)
    assert set(restore_backup(store, file).values()) == {0}
    assert store.after(Event, 0) == before
    store.add([event(9)])
    assert restore_backup(store, file)["events"] == 0 and len(store.after(Event, 0)) == 4


def test_user_deleted_after_the_backup_stays_deleted(store, file):
    store.add(ROWS)
    write_backup(store, file)
    store.delete_user("ann", 20.0)
    assert restore_backup(store, file) == dict.fromkeys(module.STORED, 0)
    assert [row.user_id for row in store.all(Event)] == ["bob"]
    assert store.of_user(ServedList, "ann") == []


def test_user_deleted_in_the_backup_is_deleted_in_the_database(store, empty, file):
    store.add(ROWS)
    store.delete_user("ann", 20.0)
    write_backup(store, file)
    empty.add([event(7), event(8, "bob"), SERVED])
    assert restore_backup(empty, file)["lists"] == -1
    assert [row.event_id for row in empty.all(Event)] == ["e8", "e2"]
    assert empty.add([event(11)]) == [False]
    assert contents(empty)[1] == ["ann"]


def test_equal_databases_have_equal_backups_that_only_the_owner_reads(store, file, tmp_path):
    store.add(ROWS)
    write_backup(store, file)
    write_backup(store, tmp_path / "again.gz")
    assert file.read_bytes() == (tmp_path / "again.gz").read_bytes()
    assert file.read_bytes()[4:8] == bytes(4), "the time in gzip's head"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("keep", [0, 1, 9, 10, 0.5, -9, -8, -1])
def test_truncated_file_is_refused_and_stores_nothing(empty, file, tmp_path, keep):
    with EventStore(f"sqlite:///{tmp_path}/first.db") as store:
        store.add(ROWS)
        write_backup(store, file)
    whole = file.read_bytes()
    file.write_bytes(whole[: int(keep * len(whole)) if isinstance(keep, float) else keep])
    with pytest.raises(ValueError, match=r"^backup '.*events.jsonl.gz' .*nothing was restored$"):
        restore_backup(empty, file)
    assert contents(empty) == ([], [])


def test_every_changed_byte_is_refused_or_changes_no_row(file, tmp_path):
    """What gzip does not check are the time in its head and bits that fill up a byte."""
    with EventStore(f"sqlite:///{tmp_path}/first.db") as store:
        store.add(ROWS[:1])
        write_backup(store, file)
    whole, rows, accepted = file.read_bytes(), list(read_backup(file)), 0
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        file.write_bytes(changed)
        try:
            assert list(read_backup(file)) == rows
            accepted += 1
        except ValueError:
            pass
    assert accepted < 10


CHANGES = {
    "a row is missing": lambda lines: lines[:2] + lines[3:],
    "the last row is missing": lambda lines: lines[:-2] + lines[-1:],
    "two rows are exchanged": lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
    "a value is another": lambda lines: [line.replace(b'"bob"', b'"eve"') for line in lines],
    "a row is added": lambda lines: [*lines[:2], *lines[1:]],
    "lines follow the last": lambda lines: [*lines, lines[1]],
    "no last line": lambda lines: lines[:-1],
    "a row is no list": lambda lines: [lines[0], b"7\n", *lines[1:]],
    "a row has no value": lambda lines: [lines[0], b'["events"]\n', *lines[1:]],
    "a row of no table": lambda lines: [lines[0], b'["secrets", 1]\n', *lines[1:]],
    "a row is nested deeply": lambda lines: [lines[0], b"[" * 100_000 + b"\n", *lines[1:]],
    "another format": lambda lines: [lines[0].replace(b"version 1", b"version 2"), *lines[1:]],
    "other columns": lambda lines: [lines[0].replace(b"dwell_ms", b"dwelt"), *lines[1:]],
    "no lines": lambda lines: [],
    "the rows of a CSV file": lambda lines: [b"event_id,user_id\n"],
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_changed_file_is_refused_and_stores_nothing(store, file, change):
    store.add(ROWS)
    write_backup(store, file)
    store.delete_user("ann", 1.0)
    before = contents(store)
    write_lines(file, change(lines_of(file)))
    with pytest.raises(ValueError, match=r"^backup .*: nothing was restored$"):
        restore_backup(store, file)
    assert contents(store) == before


def signed_wrongly(lines):
    """Files whose checksum fits, as a wrong program could write them."""
    head, row = lines[0], [line for line in lines if line.startswith(b'["events"')][0]
    short = json.dumps(json.loads(row)[:-1]).encode() + b"\n"
    none = dict.fromkeys(module.STORED, 0)
    yield signed([head, row], none | {"events": 2})
    yield signed([head, row], none)
    yield signed([head, short], none | {"events": 1})
    yield signed([head.replace(b"dwell_ms", b"dwelt")], none)
    yield signed([head.replace(b"version 1", b"version 2")], none)


def test_checksum_alone_is_not_enough(store, file):
    store.add(ROWS)
    write_backup(store, file)
    for lines in signed_wrongly(lines_of(file)):
        write_lines(file, lines)
        with pytest.raises(ValueError, match="nothing was restored"):
            check_backup(file)


def test_bad_file_is_refused_before_the_database_is_locked(store, file, monkeypatch):
    write_backup(store, file)
    write_lines(file, lines_of(file)[:-1])
    monkeypatch.setattr(EventStore, "transaction", None)
    with pytest.raises(ValueError, match="nothing was restored"):
        restore_backup(store, file)


def test_restore_that_fails_midway_stores_nothing(store, file, monkeypatch):
    """The file passes its check; a row in its second batch then cannot be stored."""
    monkeypatch.setattr(module, "BATCH", 2)
    head = lines_of_backup(file, store)[0]
    good = [json.dumps(["events", f"e{n}", "ann", "N1", "click", 1.0, None, None, None]) for n in
            range(5)]  # fmt: skip
    rows = [head, *(f"{row}\n".encode() for row in good)]
    rows.append(good[0].replace('"ann"', "null").replace("e0", "e9").encode() + b"\n")
    counts = dict.fromkeys(module.STORED, 0) | {"events": 6}
    write_lines(file, signed(rows, counts))
    assert check_backup(file) == counts
    with pytest.raises(ConnectionError):
        restore_backup(store, file)
    assert contents(store) == ([], [])


def lines_of_backup(file, store):
    write_backup(store, file)
    return lines_of(file)


def test_batches_of_any_size_give_the_same(store, empty, file, monkeypatch):
    store.add([event(n, f"u{n % 3}") for n in range(7)])
    write_backup(store, file)
    monkeypatch.setattr(module, "BATCH", 3)
    restore_backup(empty, file)
    assert contents(empty) == contents(store)


def test_backup_is_one_state_while_the_service_writes(store, database, empty, file):
    """Writers store an event and its list together, so a state has as many of each."""
    done = threading.Event()

    def write(worker):
        number = 0
        with EventStore(database) as mine:
            while not done.is_set():
                name = f"w{worker}-{number}"
                mine.add([replace(SERVED, list_id=name), replace(event(0), event_id=name)])
                number += 1

    writers = [threading.Thread(target=write, args=(worker,)) for worker in range(2)]
    for thread in writers:
        thread.start()
    try:
        sizes = []
        while len(sizes) < 10 or sizes[-1] < 20:
            counts = write_backup(store, file)
            assert counts["events"] == counts["lists"]
            sizes.append(counts["events"])
    finally:
        done.set()
        for thread in writers:
            thread.join()
    assert sizes == sorted(sizes)
    restore_backup(empty, file)
    assert [r.event_id for r in empty.all(Event)] == [
        r.event_id for r in store.all(Event)
    ][: sizes[-1]]  # fmt: skip


def test_failed_backup_leaves_the_earlier_file(store, file, monkeypatch):
    store.add(ROWS)
    write_backup(store, file)
    whole = file.read_bytes()

    def fail(self):
        raise ConnectionError("gone")

    monkeypatch.setattr(EventStore, "reading", fail)
    with pytest.raises(ConnectionError):
        write_backup(store, file)
    assert file.read_bytes() == whole and list(file.parent.glob(".events*")) == []
