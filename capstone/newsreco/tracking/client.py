"""Connection to MLflow, checked first and with short error messages.

Tracking records trainings and must never stop one. MLflow retries a server or database that is
down for minutes. So the store is first asked for an answer within `tracking_timeout` seconds, and
every failure becomes one sentence.
"""

from __future__ import annotations

import contextlib
import logging
import math
import re
import sqlite3
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from newsreco.config import read_config, set_mlflow_defaults
from newsreco.output import visible
from recsys.files import atomic_file

DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
NOISY_LOGGERS = ("mlflow", "alembic", "urllib3")


class Unreachable(ConnectionError):
    """MLflow is not installed, or its store does not answer; the message says which."""


def tracking_uri(uri: str | None = None) -> str:
    """URI of the store: the argument, else MLFLOW_TRACKING_URI, else a file in this folder."""
    return uri or read_config().tracking_uri


@contextlib.contextmanager
def mlflow_client(uri: str | None = None, create: bool = False) -> Iterator[ModuleType]:
    """The module `mlflow`, set to a store that answers; its warnings and log lines are suppressed.

    The tracking URI stays set afterwards, so that calls of `mlflow` use the same store.

    Parameters
    ----------
    uri : str, optional
        As for `tracking_uri`.
    create : bool
        Create a missing database file, instead of raising an error.

    Raises
    ------
    Unreachable
    ValueError
        An error of MLflow itself, as one sentence.
    """
    uri = tracking_uri(uri)
    with _quiet():
        mlflow = _import_mlflow()
        if create:
            _create_database(mlflow, uri)
        _check_answers(uri)
        try:
            mlflow.set_tracking_uri(absolute_uri(uri))
            yield mlflow
        except mlflow.exceptions.MlflowException as error:
            raise ValueError(f"MLflow at {mask_password(uri)}: {error_message(error)}") from error


def error_message(error: BaseException) -> str:
    """First line of an error's text, at most 200 characters, without passwords or controls."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    text = visible(mask_password(lines[0]))
    return text if len(text) <= 200 else text[:197] + "..."


def mask_password(text: str) -> str:
    """The text with the password of every URL replaced by asterisks.

    >>> mask_password("postgresql://ann:secret@db/news")
    'postgresql://ann:***@db/news'
    """
    return re.sub(r"(://[^\s:/@]*):[^\s/]*@", r"\1:***@", text)


def sqlite_file(uri: str) -> Path | None:
    """Path of a SQLite database's file; None for any other store."""
    scheme, _, path = uri.partition(":///")
    path = path.partition("?")[0]
    is_file = scheme.partition("+")[0] == "sqlite" and path not in ("", ":memory:")
    return Path(path) if is_file else None


def absolute_uri(uri: str) -> str:
    """The URI with the absolute path of a store in files: MLflow keeps a store open under its URI.

    Those of servers, and databases in memory, stay as they are.
    """
    file = sqlite_file(uri)
    if file is not None:
        scheme, _, rest = uri.partition(":///")
        return f"{scheme}:///{file.absolute()}{rest[len(str(file)) :]}"
    path = uri.removeprefix("file:")
    is_relative = ":" not in path and not path.startswith("/") and uri != "databricks"
    return str(Path(path).absolute()) if is_relative else uri


def _import_mlflow() -> ModuleType:
    set_mlflow_defaults()
    try:
        import mlflow
    except ImportError as error:
        raise Unreachable(f"mlflow is not installed ({error})") from None
    return mlflow


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Suppress MLflow's log lines, which repeat each error with a traceback."""
    loggers = [logging.getLogger(name) for name in NOISY_LOGGERS]
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


def _create_database(mlflow: ModuleType, uri: str) -> None:
    """Create a missing database file with all its tables, or not at all.

    MLflow creates the tables one by one and refuses a file in which it was interrupted.
    """
    path = sqlite_file(uri)
    if path is None or path.exists():
        return
    try:
        with atomic_file(path, overwrite=False) as draft:
            mlflow.MlflowClient(f"sqlite:///{draft}").search_experiments(max_results=1)
    except Exception as error:
        raise Unreachable(f"{uri} cannot be created: {error_message(error)}") from None


def _check_answers(uri: str) -> None:
    """Raise Unreachable if the store does not answer."""
    scheme = uri.partition(":")[0].partition("+")[0]
    try:
        if scheme in ("http", "https"):
            _check_server(uri)
        elif path := sqlite_file(uri):
            _check_file(path)
        elif scheme in DATABASES:
            _check_database(uri)
    except FileNotFoundError:
        raise Unreachable(f"{uri}: the database file does not exist") from None
    except Exception as error:  # drivers have errors of their own
        cause = getattr(error, "reason", None)  # of a URLError
        reason = error_message(cause if isinstance(cause, OSError) else error)
        raise Unreachable(f"{mask_password(uri)} does not answer: {reason}") from None


def _check_server(uri: str) -> None:
    request = urllib.request.Request(uri.rstrip("/") + "/health")
    try:
        urllib.request.urlopen(request, timeout=read_config().tracking_timeout).close()
    except urllib.error.HTTPError as error:
        error.close()
        if error.code >= 500:  # any other status is an answer
            raise


def _check_file(path: Path) -> None:
    """Take and release a write lock: the file is a database and can be written now."""
    if not path.is_file():
        raise FileNotFoundError(path)
    timeout = read_config().tracking_timeout
    with contextlib.closing(sqlite3.connect(path, timeout=timeout)) as database:
        database.execute("BEGIN IMMEDIATE")
        database.rollback()


def _check_database(uri: str) -> None:
    import sqlalchemy

    timeout = math.ceil(read_config().tracking_timeout)
    limits = {} if uri.startswith("mssql") else {"connect_timeout": timeout}
    engine = sqlalchemy.create_engine(uri, connect_args=limits)
    try:
        engine.connect().close()
    finally:
        engine.dispose()
