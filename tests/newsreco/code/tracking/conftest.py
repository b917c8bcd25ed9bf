"""Trained models of different quality, recorded in MLflow and registered."""

import socket
from copy import copy
from dataclasses import replace

import numpy as np
import pytest

from newsreco.models.bundle import Settings
from newsreco.synthetic import make_synthetic_log
from newsreco.tracking.client import mlflow_client
from newsreco.tracking.registry import register
from newsreco.tracking.runs import tracked
from newsreco.training import train


@pytest.fixture(scope="session")
def dataset():
    """300 articles, 3,000 impressions, 300 users."""
    return make_synthetic_log(n_impressions=3000, n_users=300, seed=2)


@pytest.fixture(scope="session")
def good(dataset):
    return train(dataset.log, Settings(), dataset.truth, progress=False, lists=0)


@pytest.fixture(scope="session")
def weak(dataset):
    """Trained on clicks shuffled within each impression of the training set."""
    log, rng = dataset.log, np.random.default_rng(0)
    shown, clicked = log.impressions, log.impressions.clicked.copy()
    for first, last in zip(shown.start[: log.cut(log.cutoff_time())], shown.start[1:]):
        clicked[first:last] = rng.permutation(clicked[first:last])
    shuffled = replace(log, impressions=replace(shown, clicked=clicked))
    return train(shuffled, Settings(), progress=False, lists=0)


@pytest.fixture(scope="session")
def inverted(good):
    """The good model with its weights negated."""
    ranker = copy(good.model.ranker)
    ranker.weights = -ranker.weights
    return replace(good, model=replace(good.model, ranker=ranker))


@pytest.fixture
def add_version(dataset, mlflow_uri):
    """A function that registers a training's model: the version's number."""

    def add(result):
        with tracked(result.settings, mlflow_uri) as run:
            run.log(result, dataset.log, report=False)
        assert run.reason is None
        return register(run.id, uri=mlflow_uri)

    return add


@pytest.fixture(scope="session")
def same_model():
    """A function that compares the rankers of two models."""
    return lambda model, other: np.array_equal(model.ranker.weights, other.ranker.weights)


@pytest.fixture(scope="session")
def result(world):
    return train(world.log, Settings(), world.truth, progress=False)


@pytest.fixture
def record(mlflow_uri):
    """A function that records a training in MLflow: its run."""

    def record_in(result, log, uri=mlflow_uri, **options):
        with tracked(result.settings, uri, **options) as run:
            run.log(result, log)
        return run

    return record_in


@pytest.fixture
def read_run(mlflow_uri):
    """A function that reads a run back from MLflow."""

    def read(run_id, uri=mlflow_uri):
        with mlflow_client(uri) as mlflow:
            return mlflow.MlflowClient().get_run(run_id)

    return read


@pytest.fixture
def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
