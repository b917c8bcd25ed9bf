"""`newsreco recommend` on a saved model."""

import json

import pytest

from newsreco.cli import main
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
