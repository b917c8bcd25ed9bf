"""The registry: which model serves, which did before, and what each rests on.

A version is a model that a run has made, numbered, with tags that tell its data, code and
metrics. The alias `production` points to the one that serves; whoever serves asks for the alias
and never for a number. Loading reads arrays alone and runs nothing that the store holds, and what
it reads must be what was registered, byte for byte: the version keeps the bundle's checksum.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pandas as pd

from newsreco.config import ALIAS, EXPERIMENT, REGISTERED_MODEL
from newsreco.evaluation.impressions import METRICS
from newsreco.models.bundle import NewsModel, load_model
from newsreco.tracking.client import mlflow_client, tracking_uri
from newsreco.tracking.contents import experiment_id, log_model
from newsreco.tracking.provenance import code_version
from newsreco.tracking.runs import title

FIGURES = [f"ranker_{key}{end}" for key in METRICS.values() for end in ("", "_low", "_high")]
COPIED = ("data_fingerprint", "log_fingerprint", "code_version", "synthetic", "bundle")


def register(
    run: str | None = None,
    folder: str | Path | None = None,
    uri: str | None = None,
    name: str = REGISTERED_MODEL,
    experiment: str = EXPERIMENT,
) -> int:
    """Make the model of a run a version of the registry; returns its number.

    A bundle that has a version already keeps it.

    Parameters
    ----------
    run : str, optional
        Id of a run that recorded its model.
    folder : path, optional
        In place of `run`: the bundle. The run that made it is looked for; where there is none,
        as after a training while the store was down, the bundle is recorded now.
    uri, name, experiment : str, optional
    """
    if (run is None) == (folder is None):
        raise ValueError("give either run or folder, got " + ("both" if run else "neither"))
    checksum = None if folder is None else _check_bundle(folder)
    with mlflow_client(uri, create=checksum is not None) as mlflow:
        client = mlflow.MlflowClient()
        if checksum is not None:
            where = experiment_id(client, tracking_uri(uri), experiment)
            run = _run_of(client, where, checksum) or _record(mlflow, where, folder)
        tags, metrics = client.get_run(run).data.tags, client.get_run(run).data.metrics
        if "model_uri" not in tags:
            raise ValueError(f"run must have recorded a model, got {run!r}, which has none")
        _make_model(mlflow, client, name)
        for version in client.search_model_versions(f"name = '{name}'"):
            if version.tags.get("bundle") == tags["bundle"]:
                return int(version.version)
        told = {key: tags[key] for key in COPIED if key in tags}
        told |= {key: f"{metrics[key]:.6f}" for key in FIGURES if key in metrics}
        place = tags["model_uri"]
        model = place.removeprefix("models:/")  # a server asks for it by itself
        made = client.create_model_version(name, place, run, tags=told, model_id=model)
    return int(made.version)


def _check_bundle(folder: str | Path) -> str:
    """The bundle's checksum; ValueError where the folder holds no sound bundle."""
    load_model(folder)
    return _checksum(folder)


def _checksum(folder: str | Path) -> str:
    return json.loads((Path(folder) / "manifest.json").read_text())["checksum"]


def _run_of(client, experiment: str, checksum: str) -> str | None:
    """The newest run that recorded a bundle."""
    found = client.search_runs([experiment], f"tags.bundle = '{checksum}'", max_results=1)
    return found[0].info.run_id if found else None


def _record(mlflow, experiment: str, folder: str | Path) -> str:
    """A run for a bundle that none has recorded; it has no metrics."""
    model = load_model(folder)
    with mlflow.start_run(experiment_id=experiment, run_name=title(model.settings)) as run:
        log_model(mlflow, model)
        known = {"data_fingerprint": model.data_fingerprint, "code_version": code_version()}
        mlflow.set_tags(known | {"recorded": "after training"})
    return run.info.run_id


