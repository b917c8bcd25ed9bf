"""What every command checks before it works: the data's loss, output paths, the seed."""

import json

import pytest

from newsreco.cli import main
from newsreco.files import check_writable
from newsreco.synthetic import write_sample
from newsreco.tracking.client import mlflow_client

SMALL = {"n_articles": 100, "n_impressions": 600, "n_users": 80}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A sample, and a model and a feature store made of it."""
    folder = tmp_path_factory.mktemp("made")
    data = write_sample(folder / "data", **SMALL, progress=False)
    words = ["train", "--data", str(data), "--out", str(folder / "model")]
    assert main([*words, "--no-tracking", "--quiet"]) == 0
    store = ["features", "build", "--data", str(data), "--database", f"sqlite:///{folder}/f.db"]
    assert main([*store, "--window-hours", "24", "--quiet"]) == 0
    at = ["svd", "train", "--data", str(data), "--out", str(folder / "svd")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")  # a server that is down
        assert main([*at, "--database", f"sqlite:///{folder}/f.db", "--quiet"]) == 0
    return folder


@pytest.fixture(scope="module")
def half(made):
    """The same data with half of its impressions cut off."""
    folder = made / "half"
    folder.mkdir()
    (folder / "news.tsv").write_bytes((made / "data" / "news.tsv").read_bytes())
    lines = (made / "data" / "behaviors.tsv").read_text().splitlines()
    lines[::2] = [line.rpartition("\t")[0] for line in lines[::2]]
    (folder / "behaviors.tsv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def commands(made, mlflow_uri, tmp_path):
    """Every command that learns or evaluates, without --data."""
    model, out = ["--model", str(made / "model")], ["--out", str(tmp_path / "out")]
    database = ["--database", f"sqlite:///{made}/f.db"]
    register = ["register", *model, "--tracking-uri", mlflow_uri]
    assert main(register) == 0 and main(["promote", "1", "--tracking-uri", mlflow_uri]) == 0
    return {
        "train": ["train", *out, "--no-tracking"],
        "evaluate": ["evaluate", *model],
        "update": ["update", *model, *out],
        "sweep": ["sweep", "--half-life", "1", "--tracking-uri", mlflow_uri],
        "promote": ["promote", "1", "--tracking-uri", mlflow_uri],
        "features build": ["features", "build", "--database", f"sqlite:///{tmp_path}/new.db"],
        "svd train": ["svd", "train", *out, *database],
        "svd evaluate": ["svd", "evaluate", "--model", str(made / "svd"), *database],
    }


def test_every_command_stops_where_too_much_is_lost(commands, half, tmp_path, capsys):
    for name, words in commands.items():
        words = [*words, "--data", str(half), "--quiet"]
        capsys.readouterr()
        assert main(words) == 2, name
        error = capsys.readouterr().err
        assert error.startswith(f"newsreco {name}: {half}: 50.0% of the lines, 0.0% of the entries")
        assert "--max-loss" in error and error.count("\n") == 1
        assert not (tmp_path / "out").exists()


def test_limit_is_an_option_and_a_setting(commands, half, monkeypatch, capsys):
    words = [*commands["train"], "--data", str(half), "--quiet"]
    assert main([*words, "--max-loss", "0.5"]) == 0
    assert "300 lines and 0 entries left out (50.0% of the lines" in capsys.readouterr().err
    monkeypatch.setenv("NEWSRECO_MAX_LOSS", "0.5")
    assert main(words) == 0
    assert main([*words, "--max-loss", "0.49"]) == main([*words, "--max-loss", "0"]) == 2
    for wrong in ("1.5", "-0.1", "nan", "half"):
        capsys.readouterr()
        assert main([*words, "--max-loss", wrong]) == 2
        assert "must be a number from 0 to 1" in capsys.readouterr().err
    monkeypatch.setenv("NEWSRECO_MAX_LOSS", "7")
    assert main(words) == 2 and "setting max_loss" in capsys.readouterr().err


def test_what_was_lost_is_in_json_report_and_mlflow(half, tmp_path, mlflow_uri, capsys):
    words = ["train", "--data", str(half), "--out", str(tmp_path / "out"), "--quiet"]
    words += ["--max-loss", "1", "--tracking-uri", mlflow_uri]
    words += ["--json", str(tmp_path / "f.json"), "--report", str(tmp_path / "report")]
    assert main(words) == 0
    lost = {"lost_lines": 0.5, "lost_entries": 0.0, "lost_clicks": 0.0}
    assert lost.items() <= json.loads((tmp_path / "f.json").read_text()).items()
    assert "lost_lines" in capsys.readouterr().out
    for name in ("report.html", "report.md"):
        text = (tmp_path / "report" / name).read_text()
        assert "lines lost in reading" in text and "50.0%" in text
    with mlflow_client(mlflow_uri) as mlflow:
        (run,) = mlflow.search_runs(search_all_experiments=True, output_format="list")
    assert lost.items() <= run.data.metrics.items()
    evaluate = ["evaluate", "--model", str(tmp_path / "out"), "--data", str(half), "--quiet"]
    assert main([*evaluate, "--max-loss", "1", "--json", str(tmp_path / "e.json")]) == 0
    assert lost.items() <= json.loads((tmp_path / "e.json").read_text()).items()


def test_overlapping_exports_give_the_same_model_and_a_line(made, tmp_path, capsys):
    twice = tmp_path / "twice"
    twice.mkdir()
    for name in ("news.tsv", "truth.tsv"):
        (twice / name).write_bytes((made / "data" / name).read_bytes())
    text = (made / "data" / "behaviors.tsv").read_text()
    (twice / "behaviors.tsv").write_text(text + text)
    results = []
    for data in (made / "data", twice):
        words = ["train", "--data", str(data), "--out", str(tmp_path / "m"), "--no-tracking"]
        assert main([*words, "--json", str(tmp_path / "f.json"), "--quiet"]) == 0
        results.append((tmp_path / "f.json").read_text())
    assert results[0] == results[1]
    assert "600 repeated lines left out, which is no loss" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--json", "--report"])
def test_output_that_cannot_be_written_is_refused_before_training(
    option, commands, made, tmp_path, monkeypatch, capsys
):
    def trained(*arguments, **options):
        raise AssertionError("training began")

    monkeypatch.setattr("newsreco.training.train", trained)
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    wrong = [tmp_path / "file" / "below", tmp_path / ("folder" if option == "--json" else "file")]
    for path in wrong:
        words = [*commands["train"], "--data", str(made / "data"), option, str(path)]
        assert main(words) == 2
        error = capsys.readouterr().err
        assert option in error and str(path) in error and error.count("\n") == 1
    assert (tmp_path / "file").read_text() == "mine" and not list((tmp_path / "folder").iterdir())


def test_writable_paths_pass_and_leave_nothing(tmp_path):
    check_writable(tmp_path / "new" / "deep" / "f.json")
    check_writable(tmp_path / "new" / "report", folder=True)
    check_writable(tmp_path, folder=True)
    (tmp_path / "f.json").write_text("old")
    check_writable(tmp_path / "f.json")
    assert [path.name for path in tmp_path.iterdir()] == ["f.json"]
    for path in ("/proc/f.json", "/proc/1/report"):
        with pytest.raises(ValueError, match=rf"'{path}' cannot be written: "):
            check_writable(path, folder=path.endswith("report"))


@pytest.mark.parametrize("seed", ["-1", str(2**32), "1e3", "0x1", "٣", ""])
@pytest.mark.parametrize("command", ["sample", "train", "sweep", "svd train", "ask"])
def test_seed_out_of_range_is_refused_at_once(command, seed, tmp_path, capsys):
    words = [*command.split(), "--data", "none", "--out", str(tmp_path / "x"), f"--seed={seed}"]
    assert main(words) == 2
    error = capsys.readouterr().err
    assert "argument --seed: must be a whole number from 0 to 4294967295" in error
    assert error.count("\n") == 1


def test_largest_seed_makes_a_sample_and_a_model(tmp_path):
    seed = ["--seed", str(2**32 - 1), "--quiet"]
    data, out = str(tmp_path / "data"), str(tmp_path / "model")
    sizes = ["--articles", "60", "--impressions", "400", "--users", "40"]
    assert main(["sample", "--out", data, *sizes, *seed]) == 0
    train = ["train", "--data", data, "--out", out, "--ranker", "lambdamart", "--no-tracking"]
    assert main([*train, *seed]) == 0
