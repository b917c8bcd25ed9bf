"""Promotion and rollback: only a significantly better model is promoted; decisions are kept."""

import json
import re

import pytest

from newsreco.cli import main
from newsreco.synthetic import write_sample
from newsreco.tracking import history as decisions
from newsreco.tracking import promotion
from newsreco.tracking.client import mlflow_client
from newsreco.tracking.gate import Refused, compare_models
from newsreco.tracking.history import history
from newsreco.tracking.promotion import promote, rollback
from newsreco.tracking.registry import load_production, production_version, status


def test_promote_refuse_force_and_roll_back(
    good, weak, inverted, dataset, add_version, same_model, mlflow_uri
):
    log = dataset.log
    first, second, third = map(add_version, (weak, good, inverted))
    assert production_version(mlflow_uri) is None
    with pytest.raises(ValueError, match="promote one"):
        load_production(mlflow_uri)

    assert promote(first, uri=mlflow_uri).production is None
    assert same_model(load_production(mlflow_uri), weak.model)

    better = promote(second, log, uri=mlflow_uri)
    assert better.passes and 0 < better.low < better.difference < better.high
    assert same_model(load_production(mlflow_uri), good.model)

    for version in (first, third):
        with pytest.raises(Refused, match=f"refused: version {version} against {second}") as error:
            promote(version, log, uri=mlflow_uri)
        assert error.value.comparison.low < 0
    assert production_version(mlflow_uri) == second

    promote(third, log, uri=mlflow_uri, force=True, why="the editor insists")
    assert same_model(load_production(mlflow_uri), inverted.model)
    assert rollback(mlflow_uri, why="the editor was wrong") == second
    assert rollback(mlflow_uri) == first, "a second rollback goes one version further back"
    assert same_model(load_production(mlflow_uri), weak.model)
    with pytest.raises(ValueError, match="no version that was in production before"):
        rollback(mlflow_uri)

    table = history(mlflow_uri)
    assert list(zip(table["action"], table["version"], table["before"].fillna(0))) == [
        ("promoted", 1, 0),
        ("promoted", 2, 1),
        ("refused", 1, 2),
        ("refused", 3, 2),
        ("forced", 3, 2),
        ("rolled back", 2, 3),
        ("rolled back", 1, 2),
    ]
    forced = table.iloc[4]
    assert forced["forced"] and forced["why"] == "the editor insists" and forced["by"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", forced["at"])
    assert forced["difference"] < 0 and table["why"].iloc[5] == "the editor was wrong"
    table = status(mlflow_uri)
    assert dict(table["decision"]) == {3: "rolled back", 2: "rolled back", 1: "restored"}
    assert dict(table["alias"]) == {3: "", 2: "", 1: "production"}


def test_force_without_need_is_recorded_as_promotion(good, weak, dataset, add_version, mlflow_uri):
    promote(add_version(weak), uri=mlflow_uri)
    assert promote(add_version(good), dataset.log, uri=mlflow_uri, force=True).passes
    assert list(history(mlflow_uri)["action"]) == ["promoted", "promoted"]


def test_force_needs_no_log(good, inverted, add_version, mlflow_uri):
    promote(add_version(good), uri=mlflow_uri)
    version = add_version(inverted)
    with pytest.raises(ValueError, match="log is needed"):
        promote(version, uri=mlflow_uri)
    assert not promote(version, uri=mlflow_uri, force=True).passes
    assert history(mlflow_uri).iloc[-1]["forced"]


def test_decision_is_refused_if_production_has_changed(
    good, weak, inverted, dataset, add_version, mlflow_uri, monkeypatch
):
    versions = [add_version(result) for result in (inverted, weak, good)]
    promote(versions[0], uri=mlflow_uri)

    def compare_slowly(*arguments):
        monkeypatch.undo()
        promote(versions[2], dataset.log, uri=mlflow_uri)  # by another process, meanwhile
        return compare_models(*arguments)

    monkeypatch.setattr(promotion, "compare_models", compare_slowly)
    with pytest.raises(ValueError, match="changed from version 1 to 3 meanwhile"):
        promote(versions[1], dataset.log, uri=mlflow_uri)
    assert production_version(mlflow_uri) == 3
    assert list(history(mlflow_uri)["version"]) == [1, 3]


def test_simultaneous_decisions_are_both_kept(good, add_version, mlflow_uri, monkeypatch):
    add_version(good)
    monkeypatch.setattr(decisions.time, "time_ns", lambda: 1_700_000_000_000_000_000)
    with mlflow_client(mlflow_uri) as mlflow:
        for why in ("mine", "yours"):
            decisions.record_decision(
                mlflow.MlflowClient(), "newsreco", "refused", 1, None, {"why": why}
            )
    assert set(history(mlflow_uri)["why"]) == {"mine", "yours"}


def test_rollback_skips_a_decision_that_never_took_effect(
    good, inverted, weak, dataset, add_version, mlflow_uri
):
    versions = [add_version(result) for result in (inverted, good, weak)]
    promote(versions[0], uri=mlflow_uri)
    promote(versions[1], dataset.log, uri=mlflow_uri)
    with mlflow_client(mlflow_uri) as mlflow:  # recorded, and then the process was killed
        client = mlflow.MlflowClient()
        decisions.record_decision(client, "newsreco", "promoted", 3, 2, {"why": ""})
    assert rollback(mlflow_uri) == 1


def test_history_is_stored_as_json(good, add_version, mlflow_uri):
    promote(add_version(good), uri=mlflow_uri)
    with mlflow_client(mlflow_uri) as mlflow:
        tags = mlflow.MlflowClient().get_registered_model("newsreco").tags
    (text,) = (text for key, text in tags.items() if key.startswith("history."))
    assert json.loads(text)["action"] == "promoted"


def test_commands(tmp_path, mlflow_uri, capsys):
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
    assert "no decisions yet" in capsys.readouterr().out
    assert main(["promote", "1", *to]) == 0
    assert "version 1, the first in production" in capsys.readouterr().out
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
