"""The report's sections of metrics: by model, by stage of the pipeline, by group of impressions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from newsreco.data.times import HOUR
from newsreco.evaluation.groups import FEWEST, first_clicked, group_means, level
from newsreco.evaluation.lists import LISTS
from newsreco.reports import figures
from newsreco.reports.section import Section, alt_text, with_interval
from recsys.bootstrap import interval

if TYPE_CHECKING:
    from newsreco.training import Result

BASELINE = "displayed order"
LABELS = {
    "ranker": "this model",
    "with positions": "this model, given positions",
    "trending": "trending only",
    "profile": "profile only",
    "last click": "last click only",
}
METRICS = {"auc": "AUC", "mrr": "MRR", "ndcg@5": "nDCG@5", "ndcg@10": "nDCG@10", "ndcg": "nDCG"}
STAGES = {
    "trending": "trending only",
    "candidates": "retrieved",
    "ranked": "ranked",
    "reranked": "re-ranked, as recommended",
}
LIST_METRIC = re.compile(rf"({'|'.join(LISTS)})_(recall|ndcg)_at_(\d+)")
MOST_CATEGORIES = 10


def models(result: Result) -> Section:
    """Every model's and baseline's metrics, highest AUC first."""
    evaluation = result.evaluation
    names = sorted(evaluation.values, key=lambda name: -evaluation.mean(name))
    labels = [LABELS.get(name, name) for name in names]
    drawn = pd.DataFrame(
        [(evaluation.mean(name), *interval(evaluation.bootstrap_means(name))) for name in names],
        labels,
        ["mean", "low", "high"],
    )
    table = pd.DataFrame([_model_row(evaluation, name) for name in names], labels)
    text = (
        "Means over impressions. The line at 0.5 is the AUC of random scores. A model that is "
        "given the positions predicts clicks better, but no order can be chosen by its scores."
    )
    figure = figures.intervals(drawn, "AUC per impression", 0.5)
    alt = alt_text("Mean AUC with its interval", drawn["mean"])
    return Section("models", "Ranking metrics by model", text, table, figure, alt)


def _model_row(evaluation, name: str) -> dict[str, str]:
    row = {"AUC": with_interval(evaluation.mean(name), *interval(evaluation.bootstrap_means(name)))}
    for metric in ("mrr", "ndcg@5", "ndcg@10"):
        row[METRICS[metric]] = f"{evaluation.mean(name, metric):.3f}"
    difference = evaluation.difference(name, BASELINE)
    row["AUC minus displayed order"] = "" if name == BASELINE else with_interval(*difference, "+")
    return row


def lists(result: Result) -> Section | None:
    """Recall and nDCG of the lists after each stage; None where they were not evaluated."""
    rows: dict[str, dict[str, str]] = {}
    for match in filter(None, map(LIST_METRIC.fullmatch, result.metrics)):
        stage, metric, k = match.groups()
        values = (result.metrics[match[0] + end] for end in ("", "_low", "_high"))
        label = f"{METRICS.get(metric, metric)}@{k}"
        rows.setdefault(STAGES[stage], {})[label] = with_interval(*values)
    if not rows:
        return None
    text = (
        "The best of all live articles just before an impression, compared with the clicks in "
        "it. Users can click only what was displayed, so a list that guesses the displayed "
        "articles does well here; a log cannot show whether it is the better list."
    )
    return Section("lists", "Recommended lists by stage", text, pd.DataFrame(rows).T)


def groups(result: Result) -> list[Section]:
    """AUC by the number of known clicks of the user, by hour, and by category clicked."""
    kinds = [
        ("history", "AUC by number of known clicks of the user", _history(result)),
        ("hour", "AUC by hour of the day (UTC)", _hours(result)),
        ("category", "AUC by category of the first clicked article", _categories(result)),
    ]
    return [section for kind in kinds if (section := _group_section(result, *kind))]


def _history(result: Result) -> np.ndarray:
    """Clicks of each impression's user in the training data, in groups."""
    user = result.per_impression["user"].to_numpy()
    clicks = result.model.state.arrays.user_clicks
    known = user < len(clicks)
    return level(np.where(known, clicks[np.where(known, user, 0)], 0))


def _hours(result: Result) -> np.ndarray:
    names = np.array([f"{h:02d}:00 to {h + 3:02d}:00" for h in range(0, 24, 3)], object)
    return names[(result.per_impression["time"].to_numpy() // HOUR % 24 // 3).astype(int)]


def _categories(result: Result) -> np.ndarray:
    shown, articles = result.evaluation.shown, result.model.articles
    first = shown.start[:-1] + first_clicked(shown)
    return np.array(articles.categories, object)[articles.category[shown.item[first]]]


def _group_section(result: Result, key: str, title: str, group: np.ndarray) -> Section | None:
    evaluation, mean = result.evaluation, result.metrics["ranker_auc"]
    auc = result.per_impression["auc"].to_numpy()
    table = group_means(auc, group, evaluation.user_index, evaluation.rng)
    if key == "category":
        table = table.sort_values("impressions", ascending=False, kind="stable")
        table = table.head(MOST_CATEGORIES)
    if table.empty:
        return None
    auc_cells = [with_interval(*row) for row in table[["mean", "low", "high"]].to_numpy()]
    impressions = table["impressions"].map("{:,.0f}".format)
    shown = pd.DataFrame({"AUC": auc_cells, "impressions": impressions}, table.index)
    text = f"Groups of at least {FEWEST} impressions. The line is the mean over all, {mean:.3f}."
    figure = figures.intervals(table, "AUC per impression", mean)
    alt = alt_text("Mean AUC with its interval", table["mean"])
    return Section(key, title, text, shown, figure, alt)
