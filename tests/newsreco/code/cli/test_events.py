"""`newsreco events` on files, and its errors in one sentence."""

import pytest

from newsreco.api.events import Event, EventStore
from newsreco.cli import main

CLICK = Event("e1", "ann", "N1", "click", 10.0)


@pytest.fixture
def url(tmp_path):
    """The URL of a database with one event."""
    with EventStore(f"sqlite:///{tmp_path}/events.db") as store:
        store.add([CLICK])
    return f"sqlite:///{tmp_path}/events.db"


def test_backup_then_restore_into_a_new_database(url, tmp_path, capsys):
    file, new = str(tmp_path / "b.gz"), f"sqlite:///{tmp_path}/new.db"
    assert main(["events", "backup", "--database", url, "--out", file]) == 0
    written = f"1 events, 0 lists, 0 articles, 0 deleted users written to {file}\n"
    assert capsys.readouterr().out == written
    for grown in (1, 0):
        assert main(["events", "restore", "--database", new, "--from", file]) == 0
        last = capsys.readouterr().out.splitlines()[-1]
        assert last == f"the database grew by {grown} events, 0 lists, 0 articles, 0 deleted users"
    with EventStore(new, create=False) as store:
        assert [row.event_id for row in store.all(Event)] == ["e1"]


def test_database_may_be_set_in_the_environment(url, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NEWSRECO_EVENTS_URL", url)
    assert main(["events", "backup", "--out", str(tmp_path / "b.gz")]) == 0
    monkeypatch.delenv("NEWSRECO_EVENTS_URL")
    assert main(["events", "backup", "--out", str(tmp_path / "b.gz")]) == 2
    assert "--database or NEWSRECO_EVENTS_URL" in capsys.readouterr().err


def test_wrong_input_is_one_sentence_and_makes_nothing(url, tmp_path, capsys):
    whole = tmp_path / "whole.gz"
    assert main(["events", "backup", "--database", url, "--out", str(whole)]) == 0
    (tmp_path / "part.gz").write_bytes(whole.read_bytes()[:-20])
    (tmp_path / "text.gz").write_text("no gzip")
    new = f"sqlite:///{tmp_path}/new.db"
    missing = f"sqlite:///{tmp_path}/missing.db"
    for words in (
        ["restore", "--database", new, "--from", str(tmp_path / "part.gz")],
        ["restore", "--database", new, "--from", str(tmp_path / "text.gz")],
        ["restore", "--database", new, "--from", str(tmp_path / "nothing.gz")],
        ["restore", "--database", new, "--from", str(tmp_path)],
        ["restore", "--database", "mysql://h/d", "--from", str(whole)],
        ["backup", "--database", missing, "--out", str(tmp_path / "b.gz")],
        ["backup", "--database", url, "--out", str(tmp_path)],
    ):
        capsys.readouterr()
        assert main(["events", *words]) == 2
        error = capsys.readouterr().err
        assert error.startswith("newsreco events") and error.count("\n") == 1, error
    assert not (tmp_path / "new.db").exists() and not (tmp_path / "missing.db").exists()
    assert not (tmp_path / "b.gz").exists()
