"""A sweep: one training for each setting, nested under one run, and their comparison.

Settings are chosen on a *validation log*: the log is cut where the test set begins, so the choice
never sees the test set. Runs evaluated on the same impressions keep the metrics of every
impression, so their differences are paired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from newsreco.config import EXPERIMENT
from newsreco.evaluation.impressions import check_metric
from newsreco.evaluation.intervals import paired_difference
from newsreco.models.bundle import Settings
from newsreco.signals import raising_signals
from newsreco.tracking.artifacts import find_files
from newsreco.tracking.client import mlflow_client, tracking_uri
from newsreco.tracking.contents import EVALUATION
from newsreco.tracking.runs import Run, tracked
from newsreco.training import train
from recsys.files import temporary_folder

if TYPE_CHECKING:
    from newsreco.data import NewsLog
    from newsreco.training import Result

SETTINGS = ("half_life_days", "embedder", "ranker", "seed")


def validation_log(log: NewsLog, test_fraction: float = 0.2) -> NewsLog:
    """The log without its test set: for choosing settings."""
    return log.before(log.cutoff_time(test_fraction))


def sweep(
    log: NewsLog,
    choices: Sequence[Settings],
    uri: str | None = None,
    experiment: str = EXPERIMENT,
    name: str = "sweep",
) -> list[Result]:
    """Train once for each of the settings; the runs are nested under one named `name`.

    Settings are compared by their order of the displayed articles; recommendation lists and
    reports, which would take most of the time, are left out.

    Parameters
    ----------
    log : NewsLog
        To choose settings: `validation_log(log)`.
    choices : sequence of Settings
    uri, experiment : str, optional
        As for `tracked`.
    """
    if not choices:
        raise ValueError("choices must hold at least one Settings, got none")
    results = []
    with raising_signals(), Run(tracking_uri(uri), experiment) as parent:
        parent.begin(name, _grid(choices), {})
        for settings in choices:
            with tracked(settings, uri, experiment, parent=parent) as run:
                results.append(train(log, settings, progress=False, lists=0))
                run.log(results[-1], log, report=False)
    return results


def _grid(choices: Sequence[Settings]) -> dict[str, str]:
    """All values of each setting, as parameters of the sweep's run."""
    table = pd.DataFrame(map(asdict, choices), dtype=object)
    return {field: ", ".join(dict.fromkeys(map(str, table[field]))) for field in table}


def compare_runs(
    uri: str | None = None,
    experiment: str = EXPERIMENT,
    baseline: str | None = None,
    metric: str = "ranker_auc",
    sweep: str | None = None,
) -> pd.DataFrame:
    """The finished runs of an experiment, read back from MLflow, best first.

    Parameters
    ----------
    baseline : str, optional
        Name of the run to compare with, the newest of that name. Without it the table has no
        differences.
    metric : str
        One of the ranker's, such as "ranker_auc" or "ranker_ndcg_at_10".
    sweep : str, optional
        Only runs of the sweeps of this name.

    Returns
    -------
    DataFrame
        Indexed by the runs' names: settings, the metric, its interval `low` and `high`,
        fingerprint of the log, id. With a baseline also `difference`, `difference_low`,
        `difference_high`, nan if the two were not evaluated on the same impressions.
    """
    check_metric(metric)
    with mlflow_client(uri) as mlflow:
        runs = mlflow.search_runs(
            experiment_names=[experiment], filter_string="attributes.status = 'FINISHED'"
        )
        if f"metrics.{metric}" not in runs:
            raise ValueError(
                f"no run of experiment {experiment!r} at {tracking_uri(uri)} has {metric}"
            )
        if sweep is not None:
            parents = runs.loc[runs["tags.mlflow.runName"] == sweep, "run_id"]
            runs = runs[runs["tags.mlflow.parentRunId"].isin(parents)]
        runs = runs[runs[f"metrics.{metric}"].notna()]
        table = _table(runs, metric)
        if baseline is not None:
            base = _newest(runs, baseline)
            table = table.join(_differences(mlflow, tracking_uri(uri), table, base, metric))
    return table.set_index("name")


def _table(runs: pd.DataFrame, metric: str) -> pd.DataFrame:
    columns = {"tags.mlflow.runName": "name"} | {f"params.{c}": c for c in SETTINGS}
    columns |= {f"metrics.{metric}{end}": (end[1:] or metric) for end in ("", "_low", "_high")}
    columns |= {"tags.log_fingerprint": "log", "run_id": "run_id"}
    table = runs[list(columns)].rename(columns=columns)
    table = table.astype({"half_life_days": float, "seed": int})
    return table.sort_values([metric, "name"], ascending=[False, True]).reset_index(drop=True)


def _newest(runs: pd.DataFrame, name: str) -> str:
    """Id of the newest run of a name: MLflow returns the newest first."""
    names = runs["tags.mlflow.runName"]
    if name not in set(names):
        raise ValueError(f"baseline must be one of {sorted(set(names))}, got {name!r}")
    return runs.loc[names == name, "run_id"].iloc[0]


def _differences(mlflow, store: str, table: pd.DataFrame, base: str, metric: str) -> pd.DataFrame:
    """Each run's metric minus that of the run `base`, paired, with intervals over users."""
    evaluations = {run_id: _evaluation(mlflow, store, run_id) for run_id in table["run_id"]}
    log = table.set_index("run_id").loc[base, "log"]
    rows = []
    for _, row in table.iterrows():
        pair = evaluations[row["run_id"]], evaluations[base]
        same = row["log"] == log and _same_impressions(*pair)
        rows.append(_difference(*pair, metric) if same else (np.nan,) * 3)
    names = ["difference", "difference_low", "difference_high"]
    return pd.DataFrame(rows, columns=names, index=table.index)


def _evaluation(mlflow, store: str, run_id: str) -> dict[str, np.ndarray]:
    """The metrics of every impression that a run recorded."""
    location = mlflow.MlflowClient().get_run(run_id).info.artifact_uri
    files = find_files(store, location, f"run {run_id!r}")
    listed = {file.path.rpartition("/")[2] for file in mlflow.artifacts.list_artifacts(files)}
    if EVALUATION not in listed:
        raise ValueError(
            f"run {run_id!r} was recorded by an older newsreco, without {EVALUATION}: train "
            "again, or use another experiment"
        )
    with temporary_folder("newsreco") as folder:
        path = mlflow.artifacts.download_artifacts(f"{files}/{EVALUATION}", dst_path=str(folder))
        with np.load(path, allow_pickle=False) as file:
            return dict(file)


def _same_impressions(first: dict, second: dict) -> bool:
    return all(np.array_equal(first[name], second[name]) for name in ("user", "time"))


def _difference(first: dict, second: dict, metric: str) -> tuple[float, float, float]:
    column = metric.removeprefix("ranker_")
    return paired_difference(first[column], second[column], first["user"])
