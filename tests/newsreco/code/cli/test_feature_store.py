"""`newsreco features build`, and `newsreco svd` on the store that it built."""

import json

import pytest

from newsreco.cli import main
from newsreco.data import load_mind
from newsreco.synthetic import write_sample


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    write_sample(folder, n_articles=100, n_impressions=600, n_users=80, seed=0, progress=False)
    return folder


@pytest.fixture
def run(database, data, tmp_path, monkeypatch, capsys):
    """Run a command: the exit status, stdout and stderr."""
    monkeypatch.setenv("NEWSRECO_DATABASE_URL", database)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")  # a server that is down
    monkeypatch.chdir(tmp_path)

    def run(command, *arguments):
        status = main([*command.split(), *map(str, arguments)])
        return status, *capsys.readouterr()

    return run


def test_build_train_evaluate_recommend(run, data, tmp_path, caplog):
    status, out, _ = run("features build", "--data", data, "--window-hours", 6, "--quiet")
    assert status == 0 and "0 already built" in out
    status, out, _ = run("features build", "--data", data, "--window-hours", 6, "--quiet")
    assert status == 0 and out.startswith("0 windows written (0 rows)")
    status, _, _ = run("svd train", "--data", data, "--out", tmp_path / "m", "--factors", 2)
    assert status == 0
    assert caplog.messages == [
        "not tracked: http://127.0.0.1:1 does not answer: [Errno 111] Connection refused"
    ]
    answer = tmp_path / "f.json"
    status, out, _ = run(
        "svd evaluate", "--model", tmp_path / "m", "--data", data, "--json", answer,
        "--report", tmp_path / "p.md", "--quiet",
    )  # fmt: skip
    metrics = json.loads(answer.read_text())
    assert status == 0 and 0 < metrics["svd_precision_at_5"] < 1
    assert f"svd_recall_at_5                 {metrics['svd_recall_at_5']:.4f}".rstrip("0") in out
    assert (tmp_path / "p.md").read_text().startswith("# Performance of the SVD system")
    log, _ = load_mind(data, progress=False)
    titles = dict(zip(log.articles.ids, log.articles.title))
    recommend = ["svd recommend", "--model", tmp_path / "m", "-k", 3, "--user"]
    status, out, _ = run(*recommend, log.user_ids[log.impressions.user[0]])
    head, *lines = out.splitlines()
    assert status == 0 and head.split() == ["rank", "views", "x", "rating", "article", "title"]
    for rank, line in enumerate(lines, 1):
        number, score, article, title = line.split(maxsplit=3)
        assert int(number) == rank and float(score) > 0 and title == titles[article]
    assert rank == 3
    status, out, _ = run(*recommend, "X", "--at", "2031-01-01T00:00:00Z")
    first, second, *lines = out.splitlines()
    assert status == 0 and first == "X is a new user: trending articles" and len(lines) == 4
    assert second.startswith("nothing is newer than the articles of 2025-")
    status, _, error = run(*recommend, "X", "--at", "2011-01-01T00:00:00Z")
    assert status == 2 and "no article that 'X' has not clicked is live" in error


def test_latest_prints_the_features_of_one_key(run, data, tmp_path):
    run("features build", "--data", data, "--window-hours", 6, "--quiet")
    answer = tmp_path / "f.json"
    status, out, _ = run("features latest user U1004", "--json", answer)
    found = json.loads(answer.read_text())
    assert status == 0 and [line.split()[0] for line in out.splitlines()] == list(found)
    assert list(found)[2:] == ["impressions", "clicks", "decayed_clicks"]
    assert found["impressions"] >= 1 and found["event_time"].endswith("00:00Z")
    item = next(
        entry.rpartition("-")[0]
        for line in (data / "behaviors.tsv").read_text().splitlines()
        for entry in line.split("\t")[4].split() if line.split("\t")[1] == "U1004"
    )  # fmt: skip
    status, out, _ = run("features latest user_item U1004", item)
    assert status == 0 and "last_shown" in out
    status, _, error = run("features latest item N1")
    assert status == 2 and "the store has no features of item 'N1'" in error
    for key in ("", "U1004 N1 N2"):
        status, _, error = run("features latest user_item U1004", *key.split()[1:])
        assert status == 2 and error.count("\n") == 1


def test_open_window_waits_and_late_lines_are_added(run, data, tmp_path):
    """The same lines in three exports: a part, a later one, and the rest of both."""
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "news.tsv").write_bytes((data / "news.tsv").read_bytes())
    lines = (data / "behaviors.tsv").read_text().splitlines(keepends=True)

    def build(part, *more):
        (folder / "behaviors.tsv").write_text("".join(part))
        words = ["--data", folder, "--window-hours", 24, "--quiet", "--strict", *more]
        return run("features build", *words)

    status, out, _ = build(lines[:300])
    assert status == 0 and "whose windows are still open: see --until" in out
    status, out, _ = build(lines[:100] + lines[105:400])
    assert status == 2 and out == ""  # impressions are missing
    status, out, _ = build(lines[:300] + lines[305:400])
    assert status == 0 and "late" not in out
    status, out, error = build(lines, "--known-at", "2025-03-01T00:00:00Z")
    assert status == 2 and "known_at must be later than all that the store knows" in error
    status, out, _ = build(lines, "--until", "2025-12-31T00:00:00Z")
    assert status == 0 and "open" not in out
    written = int(out.split()[0])
    assert (written > 0) and ("late impressions added" in out)
    status, out, _ = build(lines, "--until", "2025-12-31T00:00:00Z")
    assert status == 0 and out.startswith("0 windows written (0 rows)") and "late" not in out


def test_database_in_memory_is_refused(run, data, monkeypatch):
    for command in (
        "features build --data x",
        "features latest item N1",
        "svd recommend --model x",
    ):
        words = ["--user", "U1"] if command.startswith("svd") else []
        for url in ("sqlite://", "sqlite:///", "sqlite:///:memory:"):
            status, _, error = run(command, *words, "--database", url)
            assert status == 2 and error.count("\n") == 1
            assert "in memory" in error or "bundle" in error or "'x'" in error


def test_training_needs_a_store(run, data, tmp_path):
    status, _, error = run("svd train", "--data", data, "--out", tmp_path / "m")
    assert status == 2 and "newsreco features build" in error
    assert not (tmp_path / "m").exists()


def test_svd_is_trained_at_a_time_in_iso_8601(run, data, tmp_path):
    run("features build", "--data", data, "--window-hours", 24, "--quiet")
    status, _, error = run("svd train", "--out", tmp_path / "m")
    assert status == 2 and "one of the arguments --at --data is required" in error
    at = "2025-03-12T06:00:00Z"
    status, out, _ = run("svd train", "--out", tmp_path / "m", "--at", at)
    assert status == 0 and f"as of {at}" in out


def test_folder_without_data(run, tmp_path):
    status, _, error = run("features build", "--data", tmp_path / "none", "--quiet")
    assert status == 2 and error.startswith("newsreco features build:")


def test_password_is_not_printed(run, tmp_path, data):
    status, out, error = run(
        "features build", "--data", data, "--database", "postgresql://u:hunter2@127.0.0.1:1/d"
    )
    assert status == 2 and "u:***@127.0.0.1" in error and "hunter2" not in out + error
