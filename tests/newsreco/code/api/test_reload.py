"""Promotion, rollback and a broken registry while requests are answered: none of them fails."""

import shutil
import sqlite3
import threading

import pytest
from api_clients import KEY

from newsreco.models.bundle import Settings
from newsreco.tracking.promotion import promote, rollback
from newsreco.tracking.registry import register
from newsreco.training import train


@pytest.fixture
def registry(world, mlflow_uri, tmp_path):
    """The URI of a store with two versions, the first in production."""
    for half_life in (1.0, 3.0):
        folder = tmp_path / f"model-{half_life}"
        train(world.log, Settings(half_life), progress=False, lists=0).model.save(folder)
        register(folder=folder, uri=mlflow_uri)
    promote(1, None, uri=mlflow_uri)
    return mlflow_uri


@pytest.fixture
def client(start, registry):
    client = start(MLFLOW_TRACKING_URI=registry, use_registry=True, poll_seconds=3600)
    client.headers["X-API-Key"] = KEY
    return client


class Load:
    """Requests from another thread, one after the other, until the block ends."""

    def __init__(self, client):
        self.client, self.statuses, self.stop = client, [], threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        return self

    def _run(self):
        while not self.stop.is_set():
            self.statuses.append(self.client.get("/api/recommend/ann").status_code)

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


def reload(client):
    answer = client.post("/api/admin/reload")
    assert answer.status_code == 200
    return answer.json()


def test_promotion_and_rollback_are_served_without_a_failed_request(client, registry):
    assert client.get("/api/health").json()["model_version"] == "v1"
    with Load(client) as load:
        promote(2, None, uri=registry, force=True)
        assert reload(client)["model_version"] == "v2"
        rollback(registry)
        assert reload(client)["model_version"] == "v1"
    assert set(load.statuses) == {200} and len(load.statuses) > 5
    assert client.get("/api/health").json()["model_source"] == "registry"


def test_a_broken_registry_keeps_the_last_good_model_and_says_so(client, registry, tmp_path):
    promote(2, None, uri=registry, force=True)
    files = tmp_path / "store" / "mlartifacts"
    files.rename(tmp_path / "away")
    with Load(client) as load:
        health = reload(client)
    assert (health["status"], health["model_version"]) == ("failing", "v1")
    assert "version 2" in health["problem"]
    assert set(load.statuses) == {200}
    (tmp_path / "away").rename(files)
    health = reload(client)
    assert (health["status"], health["model_version"]) == ("ok", "v2")


def test_a_registry_that_does_not_answer_at_the_start_leaves_the_bundle(start, home, tmp_path):
    (tmp_path / "broken.db").write_bytes(b"no database at all")
    client = start(MLFLOW_TRACKING_URI=f"sqlite:///{tmp_path}/broken.db", use_registry=True)
    health = client.get("/api/health").json()
    assert (health["status"], health["model_source"]) == ("failing", "bundle")
    assert client.get("/api/ready").status_code == 200


def test_an_empty_registry_leaves_the_bundle(start, mlflow_uri):
    client = start(MLFLOW_TRACKING_URI=mlflow_uri, use_registry=True)
    assert client.get("/api/health").json()["model_source"] == "bundle"


def test_events_survive_a_change_of_model(client, registry):
    found = client.get("/api/recommend/zoe").json()
    body = {"user_id": "zoe", "news_id": found["recommendations"][0]["id"], "event": "click"}
    client.post("/api/feedback", json=body)
    promote(2, None, uri=registry, force=True)
    reload(client)
    assert not client.get("/api/recommend/zoe").json()["cold_start"]


def test_a_promotion_is_picked_up_without_a_request(start, registry):
    client = start(MLFLOW_TRACKING_URI=registry, use_registry=True, poll_seconds=0.1)
    promote(2, None, uri=registry, force=True)
    for _ in range(200):
        if client.get("/api/health").json()["model_version"] == "v2":
            return
        threading.Event().wait(0.05)
    raise AssertionError("the promotion was not served")


def test_without_any_model_readiness_fails_and_says_what_to_do(start, home):
    shutil.rmtree(home.model)
    client = start()
    answer = client.get("/api/ready")
    assert answer.status_code == 503 and "manifest.json" in answer.json()["problem"]
    assert client.get("/api/health").status_code == 503


def test_a_changed_bundle_is_not_served(start, home):
    with (home.model / "arrays.npz").open("ab") as file:
        file.write(b"x")
    assert "sha256" in start().get("/api/ready").json()["problem"]


def test_the_store_of_events_stays_open_to_others(client, home):
    with sqlite3.connect(home.folder / "events.db", timeout=1) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
