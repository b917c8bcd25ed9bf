"""The registry: the better model serves, by proof; each decision stays; no byte may change."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from newsreco.cli import main
from newsreco.evaluation.impressions import paired
from newsreco.models.bundle import Settings
from newsreco.synthetic import make_synthetic_log, write_sample
from newsreco.tracking import history as decisions
from newsreco.tracking import promotion
from newsreco.tracking.client import mlflow_client
from newsreco.tracking.gate import Comparison, Refused, judge
from newsreco.tracking.history import history
from newsreco.tracking.promotion import promote, rollback
from newsreco.tracking.registry import (
    load_production,
    load_version,
    production_version,
    register,
    status,
)
from newsreco.tracking.runs import tracked
from newsreco.training import evaluate, train


@pytest.fixture(scope="module")
def town():
    """300 articles, 3,000 impressions, 300 people."""
    return make_synthetic_log(n_impressions=3000, n_users=300, seed=2)


def with_clicks_shuffled(log):
    """The same log, but within each impression before the cut, other articles are clicked."""
    shown = log.impressions
    clicked = shown.clicked.copy()
    rng = np.random.default_rng(0)
    for first, last in zip(shown.start[: log.cut(log.cutoff_time())], shown.start[1:]):
        clicked[first:last] = rng.permutation(clicked[first:last])
    return replace(log, impressions=replace(shown, clicked=clicked))


@pytest.fixture(scope="module")
def good(town):
    return train(town.log, Settings(), town.truth, progress=False, lists=0)


@pytest.fixture(scope="module")
def bad(town):
    """Trained on clicks that mean nothing."""
    return train(with_clicks_shuffled(town.log), Settings(), progress=False, lists=0)


@pytest.fixture(scope="module")
def worse(town, good):
    """The good model with its weights turned round."""
    ranker = type(good.model.ranker)().restore(good.model.ranker.arrays())
    ranker.weights = -ranker.weights
    return replace(good, model=replace(good.model, ranker=ranker))


def add(result, log, mlflow_uri):
    """A version of a training's model."""
    with tracked(result.settings, mlflow_uri) as run:
        run.log(result, log, report=False)
    assert run.reason is None
    return register(run.id, uri=mlflow_uri)


def same(model, other):
    return np.array_equal(model.ranker.weights, other.ranker.weights)


# register


def test_a_version_tells_its_data_code_and_figures(good, town, mlflow_uri):
    assert add(good, town.log, mlflow_uri) == 1
    row = status(mlflow_uri).loc[1]
    assert row["alias"] == "" and row["decision"] == ""
    assert row["ranker_auc"] == pytest.approx(good.metrics["ranker_auc"], abs=1e-6)
    assert row["low"] < row["ranker_auc"] < row["high"]
    assert row["data"] == good.data_fingerprint and row["code"]
    assert same(load_version(1, mlflow_uri), good.model)


def test_a_bundle_has_one_version(good, worse, town, mlflow_uri, tmp_path):
    assert add(good, town.log, mlflow_uri) == add(good, town.log, mlflow_uri) == 1
    assert add(worse, town.log, mlflow_uri) == 2
    good.model.save(tmp_path / "model")
    assert register(folder=tmp_path / "model", uri=mlflow_uri) == 1


def test_a_bundle_that_was_trained_while_the_store_was_down(good, mlflow_uri, tmp_path):
    good.model.save(tmp_path / "model")
    assert register(folder=tmp_path / "model", uri=mlflow_uri) == 1
    row = status(mlflow_uri).loc[1]
    assert np.isnan(row["ranker_auc"]) and row["data"] == good.data_fingerprint
    assert same(load_version(1, mlflow_uri), good.model)


def test_what_cannot_be_registered_is_named(good, mlflow_uri, tmp_path):
    with pytest.raises(ValueError, match="run or folder, got neither"):
        register(uri=mlflow_uri)
    with pytest.raises(ValueError, match="bundle"):
        register(folder=tmp_path, uri=mlflow_uri)
    with pytest.raises(ValueError, match="not found"):
        register("0123456789abcdef0123456789abcdef", uri=mlflow_uri)
    with tracked(Settings(), mlflow_uri) as run:
        pass
    with pytest.raises(ValueError, match="must have recorded a model"):
        register(run.id, uri=mlflow_uri)


# the whole story


