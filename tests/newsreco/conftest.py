"""A small made-up world that the capstone's tests share."""

import shutil

import pytest

from newsreco.data import make_world


@pytest.fixture(scope="session")
def world():
    """100 articles, 800 impressions, 80 people, clicks by taste."""
    return make_world(n_articles=100, n_impressions=800, n_users=80, seed=1)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """A database of MLflow with its tables and nothing in them: making one takes seconds."""
    from newsreco.connect import reach

    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    with reach(f"sqlite:///{path}", create=True) as mlflow:
        mlflow.MlflowClient()
    return path


@pytest.fixture
def store(empty_store, tmp_path):
    """The URI of a new store."""
    (tmp_path / "store").mkdir()
    shutil.copy(empty_store, tmp_path / "store" / "mlflow.db")
    return f"sqlite:///{tmp_path}/store/mlflow.db"
