"""Errors of commands: each ends in one sentence, with nothing half-written."""

import errno
import json
import os
import time

import numpy as np
import pytest

from newsreco.cli import main
from newsreco.models.bundle import load_model
from newsreco.synthetic import write_sample
from newsreco.tracking.client import mlflow_client

SMALL = {"n_articles": 100, "n_impressions": 600, "n_users": 80}
ROOT_READS_ALL = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)


@pytest.fixture
def data(tmp_path):
    return write_sample(tmp_path / "data", **SMALL, progress=False)


def command(tmp_path, *more):
    options = ["--data", str(tmp_path / "data"), "--out", str(tmp_path / "model")]
    return ["train", *options, "--quiet", "--no-tracking", *more]


def hidden(folder):
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_train_and_evaluate_warn_of_skipped_lines(data, tmp_path, capsys):
    lines = (data / "behaviors.tsv").read_text().splitlines()
    lines[4] = lines[4].replace("-0", "-2", 1)
    (data / "behaviors.tsv").write_text("\n".join(lines) + "\n")
    evaluate = ["evaluate", "--model", str(tmp_path / "model"), "--data", str(data), "--quiet"]
    for words in (command(tmp_path), evaluate):
        assert main(words) == 0
        error = capsys.readouterr().err
        assert "1 lines and 0 entries left out" in error and "behaviors.tsv:5: label" in error
    assert main(command(tmp_path, "--strict")) == 2
    assert "behaviors.tsv:5: label is not 0 or 1" in capsys.readouterr().err


def test_foreign_output_folder_is_refused_before_reading_data(tmp_path, capsys):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "thesis.txt").write_text("my only copy")
    assert main(command(tmp_path)) == 2  # the missing data is not what the error names
    assert "must be new, empty or an earlier bundle" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["model"] and os.listdir(tmp_path / "model") == ["thesis.txt"]


def test_binary_truth_file_is_named(data, tmp_path, capsys):
    (data / "truth.tsv").write_bytes(b"\x00\xff\xfe")
    assert main(command(tmp_path)) == 2
    assert "truth.tsv:1: not a line of truth.tsv" in capsys.readouterr().err


def test_interrupted_training_keeps_the_old_model_and_a_killed_run(
    data, tmp_path, mlflow_uri, monkeypatch, capsys
):
    assert main(command(tmp_path)) == 0
    before = load_model(tmp_path / "model").data_fingerprint

    def stopped(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("newsreco.training.train", stopped)
    words = [word for word in command(tmp_path) if word != "--no-tracking"]
    assert main([*words, "--tracking-uri", mlflow_uri, "--seed", "1"]) == 130
    assert capsys.readouterr().err == "newsreco train: interrupted\n"
    assert load_model(tmp_path / "model").data_fingerprint == before and hidden(tmp_path) == []
    with mlflow_client(mlflow_uri) as mlflow:
        runs = mlflow.search_runs(search_all_experiments=True, output_format="list")
    assert [run.info.status for run in runs] == ["KILLED"]


def test_interrupted_sample_leaves_nothing(tmp_path, monkeypatch, capsys):
    def stopped(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("newsreco.synthetic.sample._impression_lines", stopped)
    assert main(["sample", "--out", str(tmp_path / "data"), "--quiet"]) == 130
    assert capsys.readouterr().err == "newsreco sample: interrupted\n"
    assert list(tmp_path.iterdir()) == []


def test_full_disk_keeps_the_old_model(data, tmp_path, monkeypatch, capsys):
    assert main(command(tmp_path)) == 0
    before = load_model(tmp_path / "model").data_fingerprint

    def full(file, **arrays):
        file.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device", str(file))

    monkeypatch.setattr(np, "savez", full)
    capsys.readouterr()
    assert main(command(tmp_path)) == 2
    error = capsys.readouterr().err
    assert error.startswith("newsreco train: '") and error.endswith("No space left on device\n")
    assert load_model(tmp_path / "model").data_fingerprint == before and hidden(tmp_path) == []


@ROOT_READS_ALL
def test_read_only_folder_is_named(data, tmp_path, capsys):
    tmp_path.chmod(0o555)
    try:
        assert main(command(tmp_path)) == 2
    finally:
        tmp_path.chmod(0o755)
    assert "Permission denied" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_file_in_place_of_a_folder_is_one_sentence(data, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(command(tmp_path, "--out", str(tmp_path / "file" / "model"))) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_paths_may_hold_spaces_and_umlauts(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "Müllers Übung 1"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    write_sample("die Wélt", **SMALL, progress=False)
    words = ["train", "--data", "die Wélt", "--out", "ein Modell", "--json", "f ü.json", "--quiet"]
    assert main(words) == 0
    assert main(["register", "--model", "ein Modell"]) == 0
    printed = capsys.readouterr()
    assert printed.err == "" and "version 1 of newsreco\nnext: newsreco promote 1" in printed.out
    assert json.loads((folder / "f ü.json").read_text())["ranker_auc"] > 0.5


def test_results_do_not_depend_on_the_time_zone(tmp_path, monkeypatch):
    made = []
    for zone in ("UTC", "Asia/Tokyo", "America/New_York"):
        folder = tmp_path / zone.replace("/", "-")
        folder.mkdir()
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        write_sample(folder / "data", **SMALL, progress=False)
        assert main(command(folder, "--json", str(folder / "f.json"))) == 0
        names = ("data/behaviors.tsv", "model/arrays.npz", "f.json")
        made.append([(folder / name).read_bytes() for name in names])
    monkeypatch.undo()
    time.tzset()
    assert made[0] == made[1] == made[2]


def test_mlflow_interrupted_while_creating_its_tables(tmp_path, mlflow_uri, monkeypatch):
    """The database file is complete or absent: the next training is recorded."""
    import sqlalchemy

    file = mlflow_uri.removeprefix("sqlite:///")
    made = []

    @sqlalchemy.event.listens_for(sqlalchemy.Table, "after_create")
    def stop(*arguments, **options):
        made.append(arguments)
        if len(made) == 3:
            raise KeyboardInterrupt

    os.unlink(file) if os.path.exists(file) else None
    try:
        with pytest.raises(KeyboardInterrupt), mlflow_client(mlflow_uri, create=True):
            pass
    finally:
        sqlalchemy.event.remove(sqlalchemy.Table, "after_create", stop)
    assert not os.path.exists(file)
    with mlflow_client(mlflow_uri, create=True) as mlflow:
        assert len(mlflow.search_experiments()) == 1
