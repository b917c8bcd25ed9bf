"""Trainings that are stopped: the run ends as KILLED, and the process with 128 plus the signal."""

import os
import signal
import socket
import subprocess
import sys
import threading

import pytest

from newsreco.cli import main
from newsreco.models.bundle import Settings
from newsreco.signals import Stopped
from newsreco.synthetic import write_sample
from newsreco.tracking.client import mlflow_client
from newsreco.tracking.runs import Run, tracked
from newsreco.tracking.svd import track_svd
from newsreco.tracking.sweep import sweep

SETTINGS = Settings()
TRAIN = """
import sys, time
import newsreco.training
def train(*arguments, **options):
    print("training", flush=True)
    time.sleep(60)
newsreco.training.train = train
from newsreco.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def statuses(mlflow_uri):
    """A function: name and status of every run."""

    def read():
        with mlflow_client(mlflow_uri) as mlflow:
            runs = mlflow.search_runs(search_all_experiments=True, output_format="list")
        return {run.info.run_name: run.info.status for run in runs}

    return read


@pytest.fixture
def training(tmp_path, mlflow_uri):
    """A function that starts `newsreco train` with a training that does not end by itself."""
    data = write_sample(tmp_path / "data", n_articles=100, n_impressions=300, progress=False)
    (tmp_path / "temporary").mkdir()
    started = []

    def start():
        options = ["--data", data, "--out", tmp_path / "model", "--tracking-uri", mlflow_uri]
        process = subprocess.Popen(
            [sys.executable, "-c", TRAIN, "train", *map(str, options), "--quiet"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=os.environ | {"TMPDIR": str(tmp_path / "temporary")},
        )  # fmt: skip
        started.append(process)
        assert process.stdout.readline() == "training\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_stopped_training_ends_as_killed_and_leaves_nothing(training, statuses, tmp_path, name):
    number = getattr(signal, name)
    process = training()
    process.send_signal(number)
    _, error = process.communicate(timeout=30)
    said = "interrupted" if name == "SIGINT" else f"stopped by {name}"
    assert (process.returncode, error) == (128 + number, f"newsreco train: {said}\n")
    assert statuses() == {"tfidf, logistic, 3 days": "KILLED"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "store", "temporary"]
    assert list((tmp_path / "temporary").iterdir()) == []


def test_killed_training_is_cleaned_up_by_the_next(training, statuses, tmp_path):
    first = training()
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert statuses() == {"tfidf, logistic, 3 days": "RUNNING"}
    assert len(list((tmp_path / "temporary").iterdir())) == 1
    second = training()
    second.send_signal(signal.SIGTERM)
    second.communicate(timeout=30)
    assert set(statuses().values()) == {"KILLED"}
    assert list((tmp_path / "temporary").iterdir()) == []


def test_only_runs_of_ended_processes_of_this_machine_are_ended(mlflow_uri, statuses):
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    owners = {
        "ended": f"{socket.gethostname()}:{ended.pid}",
        "running": f"{socket.gethostname()}:{os.getpid()}",
        "of another machine": f"elsewhere:{ended.pid}",
        "of another program": None,
    }
    with mlflow_client(mlflow_uri) as mlflow:
        client = mlflow.MlflowClient()
        number = client.create_experiment("newsreco")
        for name, owner in owners.items():
            tags = {} if owner is None else {"process": owner}
            client.create_run(number, run_name=name, tags=tags)
    with tracked(SETTINGS, mlflow_uri, name="new"):
        pass
    expected = dict.fromkeys(owners, "RUNNING") | {"ended": "KILLED", "new": "FINISHED"}
    assert statuses() == expected


def test_signal_in_a_sweep_ends_all_its_runs(mlflow_uri, statuses, world, monkeypatch):
    def stopped(*arguments, **options):
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr("newsreco.tracking.sweep.train", stopped)
    with pytest.raises(Stopped):
        sweep(world.log, [SETTINGS], mlflow_uri)
    assert statuses() == {"sweep": "KILLED", "tfidf, logistic, 3 days": "KILLED"}


def test_run_in_another_thread_is_recorded(mlflow_uri, statuses):
    def train():
        with tracked(SETTINGS, mlflow_uri):
            pass

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert statuses() == {"tfidf, logistic, 3 days": "FINISHED"}


def test_run_that_is_stopped_after_a_failure_to_record_is_killed(mlflow_uri, statuses, caplog):
    with pytest.raises(KeyboardInterrupt), tracked(SETTINGS, mlflow_uri) as run:
        run.attempt(lambda mlflow: 1 / 0)
        raise KeyboardInterrupt
    assert statuses() == {"tfidf, logistic, 3 days": "KILLED"}
    assert caplog.messages == ["not tracked: division by zero"]


def test_stopped_record_of_an_svd_ends_as_killed(mlflow_uri, statuses, monkeypatch):
    def stopped(*arguments):
        raise Stopped(signal.SIGTERM)

    class System:
        data_fingerprint, at, settings = "abc", 0.0, SETTINGS

    assert track_svd("one", System, {"recall": 0.5}, {"a.md": "text"}, mlflow_uri).endswith("one")
    monkeypatch.setattr(
        Run,
        "attempt",
        lambda run, *a, attempt=Run.attempt, **o: (
            stopped() if run.id and a[0].__name__ == "log" else attempt(run, *a, **o)
        ),
    )
    with pytest.raises(Stopped):
        track_svd("two", System, {"recall": 0.5}, {}, mlflow_uri)
    assert statuses() == {"one": "FINISHED", "two": "KILLED"}


def test_commands_print_the_run_and_the_next_command(training, mlflow_uri, tmp_path, capsys):
    data = write_sample(tmp_path / "d", n_articles=100, n_impressions=300, progress=False)
    store = ["--tracking-uri", mlflow_uri]

    def run(*words):
        assert main([*map(str, words), *store]) == 0
        return capsys.readouterr().out.splitlines()

    recorded, following = run("train", "--data", data, "--out", tmp_path / "m", "--quiet")[-2:]
    number = recorded.removeprefix("recorded as run ").removesuffix(" of experiment newsreco")
    assert following == f"next: newsreco register --run-id {number} --tracking-uri {mlflow_uri}"
    out = run("register", "--run-id", number, "--name", "my news")
    name = f"--tracking-uri {mlflow_uri} --name 'my news'"
    assert out == ["version 1 of my news", f"next: newsreco promote 1 {name}"]
    run("promote", "1", "--name", "my news")
    assert run("register", "--run-id", number, "--name", "my news") == ["version 1 of my news"]
    last = run("sweep", "--data", data, "--half-life", "2", "--quiet", "--seed", "3")[-1]
    assert last.startswith("next: newsreco train --data ") and "--half-life 2 " in last
    assert "--embedder tfidf --ranker logistic --seed 3 --test-fraction 0.2 --tracking-uri" in last
