"""Tracking: a run holds what its metrics rest on, and never ends a training."""

import contextlib
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from newsreco.cli import main
from newsreco.evaluation.impressions import METRICS
from newsreco.models.bundle import Settings, load_model
from newsreco.models.pipeline import RecommendationPipeline
from newsreco.synthetic import write_sample
from newsreco.tracking.client import Unreachable, mlflow_client, tracking_uri
from newsreco.tracking.contents import metric_name
from newsreco.tracking.provenance import code_version, requirements
from newsreco.tracking.runs import title, tracked
from newsreco.tracking.sweep import comparison, sweep, validation_log
from newsreco.training import evaluate, train

SETTINGS = Settings()


@pytest.fixture(scope="module")
def result(world):
    return train(world.log, SETTINGS, world.truth, progress=False)


def record(result, log, mlflow_uri, **options):
    with tracked(result.settings, mlflow_uri, **options) as run:
        run.log(result, log)
    return run


@pytest.fixture
def run(result, world, mlflow_uri):
    run = record(result, world.log, mlflow_uri)
    assert run.reason is None
    return run


def read_run(mlflow_uri, run_id):
    with mlflow_client(mlflow_uri) as mlflow:
        return mlflow.MlflowClient().get_run(run_id)


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    write_sample(folder, n_articles=100, n_impressions=600, n_users=80, progress=False)
    return folder


def command(data, tmp_path):
    return ["train", "--data", str(data), "--out", str(tmp_path / "model"), "--quiet"]


# what a run holds


def test_a_run_holds_settings_figures_and_what_they_rest_on(run, result, world, mlflow_uri):
    found = read_run(mlflow_uri, run.id)
    assert found.info.status == "FINISHED" and found.info.run_name == "tfidf, logistic, 3 days"
    assert found.data.params["half_life_days"] == "3.0" and found.data.params["seed"] == "0"
    finite = {name: value for name, value in result.metrics.items() if np.isfinite(value)}
    assert {name: found.data.metrics[name] for name in finite} == finite
    tags = found.data.tags
    assert tags["data_fingerprint"] == result.data_fingerprint != tags["log_fingerprint"]
    assert tags["log_fingerprint"] == world.log.fingerprint()
    assert tags["code_version"] == code_version() and tags["library.numpy"] == np.__version__
    assert tags["synthetic"] == "yes"
    sets = {i.tags[0].value: i.dataset.digest for i in found.inputs.dataset_inputs}
    assert sets == {"training": result.data_fingerprint, "evaluation": world.log.fingerprint()}


def test_the_loss_is_there_step_by_step(run, result, mlflow_uri):
    with mlflow_client(mlflow_uri) as mlflow:
        history = mlflow.MlflowClient().get_metric_history(run.id, "step_loss")
    assert [(m.step, m.value) for m in history] == [(s["step"], s["loss"]) for s in result.steps]
    assert len(history) > 2


def test_the_report_and_every_impression_are_there(run, result, mlflow_uri, tmp_path):
    with mlflow_client(mlflow_uri) as mlflow:
        got = mlflow.artifacts.download_artifacts(run_id=run.id, dst_path=str(tmp_path / "got"))
    assert "<h1>" in (Path(got) / "report/report.html").read_text()
    assert "<svg" in (Path(got) / "report/scorers.svg").read_text()
    assert json.loads((Path(got) / "metrics.json").read_text()) == result.metrics
    with np.load(Path(got) / "evaluation.npz") as evaluation:
        np.testing.assert_array_equal(evaluation["auc"], result.per_impression["auc"])


def test_the_model_is_a_bundle_and_code_without_pickle(run, result, mlflow_uri, tmp_path):
    files = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert not [p for p in files if p.suffix in (".pkl", ".pickle", ".joblib", ".cloudpickle")]
    (script,) = (p for p in files if p.name == "serving_model.py")
    wanted = (script.parent / "requirements.txt").read_text().split()
    assert set(requirements(SETTINGS)) <= set(wanted) and "lightgbm" not in str(wanted)
    assert load_model(script.parent / "artifacts/bundle").user_ids == result.model.user_ids
    with mlflow_client(mlflow_uri) as mlflow:
        served = mlflow.pyfunc.load_model(read_run(mlflow_uri, run.id).data.tags["model_uri"])
        frame = pd.DataFrame({"user": [result.model.user_ids[5], "nobody"]})
        lists = served.predict(frame, params={"k": 3})["items"]
        later = served.predict(frame.assign(time=result.model.state.now + 7200.0))["items"]
        with pytest.raises(mlflow.exceptions.MlflowException, match="user"):
            served.predict(pd.DataFrame({"person": ["U1"]}))
    ours = RecommendationPipeline(result.model)
    ids = np.array(result.model.articles.ids)
    assert [list(ids[ours.recommend(user, k=3).items]) for user in (5, -1)] == list(lists)
    moment = result.model.state.now + 7200.0
    assert [list(ids[ours.recommend(user, moment).items]) for user in (5, -1)] == list(later)


