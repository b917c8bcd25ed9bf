"""The model metrics API over a real MLflow store."""

import pytest
from api_clients import KEY

from newsreco.models.bundle import Settings
from newsreco.tracking.promotion import promote
from newsreco.tracking.registry import register
from newsreco.tracking.runs import tracked
from newsreco.training import train


@pytest.fixture
def runs(world, mlflow_uri):
    """Ids of two recorded trainings; the first is in production."""
    ids = []
    for half_life in (1.0, 3.0):
        settings = Settings(half_life_days=half_life)
        with tracked(settings, mlflow_uri) as run:
            result = train(world.log, settings, progress=False, lists=0)
            run.log(result, world.log, report=False)
        ids.append(run.id)
        register(run.id, uri=mlflow_uri)
    promote(1, None, uri=mlflow_uri)
    return ids


@pytest.fixture
def client(start, mlflow_uri, runs):
    client = start(MLFLOW_TRACKING_URI=mlflow_uri)
    client.headers["X-API-Key"] = KEY
    return client


def get(client, path, **params):
    answer = client.get(f"/api/models/{path}", params=params)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["success"]
    return body


def test_runs_are_listed_newest_first_with_status_and_version(client, runs):
    body = get(client, "runs")
    assert [row["run_id"] for row in body["data"]] == runs[::-1] and body["count"] == 2
    assert [row["status"] for row in body["data"]] == ["finished", "active"]
    assert [row["version"] for row in body["data"]] == [2, 1]
    assert {row["model_type"] for row in body["data"]} == {"hybrid"}
    assert body["data"][1]["parameters"]["half_life_days"] == "1.0"
    assert 0.5 < body["data"][0]["metrics"]["ranker_auc"] < 1


def test_runs_are_filtered(client, runs):
    assert [r["run_id"] for r in get(client, "runs", status="active")["data"]] == runs[:1]
    assert get(client, "runs", model_type="retrieval")["data"] == []
    assert [r["run_id"] for r in get(client, "runs", limit=1)["data"]] == runs[1:]
    answer = client.get("/api/models/runs", params={"status": "best"})
    assert answer.status_code == 422


def test_a_run_that_left_production_is_inactive(client, runs, mlflow_uri):
    promote(2, None, uri=mlflow_uri, force=True)
    assert [r["status"] for r in get(client, "runs")["data"]] == ["active", "inactive"]


def test_one_run_has_tags_and_a_history_of_its_steps(client, runs):
    assert get(client, f"runs/{runs[0]}")["data"]["tags"]["synthetic"] == "no"
    loss = get(client, f"runs/{runs[0]}/history")["data"]["step_loss"]
    assert [point["step"] for point in loss] == list(range(len(loss))) and len(loss) > 2
    assert loss[-1]["value"] < loss[0]["value"]
    answer = client.get(f"/api/models/runs/{'0' * 32}")
    assert answer.status_code == 404 and "0" * 32 in answer.json()["detail"]


def test_summary_counts_and_names_the_latest(client, runs):
    data = get(client, "summary")["data"]
    assert data["total_runs"] == 2 and data["counts_by_type"] == {"hybrid": 2}
    assert data["counts_by_status"] == {"active": 1, "finished": 1}
    assert [row["run_id"] for row in data["latest_models"]] == [runs[1]]


def test_runs_are_compared_on_shared_metrics(client, runs):
    body = client.post("/api/models/compare", json={"run_ids": runs}).json()
    assert [row["run_id"] for row in body["data"]["runs"]] == runs
    first = get(client, f"runs/{runs[0]}")["data"]["metrics"]["ranker_auc"]
    assert body["data"]["metrics"]["ranker_auc"][runs[0]] == first
    unknown = client.post("/api/models/compare", json={"run_ids": ["0" * 32]})
    assert unknown.status_code == 404


def test_without_a_key_only_a_demonstration_shows_runs(start, mlflow_uri, runs):
    for demo, status in ((False, 401), (True, 200)):
        client = start(demo=demo, MLFLOW_TRACKING_URI=mlflow_uri)
        assert client.get("/api/models/summary").status_code == status


def test_nothing_recorded_is_an_empty_table(start, tmp_path):
    client = start(demo=True, MLFLOW_TRACKING_URI=f"sqlite:///{tmp_path}/none.db")
    assert get(client, "runs")["data"] == []
