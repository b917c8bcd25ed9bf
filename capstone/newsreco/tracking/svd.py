"""What the SVD system tells MLflow, where MLflow answers; training never fails because of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from newsreco.config import SVD_EXPERIMENT
from newsreco.models.svd import SVDSystem
from newsreco.tracking.client import mlflow_client, sentence, tracking_uri
from newsreco.tracking.contents import experiment_id
from newsreco.tracking.provenance import code_version


def track_svd(
    name: str, system: SVDSystem, metrics: Mapping[str, float], texts: Mapping[str, str],
    uri: str | None = None,
) -> str:  # fmt: skip
    """Record a run: settings, metrics and files of text; a sentence that says how it went."""
    tags = {"data_fingerprint": system.data_fingerprint, "code_version": code_version()}
    try:
        with mlflow_client(uri, create=True) as mlflow:
            where = experiment_id(mlflow.MlflowClient(), tracking_uri(uri), SVD_EXPERIMENT)
            with mlflow.start_run(experiment_id=where, run_name=name, nested=True, tags=tags):
                mlflow.log_params(asdict(system.settings) | {"at": system.at})
                mlflow.log_metrics(dict(metrics))
                for file, text in texts.items():
                    mlflow.log_text(text, file)
    except Exception as error:  # whatever it is, the training is worth more than its record
        return f"not tracked: {sentence(error)}"
    return f"tracked by MLflow: experiment {SVD_EXPERIMENT}, run {name}"
