"""A sweep: one training for each setting, nested under one run, and a table read back.

The settings are chosen by a *validation_log*: the log is cut at the moment of the real evaluation, and
everything later is left out, so that the real evaluation has seen none of the choosing. Intervals of a
difference are paired: two runs that judged the same impressions left every impression's metrics
behind, so the table can compare them later, whoever trained them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from newsreco.config import EXPERIMENT
from newsreco.evaluation.impressions import check_metric
from newsreco.evaluation.intervals import paired_difference
from newsreco.models.bundle import Settings
from newsreco.tracking.client import mlflow_client, tracking_uri
from newsreco.tracking.contents import EVALUATION
from newsreco.tracking.runs import Run, closing, say, tracked

if TYPE_CHECKING:
    from newsreco.data import NewsLog
    from newsreco.training import Result

CHOICES = ("half_life_days", "embedder", "ranker", "seed")


def validation_log(log: NewsLog, test_fraction: float = 0.2) -> NewsLog:
    """The log without the part that the evaluation will be on: for choosing settings."""
    return log.before(log.cutoff_time(test_fraction))


def sweep(
    log: NewsLog,
    choices: Sequence[Settings],
    truth=None,
    uri: str | None = None,
    experiment: str = EXPERIMENT,
    name: str = "sweep",
    say: Callable[[str], None] = say,
) -> list[Result]:
    """Train once for each of the settings; the runs are nested under one that is named `name`.

    Settings are compared by how they order what was shown; whole lists and reports,
    which would take most of the time, are not made.

    Parameters
    ----------
    log : NewsLog
        To choose settings: `validation_log(log)`.
    choices : sequence of Settings
    truth : GroundTruth, optional
    uri, experiment : str, optional
        As for `tracked`.
    """
    from newsreco.training import train

    if not choices:
        raise ValueError("choices must hold at least one Settings, got none")
    results = []
    parent = Run(tracking_uri(uri), experiment, say)
    parent.begin(name, _varied(choices), {})
    with closing(parent):
        for settings in choices:
            with tracked(settings, uri, experiment, parent=parent, say=say) as run:
                results.append(train(log, settings, truth, progress=False, lists=0))
                run.log(results[-1], log, report=False)
    return results


def _varied(choices: Sequence[Settings]) -> dict[str, str]:
    """What the sweep goes through, as parameters of its run."""
    tried: dict[str, dict] = {}
    for settings in choices:
        for field, value in asdict(settings).items():
            tried.setdefault(field, {})[str(value)] = None
    return {field: ", ".join(values) for field, values in tried.items()}


def comparison(
    uri: str | None = None,
    experiment: str = EXPERIMENT,
    baseline: str | None = None,
    metric: str = "ranker_auc",
    sweep: str | None = None,
) -> pd.DataFrame:
    """The finished trainings of an experiment, read back from MLflow, best first.

    Parameters
    ----------
    baseline : str, optional
        Name of the run to compare with; its newest of that name. By default there are no
        differences in the table.
    metric : str
        One of the ranker's, such as "ranker_auc" or "ranker_ndcg_at_10".
    sweep : str, optional
        Only trainings of the sweeps of this name.

    Returns
    -------
    DataFrame
        Indexed by the runs' names: settings, the metric, its interval `low` and `high`,
        fingerprint of the log, id. With a baseline also `difference`, `difference_low`,
        `difference_high`, nan where the two were not judged on the same impressions.
    """
    check_metric(metric)
    with mlflow_client(uri) as mlflow:
        found = mlflow.search_runs(
            experiment_names=[experiment], filter_string="attributes.status = 'FINISHED'"
        )
        if f"metrics.{metric}" not in found:
            raise ValueError(
                f"no run of experiment {experiment!r} at {tracking_uri(uri)} has {metric}"
            )
        if sweep is not None:
            parents = found.loc[found["tags.mlflow.runName"] == sweep, "run_id"]
            found = found[found["tags.mlflow.parentRunId"].isin(parents)]
        found = found[found[f"metrics.{metric}"].notna()]
        table = _table(found, metric)
        if baseline is not None:
            base = _newest(found, baseline)
            table = table.join(_differences(mlflow, table, base, metric))
    return table.set_index("name")


def _table(found: pd.DataFrame, metric: str) -> pd.DataFrame:
    columns = {"tags.mlflow.runName": "name"} | {f"params.{c}": c for c in CHOICES}
    columns |= {f"metrics.{metric}{end}": (end[1:] or metric) for end in ("", "_low", "_high")}
    columns |= {"tags.log_fingerprint": "log", "run_id": "run_id"}
    table = found[list(columns)].rename(columns=columns)
    table = table.astype({"half_life_days": float, "seed": int})
    return table.sort_values([metric, "name"], ascending=[False, True]).reset_index(drop=True)


def _newest(found: pd.DataFrame, name: str) -> str:
    """The id of the newest run of a name: MLflow gives the newest first."""
    names = found["tags.mlflow.runName"]
    if name not in set(names):
        raise ValueError(f"baseline must be one of {sorted(set(names))}, got {name!r}")
    return found.loc[names == name, "run_id"].iloc[0]


def _differences(mlflow, table: pd.DataFrame, base: str, metric: str) -> pd.DataFrame:
    """Each run's metric minus that of the run `base`, paired over people."""
    evaluations = {run_id: _evaluation(mlflow, run_id) for run_id in table["run_id"]}
    log = table.set_index("run_id").loc[base, "log"]
    rows = []
    for _, row in table.iterrows():
        pair = evaluations[row["run_id"]], evaluations[base]
        same = row["log"] == log and _same_impressions(*pair)
        rows.append(_difference(*pair, metric) if same else (np.nan,) * 3)
    names = ["difference", "difference_low", "difference_high"]
    return pd.DataFrame(rows, columns=names, index=table.index)


def _evaluation(mlflow, run_id: str) -> dict[str, np.ndarray]:
    with tempfile.TemporaryDirectory() as folder:
        path = mlflow.artifacts.download_artifacts(
            run_id=run_id, artifact_path=EVALUATION, dst_path=folder
        )
        with np.load(Path(path), allow_pickle=False) as file:
            return dict(file)


def _same_impressions(first: dict, second: dict) -> bool:
    return all(np.array_equal(first[name], second[name]) for name in ("user", "time"))


def _difference(first: dict, second: dict, metric: str) -> tuple[float, float, float]:
    column = metric.removeprefix("ranker_")
    return paired_difference(first[column], second[column], first["user"])
