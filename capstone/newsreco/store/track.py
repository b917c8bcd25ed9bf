"""What the SVD system tells MLflow, where MLflow is there; training never waits for it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict

from newsreco.store.svd import SVDSystem

EXPERIMENT = "newsreco-svd"


def track_svd(
    name: str, system: SVDSystem, figures: Mapping[str, float], texts: Mapping[str, str]
) -> str:
    """Log a run; a sentence that says where it is, or why there is none."""
    try:
        import mlflow
    except ImportError:
        return "not tracked: the package mlflow is not installed"
    try:
        mlflow.set_tracking_uri(os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db")
        mlflow.set_experiment(EXPERIMENT)
        with mlflow.start_run(run_name=name) as run:
            mlflow.log_params(asdict(system.settings) | {"at": system.at})
            mlflow.set_tag("data_fingerprint", system.data_fingerprint)
            mlflow.log_metrics(dict(figures))
            for file, text in texts.items():
                mlflow.log_text(text, file)
    except Exception as error:  # a server that is down must not undo a finished training
        return f"not tracked: {type(error).__name__} from MLflow"
    return f"tracked by MLflow: experiment {EXPERIMENT}, run {run.info.run_name}"
