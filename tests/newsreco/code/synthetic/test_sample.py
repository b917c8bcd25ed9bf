"""Writing synthetic data: what is written is what is read, whole or not at all."""

import tracemalloc

import numpy as np
import pytest

from newsreco import cli
from newsreco.data import load_mind
from newsreco.data.log import NewsLog
from newsreco.synthetic import make_synthetic_log, read_ground_truth, write_sample
from newsreco.synthetic import sample as sample_module
from newsreco.synthetic.generate import make_plan

SMALL = {"n_articles": 60, "n_impressions": 300, "n_users": 30, "seed": 5}


def arrays(log: NewsLog) -> dict:
    """Every array and list of a log, by name."""
    found = {}
    for part in (log, log.articles, log.impressions):
        found |= {f"{type(part).__name__}.{name}": value for name, value in vars(part).items()}
    return {name: value for name, value in found.items() if isinstance(value, (np.ndarray, list))}


def assert_same(a, b):
    a, b = arrays(a), arrays(b)
    assert a.keys() == b.keys()
    assert len(a) == 18
    for name, values in a.items():
        if isinstance(values, list):
            assert values == b[name], name
        else:
            assert values.dtype == b[name].dtype, name
            np.testing.assert_array_equal(values, b[name], name)


@pytest.mark.parametrize("click_model", ["preference", "random"])
@pytest.mark.parametrize("seed", [0, 7])
def test_what_is_read_back_equals_the_log(tmp_path, click_model, seed):
    settings = SMALL | {"seed": seed, "click_model": click_model}
    folder = write_sample(tmp_path / "new" / "sample", **settings, progress=False)
    made = make_synthetic_log(**settings)
    log, report = load_mind(folder, strict=True, progress=False)
    assert report.clean
    assert_same(log, made.log)
    truth = read_ground_truth(folder, log)
    np.testing.assert_array_equal(truth.probability, made.truth.probability)
    np.testing.assert_array_equal(truth.relevance, made.truth.relevance)


def test_files_say_that_they_are_synthetic(tmp_path):
    folder = write_sample(tmp_path / "s", **SMALL, progress=False)
    assert {path.name for path in folder.iterdir()} == sample_module.SAMPLE_FILES
    readme = (folder / "README.txt").read_text()
    assert readme.startswith("This folder is SYNTHETIC")
    assert '"seed": 5' in readme


def test_an_earlier_sample_is_replaced_and_nothing_else_is(tmp_path):
    folder = tmp_path / "s"
    folder.mkdir()
    write_sample(folder, **SMALL, progress=False)
    write_sample(folder, **SMALL | {"seed": 6}, progress=False)
    assert '"seed": 6' in (folder / "README.txt").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["s"]
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds something else"):
        write_sample(folder, **SMALL, progress=False)
    (folder / "thesis.txt").unlink()
    (folder / "README.txt").write_text("MIND, the real one")
    with pytest.raises(ValueError, match="holds something else"):
        write_sample(folder, **SMALL, progress=False)
    with pytest.raises(ValueError, match="holds something else"):
        write_sample(folder / "README.txt", **SMALL, progress=False)
    assert (folder / "README.txt").read_text() == "MIND, the real one"


