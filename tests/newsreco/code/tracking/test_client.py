"""Connection to MLflow: a store that does not answer is named at once, without its password."""

import shutil
import socket

import pytest

from newsreco.tracking.client import (
    Unreachable,
    absolute_uri,
    mlflow_client,
    sqlite_file,
    tracking_uri,
)


def test_uri_is_the_argument_the_environment_or_a_file_here(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://there")
    assert tracking_uri("sqlite:///a.db") == "sqlite:///a.db"
    assert tracking_uri() == "http://there"
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert tracking_uri() == "sqlite:///mlflow.db"


def test_file_of_a_sqlite_uri():
    assert str(sqlite_file("sqlite:////tmp/a.db?timeout=5")) == "/tmp/a.db"
    for other in ("sqlite://", "sqlite:///:memory:", "http://there", "postgresql://u@h/d"):
        assert sqlite_file(other) is None


def test_relative_paths_of_stores_become_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert absolute_uri("sqlite:///a/b.db?timeout=5") == f"sqlite:///{tmp_path}/a/b.db?timeout=5"
    assert absolute_uri("sqlite:////a.db") == "sqlite:////a.db"
    for relative in ("mlruns", "./mlruns", "file:mlruns", "file:./mlruns"):
        assert absolute_uri(relative) == f"{tmp_path}/mlruns"
    for other in (
        "http://there",
        "file:///mlruns",
        "postgresql://u@h/d",
        "sqlite://",
        "databricks",
    ):
        assert absolute_uri(other) == other


def test_relative_uri_is_of_the_working_folder_of_each_call(tmp_path, empty_mlflow, monkeypatch):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        shutil.copy(empty_mlflow, tmp_path / name / "mlflow.db")
        monkeypatch.chdir(tmp_path / name)
        with mlflow_client("sqlite:///mlflow.db") as mlflow:
            mlflow.MlflowClient().create_experiment(name)
            found = {experiment.name for experiment in mlflow.search_experiments()}
        assert found == {"Default", name}


def test_server_that_accepts_and_never_answers_times_out(monkeypatch):
    monkeypatch.setenv("NEWSRECO_TRACKING_TIMEOUT", "0.2")
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"http://127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises(Unreachable, match="timed out"), mlflow_client(address):
            pass


def test_database_that_is_down_is_named_without_its_password(free_port):
    address = f"postgresql+psycopg://ann:secret@127.0.0.1:{free_port}/news"
    with pytest.raises(Unreachable) as error, mlflow_client(address):
        pass
    assert "ann:***@" in str(error.value) and "secret" not in str(error.value)
