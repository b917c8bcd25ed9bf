"""Runs: they hold what metrics depend on, and a failure to record never stops a training."""

import contextlib
import json
import os
import re
import sqlite3
import subprocess
import sys
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
from newsreco.tracking.client import mlflow_client
from newsreco.tracking.contents import metric_name
from newsreco.tracking.provenance import code_version, requirements
from newsreco.tracking.runs import tracked
from newsreco.training import train

SETTINGS = Settings()


@pytest.fixture
def run(result, world, record):
    run = record(result, world.log)
    assert run.reason is None
    return run


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    write_sample(folder, n_articles=100, n_impressions=600, n_users=80, progress=False)
    return folder


@pytest.fixture
def command(data, tmp_path):
    return ["train", "--data", str(data), "--out", str(tmp_path / "model"), "--quiet"]


# contents of a run


def test_run_holds_settings_metrics_and_provenance(run, result, world, read_run):
    found = read_run(run.id)
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


def test_run_holds_the_loss_of_each_step(run, result, mlflow_uri):
    with mlflow_client(mlflow_uri) as mlflow:
        losses = mlflow.MlflowClient().get_metric_history(run.id, "step_loss")
    assert [(m.step, m.value) for m in losses] == [(s["step"], s["loss"]) for s in result.steps]
    assert len(losses) > 2


def test_run_holds_the_report_and_the_metrics_of_every_impression(
    run, result, mlflow_uri, tmp_path
):
    with mlflow_client(mlflow_uri) as mlflow:
        mlflow.artifacts.download_artifacts(run_id=run.id, dst_path=str(tmp_path / "files"))
    files = tmp_path / "files"
    assert "<h1>" in (files / "report/report.html").read_text()
    assert json.loads((files / "metrics.json").read_text()) == result.metrics
    with np.load(files / "evaluation.npz") as evaluation:
        np.testing.assert_array_equal(evaluation["auc"], result.per_impression["auc"])


def test_model_is_a_bundle_and_a_script_without_pickle(run, result, read_run, mlflow_uri, tmp_path):
    files = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert not [p for p in files if p.suffix in (".pkl", ".pickle", ".joblib", ".cloudpickle")]
    (script,) = (p for p in files if p.name == "served_model.py")
    listed = (script.parent / "requirements.txt").read_text().split()
    assert set(requirements(SETTINGS)) <= set(listed) and "lightgbm" not in str(listed)
    assert load_model(script.parent / "artifacts/bundle").user_ids == result.model.user_ids
    with mlflow_client(mlflow_uri) as mlflow:
        served = mlflow.pyfunc.load_model(read_run(run.id).data.tags["model_uri"])
        frame = pd.DataFrame({"user": [result.model.user_ids[5], "new"]})
        lists = served.predict(frame, params={"k": 3})["items"]
        later = served.predict(frame.assign(time=result.model.state.now + 7200.0))["items"]
        with pytest.raises(mlflow.exceptions.MlflowException, match="user"):
            served.predict(pd.DataFrame({"reader": ["U1"]}))
    pipeline = RecommendationPipeline(result.model)
    ids = np.array(result.model.articles.ids)
    assert [list(ids[pipeline.recommend(user, k=3).items]) for user in (5, -1)] == list(lists)
    time = result.model.state.now + 7200.0
    assert [list(ids[pipeline.recommend(user, time).items]) for user in (5, -1)] == list(later)


def test_lightgbm_is_required_where_it_is_used():
    names = [text.split("==")[0] for text in requirements(Settings(ranker="lambdamart"))]
    assert "lightgbm" in names and "mlflow" not in names


def test_mlflow_accepts_every_metric_name(result):
    names = [metric_name(name) for name in (*result.metrics, *METRICS)]
    assert all(re.fullmatch(r"[\w\-. /]+", name) for name in names)
    assert metric_name("ndcg@10") == "ndcg_at_10" and "ranker_ndcg_at_10" in names


def test_metric_that_is_not_finite_is_left_out(result, world, record, read_run):
    odd = replace(result, metrics=result.metrics | {"ranker_pooled_auc": float("nan")})
    run = record(odd, world.log)
    metrics = read_run(run.id).data.metrics
    assert run.reason is None and "ranker_pooled_auc" not in metrics and "ranker_auc" in metrics


def test_failed_training_is_recorded_as_failed(mlflow_uri, read_run):
    with pytest.raises(RuntimeError, match="no luck"), tracked(SETTINGS, mlflow_uri) as run:
        raise RuntimeError("no luck")
    assert read_run(run.id).info.status == "FAILED"
    with pytest.raises(KeyboardInterrupt), tracked(SETTINGS, mlflow_uri) as run:
        raise KeyboardInterrupt
    assert read_run(run.id).info.status == "KILLED"


# failures to record


def test_training_works_without_mlflow(command, tmp_path, monkeypatch, capsys, caplog):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    assert main(command) == 0
    (message,) = caplog.messages
    assert message.startswith("not tracked: mlflow is not installed")
    assert "ranker_auc" in capsys.readouterr().out
    assert load_model(tmp_path / "model").settings == SETTINGS


def test_training_works_with_the_server_down_and_prints_one_line(command, tmp_path, free_port):
    address = f"http://127.0.0.1:{free_port}"
    done = subprocess.run(
        [sys.executable, "-m", "newsreco", *command, "--tracking-uri", address],
        capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.stderr.startswith(f"not tracked: {address} does not answer")
    assert done.stderr.count("\n") == 1
    assert load_model(tmp_path / "model").settings == SETTINGS


def test_file_that_is_no_database_is_not_changed(tmp_path, caplog):
    file = tmp_path / "mlflow.db"
    file.write_text("my diary\n" * 100)
    with tracked(SETTINGS, f"sqlite:///{file}") as run:
        pass
    assert run.id is None and "not a database" in run.reason
    assert file.read_text() == "my diary\n" * 100
    assert len(caplog.messages) == 1


def test_locked_database_loses_only_the_record(
    result, world, read_run, mlflow_uri, monkeypatch, caplog
):
    monkeypatch.setenv("NEWSRECO_TRACKING_TIMEOUT", "0.1")
    other = sqlite3.connect(mlflow_uri.removeprefix("sqlite:///"))
    with tracked(SETTINGS, mlflow_uri) as run, contextlib.closing(other):
        other.execute("BEGIN EXCLUSIVE")
        run.log(result, world.log)
    assert "locked" in run.reason
    assert read_run(run.id).info.status == "FAILED", "the record is incomplete"
    assert len(caplog.messages) == 1


def test_database_that_disappears_loses_only_the_record(
    command, tmp_path, mlflow_uri, monkeypatch, caplog
):
    file = Path(mlflow_uri.removeprefix("sqlite:///"))

    def train_and_delete(*arguments, **options):
        file.unlink()
        return train(*arguments, **options)

    monkeypatch.setattr("newsreco.training.train", train_and_delete)
    assert main([*command, "--tracking-uri", mlflow_uri]) == 0
    (message,) = caplog.messages
    assert message.startswith("not tracked:") and "does not exist" in message
    assert load_model(tmp_path / "model").settings == SETTINGS
    assert not file.exists(), "no empty database in its place"


def test_tracking_that_is_off_records_and_logs_nothing(
    command, tmp_path, monkeypatch, capsys, caplog
):
    monkeypatch.chdir(tmp_path)
    assert main([*command, "--no-tracking"]) == 0
    assert capsys.readouterr().err == "" and not caplog.messages
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "model"]


def test_code_version_without_git_is_the_package_version(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert code_version() == "version 0.2.0"