def test_a_model_with_lightgbm_says_that_it_needs_it():
    named = [text.split("==")[0] for text in requirements(Settings(ranker="lambdamart"))]
    assert "lightgbm" in named and "mlflow" not in named


def test_every_name_of_a_figure_is_one_that_mlflow_takes(result):
    names = [metric_name(name) for name in (*result.metrics, *METRICS)]
    assert all(re.fullmatch(r"[\w\-. /]+", name) for name in names)
    assert metric_name("ndcg@10") == "ndcg_at_10" and "ranker_ndcg_at_10" in names


def test_a_figure_that_is_no_number_is_left_out(result, world, mlflow_uri):
    odd = replace(result, metrics=result.metrics | {"ranker_pooled_auc": float("nan")})
    run = record(odd, world.log, mlflow_uri)
    metrics = read_run(mlflow_uri, run.id).data.metrics
    assert run.reason is None and "ranker_pooled_auc" not in metrics and "ranker_auc" in metrics


def test_a_training_that_fails_is_recorded_as_failed(mlflow_uri):
    with pytest.raises(RuntimeError, match="no luck"), tracked(SETTINGS, mlflow_uri) as run:
        raise RuntimeError("no luck")
    assert read_run(mlflow_uri, run.id).info.status == "FAILED"
    with pytest.raises(KeyboardInterrupt), tracked(SETTINGS, mlflow_uri) as run:
        raise KeyboardInterrupt
    assert read_run(mlflow_uri, run.id).info.status == "KILLED"


# what keeps a run from being held


def test_the_address_comes_from_the_argument_the_environment_or_is_a_file_here(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://there")
    assert tracking_uri("sqlite:///a.db") == "sqlite:///a.db"
    assert tracking_uri() == "http://there"
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert tracking_uri() == "sqlite:///mlflow.db"


def test_where_mlflow_is_not_installed_training_works_and_says_so(
    data, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    assert main(command(data, tmp_path)) == 0
    printed = capsys.readouterr()
    assert printed.err.startswith("not tracked: mlflow is not installed")
    assert printed.err.count("\n") == 1 and "ranker_auc" in printed.out
    assert load_model(tmp_path / "model").settings == SETTINGS


def test_where_the_server_is_down_training_works_and_says_so(data, tmp_path, capsys):
    address = f"http://127.0.0.1:{free_port()}"
    assert main([*command(data, tmp_path), "--tracking-uri", address]) == 0
    error = capsys.readouterr().err
    assert error.startswith(f"not tracked: {address} does not answer") and error.count("\n") == 1
    assert load_model(tmp_path / "model").settings == SETTINGS


def test_a_server_that_takes_the_call_and_never_answers_is_not_waited_for(monkeypatch):
    monkeypatch.setenv("NEWSRECO_TRACKING_TIMEOUT", "0.2")
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"http://127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises(Unreachable, match="timed out"), mlflow_client(address):
            pass


def test_a_database_that_is_down_is_named_without_its_password():
    address = f"postgresql+psycopg://ann:secret@127.0.0.1:{free_port()}/news"
    with pytest.raises(Unreachable) as stopped, mlflow_client(address):
        pass
    assert "ann:***@" in str(stopped.value) and "secret" not in str(stopped.value)


def test_a_file_that_is_no_database_stays_as_it_is(tmp_path, capsys):
    file = tmp_path / "mlflow.db"
    file.write_text("my diary\n" * 100)
    with tracked(SETTINGS, f"sqlite:///{file}") as run:
        pass
    assert run.id is None and "not a database" in run.reason
    assert file.read_text() == "my diary\n" * 100
    assert capsys.readouterr().err.count("\n") == 1


def test_a_locked_database_costs_a_moment_and_the_record(
    result, world, mlflow_uri, monkeypatch, capsys
):
    monkeypatch.setenv("NEWSRECO_TRACKING_TIMEOUT", "0.1")
    other = sqlite3.connect(mlflow_uri.removeprefix("sqlite:///"))
    with tracked(SETTINGS, mlflow_uri) as run, contextlib.closing(other):
        other.execute("BEGIN EXCLUSIVE")
        run.log(result, world.log)
    assert "locked" in run.reason
    assert read_run(mlflow_uri, run.id).info.status == "FAILED", "the record is not whole"
    assert capsys.readouterr().err.count("\n") == 1


def test_a_database_that_goes_away_in_the_middle_takes_only_the_record(
    data, tmp_path, mlflow_uri, monkeypatch, capsys
):
    def train_and_lose(*arguments, **options):
        Path(mlflow_uri.removeprefix("sqlite:///")).unlink()
        return train(*arguments, **options)

    monkeypatch.setattr("newsreco.training.train", train_and_lose)
    assert main([*command(data, tmp_path), "--tracking-uri", mlflow_uri]) == 0
    error = capsys.readouterr().err
    assert "not tracked:" in error and "does not exist" in error and error.count("\n") == 1
    assert load_model(tmp_path / "model").settings == SETTINGS
    assert not Path(mlflow_uri.removeprefix("sqlite:///")).exists(), (
        "no empty database in its place"
    )


def test_nothing_is_said_and_left_where_tracking_is_off(data, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*command(data, tmp_path), "--no-tracking"]) == 0
    assert capsys.readouterr().err == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "model"]


