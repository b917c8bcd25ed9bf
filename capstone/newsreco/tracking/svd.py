"""Runs of the SVD system in MLflow; a failure to record never stops a training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from newsreco.config import SVD_EXPERIMENT
from newsreco.models.svd import SVDSystem
from newsreco.tracking.client import tracking_uri
from newsreco.tracking.provenance import code_version
from newsreco.tracking.runs import Run


def track_svd(
    name: str, system: SVDSystem, metrics: Mapping[str, float], texts: Mapping[str, str],
    uri: str | None = None,
) -> str:  # fmt: skip
    """Record a run: settings, metrics and text files; returns a message, empty if that failed."""

    def log(mlflow) -> None:
        client = mlflow.MlflowClient()
        for metric, value in metrics.items():
            client.log_metric(run.id, metric, value)
        for file, text in texts.items():
            client.log_text(run.id, text, file)

    tags = {"data_fingerprint": system.data_fingerprint, "code_version": code_version()}
    with Run(tracking_uri(uri), SVD_EXPERIMENT) as run:
        run.begin(name, asdict(system.settings) | {"at": system.at}, tags)
        if run.id is not None:
            run.attempt(log)
    return "" if run.reason else f"tracked by MLflow: experiment {SVD_EXPERIMENT}, run {name}"
