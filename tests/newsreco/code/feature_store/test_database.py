"""Database URLs and errors, which never show a password."""

import sqlite3

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from newsreco.feature_store import FeatureStore, View, database_url
from newsreco.feature_store.database import masked, parse_url, short_errors

SECRET = "hunter2secret"


def error_of(database, create=True, error=ValueError):
    """Text of the error from opening a database and reading from it."""
    with pytest.raises(error) as caught, FeatureStore(database, create=create) as store:
        store.as_of("item", ["a"], 1.0)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    return str(caught.value)


@pytest.mark.parametrize(
    "database",
    [f"mysql://u:{SECRET}@h/d", "oracle://h", f"postgresql+psycopg2://u:{SECRET}@h/d"],
)
def test_unknown_kind(database):
    text = error_of(database)
    assert "database must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE" in text
    assert database.partition(":")[0] in text


@pytest.mark.parametrize("database", ["", "features.db", f"u:{SECRET}@h", f"postgresql:u:{SECRET}"])
def test_no_url(database):
    assert "got something that is no URL" in error_of(database)


def test_bad_port():
    assert "no URL" in error_of(f"postgresql://u:{SECRET}@h:port/d")


def test_second_at_sign_shows_no_password():
    assert "in a password write %40" in error_of(f"postgresql://u:p@{SECRET}@host/d")


def test_missing_driver(monkeypatch):
    monkeypatch.setattr("newsreco.feature_store.database.find_spec", lambda name: None)
    text = error_of(f"postgresql://u:{SECRET}@h/d")
    assert "needs the package psycopg: pip install 'psycopg[binary]'" in text


def test_unreachable_server():
    text = error_of(f"postgresql://u:{SECRET}@127.0.0.1:1/d", error=ConnectionError)
    assert "postgresql+psycopg://u:***@127.0.0.1:1/d" in text and "refused" in text


def test_wrong_password(server, run_sql):
    run_sql(server, "DROP ROLE IF EXISTS checked", f"CREATE ROLE checked LOGIN PASSWORD '{SECRET}'")
    rules = server.pgdata / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text("local all checked scram-sha-256\n" + before)
    try:
        run_sql(server, "SELECT pg_reload_conf()")
        host = server.get_uri().partition("@")[2]
        right = f"postgresql://checked:{SECRET}@{host}"
        text = error_of(right, create=False)
        assert "holds no feature tables" in text
        text = error_of(f"postgresql://checked:wrong{SECRET}@{host}", error=ConnectionError)
        assert 'password authentication failed for user "checked"' in text
    finally:
        rules.write_text(before)
        run_sql(server, "SELECT pg_reload_conf()", "DROP ROLE checked")


def test_password_among_the_options():
    text = error_of(f"postgresql://u@127.0.0.1:1/d?password={SECRET}", error=ConnectionError)
    assert "***" in text


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=5))
def test_masked_url_holds_no_password(password):
    url = sa.URL.create("postgresql", "u", "<" + password, "h", query={"password": password})
    shown = masked(parse_url(url.render_as_string(hide_password=False)))
    assert shown == "postgresql+psycopg://u:***@h?password=***"


def test_file_of_another_kind(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("these are notes, and no database at all\n" * 200)
    before = path.read_bytes()
    assert "no SQLite database" in error_of(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_reading_creates_no_file(tmp_path):
    path = tmp_path / "none.db"
    assert "run `newsreco features build` first" in error_of(f"sqlite:///{path}", create=False)
    assert not path.exists()


@pytest.mark.parametrize("path", ["missing/x.db", "."])
def test_no_file(tmp_path, path):
    assert "a file in a folder that exists" in error_of(f"sqlite:///{tmp_path / path}")


def test_database_of_an_older_version_is_refused(database):
    older = View("user", ("user_id",), ("visits", "clicks", "decayed_clicks"))
    FeatureStore(database, views=[older]).close()
    with FeatureStore(database) as store:
        with pytest.raises(ValueError, match="was built by an older newsreco"):
            store.as_of("user", ["a"], 1.0)
        row = {"user_id": ["a"], "event_time": [1], "created_time": [1], "impressions": [1]}
        with pytest.raises(ValueError, match="was built by an older newsreco"):
            store.write("user", row | {"clicks": [1], "decayed_clicks": [1]})


def test_two_slashes():
    assert "three slashes" in error_of("sqlite://features.db")


def test_database_without_feature_tables(database):
    if database.startswith("sqlite"):
        path = database.removeprefix("sqlite:///")
        sqlite3.connect(path).close()
    assert "holds no feature tables" in error_of(database, create=False)


def test_url_is_the_argument_the_environment_or_a_file_here(monkeypatch):
    monkeypatch.delenv("NEWSRECO_DATABASE_URL", raising=False)
    assert database_url() == "sqlite:///newsreco.db"
    monkeypatch.setenv("NEWSRECO_DATABASE_URL", "postgresql://h/d")
    assert database_url() == "postgresql://h/d"
    assert database_url("sqlite:///f.db") == "sqlite:///f.db"


@pytest.mark.parametrize(
    "database",
    ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite+pysqlite://", "sqlite:////:memory:",
     "sqlite:///file::memory:?cache=shared&uri=true", "sqlite:///file:x?mode=memory&uri=true"],
)  # fmt: skip
def test_database_in_memory_is_refused_where_it_would_be_gone(database, monkeypatch):
    with pytest.raises(ValueError, match="is in memory and would be gone"):
        database_url(database)
    monkeypatch.setenv("NEWSRECO_DATABASE_URL", database)
    with pytest.raises(ValueError, match="is in memory and would be gone"):
        database_url()


@pytest.mark.parametrize(
    "database",
    [f"postgresql://u:{SECRET}@h/d", f"postgresql://u@h/d?password={SECRET}",
     f"postgresql://u@h/d?sslpassword={SECRET}&connect_timeout=3"],
)  # fmt: skip
def test_error_of_the_driver_shows_no_password(database):
    """A driver may repeat the connection string."""
    driver = Exception(f'connection to "host=h password={SECRET}" failed\n  FATAL: {SECRET}.')
    with pytest.raises(ConnectionError) as caught, short_errors(parse_url(database)):
        raise sa.exc.OperationalError("SELECT 1", {}, driver)
    assert SECRET not in str(caught.value)
    assert 'connection to "host=h password=***" failed FATAL: ***;' in str(caught.value)
