"""Sweeps, and the comparison of runs read back from MLflow."""

from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from newsreco.evaluation.model import evaluate
from newsreco.models.bundle import Settings
from newsreco.tracking.client import mlflow_client
from newsreco.tracking.runs import run_name
from newsreco.tracking.sweep import compare_runs, sweep, validation_log
from newsreco.training import train


def test_sweep_nests_its_runs_and_agrees_with_their_evaluations(world, mlflow_uri, read_run):
    past = validation_log(world.log)
    assert past.impressions.time[-1] < world.log.cutoff_time()
    choices = [Settings(half_life_days=days) for days in (0.3, 20.0)]
    results = sweep(past, choices, uri=mlflow_uri)
    first, second = map(run_name, choices)
    table = compare_runs(mlflow_uri, sweep="sweep", baseline=first)
    assert set(table.index) == {first, second}
    assert table["ranker_auc"].is_monotonic_decreasing
    (parent,) = {read_run(id_).data.tags["mlflow.parentRunId"] for id_ in table["run_id"]}
    assert read_run(parent).data.params["half_life_days"] == "0.3, 20.0"
    evaluation = results[0].evaluation
    evaluation.add("second", results[1].evaluation.scores["ranker"])
    expected = evaluation.difference("second", "ranker")
    row = table.loc[second, ["difference", "difference_low", "difference_high"]]
    np.testing.assert_allclose(row.astype(float), expected, rtol=1e-12)
    assert table.loc[first, "difference"] == 0


def test_runs_evaluated_on_other_impressions_are_not_compared(world, result, record, mlflow_uri):
    record(result, world.log, name="whole")
    past = validation_log(world.log)
    record(train(past, Settings(), progress=False), past, name="past")
    table = compare_runs(mlflow_uri, baseline="whole")
    assert table["difference"].isna().to_dict() == {"whole": False, "past": True}


def test_baseline_is_the_newest_run_of_its_name(world, result, record, mlflow_uri):
    ranker = copy(result.model.ranker)
    ranker.weights = -ranker.weights
    evaluation, metrics = evaluate(replace(result.model, ranker=ranker), world.log)
    record(result, world.log, name="one")
    newest = record(replace(result, evaluation=evaluation, metrics=metrics), world.log, name="one")
    table = compare_runs(mlflow_uri, baseline="one").set_index("run_id")
    assert table.loc[newest.id, "difference"] == 0 and table.iloc[0]["difference"] > 0


@pytest.mark.parametrize(
    "options, named",
    [({"metric": "displayed_order_auc"}, "metric"), ({"baseline": "best"}, "baseline")],
)
def test_comparison_errors(result, world, record, mlflow_uri, options, named):
    record(result, world.log)
    with pytest.raises(ValueError, match=named):
        compare_runs(mlflow_uri, **options)


def test_run_without_the_evaluation_is_refused_by_name(result, world, record, mlflow_uri):
    run = record(result, world.log)
    with mlflow_client(mlflow_uri) as mlflow:
        folder = mlflow.artifacts.download_artifacts(run_id=run.id)
    (Path(folder) / "evaluation.npz").rename(Path(folder) / "old.npz")
    with pytest.raises(ValueError, match=f"run '{run.id}' was recorded by an older newsreco"):
        compare_runs(mlflow_uri, baseline=run_name(result.settings))


def test_sweep_continues_without_mlflow(world, free_port, caplog):
    address = f"http://127.0.0.1:{free_port}"
    results = sweep(world.log, [Settings(), Settings(half_life_days=1.0)], uri=address)
    assert len(results) == 2 and len(caplog.messages) == 1
