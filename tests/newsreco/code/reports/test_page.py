"""The report: its values are the result's, it is one file, and data in it is never executed."""

import re
from dataclasses import replace

import pytest

from newsreco.cli import main
from newsreco.evaluation.model import evaluate
from newsreco.models.bundle import Settings, load_model
from newsreco.reports import metrics as metric_sections
from newsreco.reports.overview import summary
from newsreco.reports.page import sections, write_report
from newsreco.reports.render import render
from newsreco.synthetic import make_synthetic_log, write_sample
from newsreco.training import Result, train

KEYS = ["summary", "data", "models", "lists", "calibration", "history", "hour", "category"]
KEYS += ["weights", "steps"]


@pytest.fixture(scope="module")
def result(world):
    return train(world.log, Settings(), world.truth, progress=False)


def section(result, key):
    return next(section for section in sections(result) if section.key == key)


def markdown(result):
    return render("report.md", sections=sections(result))


def test_report_has_all_sections_in_order_and_the_metrics_of_the_result(result, tmp_path):
    path = write_report(result, tmp_path / "new" / "folder")
    assert [section.key for section in sections(result)] == KEYS
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


def test_html_loads_nothing_and_every_figure_has_alt_text(result, tmp_path):
    text = write_report(result, tmp_path).read_text()
    assert "<script" not in text and not re.search(r"(?:src|href)=.(?!data:)", text)
    pictures = re.findall(r"<img [^>]*>", text)
    assert len(pictures) == 7
    assert all(len(re.search('alt="([^"]*)"', p)[1].split()) > 5 for p in pictures)


def test_figures_of_the_markdown_are_files_with_colours_for_light_and_dark(result, tmp_path):
    write_report(result, tmp_path)
    named = set(re.findall(r"\]\((\w+\.svg)\)", (tmp_path / "report.md").read_text()))
    assert named == {p.name for p in tmp_path.glob("*.svg")} and len(named) == 7
    for name in named:
        svg = (tmp_path / name).read_text()
        assert svg.startswith("<svg") and "currentColor" in svg
        assert "prefers-color-scheme:dark" in svg and "#010203" not in svg


def test_equal_results_give_equal_bytes(result, tmp_path):
    write_report(result, tmp_path / "a")
    write_report(result, tmp_path / "b")
    files = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert len(files) == 9
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


VERDICTS = ["significantly better", "significantly worse", "no significant difference"]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.01, 0.1, VERDICTS[0]), (-0.2, -0.01, VERDICTS[1]), (-0.1, 0.1, VERDICTS[2])],
)
def test_verdict_follows_the_interval(result, low, high, expected):
    metrics = result.metrics | {
        "gain_over_displayed_order_low": low,
        "gain_over_displayed_order_high": high,
    }
    text = summary(replace(result, metrics=metrics)).text
    assert [verdict for verdict in VERDICTS if verdict in text] == [expected]


def test_data_without_known_probabilities_is_not_called_synthetic(world, result):
    real = train(world.log, Settings(), progress=False)
    assert "SYNTHETIC" in markdown(result)
    text = markdown(real)
    assert "SYNTHETIC" not in text and "known probabilities" not in text
    assert "true" not in section(real, "calibration").table


def test_fraction_of_best_possible_is_left_out_for_random_clicks():
    world = make_synthetic_log(
        n_articles=60, n_impressions=500, n_users=40, seed=0, click_model="random"
    )
    result = train(world.log, Settings(), world.truth, progress=False)
    assert "The model reaches" not in section(result, "summary").text


def test_ranker_without_probabilities_has_no_calibration_section(world, tmp_path):
    trees = train(world.log, Settings(ranker="lambdamart"), world.truth, progress=False)
    keys = [section.key for section in sections(trees)]
    assert keys == [key for key in KEYS if key != "calibration"]
    assert "gain" in section(trees, "weights").text
    assert "Calibration" not in write_report(trees, tmp_path).read_text()


def test_loaded_model_has_no_training_curve(world, result, tmp_path):
    result.model.save(tmp_path / "model")
    model = load_model(tmp_path / "model")
    evaluation, metrics = evaluate(model, world.log, world.truth)
    loaded = Result(model, metrics, [], evaluation)
    assert [section.key for section in sections(loaded)] == KEYS[:-1]
    assert section(loaded, "models").table.equals(section(result, "models").table)


def test_lists_section_shows_the_evaluated_stages(result):
    kept = ("ranker", "displayed_order", "gain")
    bare = {k: v for k, v in result.metrics.items() if k.startswith(kept)}
    assert metric_sections.lists(replace(result, metrics=bare)) is None
    metrics = {"reranked_recall_at_10": 0.1234, "reranked_recall_at_10_low": 0.1}
    metrics |= {"reranked_recall_at_10_high": 0.2, "reranked_ndcg_at_10": 0.0567}
    metrics |= {"reranked_ndcg_at_10_low": 0.04, "reranked_ndcg_at_10_high": 0.07}
    (row,) = (
        metric_sections.lists(replace(result, metrics=bare | metrics)).table.to_numpy().tolist()
    )
    assert row == ["0.123 (0.100 to 0.200)", "0.057 (0.040 to 0.070)"]


HOSTILE = '<script>alert(1)</script>|[x](http://evil.org)*b* $\\frac{$ & "'


def test_hostile_category_is_shown_and_not_executed(result):
    articles = result.model.articles
    names = [HOSTILE] * len(articles.categories)
    model = replace(result.model, articles=replace(articles, categories=names))
    found = [s for s in sections(replace(result, model=model)) if s.figure]
    page, text = (render(name, sections=found) for name in ("report.html", "report.md"))
    assert "<script" not in page and "&lt;script&gt;" in page
    assert "<script" not in text and "[x](http" not in text
    rows = [line for line in text.splitlines() if "alert" in line and line.startswith("|")]
    assert rows and all(len(re.findall(r"(?<!\\)\|", row)) == 4 for row in rows)
    assert "<script" not in next(s.figure for s in found if s.key == "category")


def test_train_and_evaluate_write_the_same_report(tmp_path, capsys):
    write_sample(tmp_path / "data", n_articles=60, n_impressions=500, n_users=40, progress=False)
    data, model = ["--data", str(tmp_path / "data"), "--quiet"], str(tmp_path / "model")
    assert main(["train", *data, "--out", model, "--report", str(tmp_path / "one")]) == 0
    assert main(["evaluate", *data, "--model", model, "--report", str(tmp_path / "two")]) == 0
    assert str(tmp_path / "two" / "report.html") in capsys.readouterr().out
    one, two = ((tmp_path / d / "models.svg").read_bytes() for d in ("one", "two"))
    assert one == two