def _make_model(mlflow, client, name: str) -> None:
    try:
        client.create_registered_model(name)
    except mlflow.exceptions.MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def load_production(uri: str | None = None, name: str = REGISTERED_MODEL) -> NewsModel:
    """The model that serves; ValueError where there is none, or it is not what was registered."""
    version = production_version(uri, name)
    if version is None:
        raise ValueError(f"{name!r} has no version with the alias {ALIAS!r}; promote one")
    return load_version(version, uri, name)


def production_version(uri: str | None = None, name: str = REGISTERED_MODEL) -> int | None:
    """The number of the version that serves; None where none does."""
    with mlflow_client(uri) as mlflow:
        return production_of(mlflow.MlflowClient(), name)


def production_of(client, name: str) -> int | None:
    """The same, for a client at hand."""
    version = registered(client, name).aliases.get(ALIAS)
    return None if version is None else int(version)


def registered(client, name: str):
    """MLflow's record of a name; ValueError where nothing was ever registered under it."""
    try:
        return client.get_registered_model(name)
    except Exception as error:
        if getattr(error, "error_code", "") != "RESOURCE_DOES_NOT_EXIST":
            raise
        raise ValueError(
            f"nothing is registered as {name!r}: `newsreco register --model FOLDER` makes version 1"
        ) from None


def check_version(version: int, uri: str | None = None, name: str = REGISTERED_MODEL) -> None:
    """ValueError, with the versions that there are, where there is none of that number."""
    with mlflow_client(uri) as mlflow:
        client = mlflow.MlflowClient()
        registered(client, name)
        found = client.search_model_versions(f"name = '{name}'")
    numbers = sorted(int(one.version) for one in found)
    if version not in numbers:
        raise ValueError(f"version must be one of {numbers} of {name!r}, got {version}")


def load_version(version: int, uri: str | None = None, name: str = REGISTERED_MODEL) -> NewsModel:
    """The model of a version, verified; ValueError where a byte differs from what was registered.

    Nothing that the store holds is run: the script beside the bundle is for other servers.
    """
    with mlflow_client(uri) as mlflow, tempfile.TemporaryDirectory() as folder:
        made = mlflow.MlflowClient().get_model_version(name, str(version))
        place = f"models:/{name}/{version}/artifacts/bundle"
        bundle = mlflow.artifacts.download_artifacts(artifact_uri=place, dst_path=folder)
        model = load_model(bundle)
        if _checksum(bundle) != made.tags.get("bundle"):
            raise ValueError(
                f"version {version} of {name!r} is not the bundle that was registered: "
                "its checksum differs"
            )
    return model


def status(uri: str | None = None, name: str = REGISTERED_MODEL) -> pd.DataFrame:
    """All versions, newest first: alias, metrics, and what each rests on.

    Returns
    -------
    DataFrame
        Indexed by version: `alias`, `ranker_auc` with `low` and `high`, `ranker_ndcg_at_10`,
        `data` and `code` (fingerprint and version), `registered` (UTC), `decision` (the last
        one on this version), `run`.
    """
    with mlflow_client(uri) as mlflow:
        client = mlflow.MlflowClient()
        production = production_of(client, name)
        found = client.search_model_versions(f"name = '{name}'")
        rows = [_row(version, production) for version in found]
    table = pd.DataFrame(rows, columns=list(_COLUMNS)).set_index("version")
    return table.sort_index(ascending=False)


_COLUMNS = (
    "version", "alias", "ranker_auc", "low", "high", "ranker_ndcg_at_10",
    "data", "code", "registered", "decision", "run",
)  # fmt: skip


def _row(version, production: int | None) -> tuple:
    number, tags = int(version.version), version.tags
    metrics = [
        float(tags.get(key, "nan"))
        for key in ("ranker_auc", "ranker_auc_low", "ranker_auc_high", "ranker_ndcg_at_10")
    ]
    made = pd.Timestamp(version.creation_timestamp, unit="ms").floor("s")
    rests_on = tags.get("data_fingerprint", ""), tags.get("code_version", "")
    alias = ALIAS if number == production else ""
    return (number, alias, *metrics, *rests_on, made, tags.get("decision", ""), version.run_id)
