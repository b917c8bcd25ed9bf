"""The event store on SQLite and PostgreSQL: durable, idempotent, in order of commits."""

import threading
from dataclasses import replace

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from newsreco.api.events import Event, EventStore, NewArticle, ServedList
from newsreco.api.events.tables import METADATA


def event(n, user="ann", kind="click"):
    return Event(f"e{n}", user, "N1", kind, 10.0 + n, "l1", 3, 250)


SERVED = ServedList("l1", "ann", 5.0, "v1", "a", ("N3", "N1"), 1, 0.25)
ARTICLE = NewArticle("N9", "news", "local", "A title", "An abstract", "", 7.0)


@pytest.fixture
def store(database):
    with EventStore(database) as store:
        yield store


def without_number(rows):
    return [replace(row, number=None) for row in rows]


def test_rows_of_every_kind_come_back_as_they_were(store):
    rows = [event(1), SERVED, ARTICLE]
    assert store.add(rows) == [True, True, True]
    for row in rows:
        assert without_number(store.after(type(row), 0)) == [row]
    assert without_number(store.of_user(ServedList, "ann")) == [SERVED]


def test_a_known_id_changes_nothing(store):
    assert store.add([event(1), event(1), replace(event(1), news_id="N2")]) == [True, False, False]
    assert store.add([replace(SERVED, model="v2"), SERVED]) == [True, False]
    assert without_number(store.after(Event, 0)) == [event(1)]
    assert store.after(ServedList, 0)[0].model == "v2"


def test_rows_after_a_number_are_read_in_order_and_in_parts(store):
    store.add([event(n) for n in range(7)])
    first = store.after(Event, 0, limit=3)
    assert [row.event_id for row in first] == ["e0", "e1", "e2"]
    rest = store.after(Event, first[-1].number)
    assert [row.event_id for row in rest] == ["e3", "e4", "e5", "e6"]
    assert [row.event_id for row in store.all(Event)] == [f"e{n}" for n in range(7)]
    assert store.after(Event, rest[-1].number) == []


def test_version_changes_with_what_a_model_follows_in_any_store(store, database):
    before = store.version()
    store.add([SERVED])
    assert store.version() == before, "a list changes no model"
    store.add([event(1)])
    mine = store.version()
    with EventStore(database) as other:
        other.add([ARTICLE])
        theirs = store.version()
        other.delete_user("ann", 1.0)
    assert len({before, mine, theirs, store.version()}) == 4


def test_a_reader_that_follows_misses_no_row_of_simultaneous_writers(store, database):
    seen, done = [], threading.Event()

    def follow():
        number = 0
        while True:
            last = done.is_set()
            for row in store.after(Event, number):
                seen.append(row.event_id)
                number = row.number
            if last:
                return

    def write(worker):
        with EventStore(database) as mine:
            for n in range(25):
                mine.add([replace(event(n), event_id=f"w{worker}-{n}-{i}") for i in range(3)])

    writers = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    reader = threading.Thread(target=follow)
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert len(seen) == 300 and len(set(seen)) == 300


def test_deletion_removes_a_user_and_refuses_later_rows(store):
    store.add([event(1), SERVED, event(2, user="bob")])
    assert store.delete_user("ann", 20.0) == 2
    assert store.of_user(Event, "ann") == [] and store.of_user(ServedList, "ann") == []
    assert store.add([event(3), event(4, user="bob")]) == [False, True]
    assert [user for _, user in store.deleted_users()] == ["ann"]
    assert store.delete_user("ann", 21.0) == 0
    assert len(store.deleted_users()) == 1


def test_a_number_is_never_given_twice(store):
    store.add([event(1)])
    last = store.after(Event, 0)[-1].number
    store.delete_user("ann", 1.0)
    store.add([event(2, user="bob")])
    assert store.after(Event, 0)[-1].number > last


def test_migrations_make_the_tables_as_they_are_declared(store):
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, METADATA) == []


def test_a_database_of_a_later_version_is_refused(store, database):
    with store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ValueError, match="later newsreco"):
        EventStore(database)


def test_a_failed_transaction_stores_nothing(store):
    with pytest.raises(ConnectionError):
        store.add([event(1), replace(event(2), news_id=None)])
    assert store.after(Event, 0) == []


def test_sqlite_syncs_every_commit_and_writes_ahead(tmp_path):
    with EventStore(f"sqlite:///{tmp_path}/e.db") as store, store.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///"])
def test_memory_is_refused(url):
    with pytest.raises(ValueError, match="memory"):
        EventStore(url)


def test_errors_show_no_password():
    with pytest.raises((ValueError, ConnectionError)) as caught:
        EventStore("postgresql://ann:secret-word@127.0.0.1:1/news")
    assert "secret-word" not in str(caught.value)
