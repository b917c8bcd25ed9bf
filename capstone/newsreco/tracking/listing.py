"""Runs of MLflow as plain rows, for a table on a page: newest first, of all trainings.

The status of a run whose model is in production is `active`, and `inactive` once another took its
place; of every other run it is MLflow's own in lower case.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

from newsreco.config import EXPERIMENT, REGISTERED_MODEL, SVD_EXPERIMENT
from newsreco.data.times import iso_time
from newsreco.tracking.client import mlflow_client
from newsreco.tracking.registry import find_production, versions

ModelType = Literal["retrieval", "ranking", "embedding", "hybrid"]
Status = Literal["active", "inactive", "running", "scheduled", "finished", "failed", "killed"]
TYPES = {EXPERIMENT: "hybrid", SVD_EXPERIMENT: "retrieval"}
TAG = "model_type"  # of a run that is of another type than its experiment's
AT_MOST = 1_000  # runs looked at
SERVED = ("promoted", "restored", "rolled back")  # decisions on versions that were in production
COMPARED = 10  # runs at most


def list_runs(
    uri: str | None = None,
    model_type: ModelType | None = None,
    status: Status | None = None,
    limit: int = 100,
) -> list[dict[str, Any]]:
    """The newest runs, perhaps of one type or status; an empty list where nothing is tracked."""
    with mlflow_client(uri, create=True) as mlflow:
        client = mlflow.MlflowClient()
        experiments = {e.experiment_id: e.name for e in client.search_experiments()}
        chosen = [number for number, name in experiments.items() if name in TYPES]
        found = client.search_runs(chosen, max_results=AT_MOST) if chosen else []
        of_run = _versions(client)
        rows = [_row(run, TYPES[experiments[run.info.experiment_id]], of_run) for run in found]
    return [
        row
        for row in rows
        if model_type in (None, row["model_type"]) and status in (None, row["status"])
    ][:limit]


def read_run(run_id: str, uri: str | None = None) -> dict[str, Any]:
    """One run, with its tags; KeyError if there is none."""
    for row in list_runs(uri, limit=AT_MOST):
        if row["run_id"] == run_id:
            with mlflow_client(uri) as mlflow:
                tags = mlflow.MlflowClient().get_run(run_id).data.tags
            return row | {"tags": {k: v for k, v in tags.items() if not k.startswith("mlflow.")}}
    raise KeyError(run_id)


def read_history(run_id: str, uri: str | None = None) -> dict[str, list[dict[str, float]]]:
    """Each metric that was recorded at several steps: its steps and values, in order."""
    metrics = read_run(run_id, uri)["metrics"]
    with mlflow_client(uri) as mlflow:
        client = mlflow.MlflowClient()
        series = {name: client.get_metric_history(run_id, name) for name in metrics}
    return {
        name: [{"step": p.step, "value": p.value} for p in sorted(points, key=lambda p: p.step)]
        for name, points in series.items()
        if len(points) > 1
    }


def summarize(uri: str | None = None) -> dict[str, Any]:
    """Counts of all runs by type and status, and the newest run of each type."""
    rows = list_runs(uri, limit=AT_MOST)
    latest: dict[str, dict[str, Any]] = {}
    for row in rows:
        latest.setdefault(row["model_type"], row)
    return {
        "total_runs": len(rows),
        "counts_by_type": dict(Counter(row["model_type"] for row in rows)),
        "counts_by_status": dict(Counter(row["status"] for row in rows)),
        "latest_models": list(latest.values()),
        "mlflow_url": uri if uri and uri.startswith("http") else None,
    }


def compare(run_ids: list[str], uri: str | None = None) -> dict[str, Any]:
    """The runs, and the metrics that all of them have, run by run; KeyError for an unknown one."""
    known = {row["run_id"]: row for row in list_runs(uri, limit=AT_MOST)}
    runs = [known[run_id] for run_id in dict.fromkeys(run_ids)]
    shared = set.intersection(*(set(run["metrics"]) for run in runs))
    values = {name: {r["run_id"]: r["metrics"][name] for r in runs} for name in sorted(shared)}
    return {"runs": runs, "metrics": values}


def _versions(client) -> dict[str, tuple[int, str | None]]:
    """By run: the number of its version, and active or inactive if it is or was in production."""
    try:
        production = find_production(client, REGISTERED_MODEL)
    except ValueError:  # nothing is registered
        return {}
    found = {}
    for number, version in versions(client, REGISTERED_MODEL).items():
        served = any(f"decision.{action}" in version.tags for action in SERVED)
        status = "inactive" if served else None
        if number == production:
            status = "active"
        found[version.run_id] = (number, status)
    return found


def _row(run, model_type: str, of_run: dict[str, tuple[int, str | None]]) -> dict[str, Any]:
    info, data = run.info, run.data
    version, status = of_run.get(info.run_id, (None, None))
    return {
        "run_id": info.run_id,
        "name": info.run_name,
        "model_type": data.tags.get(TAG, model_type),
        "status": status or info.status.lower(),
        "started": iso_time(info.start_time / 1000),
        "seconds": (info.end_time - info.start_time) / 1000 if info.end_time else None,
        "version": version,
        "metrics": data.metrics,
        "parameters": data.params,
    }
