"""The report: says what the result says, needs nothing else, runs nothing that data may hold."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from newsreco.cli import main
from newsreco.evaluation import groups as report_groups
from newsreco.models.bundle import Settings, load_model
from newsreco.reports import sections as report_parts
from newsreco.reports.page import to_html, to_markdown, write_report
from newsreco.synthetic import make_synthetic_log, write_sample
from newsreco.training import Result, evaluate, train

KEYS = ["summary", "data", "scorers", "lists", "calibration", "history", "hour", "category"]
KEYS += ["weights", "steps"]


@pytest.fixture(scope="module")
def result(world):
    return train(world.log, Settings(), world.truth, progress=False)


def part(result, key):
    return next(part for part in report_parts.parts(result) if part.key == key)


def test_it_has_all_parts_in_order_and_the_result_s_figures(result, tmp_path):
    path = write_report(result, tmp_path / "new" / "folder")
    assert [part.key for part in report_parts.parts(result)] == KEYS
    metrics = result.metrics
    for text in (path.read_text(), path.with_suffix(".md").read_text()):
        for name in (
            "ranker_auc",
            "ranker_auc_low",
            "displayed_order_auc",
            "best_possible_auc",
            "ranker_mrr",
        ):
            assert f"{metrics[name]:.3f}" in text, name
        assert result.data_fingerprint in text
        assert f"{metrics['fraction_of_best_possible']:.0%}" in text


def test_the_page_is_whole_and_says_each_picture_in_words(result, tmp_path):
    text = write_report(result, tmp_path).read_text()
    assert "<script" not in text and not re.search(r"(?:src|href)=.(?!data:)", text)
    pictures = re.findall(r"<img [^>]*>", text)
    assert len(pictures) == 7
    assert all(len(re.search('alt="([^"]*)"', p)[1].split()) > 5 for p in pictures)


def test_the_markdown_s_figures_lie_beside_it_and_follow_the_page_s_colours(result, tmp_path):
    write_report(result, tmp_path)
    named = set(re.findall(r"\]\((\w+\.svg)\)", (tmp_path / "report.md").read_text()))
    assert named == {p.name for p in tmp_path.glob("*.svg")} and len(named) == 7
    for name in named:
        svg = (tmp_path / name).read_text()
        assert svg.startswith("<svg") and "currentColor" in svg
        assert "prefers-color-scheme:dark" in svg and "#010203" not in svg


def test_the_same_result_gives_the_same_bytes(result, tmp_path):
    write_report(result, tmp_path / "a")
    write_report(result, tmp_path / "b")
    files = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert len(files) == 9
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.01, 0.1, "better than"), (-0.2, -0.01, "worse than"), (-0.1, 0.1, "not told apart from")],
)
def test_better_is_said_only_where_the_interval_says_so(result, low, high, said):
    metrics = result.metrics | {
        "gain_over_displayed_order_low": low,
        "gain_over_displayed_order_high": high,
    }
    words = report_parts.summary(replace(result, metrics=metrics)).text
    assert [w for w in ("better than", "worse than", "not told apart from") if w in words] == [said]


def test_data_without_known_chances_is_not_called_synthetic(world, result):
    real = train(world.log, Settings(), progress=False)
    assert "SYNTHETIC" in to_markdown(report_parts.parts(result))
    text = to_markdown(report_parts.parts(real))
    assert "SYNTHETIC" not in text and "known probabilities" not in text
    assert "known" not in part(real, "calibration").table


def test_the_share_of_the_best_is_not_said_of_a_coin():
    world = make_synthetic_log(
        n_articles=60, n_impressions=500, n_users=40, seed=0, click_model="random"
    )
    result = train(world.log, Settings(), world.truth, progress=False)
    assert "the model reaches" not in part(result, "summary").text


def test_boosted_trees_promise_no_chances(world, tmp_path):
    trees = train(world.log, Settings(ranker="lambdamart"), world.truth, progress=False)
    keys = [part.key for part in report_parts.parts(trees)]
    assert keys == [key for key in KEYS if key != "calibration"]
    assert "gain" in part(trees, "weights").text
    assert "calibration" not in write_report(trees, tmp_path).read_text()


def test_a_model_that_was_read_has_no_training_to_show(world, result, tmp_path):
    result.model.save(tmp_path / "model")
    model = load_model(tmp_path / "model")
    evaluation, metrics = evaluate(model, world.log, world.truth)
    read = Result(model, metrics, [], evaluation)
    assert [part.key for part in report_parts.parts(read)] == KEYS[:-1]
    assert part(read, "scorers").table.equals(part(result, "scorers").table)


def test_the_lists_of_the_two_stages_are_shown_where_they_were_judged(result):
    kept = ("ranker", "displayed_order", "gain")
    bare = {k: v for k, v in result.metrics.items() if k.startswith(kept)}
    assert report_parts.lists(replace(result, metrics=bare)) is None
    metrics = {"reranked_recall_at_10": 0.1234, "reranked_recall_at_10_low": 0.1}
    metrics |= {"reranked_recall_at_10_high": 0.2, "reranked_ndcg_at_10": 0.0567}
    metrics |= {"reranked_ndcg_at_10_low": 0.04, "reranked_ndcg_at_10_high": 0.07}
    (row,) = report_parts.lists(replace(result, metrics=bare | metrics)).table.to_numpy().tolist()
    assert row == ["0.123 (0.100 to 0.200)", "0.057 (0.040 to 0.070)"]


HOSTILE = '<script>alert(1)</script>|[x](http://evil.org)*b* $\\frac{$ & "'


def test_a_hostile_category_is_shown_and_not_run(result):
    articles = result.model.articles
    names = [HOSTILE] * len(articles.categories)
    model = replace(result.model, articles=replace(articles, categories=names))
    made = [part for part in report_parts.parts(replace(result, model=model)) if part.figure]
    page, text = to_html(made), to_markdown(made)
    assert "<script" not in page and "&lt;script&gt;" in page
    assert "<script" not in text and "[x](http" not in text
    rows = [line for line in text.splitlines() if "alert" in line and line.startswith("|")]
    assert rows and all(len(re.findall(r"(?<!\\)\|", row)) == 4 for row in rows)
    assert "<script" not in next(p.figure for p in made if p.key == "category")


def test_means_over_people_draw_people_not_impressions():
    values, person = np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0]), np.array([0, 0, 0, 9, 9, 9])
    mean, low, high = report_groups.mean_over_users(values, person)
    assert (mean, low, high) == (0.5, 0.0, 1.0)  # two people: both, or one of them twice
    alone = report_groups.mean_over_users(values, np.zeros(6, int))
    assert alone == (0.5, 0.5, 0.5)


def test_group_means_by_hand():
    values = np.r_[np.full(20, 0.25), np.full(20, 0.75), np.nan, np.full(19, 1.0)]
    group = np.array(["b"] * 20 + ["a"] * 21 + ["few"] * 19, object)
    table = report_groups.group_means(values, group, np.arange(60))
    assert list(table.index) == ["a", "b"]
    assert list(table["mean"]) == [0.75, 0.25] and list(table["impressions"]) == [20, 20]


def test_levels_cover_all_numbers_in_order():
    found = report_groups.level(np.array([0, 1, 4, 5, 9, 10, 49, 50, 10_000]))
    words = [" 0", " 1 to 4", " 1 to 4", " 5 to 9", " 5 to 9", "10 to 19", "20 to 49"]
    assert list(found) == [*words, "50 or more", "50 or more"]
    assert sorted(set(found)) == list(dict.fromkeys(found))


def test_calibration_by_hand():
    promised = np.repeat(np.arange(10) / 10, 4)
    clicked = np.tile([True, False, False, False], 10)
    shown = SimpleNamespace(clicked=clicked, impression=np.repeat(np.arange(20), 2))
    evaluation = SimpleNamespace(shown=shown, user_index=np.arange(20), rng=0)
    table = report_groups.calibration_table(evaluation, promised, promised + 0.05)
    assert list(table["predicted"]) == pytest.approx([b / 10 for b in range(10)])
    assert list(table["observed"]) == [0.25] * 10 and list(table["shown"]) == [4] * 10
    assert list(table["known"]) == pytest.approx([b / 10 + 0.05 for b in range(10)])


def test_the_first_click_of_a_visit():
    clicked = np.array([0, 1, 1, 0, 0, 1], bool)
    start = np.array([0, 3, 5, 6])

    class Shown(SimpleNamespace):
        def __len__(self):
            return 3

    shown = Shown(clicked=clicked, start=start, impression=np.array([0, 0, 0, 1, 1, 2]))
    assert list(report_groups.first_clicked(shown)) == [1, 0, 0]


def test_the_commands_write_it(tmp_path, capsys):
    write_sample(tmp_path / "data", n_articles=60, n_impressions=500, n_users=40, progress=False)
    data, model = ["--data", str(tmp_path / "data"), "--quiet"], str(tmp_path / "model")
    assert main(["train", *data, "--out", model, "--report", str(tmp_path / "one")]) == 0
    assert main(["evaluate", *data, "--model", model, "--report", str(tmp_path / "two")]) == 0
    assert str(tmp_path / "two" / "report.html") in capsys.readouterr().out
    one, two = ((tmp_path / d / "scorers.svg").read_bytes() for d in ("one", "two"))
    assert one == two