def test_promote_refuse_force_and_roll_back(good, bad, worse, town, mlflow_uri):
    first, second, third = (add(result, town.log, mlflow_uri) for result in (bad, good, worse))
    assert production_version(mlflow_uri) is None
    with pytest.raises(ValueError, match="promote one"):
        load_production(mlflow_uri)

    assert promote(first, uri=mlflow_uri).production is None, "the first has no rival"
    assert same(load_production(mlflow_uri), bad.model)

    comparison_result = promote(second, town.log, uri=mlflow_uri)
    assert (
        comparison_result.passes
        and 0 < comparison_result.low < comparison_result.gap < comparison_result.high
    )
    assert same(load_production(mlflow_uri), good.model)

    for version in (first, third):
        with pytest.raises(Refused, match=f"refused: version {version} against {second}") as no:
            promote(version, town.log, uri=mlflow_uri)
        assert no.value.comparison_result.low < 0
    assert production_version(mlflow_uri) == second

    promote(third, town.log, uri=mlflow_uri, force=True, why="the editor insists")
    assert same(load_production(mlflow_uri), worse.model)
    assert rollback(mlflow_uri, why="the editor was wrong") == second
    assert rollback(mlflow_uri) == first, "rolling back again goes further back"
    assert same(load_production(mlflow_uri), bad.model)
    with pytest.raises(ValueError, match="no version that was in production before"):
        rollback(mlflow_uri)

    told = history(mlflow_uri)
    assert list(zip(told["action"], told["version"], told["before"].fillna(0))) == [
        ("promoted", 1, 0),
        ("promoted", 2, 1),
        ("refused", 1, 2),
        ("refused", 3, 2),
        ("forced", 3, 2),
        ("rolled back", 2, 3),
        ("rolled back", 1, 2),
    ]
    forced = told.iloc[4]
    assert forced["forced"] and forced["why"] == "the editor insists" and forced["by"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", forced["at"])
    assert forced["low"] < 0 and told["why"].iloc[5] == "the editor was wrong"
    table = status(mlflow_uri)
    assert dict(table["decision"]) == {3: "rolled back", 2: "rolled back", 1: "restored"}
    assert dict(table["alias"]) == {3: "", 2: "", 1: "production"}


def test_a_force_that_was_not_needed_is_none(good, bad, town, mlflow_uri):
    promote(add(bad, town.log, mlflow_uri), uri=mlflow_uri)
    assert promote(add(good, town.log, mlflow_uri), town.log, uri=mlflow_uri, force=True).passes
    assert list(history(mlflow_uri)["action"]) == ["promoted", "promoted"]


def test_force_needs_no_evaluation(good, worse, town, mlflow_uri):
    promote(add(good, town.log, mlflow_uri), uri=mlflow_uri)
    version = add(worse, town.log, mlflow_uri)
    with pytest.raises(ValueError, match="log is needed"):
        promote(version, uri=mlflow_uri)
    assert not promote(version, uri=mlflow_uri, force=True).passes
    assert history(mlflow_uri).iloc[-1]["forced"]


# the evaluation


def test_both_are_judged_on_what_neither_has_learned_from(good, town):
    early = train(town.log, Settings(test_fraction=0.5), progress=False, lists=0)
    gap, low, high, people, impressions = judge(good.model, early.model, town.log)
    evaluation = good.per_impression
    other = (
        evaluate(early.model, town.log, lists=0)[0]
        .per_impression("ranker")
        .iloc[-len(evaluation) :]
    )
    expected = paired(
        evaluation["auc"].to_numpy(), other["auc"].to_numpy(), evaluation["user"].to_numpy()
    )
    assert (gap, low, high) == expected
    counted = evaluation["auc"].notna()
    assert (people, impressions) == (evaluation["user"][counted].nunique(), counted.sum())
    back = judge(early.model, good.model, town.log)
    assert back[0] == -gap and back[3:] == (people, impressions)


def test_other_metrics_can_decide(good, worse, town):
    for metric in ("ranker_mrr", "ranker_ndcg_at_10"):
        assert judge(good.model, worse.model, town.log, metric)[1] > 0
    with pytest.raises(ValueError, match="metric must be one of"):
        judge(good.model, worse.model, town.log, "displayed_order_auc")


def test_a_log_with_other_articles_is_refused(good, worse, world):
    with pytest.raises(ValueError, match="articles"):
        judge(good.model, worse.model, world.log)


def test_a_few_people_prove_nothing():
    assert not Comparison(2, 1, "ranker_auc", 0.1, 0.05, 0.2, users=19, impressions=90).passes
    assert Comparison(2, 1, "ranker_auc", 0.1, 0.05, 0.2, users=20, impressions=90).passes
    assert not Comparison(2, 1, "ranker_auc", 0.1, 0.0, 0.2, users=20, impressions=90).passes


# what must not happen


def bundle_of(version, mlflow_uri):
    with mlflow_client(mlflow_uri) as mlflow:
        place = f"models:/newsreco/{version}/artifacts/bundle"
        return mlflow.artifacts.download_artifacts(artifact_uri=place)


@pytest.mark.parametrize("name", ["arrays.npz", "manifest.json"])
def test_one_byte_changed_in_the_store_is_refused(good, bad, town, mlflow_uri, name):
    promote(add(good, town.log, mlflow_uri), uri=mlflow_uri)
    path = f"{bundle_of(1, mlflow_uri)}/{name}"
    with open(path, "r+b") as file:
        file.seek(200)
        byte = file.read(1)
        file.seek(200)
        file.write(bytes([byte[0] ^ 1]))
    with pytest.raises(ValueError):
        load_production(mlflow_uri)
    with pytest.raises(ValueError, match="changed or cut short|JSON|format"):
        promote(add(bad, town.log, mlflow_uri), town.log, uri=mlflow_uri)


def test_a_sound_bundle_that_is_another_is_refused(good, bad, town, mlflow_uri):
    promote(add(good, town.log, mlflow_uri), uri=mlflow_uri)
    bad.model.save(bundle_of(1, mlflow_uri))
    with pytest.raises(ValueError, match="not the bundle that was registered"):
        load_production(mlflow_uri)


def test_a_rollback_to_what_does_not_load_is_refused(good, worse, town, mlflow_uri):
    promote(add(worse, town.log, mlflow_uri), uri=mlflow_uri)
    promote(add(good, town.log, mlflow_uri), town.log, uri=mlflow_uri)
    with open(f"{bundle_of(1, mlflow_uri)}/arrays.npz", "ab") as file:
        file.write(b"!")
    with pytest.raises(ValueError, match="changed or cut short"):
        rollback(mlflow_uri)
    assert production_version(mlflow_uri) == 2 and len(history(mlflow_uri)) == 2


def test_a_decision_on_a_production_that_has_changed_is_taken_back(
    good, bad, worse, town, mlflow_uri, monkeypatch
):
    versions = [add(result, town.log, mlflow_uri) for result in (worse, bad, good)]
    promote(versions[0], uri=mlflow_uri)

    def judge_slowly(*arguments):
        monkeypatch.undo()
        promote(versions[2], town.log, uri=mlflow_uri)  # somebody else, meanwhile
        return judge(*arguments)

    monkeypatch.setattr(promotion, "judge", judge_slowly)
    with pytest.raises(ValueError, match="changed from version 1 to 3 meanwhile"):
        promote(versions[1], town.log, uri=mlflow_uri)
    assert production_version(mlflow_uri) == 3
    assert list(history(mlflow_uri)["version"]) == [1, 3]


def test_decisions_of_the_same_moment_are_both_kept(good, town, mlflow_uri, monkeypatch):
    add(good, town.log, mlflow_uri)
    monkeypatch.setattr(decisions.time, "time_ns", lambda: 1_700_000_000_000_000_000)
    with mlflow_client(mlflow_uri) as mlflow:
        for why in ("mine", "yours"):
            record = {"why": why}
            decisions.write(mlflow.MlflowClient(), "newsreco", "refused", 1, None, record)
    assert set(history(mlflow_uri)["why"]) == {"mine", "yours"}


def test_a_decision_that_never_took_effect_is_no_step_back(good, worse, bad, town, mlflow_uri):
    versions = [add(result, town.log, mlflow_uri) for result in (worse, good, bad)]
    promote(versions[0], uri=mlflow_uri)
    promote(versions[1], town.log, uri=mlflow_uri)
    with mlflow_client(mlflow_uri) as mlflow:  # recorded, and then the process was killed
        decisions.write(mlflow.MlflowClient(), "newsreco", "promoted", 3, 2, {"why": ""})
    assert rollback(mlflow_uri) == 1


# the commands


def test_the_commands(tmp_path, mlflow_uri, capsys):
    data, model = str(tmp_path / "data"), str(tmp_path / "model")
    write_sample(data, n_articles=100, n_impressions=600, n_users=80, progress=False)
    to = ["--tracking-uri", mlflow_uri]
    assert main(["train", "--data", data, "--out", model, "--quiet", *to]) == 0
    assert main(["status", *to]) == 2, "nothing is registered"
    assert "nothing is registered as 'newsreco'" in capsys.readouterr().err
    assert main(["promote", "1", *to]) == 2
    assert "nothing is registered as 'newsreco'" in capsys.readouterr().err
    assert main(["register", "--model", model, *to]) == 0
    assert main(["status", *to]) == 0
    assert "nothing decided yet" in capsys.readouterr().out
    assert main(["promote", "1", *to]) == 0
    assert "version 1 has no rival" in capsys.readouterr().out
    assert main(["promote", "1", "--data", data, "--quiet", *to]) == 2
    assert "in production already" in capsys.readouterr().err
    other = ["--half-life", "30", "--quiet", "--out", model, "--data", data]
    assert main(["train", *other, *to]) == 0
    assert main(["register", "--model", model, *to]) == 0
    assert main(["promote", "2", "--force", "--why", "spring", *to]) == 0
    assert "promoted by force" in capsys.readouterr().out
    assert main(["rollback", *to]) == 0
    assert "version 1 of newsreco is in production again" in capsys.readouterr().out
    assert main(["status", *to]) == 0
    printed = capsys.readouterr().out
    assert "spring" in printed and "rolled back" in printed
    assert main(["sweep", "--data", data, "--half-life", "1", "3", "--quiet", *to]) == 0
    assert "tfidf, logistic, 1 day" in capsys.readouterr().out


def test_a_history_is_plain_json(good, town, mlflow_uri):
    promote(add(good, town.log, mlflow_uri), uri=mlflow_uri)
    with mlflow_client(mlflow_uri) as mlflow:
        tags = mlflow.MlflowClient().get_registered_model("newsreco").tags
    (text,) = (text for key, text in tags.items() if key.startswith("history."))
    assert json.loads(text)["action"] == "promoted"