def test_without_git_the_code_is_named_by_its_version(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert code_version() == "version 0.1.0"


# sweeps and their table


def test_a_sweep_nests_its_runs_and_its_table_agrees_with_the_exams(world, mlflow_uri):
    past = validation_log(world.log)
    assert past.impressions.time[-1] < world.log.cutoff_time()
    choices = [Settings(half_life_days=days) for days in (0.3, 20.0)]
    results = sweep(past, choices, uri=mlflow_uri)
    table = comparison(mlflow_uri, sweep="sweep", baseline=title(choices[0]))
    assert set(table.index) == {title(choice) for choice in choices}
    assert table["ranker_auc"].is_monotonic_decreasing
    parents = {read_run(mlflow_uri, id_).data.tags["mlflow.parentRunId"] for id_ in table["run_id"]}
    (parent,) = parents
    assert read_run(mlflow_uri, parent).data.params["half_life_days"] == "0.3, 20.0"
    first, second = (r.evaluation for r in results)
    first.found["second"] = second.found["ranker"]
    gap = table.loc[title(choices[1]), ["difference", "difference_low", "difference_high"]]
    np.testing.assert_allclose(gap.astype(float), first.difference("second", "ranker"), rtol=1e-12)
    assert table.loc[title(choices[0]), "difference"] == 0


def test_runs_judged_on_other_impressions_are_not_compared(world, result, mlflow_uri):
    record(result, world.log, mlflow_uri, name="whole")
    past = validation_log(world.log)
    record(train(past, SETTINGS, progress=False), past, mlflow_uri, name="past")
    table = comparison(mlflow_uri, baseline="whole")
    assert table["difference"].isna().to_dict() == {"whole": False, "past": True}


def test_of_runs_with_one_name_the_newest_is_the_baseline(world, result, mlflow_uri):
    worse = replace(result.model, ranker=replace(result.model.ranker))
    worse.ranker.restore(result.model.ranker.arrays())
    worse.ranker.weights = -worse.ranker.weights
    evaluation, metrics = evaluate(worse, world.log)
    record(result, world.log, mlflow_uri, name="one")
    newest = record(
        replace(result, evaluation=evaluation, metrics=metrics), world.log, mlflow_uri, name="one"
    )
    table = comparison(mlflow_uri, baseline="one").set_index("run_id")
    assert table.loc[newest.id, "difference"] == 0 and table.iloc[0]["difference"] > 0


@pytest.mark.parametrize(
    "options, named", [({"metric": "displayed_order_auc"}, "metric"), ({"baseline": "best"}, "baseline")]
)
def test_what_cannot_be_compared_is_named(run, mlflow_uri, options, named):
    with pytest.raises(ValueError, match=named):
        comparison(mlflow_uri, **options)


def test_a_sweep_goes_on_where_nothing_answers(world, capsys):
    address = f"http://127.0.0.1:{free_port()}"
    results = sweep(world.log, [Settings(), Settings(half_life_days=1.0)], uri=address)
    assert len(results) == 2 and capsys.readouterr().err.count("\n") == 1


# a real server


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


@pytest.fixture
def server(mlflow_uri, tmp_path):
    """The URL of an MLflow server on the mlflow_uri."""
    port = free_port()
    options = [
        "--backend-store-uri",
        mlflow_uri,
        "--artifacts-destination",
        str(tmp_path / "files"),
    ]
    options += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with open(tmp_path / "server.log", "w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *options],
            env=os.environ | quiet,
            stdout=log,
            stderr=log,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/health", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=30)


def wait_for(url, process):
    end = time.monotonic() + 90
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.2)
    raise AssertionError("the server did not start")


def test_a_real_server_takes_runs_and_serves_versions(server, result, world):
    from newsreco.tracking.promotion import promote
    from newsreco.tracking.registry import load_production, register

    run = record(result, world.log, server)
    assert run.reason is None
    assert read_run(server, run.id).data.metrics["ranker_auc"] == result.metrics["ranker_auc"]
    promote(register(run.id, uri=server), uri=server)
    assert load_production(server).data_fingerprint == result.data_fingerprint
    assert comparison(server, baseline=title(SETTINGS))["difference"].tolist() == [0.0]