def test_a_crash_leaves_the_earlier_sample_and_no_draft(tmp_path, monkeypatch):
    folder = write_sample(tmp_path / "s", **SMALL, progress=False)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def crash(seconds):
        raise OSError("no space left on device")

    monkeypatch.setattr(sample_module, "mind_time", crash)
    with pytest.raises(OSError, match="no space"):
        write_sample(folder, **SMALL | {"seed": 6}, progress=False)
    with pytest.raises(OSError, match="no space"):
        write_sample(tmp_path / "other", **SMALL, progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["s"]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_memory_of_writing_does_not_grow_with_the_log(monkeypatch):
    """Ten times the impressions take hardly more memory."""
    monkeypatch.setattr("newsreco.synthetic.generate.CHUNK", 512)

    def peak(n_impressions):
        plan = make_plan(60, n_impressions, 30, 1, "preference")  # a few numbers per impression
        tracemalloc.start()
        for chunk in plan.chunks():
            for _ in sample_module._impression_lines(plan, chunk):
                pass
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(10)  # compiles
    assert peak(5_120) < 1.3 * peak(512)


def test_truth_leaves_out_what_the_loader_leaves_out(tmp_path):
    folder = write_sample(tmp_path / "s", **SMALL, progress=False)
    whole, _ = load_mind(folder, progress=False)
    expected = read_ground_truth(folder, whole)
    lines = (folder / "behaviors.tsv").read_text().splitlines()
    lines[3] = lines[3].replace("-0", "-7")  # the whole line goes
    (folder / "behaviors.tsv").write_text("\n".join(lines))
    news = (folder / "news.tsv").read_text().splitlines(keepends=True)
    gone = whole.impressions.item[0]
    del news[gone]  # its entries go
    (folder / "news.tsv").write_text("".join(news))
    log, report = load_mind(folder, progress=False)
    assert not report.clean
    rows = whole.impressions.impression
    kept = (rows != 3) & (whole.impressions.item != gone)
    truth = read_ground_truth(folder, log)
    np.testing.assert_array_equal(truth.probability, expected.probability[kept])
    np.testing.assert_array_equal(truth.relevance, expected.relevance[kept])


def test_truth_of_two_folders_whose_ids_repeat(tmp_path):
    write_sample(tmp_path / "a", **SMALL, progress=False)
    write_sample(tmp_path / "b", **SMALL | {"seed": 9}, progress=False)
    log, _ = load_mind(tmp_path, progress=False)
    truth = read_ground_truth(tmp_path, log)
    parts = [
        read_ground_truth(tmp_path / name, load_mind(tmp_path / name, progress=False)[0])
        for name in "ab"
    ]
    both = np.sort(np.concatenate([part.probability for part in parts]))
    np.testing.assert_array_equal(np.sort(truth.probability), both)


def test_incomplete_truth_is_refused(tmp_path):
    folder = write_sample(tmp_path / "s", **SMALL, progress=False)
    log, _ = load_mind(folder, progress=False)
    text = (folder / "truth.tsv").read_text()
    (folder / "truth.tsv").write_text(text[: len(text) // 2].rsplit("\n", 1)[0])
    with pytest.raises(ValueError, match="lacks the probability of"):
        read_ground_truth(folder, log)
    (folder / "truth.tsv").write_text(text.replace("\t", " ", 1))
    with pytest.raises(ValueError, match=r"truth\.tsv:1: not a line of truth\.tsv"):
        read_ground_truth(folder, log)
    (folder / "truth.tsv").unlink()
    assert read_ground_truth(folder, log) is None


def test_commands_write_and_check(tmp_path, capsys):
    out = str(tmp_path / "s")
    options = ["--articles", "60", "--impressions", "90", "--users", "20", "--quiet"]
    assert (
        cli.main(["sample", "--out", out, "--seed", "3", "--click-model", "random", *options]) == 0
    )
    expected = make_synthetic_log(60, 90, 20, 3, "random").log
    assert_same(load_mind(out, progress=False)[0], expected)

    report = tmp_path / "report.json"
    check = ["check", "--data", out, "--quiet"]
    assert cli.main([*check, "--strict", "--json", str(report)]) == 0
    assert '"clean": true' in report.read_text()
    with open(tmp_path / "s" / "behaviors.tsv", "a") as file:
        file.write("91\tU1\n")
    assert cli.main(check) == 0
    assert "behaviors.tsv: 1 skipped, wrong number of columns" in capsys.readouterr().out
    assert cli.main([*check, "--strict", "--json", str(report)]) == 2
    assert "behaviors.tsv:91: wrong number of columns" in capsys.readouterr().err
    assert '"clean": false' in report.read_text()

    assert cli.main(["sample", "--out", str(tmp_path), *options]) == 2
    assert "holds something else" in capsys.readouterr().err
    assert cli.main(["sample", "--out", out, "--click-model", "dice"]) == 2
    assert "--click-model" in capsys.readouterr().err
