"""Addresses of databases, and what is said when one cannot be used; never a password."""

import sqlite3

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from newsreco.feature_store import FeatureStore, database_url
from newsreco.feature_store.database import masked, parse

SECRET = "hunter2secret"


def said_by(database, create=True, error=ValueError):
    """What opening a database and asking it something raises."""
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
    said = said_by(database)
    assert "database must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE" in said
    assert database.partition(":")[0] in said


@pytest.mark.parametrize("database", ["", "features.db", f"u:{SECRET}@h", f"postgresql:u:{SECRET}"])
def test_no_address_at_all(database):
    assert "what came is no such address" in said_by(database)


def test_bad_port():
    assert "no such address" in said_by(f"postgresql://u:{SECRET}@h:port/d")


def test_second_at_sign_does_not_show_half_a_password():
    assert "in a password write %40" in said_by(f"postgresql://u:p@{SECRET}@host/d")


def test_missing_driver(monkeypatch):
    monkeypatch.setattr("newsreco.feature_store.database.find_spec", lambda name: None)
    said = said_by(f"postgresql://u:{SECRET}@h/d")
    assert "needs the package psycopg: pip install 'psycopg[binary]'" in said


def test_unreachable_server():
    said = said_by(f"postgresql://u:{SECRET}@127.0.0.1:1/d", error=ConnectionError)
    assert "postgresql+psycopg://u:***@127.0.0.1:1/d" in said and "refused" in said


def test_wrong_password(server, run_sql):
    run_sql(server, "DROP ROLE IF EXISTS checked", f"CREATE ROLE checked LOGIN PASSWORD '{SECRET}'")
    rules = server.pgdata / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text("local all checked scram-sha-256\n" + before)
    try:
        run_sql(server, "SELECT pg_reload_conf()")
        place = server.get_uri().partition("@")[2]
        right = f"postgresql://checked:{SECRET}@{place}"
        said = said_by(right, create=False)  # let in, and told that there is nothing
        assert "holds no feature tables" in said
        said = said_by(f"postgresql://checked:wrong{SECRET}@{place}", error=ConnectionError)
        assert 'password authentication failed for user "checked"' in said
    finally:
        rules.write_text(before)
        run_sql(server, "SELECT pg_reload_conf()", "DROP ROLE checked")


def test_password_among_the_options():
    said = said_by(f"postgresql://u@127.0.0.1:1/d?password={SECRET}", error=ConnectionError)
    assert "***" in said


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=5))
def test_a_masked_address_holds_no_password(password):
    url = sa.URL.create("postgresql", "u", "<" + password, "h", query={"password": password})
    shown = masked(parse(url.render_as_string(hide_password=False)))
    assert shown == "postgresql+psycopg://u:***@h?password=***"


def test_file_of_another_kind(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("these are notes, and no database at all\n" * 200)
    before = path.read_bytes()
    assert "no SQLite database" in said_by(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_missing_file_is_not_made_by_a_question(tmp_path):
    path = tmp_path / "none.db"
    assert "run `newsreco features build` first" in said_by(f"sqlite:///{path}", create=False)
    assert not path.exists()


@pytest.mark.parametrize("place", ["missing/x.db", "."])
def test_no_file(tmp_path, place):
    assert "a file in a folder that exists" in said_by(f"sqlite:///{tmp_path / place}")


def test_two_slashes():
    assert "three slashes" in said_by("sqlite://features.db")


def test_database_without_our_tables(database):
    if database.startswith("sqlite"):
        path = database.removeprefix("sqlite:///")
        sqlite3.connect(path).close()
    assert "holds no feature tables" in said_by(database, create=False)


def test_where_the_address_comes_from(monkeypatch):
    monkeypatch.delenv("NEWSRECO_DATABASE_URL", raising=False)
    assert database_url() == "sqlite:///newsreco.db"
    monkeypatch.setenv("NEWSRECO_DATABASE_URL", "postgresql://h/d")
    assert database_url() == "postgresql://h/d"
    assert database_url("sqlite://") == "sqlite://"
