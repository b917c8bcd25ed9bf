"""Runs of the SVD system in MLflow; a failure to record never stops a training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from newsreco.config import SVD_EXPERIMENT
from newsreco.models.svd import SVDSystem
from newsreco.tracking.client import error_message, mlflow_client, tracking_uri
from newsreco.tracking.provenance import code_version
from newsreco.tracking.runs import experiment_id


def track_svd(
    name: str, system: SVDSystem, metrics: Mapping[str, float], texts: Mapping[str, str],
    uri: str | None = None,
) -> str:  # fmt: skip
    """Record a run: settings, metrics and text files; returns a message on the outcome."""
    tags = {"data_fingerprint": system.data_fingerprint, "code_version": code_version()}
    try:
        with mlflow_client(uri, create=True) as mlflow:
            experiment = experiment_id(mlflow.MlflowClient(), tracking_uri(uri), SVD_EXPERIMENT)
            with mlflow.start_run(experiment_id=experiment, run_name=name, nested=True, tags=tags):
                mlflow.log_params(asdict(system.settings) | {"at": system.at})
                mlflow.log_metrics(dict(metrics))
                for file, text in texts.items():
                    mlflow.log_text(text, file)
    except Exception as error:  # of any kind: it must not stop the training
        return f"not tracked: {error_message(error)}"
    return f"tracked by MLflow: experiment {SVD_EXPERIMENT}, run {name}"
