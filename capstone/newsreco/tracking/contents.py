"""Contents of a run in MLflow: metrics, data sets, files and the model.

Names of metrics have `_at_` for the @ that MLflow refuses. The model is a bundle of arrays beside
a script that reads it ("models from code"), with its requirements listed: nothing is pickled.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from newsreco.models.bundle import NewsModel
from newsreco.output import json_text
from newsreco.tracking.provenance import code_version, libraries, requirements
from recsys import bundle
from recsys.files import temporary_folder

if TYPE_CHECKING:
    from newsreco.data import NewsLog
    from newsreco.training import Result

SCRIPT = Path(__file__).with_name("served_model.py")
EVALUATION = "evaluation.npz"  # the artifact with the metrics of every impression
BATCH = 1000  # metrics in one request, MLflow's limit


def log_result(
    mlflow, result: Result, log: NewsLog, source: str | Path | None, report: bool
) -> None:
    """Log everything about a training to the active run."""
    fingerprint = log.fingerprint()
    mlflow.set_tags(result_tags(result, fingerprint))
    _log_metrics(mlflow, result)
    _log_data(mlflow, {"training": result.data_fingerprint, "evaluation": fingerprint}, source)
    _log_files(mlflow, result, report)
    log_model(mlflow, result.model)


def metric_name(name: str) -> str:
    """The name with `_at_` for @, which MLflow refuses.

    >>> metric_name("ndcg@10")
    'ndcg_at_10'
    """
    return name.replace("@", "_at_")


def result_tags(result: Result, log_fingerprint: str) -> dict[str, str]:
    """Provenance of the metrics: data, code and libraries."""
    return {
        "data_fingerprint": result.data_fingerprint,
        "log_fingerprint": log_fingerprint,
        "synthetic": "yes" if "best_possible_auc" in result.metrics else "no",
        "code_version": code_version(),
    } | {f"library.{name}": version for name, version in libraries().items()}


def log_model(mlflow, model: NewsModel) -> None:
    """Log the model to the active run, with its checksum and `models:/...` URI as tags."""
    with temporary_folder("newsreco") as folder:
        path = folder / "bundle"
        model.save(path)
        checksum = bundle.read_manifest(path)["checksum"]
        info = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(SCRIPT),
            artifacts={"bundle": str(path)},
            signature=_signature(),
            pip_requirements=requirements(model.settings),
        )
    mlflow.set_tags({"checksum": checksum, "model_uri": info.model_uri})


def _signature():
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema
    from mlflow.types.schema import Array

    return ModelSignature(
        inputs=Schema([ColSpec("string", "user"), ColSpec("double", "time", required=False)]),
        outputs=Schema([ColSpec(Array(DataType.string), "items")]),
        params=ParamSchema([ParamSpec("k", "long", 10)]),
    )


def _log_metrics(mlflow, result: Result) -> None:
    """The finite metrics, and those of each optimisation step of the ranker."""
    values = [(metric_name(name), value, 0) for name, value in result.metrics.items()]
    for row in result.steps:
        names = [name for name in row if name != "step"]
        values += [(f"step_{metric_name(name)}", row[name], row["step"]) for name in names]
    now = int(time.time() * 1000)
    metrics = [
        mlflow.entities.Metric(name, float(value), now, step)
        for name, value, step in values
        if np.isfinite(value)
    ]
    client, run = mlflow.MlflowClient(), mlflow.active_run().info.run_id
    for first in range(0, len(metrics), BATCH):
        client.log_batch(run, metrics=metrics[first : first + BATCH])


def _log_data(mlflow, digests: dict[str, str], source: str | Path | None) -> None:
    """The training and evaluation data sets, by their fingerprints."""
    from mlflow.data.code_dataset_source import CodeDatasetSource
    from mlflow.data.dataset_source_registry import resolve_dataset_source
    from mlflow.data.meta_dataset import MetaDataset

    where = CodeDatasetSource({}) if source is None else resolve_dataset_source(str(source))
    for context, digest in digests.items():
        mlflow.log_input(MetaDataset(where, name="news", digest=digest), context=context)


def _log_files(mlflow, result: Result, report: bool) -> None:
    """The report, all metrics as JSON, and the metrics of every impression."""
    from newsreco.reports.page import write_report  # loads Matplotlib

    mlflow.log_text(json_text(result.metrics, indent=2), "metrics.json")
    with temporary_folder("newsreco") as folder:
        if report:
            write_report(result, folder / "report")
        columns = {name: column.to_numpy() for name, column in result.per_impression.items()}
        np.savez_compressed(folder / EVALUATION, **columns)
        mlflow.log_artifacts(str(folder))
