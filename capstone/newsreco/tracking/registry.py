"""The model registry: numbered versions, which one is in production, and their provenance.

A version is the model of a run, with tags for its data, code and metrics. The alias `production`
points to the version that serves; servers ask for the alias, never for a number. Loading reads
arrays only and runs nothing from the store, and what it reads must equal what was registered byte
for byte: the version keeps the bundle's checksum.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from newsreco.config import ALIAS, EXPERIMENT, REGISTERED_MODEL
from newsreco.evaluation.impressions import METRICS
from newsreco.models.bundle import NewsModel, load_model
from newsreco.tracking.artifacts import find_files
from newsreco.tracking.client import mlflow_client, tracking_uri
from newsreco.tracking.contents import log_model
from newsreco.tracking.provenance import code_version
from newsreco.tracking.runs import experiment_id, run_name
from recsys.bundle import read_manifest
from recsys.files import temporary_folder

METRIC_TAGS = [f"ranker_{key}{end}" for key in METRICS.values() for end in ("", "_low", "_high")]
COPIED_TAGS = ("data_fingerprint", "log_fingerprint", "code_version", "synthetic", "checksum")


def register(
    run: str | None = None,
    folder: str | Path | None = None,
    uri: str | None = None,
    name: str = REGISTERED_MODEL,
    experiment: str = EXPERIMENT,
) -> int:
    """Make the model of a run a version of the registry; returns its number.

    A bundle that is registered already keeps its version.

    Parameters
    ----------
    run : str, optional
        Id of a run that recorded its model.
    folder : path, optional
        The bundle, instead of `run`. If no run has recorded it, because the store was down
        during training, it is recorded now.
    uri, name, experiment : str, optional
    """
    if (run is None) == (folder is None):
        raise ValueError("give either run or folder, got " + ("both" if run else "neither"))
    quoted(name)  # before anything is recorded
    model = None if folder is None else load_model(folder)
    with mlflow_client(uri, create=model is not None) as mlflow:
        client = mlflow.MlflowClient()
        if model is not None:
            where = experiment_id(client, tracking_uri(uri), experiment)
            run = _find_run(client, where, folder) or _record(mlflow, where, model)
        data = client.get_run(run).data
        if "model_uri" not in data.tags:
            raise ValueError(f"run must have recorded a model, got {run!r}, which has none")
        checksum = _checksum(data.tags, f"run {run!r}")
        _create_registered_model(mlflow, client, name)
        for number, version in versions(client, name).items():
            if version.tags.get("checksum") == checksum:
                return number
        return _create_version(client, name, run, data)


def _create_version(client, name: str, run: str, data) -> int:
    tags = {key: data.tags[key] for key in COPIED_TAGS if key in data.tags}
    tags |= {key: f"{data.metrics[key]:.6f}" for key in METRIC_TAGS if key in data.metrics}
    source = data.tags["model_uri"]
    model_id = source.removeprefix("models:/")  # a server asks for it separately
    version = client.create_model_version(name, source, run, tags=tags, model_id=model_id)
    return int(version.version)


def _checksum(tags: Mapping[str, str], owner: str) -> str:
    """The bundle's checksum from tags; ValueError if they are of the older format."""
    if "checksum" not in tags:
        raise ValueError(
            f"{owner} was recorded by an older newsreco, whose models this one cannot read: "
            "train the model again and register it"
        )
    return tags["checksum"]


def _find_run(client, experiment: str, folder: str | Path) -> str | None:
    """The newest run that recorded a bundle."""
    checksum = read_manifest(folder)["checksum"]
    found = client.search_runs([experiment], f"tags.checksum = '{checksum}'", max_results=1)
    return found[0].info.run_id if found else None


def _record(mlflow, experiment: str, model: NewsModel) -> str:
    """A new run for a bundle; it has no metrics."""
    with mlflow.start_run(experiment_id=experiment, run_name=run_name(model.settings)) as run:
        log_model(mlflow, model)
        tags = {"data_fingerprint": model.data_fingerprint, "code_version": code_version()}
        mlflow.set_tags(tags | {"recorded": "after training"})
    return run.info.run_id


def _create_registered_model(mlflow, client, name: str) -> None:
    try:
        client.create_registered_model(name)
    except mlflow.exceptions.MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def load_production(uri: str | None = None, name: str = REGISTERED_MODEL) -> NewsModel:
    """The model in production, verified; ValueError if there is none or it was changed."""
    version = production_version(uri, name)
    if version is None:
        raise ValueError(f"{name!r} has no version with the alias {ALIAS!r}; promote one")
    return load_version(version, uri, name)


