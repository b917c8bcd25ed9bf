"""`newsreco recommend` on a saved model."""

import json

import numpy as np
import pytest

from newsreco.cli import main
from newsreco.features.matrix import candidate_features
from newsreco.models.bundle import Settings
from newsreco.models.pipeline import RecommendationPipeline
from newsreco.training import train


@pytest.fixture(scope="module")
def saved(world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "model"
    model = train(world.log, Settings(), progress=False).model
    model.save(folder)
    return model, folder


def test_prints_and_writes_the_list_of_the_pipeline(saved, tmp_path, capsys):
    model, folder = saved
    out = tmp_path / "list.json"
    arguments = ["recommend", "--model", str(folder), "--user", model.user_ids[4], "-k", "5"]
    assert main([*arguments, "--json", str(out)]) == 0
    expected = RecommendationPipeline(model).recommend(4, k=5)
    assert [row["id"] for row in json.loads(out.read_text())] == [
        model.articles.ids[item] for item in expected.items
    ]
    printed = capsys.readouterr().out
    assert all(model.articles.title[item] in printed for item in expected.items)
    head, *lines = printed.splitlines()
    assert head.split() == ["rank", "probability", "article", "title"]
    X = candidate_features(model.state, model.vectors, 4, model.state.now, expected.items)
    shown = [float(line.split()[1]) for line in lines]
    np.testing.assert_allclose(shown, model.ranker.probabilities(X), atol=0.0006)
    assert [line.split()[0] for line in lines] == ["1", "2", "3", "4", "5"]
    written = [row["probability"] for row in json.loads(out.read_text())]
    np.testing.assert_allclose(written, model.ranker.probabilities(X))


def test_score_that_is_no_probability_is_headed_score(world, tmp_path, capsys):
    model = train(world.log, Settings(ranker="lambdamart"), progress=False, lists=0).model
    model.save(tmp_path / "model")
    out = tmp_path / "list.json"
    words = ["--user", model.user_ids[4], "-k", "3", "--json", str(out)]
    assert main(["recommend", "--model", str(tmp_path / "model"), *words]) == 0
    assert capsys.readouterr().out.splitlines()[0].split() == ["rank", "score", "article", "title"]
    assert all("score" in row and "probability" not in row for row in json.loads(out.read_text()))


def test_new_user_gets_trending_articles(saved, capsys):
    assert main(["recommend", "--model", str(saved[1]), "--user", "U0"]) == 0
    printed = capsys.readouterr().out
    assert "U0 is a new user" in printed and printed.count("trending now") == 10


def test_long_after_the_training_the_freshest_articles_are_printed(saved, capsys):
    assert main(["recommend", "--model", str(saved[1]), "--user", "U0", "--hours", "9999"]) == 0
    printed = capsys.readouterr().out
    assert "nothing is newer than" in printed and printed.count("trending now") == 10


@pytest.mark.parametrize("wrong", [["--k", "0"], ["--hours", "-1"], ["--index", "annoy"]])
def test_wrong_options_end_with_2(saved, capsys, wrong):
    assert main(["recommend", "--model", str(saved[1]), "--user", "x", *wrong]) == 2
    assert "newsreco recommend: " in capsys.readouterr().err
