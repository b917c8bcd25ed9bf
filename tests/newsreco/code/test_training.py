"""Training: no leaks from the future, bundles complete on disk, one training at a time."""

import json
from dataclasses import replace

import numpy as np
import pytest

from newsreco.cli import main
from newsreco.evaluation.model import evaluate
from newsreco.features.kernels import Column
from newsreco.features.matrix import replay
from newsreco.features.state import State
from newsreco.files import locked
from newsreco.models.bundle import Settings, load_model
from newsreco.models.rankers import RANKERS
from newsreco.synthetic import write_sample
from newsreco.training import known_articles, train
from recsys.logistic import LogisticRanker

SMALL = ["--articles", "100", "--impressions", "600", "--users", "80"]


@pytest.fixture(scope="module")
def result(world):
    return train(world.log, Settings(), world.truth, progress=False)


@pytest.fixture
def bundle(result, tmp_path):
    result.model.save(tmp_path / "model")
    return tmp_path / "model"


def read_all(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def with_another_future(log, cut, rng):
    """The log with other users, times, articles and clicks from a time on."""
    shown = log.impressions
    first = log.cut(cut)
    later = slice(shown.start[first], None)
    user, time, item, clicked = (
        getattr(shown, name).copy() for name in ("user", "time", "item", "clicked")
    )
    item[later] = rng.permutation(item[later])
    clicked[later] = ~clicked[later]
    time[first + 1 :] += 3600.0
    known = user[:first].max() + 1
    user[first:] = np.where(user[first:] < known, (user[first:] + 1) % known, user[first:])
    return replace(
        log,
        impressions=replace(shown, user=user, time=time, item=item, clicked=clicked),
    )


@pytest.mark.parametrize("ranker", ["logistic", "lambdamart"])
def test_events_after_the_cut_do_not_change_a_byte_of_the_model(world, tmp_path, ranker):
    log, settings = world.log, Settings(ranker=ranker)
    cut = log.cutoff_time(settings.test_fraction)
    other = with_another_future(log, cut, np.random.default_rng(0))
    train(log, settings, progress=False).model.save(tmp_path / "a")
    train(other, settings, progress=False).model.save(tmp_path / "b")
    assert read_all(tmp_path / "a") == read_all(tmp_path / "b")
    clicked = log.impressions.clicked.copy()
    before = log.impressions.start[log.cut(cut)] - 1
    clicked[before] = ~clicked[before]
    past = replace(log, impressions=replace(log.impressions, clicked=clicked))
    train(past, settings, progress=False).model.save(tmp_path / "c")
    assert read_all(tmp_path / "a") != read_all(tmp_path / "c"), "an event before the cut does"


def test_articles_first_shown_after_the_cut_do_not_change_the_embedder(world):
    """They get vectors, but vocabulary, patterns and ranker come from the known articles."""
    past = world.log.before(world.log.cutoff_time(0.2))
    known = set(known_articles(past).tolist())
    articles = world.log.articles
    titles = [t if i in known else f"unknown {i % 3}" for i, t in enumerate(articles.title)]
    assert titles != articles.title
    changed = replace(world.log, articles=replace(articles, title=titles))
    first = train(world.log, progress=False, lists=0).model
    second = train(changed, progress=False, lists=0).model
    assert first.embedder.words.vocabulary == second.embedder.words.vocabulary
    assert first.embedder.projection.tobytes() == second.embedder.projection.tobytes()
    assert first.ranker.weights.tobytes() == second.ranker.weights.tobytes()


def test_saved_model_gives_the_same_metrics(world, result, bundle):
    again = load_model(bundle)
    _, metrics = evaluate(again, world.log, world.truth)
    assert metrics == result.metrics
    assert again.articles.title == world.log.articles.title
    assert again.user_ids == result.model.user_ids
    again.save(bundle.parent / "again")
    assert read_all(bundle) == read_all(bundle.parent / "again")


@pytest.mark.parametrize("name", ["arrays.npz", "manifest.json"])
def test_changed_byte_is_refused(bundle, name):
    path = bundle / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=name):
        load_model(bundle)


def test_metrics_are_those_of_the_held_out_period(world, result):
    log = world.log
    n_later = len(log.impressions) - log.cut(log.cutoff_time(0.2))
    assert result.metrics["impressions"] == n_later == len(result.per_impression)
    auc = result.per_impression["auc"]
    assert result.metrics["ranker_auc"] == pytest.approx(auc.mean())
    assert result.metrics["impressions_evaluated"] == auc.notna().sum() < n_later


