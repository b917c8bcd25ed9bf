"""What a run holds: numbers, data sets, files and the model, each written in MLflow's terms.

Names of metrics have `_at_` for the @ that MLflow refuses. The model is a bundle of arrays beside
a script that reads it ("models from code"), with its requirements named, so that nothing is
pickled, guessed or fetched.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from newsreco.models.bundle import NewsModel
from newsreco.tracking.provenance import code_version, libraries, requirements

if TYPE_CHECKING:
    from newsreco.data import NewsLog
    from newsreco.training import Result

SCRIPT = Path(__file__).with_name("served_model.py")
EVALUATION = "evaluation.npz"  # the artifact with every impression's metrics


def log_result(
    mlflow, result: Result, log: NewsLog, source: str | Path | None, report: bool
) -> None:
    """Everything about a training, to the active run."""
    whole = log.fingerprint()
    mlflow.set_tags(tags_of(result, whole))
    _log_numbers(mlflow, result)
    _log_data(mlflow, {"training": result.data_fingerprint, "evaluation": whole}, source)
    _log_files(mlflow, result, report)
    log_model(mlflow, result.model)


def metric_name(name: str) -> str:
    """A name that MLflow takes: it refuses the @ of ndcg@10.

    >>> metric_name("ndcg@10")
    'ndcg_at_10'
    """
    return name.replace("@", "_at_")


def tags_of(result: Result, log_fingerprint: str) -> dict[str, str]:
    """What the metrics rest on: data, code, libraries."""
    return {
        "data_fingerprint": result.data_fingerprint,
        "log_fingerprint": log_fingerprint,
        "synthetic": "yes" if "best_possible_auc" in result.metrics else "no",
        "code_version": code_version(),
    } | {f"library.{name}": version for name, version in libraries().items()}


def experiment_id(client, uri: str, name: str) -> str:
    """The experiment's id; a new one keeps its files beside the database file."""
    found = client.get_experiment_by_name(name)
    if found is not None:
        return found.experiment_id
    place = None
    if uri.startswith("sqlite:///"):
        file = Path(uri.removeprefix("sqlite:///").partition("?")[0]).absolute()
        place = (file.parent / "mlartifacts" / name).as_uri()
    try:
        return client.create_experiment(name, artifact_location=place)
    except Exception:
        found = client.get_experiment_by_name(name)  # somebody else was quicker
        if found is None:
            raise
        return found.experiment_id


def log_model(mlflow, model: NewsModel) -> None:
    """Add the model to the active run, and its checksum and address `models:/...` as tags."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "bundle"
        model.save(bundle)
        checksum = json.loads((bundle / "manifest.json").read_text())["checksum"]
        info = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(SCRIPT),
            artifacts={"bundle": str(bundle)},
            signature=_signature(),
            pip_requirements=requirements(model.settings),
        )
    mlflow.set_tags({"bundle": checksum, "model_uri": info.model_uri})


def _signature():
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema
    from mlflow.types.schema import Array

    return ModelSignature(
        inputs=Schema([ColSpec("string", "user"), ColSpec("double", "time", required=False)]),
        outputs=Schema([ColSpec(Array(DataType.string), "items")]),
        params=ParamSchema([ParamSpec("k", "long", 10)]),
    )


def _log_numbers(mlflow, result: Result) -> None:
    """The metrics, and the ranker's steps with their numbers."""
    now = int(time.time() * 1000)
    metric = mlflow.entities.Metric
    found = [
        metric(metric_name(name), float(value), now, 0)
        for name, value in result.metrics.items()
        if np.isfinite(value)
    ]
    for row in result.steps:
        losses = {name: value for name, value in row.items() if name != "step"}
        found += [
            metric(f"step_{metric_name(name)}", float(value), now, row["step"])
            for name, value in losses.items()
        ]
    client, run = mlflow.MlflowClient(), mlflow.active_run().info.run_id
    for first in range(0, len(found), 1000):  # as many as one request may hold
        client.log_batch(run, metrics=found[first : first + 1000])


def _log_data(mlflow, digests: dict[str, str], source: str | Path | None) -> None:
    """The two data sets, learned from and judged on, by their fingerprints."""
    from mlflow.data.code_dataset_source import CodeDatasetSource
    from mlflow.data.dataset_source_registry import resolve_dataset_source
    from mlflow.data.meta_dataset import MetaDataset

    place = CodeDatasetSource({}) if source is None else resolve_dataset_source(str(source))
    for context, digest in digests.items():
        mlflow.log_input(MetaDataset(place, name="news", digest=digest), context=context)


def _log_files(mlflow, result: Result, report: bool) -> None:
    """The report with its metrics, all metrics as JSON, and each impression's metrics."""
    from newsreco.reports.page import write_report

    mlflow.log_dict(result.metrics, "metrics.json")
    with tempfile.TemporaryDirectory() as folder:
        if report:
            write_report(result, Path(folder) / "report")
        columns = {name: column.to_numpy() for name, column in result.per_impression.items()}
        np.savez_compressed(Path(folder) / EVALUATION, **columns)
        mlflow.log_artifacts(folder)
