"""Reaching MLflow without being stopped by it.

Tracking is there to remember trainings, and must never be what ends one. MLflow waits for a
server or a database with patience: some retries take minutes. So the store is asked first whether
it answers, with a short time limit, and everything that can go wrong becomes one sentence.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import re
import sqlite3
import tempfile
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from newsreco.config import read_config, set_mlflow_defaults

DATABASES = ("sqlite", "postgresql", "mysql", "mssql")


class Unreachable(ConnectionError):
    """MLflow is not installed, or its store does not answer; the message says which."""


def tracking_uri(uri: str | None = None) -> str:
    """The store to use: the one given, else MLFLOW_TRACKING_URI, else a file in this folder."""
    return uri or read_config().tracking_uri


@contextlib.contextmanager
def mlflow_client(uri: str | None = None, create: bool = False) -> Iterator[ModuleType]:
    """The module `mlflow`, set to a store that answers; its warnings and log lines are kept back.

    The tracking URI stays set afterwards, so that calls of `mlflow` see the same store.

    Parameters
    ----------
    uri : str, optional
        As for `tracking_uri`.
    create : bool
        A database file may be new; without it, a missing one is an error.

    Raises
    ------
    Unreachable
    ValueError
        What MLflow itself objects to, in one sentence.
    """
    uri = tracking_uri(uri)
    with _silence():
        mlflow = _import()
        if create:
            _prepare(mlflow, uri)
        _ask(uri, create)
        try:
            mlflow.set_tracking_uri(uri)
            yield mlflow
        except mlflow.exceptions.MlflowException as error:
            raise ValueError(f"MLflow at {without_password(uri)}: {sentence(error)}") from error


def sentence(error: BaseException) -> str:
    """What went wrong, in one line of bounded length that holds no password."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    text = without_password(lines[0])
    return text if len(text) <= 200 else text[:197] + "..."


def without_password(text: str) -> str:
    """Addresses in a text without what stands between colon and @.

    >>> without_password("postgresql://ann:secret@db/news")
    'postgresql://ann:***@db/news'
    """
    return re.sub(r"(://[^\s:/@]*):[^\s/]*@", r"\1:***@", text)


def _import() -> ModuleType:
    set_mlflow_defaults()
    try:
        import mlflow
    except ImportError as error:
        raise Unreachable(f"mlflow is not installed ({error})") from None
    return mlflow


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """MLflow tells the same error as a log line with a traceback; here it is told once."""
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic", "urllib3")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels):
                logger.setLevel(level)


def _prepare(mlflow: ModuleType, uri: str) -> None:
    """A new database file, with all its tables or not there.

    MLflow makes the tables one after the other, and a file in which it was interrupted would be
    refused ever after. So they are made in a file beside its place, which is then linked there,
    unless somebody else was quicker.
    """
    path = _file(uri)
    if path is None or path.exists():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as workshop:
            draft = Path(workshop) / path.name
            mlflow.MlflowClient(f"sqlite:///{draft}").search_experiments(max_results=1)
            _put(draft, path)
    except Exception as error:
        raise Unreachable(f"{uri} cannot be made: {sentence(error)}") from None


def _put(draft: Path, path: Path) -> None:
    """Give a file its place, unless something stands there."""
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        if not path.exists():
            os.replace(draft, path)


def _file(uri: str) -> Path | None:
    """The file of a database that is one."""
    if not uri.startswith("sqlite:///"):
        return None
    path = uri.removeprefix("sqlite:///").partition("?")[0]
    return Path(path) if path and path != ":memory:" else None


def _ask(uri: str, create: bool) -> None:
    """Whether the store answers: Unreachable where it does not."""
    scheme = uri.partition(":")[0].partition("+")[0]
    try:
        if scheme in ("http", "https"):
            _ask_server(uri)
        elif scheme == "sqlite":
            _ask_file(uri, create)
        elif scheme in DATABASES:
            _ask_database(uri)
    except urllib.error.URLError as error:
        why = sentence(error.reason) if isinstance(error.reason, OSError) else sentence(error)
        raise Unreachable(f"{without_password(uri)} does not answer: {why}") from None
    except FileNotFoundError:
        raise Unreachable(f"{uri} is not there: the database file does not exist") from None
    except Exception as error:  # drivers have errors of their own
        raise Unreachable(f"{without_password(uri)} does not answer: {sentence(error)}") from None


def _ask_server(uri: str) -> None:
    request = urllib.request.Request(uri.rstrip("/") + "/health")
    try:
        urllib.request.urlopen(request, timeout=read_config().tracking_timeout).close()
    except urllib.error.HTTPError as error:
        error.close()
        if error.code >= 500:  # any other status is an answer
            raise


def _ask_file(uri: str, create: bool) -> None:
    """A lock that is taken and given back: the file can be written now, and is a database."""
    path = Path(uri.partition("///")[2].partition("?")[0])
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
    elif not path.is_file():
        raise FileNotFoundError(path)
    timeout = read_config().tracking_timeout
    with contextlib.closing(sqlite3.connect(path, timeout=timeout)) as database:
        database.execute("BEGIN IMMEDIATE")
        database.rollback()


def _ask_database(uri: str) -> None:
    import sqlalchemy

    timeout = math.ceil(read_config().tracking_timeout)
    limits = {} if uri.startswith("mssql") else {"connect_timeout": timeout}
    engine = sqlalchemy.create_engine(uri, connect_args=limits)
    try:
        engine.connect().close()
    finally:
        engine.dispose()
