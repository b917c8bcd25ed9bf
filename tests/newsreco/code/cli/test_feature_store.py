"""newsreco features: build, train, evaluate, infer, from the outside."""

import json

import pytest

from newsreco.cli import main
from newsreco.synthetic import write_sample


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    write_sample(folder, n_articles=100, n_impressions=600, n_users=80, seed=0, progress=False)
    return folder


@pytest.fixture
def features(database, data, tmp_path, monkeypatch, capsys):
    """Run `newsreco features ...`: the exit status, what was printed, and what was complained."""
    monkeypatch.setenv("NEWSRECO_DATABASE_URL", database)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")  # a server that is down
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        status = main(["features", *map(str, arguments)])
        return status, *capsys.readouterr()

    return run


def test_the_whole_way(features, data, tmp_path):
    status, said, _ = features("build", "--data", data, "--window-hours", 6, "--quiet")
    assert status == 0 and "0 there already" in said
    status, said, _ = features("build", "--data", data, "--window-hours", 6, "--quiet")
    assert status == 0 and said.startswith("0 windows written (0 rows)")
    status, said, _ = features("train", "--data", data, "--out", tmp_path / "m", "--factors", 2)
    assert status == 0 and "not tracked: http://127.0.0.1:1 does not answer" in said
    answer = tmp_path / "f.json"
    status, said, _ = features(
        "evaluate", "--model", tmp_path / "m", "--data", data, "--json", answer,
        "--report", tmp_path / "p.md", "--quiet",
    )  # fmt: skip
    metrics = json.loads(answer.read_text())
    assert status == 0 and 0 < metrics["svd_precision_at_5"] < 1
    assert f"svd_recall_at_5                 {metrics['svd_recall_at_5']:.4f}".rstrip("0") in said
    assert (tmp_path / "p.md").read_text().startswith("# Performance of the SVD system")
    status, said, _ = features("infer", "--model", tmp_path / "m", "--user", "U1004", "-k", 3)
    assert status == 0 and [line.split()[0] for line in said.splitlines()] == ["1", "2", "3"]
    status, _, complaint = features("infer", "--model", tmp_path / "m", "--user", "X")
    assert status == 2 and "got 'X'" in complaint


def test_nothing_built_yet(features, data, tmp_path):
    status, _, complaint = features("train", "--data", data, "--out", tmp_path / "m")
    assert status == 2 and "newsreco features build" in complaint
    assert not (tmp_path / "m").exists()


def test_moment_or_data(features, data, tmp_path):
    features("build", "--data", data, "--window-hours", 24, "--quiet")
    status, _, complaint = features("train", "--out", tmp_path / "m")
    assert status == 2 and "either --at, a moment, or --data" in complaint


def test_folder_without_data(features, tmp_path):
    status, _, complaint = features("build", "--data", tmp_path / "none", "--quiet")
    assert status == 2 and complaint.startswith("newsreco features build:")


def test_password_is_not_printed(features, tmp_path, data):
    status, said, complaint = features(
        "build", "--data", data, "--database", "postgresql://u:hunter2@127.0.0.1:1/d"
    )
    assert status == 2 and "u:***@127.0.0.1" in complaint and "hunter2" not in said + complaint