def production_version(uri: str | None = None, name: str = REGISTERED_MODEL) -> int | None:
    """Number of the version in production; None if there is none."""
    with mlflow_client(uri) as mlflow:
        return find_production(mlflow.MlflowClient(), name)


def find_production(client, name: str) -> int | None:
    """`production_version` with a client."""
    version = registered_model(client, name).aliases.get(ALIAS)
    return None if version is None else int(version)


def registered_model(client, name: str):
    """MLflow's entry of a registered model; ValueError if nothing is registered as `name`."""
    try:
        return client.get_registered_model(name)
    except Exception as error:
        if getattr(error, "error_code", "") != "RESOURCE_DOES_NOT_EXIST":
            raise
        raise ValueError(
            f"nothing is registered as {name!r}: `newsreco register --model FOLDER` makes version 1"
        ) from None


def check_version(version: int, uri: str | None = None, name: str = REGISTERED_MODEL) -> None:
    """ValueError if there is no such version; the message lists those that exist."""
    with mlflow_client(uri) as mlflow:
        find_version(mlflow.MlflowClient(), version, name)


def find_version(client, version: int, name: str):
    """MLflow's entry of a version; ValueError if there is none, or it was deleted."""
    found = versions(client, name)
    if version not in found:
        numbers = f"one of {sorted(found)}" if found else "registered first, as none is left,"
        raise ValueError(f"version must be {numbers} of {name!r}, got {version}")
    return found[version]


def versions(client, name: str) -> dict:
    """MLflow's entries of all versions that were not deleted, by number."""
    registered_model(client, name)
    found = client.search_model_versions(f"name = {quoted(name)}")
    return {int(version.version): version for version in found}


def quoted(name: str) -> str:
    """A name as a filter of MLflow's has it; ValueError if it holds both kinds of quotes."""
    if "'" not in name:
        return f"'{name}'"
    if '"' in name:
        raise ValueError(f"name must not hold both ' and \", got {name!r}")
    return f'"{name}"'


def load_version(version: int, uri: str | None = None, name: str = REGISTERED_MODEL) -> NewsModel:
    """The model of a version, verified; ValueError if a byte differs from what was registered.

    Nothing from the store is run: the script beside the bundle is for other servers.
    """
    owner = f"version {version} of {name!r}"
    with mlflow_client(uri) as mlflow, temporary_folder("newsreco") as folder:
        client = mlflow.MlflowClient()
        checksum = _checksum(find_version(client, version, name).tags, owner)
        source = client.get_model_version_download_uri(name, str(version)) + "/artifacts/bundle"
        files = find_files(tracking_uri(uri), source, owner)
        bundle = mlflow.artifacts.download_artifacts(files, dst_path=str(folder))
        model = load_model(bundle)
        if read_manifest(bundle)["checksum"] != checksum:
            raise ValueError(f"{owner} is not the bundle that was registered: its checksum differs")
    return model


def status(uri: str | None = None, name: str = REGISTERED_MODEL) -> pd.DataFrame:
    """All versions, newest first, with alias, metrics and provenance.

    Returns
    -------
    DataFrame
        Indexed by version: `alias`, `ranker_auc` with `low` and `high`, `ranker_ndcg_at_10`,
        `data` and `code` (fingerprint and version), `registered` (UTC), `decision` (the last
        one on this version), `run`.
    """
    with mlflow_client(uri) as mlflow:
        client = mlflow.MlflowClient()
        production = find_production(client, name)
        found = versions(client, name).items()
        rows = {number: _row(version, production) for number, version in found}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS)
    return table.rename_axis("version").sort_index(ascending=False)


COLUMNS = [
    "alias", "ranker_auc", "low", "high", "ranker_ndcg_at_10",
    "data", "code", "registered", "decision", "run",
]  # fmt: skip


def _row(version, production: int | None) -> tuple:
    tags = version.tags
    metrics = [
        float(tags.get(key, "nan"))
        for key in ("ranker_auc", "ranker_auc_low", "ranker_auc_high", "ranker_ndcg_at_10")
    ]
    created = pd.Timestamp(version.creation_timestamp, unit="ms").floor("s")
    provenance = tags.get("data_fingerprint", ""), tags.get("code_version", "")
    alias = ALIAS if int(version.version) == production else ""
    return (alias, *metrics, *provenance, created, tags.get("decision", ""), version.run_id)
