"""A small synthetic log that the tests share."""

import shutil

import pytest

from newsreco.synthetic import make_synthetic_log


@pytest.fixture(scope="session")
def world():
    """100 articles, 800 impressions, 80 users, clicks by preference."""
    return make_synthetic_log(n_articles=100, n_impressions=800, n_users=80, seed=1)


@pytest.fixture(scope="session")
def empty_mlflow(tmp_path_factory):
    """A database of MLflow with its tables and nothing in them: making one takes seconds."""
    from newsreco.tracking.client import mlflow_client

    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    with mlflow_client(f"sqlite:///{path}", create=True) as mlflow:
        mlflow.MlflowClient()
    return path


@pytest.fixture
def mlflow_uri(empty_mlflow, tmp_path):
    """The URI of a new MLflow database."""
    (tmp_path / "store").mkdir()
    shutil.copy(empty_mlflow, tmp_path / "store" / "mlflow.db")
    return f"sqlite:///{tmp_path}/store/mlflow.db"
