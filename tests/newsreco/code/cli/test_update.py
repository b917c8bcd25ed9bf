"""`newsreco update` on a saved model."""

import json

import pytest

from newsreco.cli import main
from newsreco.models.bundle import load_model
from newsreco.synthetic import write_sample


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A model trained on a sample's first days, the sample, and a folder with its last day."""
    folder = tmp_path_factory.mktemp("update")
    write_sample(folder / "data", 100, 600, 80, seed=1, progress=False)
    train = ["train", "--data", str(folder / "data"), "--out", str(folder / "model")]
    assert main([*train, "--no-tracking", "--quiet"]) == 0
    (folder / "today").mkdir()
    news, behaviors = (folder / "data" / name for name in ("news.tsv", "behaviors.tsv"))
    lines = news.read_text().splitlines(keepends=True)
    (folder / "today" / "news.tsv").write_text("".join(sorted(lines, reverse=True)))
    last = behaviors.read_text().splitlines(keepends=True)[-50:]
    (folder / "today" / "behaviors.tsv").write_text("".join(last))
    return folder


def test_update_writes_a_model_that_knows_the_new_impressions(folders, capsys, tmp_path):
    arguments = ["update", "--model", str(folders / "model"), "--data", str(folders / "today")]
    out, counts = tmp_path / "updated", tmp_path / "counts.json"
    before = load_model(folders / "model")
    assert main([*arguments, "--out", str(out), "--json", str(counts), "--quiet"]) == 0
    assert "50 impressions counted until" in capsys.readouterr().out
    assert json.loads(counts.read_text())["counted"] == 50
    updated = load_model(out)
    assert updated.state.now > before.state.now
    assert updated.articles.ids[: len(before.articles)] == before.articles.ids
    assert load_model(folders / "model").state.now == before.state.now


def test_second_update_with_the_same_data_counts_nothing(folders, capsys, tmp_path):
    today = ["--data", str(folders / "today"), "--quiet"]
    out = str(tmp_path / "updated")
    assert main(["update", "--model", str(folders / "model"), "--out", out, *today]) == 0
    first = load_model(out)
    assert main(["update", "--model", out, *today]) == 0
    assert "0 impressions counted" in capsys.readouterr().out
    second = load_model(out)
    assert second.state.arrays.totals.tolist() == first.state.arrays.totals.tolist()


def test_wrong_input_is_one_sentence(folders, capsys, tmp_path):
    write_sample(tmp_path / "other", 100, 200, 80, seed=2, progress=False)
    arguments = ["update", "--model", str(folders / "model"), "--data", str(tmp_path / "other")]
    assert main([*arguments, "--quiet"]) == 2
    error = capsys.readouterr().err
    assert (
        error.startswith("newsreco update: log must be of the model's site")
        and error.count("\n") == 1
    )