def test_log_without_later_impressions_is_refused(world, result):
    past = world.log.before(world.log.cutoff_time(0.2))
    with pytest.raises(ValueError, match="later"):
        evaluate(result.model, past)


def test_refit_learns_from_the_whole_log_and_keeps_the_metrics(world, result):
    again = train(world.log, Settings(refit=True), world.truth, progress=False)
    assert again.metrics == result.metrics
    assert again.model.state.now == world.log.impressions.time[-1] > result.model.state.now
    assert again.model.data_fingerprint == world.log.fingerprint()
    assert again.model.user_ids == world.log.user_ids


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"half_life_days": 0}, "half_life_days"),
        ({"half_life_days": float("nan")}, "half_life_days"),
        ({"embedder": "bert"}, "embedder"),
        ({"ranker": "best"}, "ranker"),
        ({"test_fraction": 1.0}, "test_fraction"),
        ({"seed": -1}, "seed"),
        ({"refit": 1}, "refit"),
    ],
)
def test_wrong_settings_raise(change, named):
    with pytest.raises(ValueError, match=named):
        Settings(**change)


def test_train_and_evaluate_commands_agree(tmp_path, capsys):
    data, model, metrics = tmp_path / "data", tmp_path / "model", tmp_path / "metrics.json"
    assert main(["sample", "--out", str(data), "--seed", "3", *SMALL]) == 0
    command = ["train", "--data", str(data), "--out", str(model), "--json", str(metrics)]
    command += ["--no-tracking"]
    assert main([*command, "--quiet"]) == 0
    trained = json.loads(metrics.read_text())
    assert {"ranker_auc", "ranker_auc_se", "best_possible_auc"} <= trained.keys()
    command = ["evaluate", "--model", str(model), "--data", str(data), "--json", str(metrics)]
    assert main([*command, "--quiet"]) == 0
    assert json.loads(metrics.read_text()) == trained
    assert "ranker_auc" in capsys.readouterr().out


def test_failed_training_keeps_the_old_model(tmp_path, capsys):
    data, model = tmp_path / "data", tmp_path / "model"
    write_sample(data, n_articles=100, n_impressions=600, n_users=80, progress=False)
    command = ["train", "--data", str(data), "--out", str(model), "--quiet", "--no-tracking"]
    assert main(command) == 0
    before = read_all(model)
    (data / "behaviors.tsv").write_text("nothing\tof\tthis\tkind\n")
    assert main(command) == 2
    assert "newsreco train:" in capsys.readouterr().err
    assert read_all(model) == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_two_trainings_at_once_on_one_folder(tmp_path, capsys):
    model = tmp_path / "model"
    command = ["train", "--data", str(tmp_path), "--out", str(model), "--no-tracking"]
    with locked(model):
        assert main(command) == 2
    message = capsys.readouterr().err
    assert "another process is writing" in message


def test_ranker_learns_from_the_impressions_after_the_warm_up(world, monkeypatch):
    """Of 640 past impressions the first 64 only fill the counters."""
    given = {}

    class Recorder(LogisticRanker):
        def fit(self, X, clicked, start):
            given.update(X=X.copy(), clicked=clicked, start=start)
            return super().fit(X, clicked, start)

    monkeypatch.setitem(RANKERS, "logistic", Recorder)
    train(world.log, progress=False, lists=0)
    shown = world.log.impressions
    assert len(shown) == 800 and shown.time[639] < shown.time[640]
    rows = slice(shown.start[64], shown.start[640])
    assert (given["start"] == shown.start[64:641] - shown.start[64]).all()
    assert (given["clicked"] == shown.clicked[rows]).all()
    X = replay(world.log, State.empty(world.log, Settings().half_life), given_vectors(world))
    assert given["X"].shape == X[rows].shape
    no_text = [Column.CATEGORY, Column.AGE, Column.IS_NEW, Column.HISTORY, Column.POSITION]
    assert (given["X"][:, no_text] == X[rows][:, no_text]).all()


def given_vectors(world):
    """Vectors of zeros: the features that do not use the texts are the same."""
    return np.zeros((world.log.n_items, 4), np.float32)


def test_half_life_of_the_settings_reaches_the_profiles(world):
    short, long = (
        train(world.log, Settings(half_life_days=days), progress=False, lists=0).model
        for days in (0.25, 5.0)
    )
    assert short.state.arrays.profile_half_life.tolist() == [0.25 * 86_400]
    assert long.state.arrays.profile_half_life.tolist() == [5 * 86_400]
    assert (short.ranker.weights != long.ranker.weights).any()
