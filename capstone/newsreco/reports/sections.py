"""What the report says, part by part: a heading, a sentence, a table, a figure of its numbers."""

from __future__ import annotations

import platform
import re
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from newsreco import __version__
from newsreco.evaluation.groups import FEWEST, calibration_table, first_clicked, group_means, level
from newsreco.evaluation.lists import LISTS
from newsreco.features.matrix import FEATURES
from newsreco.reports import figures as report_figures
from recsys.bootstrap import interval

if TYPE_CHECKING:
    from newsreco.training import Result

NAMES = {
    "ranker": "this model",
    "with positions": "this model, given the positions",
    "displayed order": "the displayed order",
    "trending": "trending alone",
    "profile": "profile alone",
    "last click": "last click alone",
    "true probability": "the true probability",
    "true probability without position": "the true probability, without position",
}
METRICS = {"auc": "AUC", "mrr": "MRR", "ndcg@5": "nDCG@5", "ndcg@10": "nDCG@10", "ndcg": "nDCG"}
STAGES = {
    "trending": "trending alone",
    "candidates": "first stage, as retrieved",
    "ranked": "second stage, ranked",
    "reranked": "re-ranked, as shown",
}
OF_A_LIST = re.compile(rf"({'|'.join(LISTS)})_(recall|ndcg)_at_(\d+)")
PACKAGES = ("recsys-course", "numpy", "numba", "lightgbm")


@dataclass(frozen=True)
class Part:
    """One section. `figure` is an SVG, `alt` says what it shows."""

    key: str
    title: str
    text: str
    table: pd.DataFrame | None = None
    figure: str = ""
    alt: str = ""


def parts(result: Result) -> list[Part]:
    """All that the result holds, in reading order; what it does not hold is left out."""
    made = [summary(result), data(result), scorers(result), lists(result)]
    made += [calibration(result), *groups(result), weights(result), steps(result)]
    return [part for part in made if part is not None]


def summary(result: Result) -> Part:
    """What was found, in words that the intervals allow."""
    f = result.metrics
    low, high = f["gain_over_displayed_order_low"], f["gain_over_displayed_order_high"]
    word = "better than" if low > 0 else "worse than" if high < 0 else "not told apart from"
    text = (
        f"AUC per impression {f['ranker_auc']:.3f} ({f['ranker_auc_low']:.3f} to "
        f"{f['ranker_auc_high']:.3f}): {word} the displayed order, "
        f"{f['displayed_order_auc']:.3f}; the difference is {f['gain_over_displayed_order']:+.3f} ({low:+.3f} to {high:+.3f})."
    )
    if "fraction_of_best_possible" in f:
        text += (
            " The clicks were drawn from known probabilities, which reach "
            f"{f['best_possible_auc']:.3f}. Of what these have above chance (0.5), the model "
            f"reaches {f['fraction_of_best_possible']:.0%}."
        )
    else:
        text += (
            " Where the log was published with its pages shuffled, as MIND is, the page's own "
            "order and the places mean nothing."
        )
    return Part("summary", "In short", text)


def data(result: Result) -> Part:
    """Which data, settings and versions the figures belong to."""
    f, known = result.metrics, "best_possible_auc" in result.metrics
    rows = {
        "data": "SYNTHETIC: made up by a program, with known click chances"
        if known
        else "came without known click chances",
        "data fingerprint": result.data_fingerprint,
        "impressions of the evaluation": f"{f['impressions']:,}",
        "of these judged (a click, and not all clicked)": f"{f['impressions_evaluated']:,}",
        "people of the evaluation": f"{f['users']:,}",
    }
    rows |= {name: str(value) for name, value in asdict(result.settings).items()}
    rows |= {"newsreco": __version__, "Python": platform.python_version()}
    rows |= {name: found for name in PACKAGES if (found := _version(name))}
    table = pd.DataFrame({"": rows.values()}, index=list(rows))
    text = (
        "All figures are of impressions later than everything that was learned from. Intervals "
        "hold 95 % of the means when people are drawn again, each with all their impressions."
    )
    return Part("data", "What was measured on what", text, table)


def scorers(result: Result) -> Part:
    """Every scorer's metrics, best AUC first."""
    evaluation = result.evaluation
    names = sorted(evaluation.found, key=lambda name: -evaluation.mean(name))
    rows, drawn = {}, {}
    for name in names:
        low, high = interval(evaluation.means(name))
        gap = (
            ""
            if name == "displayed order"
            else _with_interval(*evaluation.difference(name, "displayed order"), "+")
        )
        rows[NAMES.get(name, name)] = {
            "AUC": _with_interval(evaluation.mean(name), low, high),
            **{METRICS[m]: f"{evaluation.mean(name, m):.3f}" for m in ("mrr", "ndcg@5", "ndcg@10")},
            "AUC above the page's order": gap,
        }
        drawn[NAMES.get(name, name)] = {"mean": evaluation.mean(name), "low": low, "high": high}
    text = (
        "Means over impressions, each judged by itself. The line at 0.5 is a coin's AUC. Whoever "
        "is told the places can foresee clicks better, but cannot choose an order by them."
    )
    figure = report_figures.intervals(pd.DataFrame(drawn).T, "AUC per impression", 0.5)
    alt = "Mean AUC with its interval: " + ", ".join(
        f"{name} {row['mean']:.3f}" for name, row in drawn.items()
    )
    return Part("scorers", "Beside simpler orders", text, pd.DataFrame(rows).T, figure, alt)


def lists(result: Result) -> Part | None:
    """Recall and NDCG of the two stages' lists; None where they were not judged."""
    rows, f = {}, result.metrics
    for name, metric, k in (m.groups() for m in map(OF_A_LIST.fullmatch, f) if m):
        key = f"{name}_{metric}_at_{k}"
        shown = _with_interval(f[key], f[f"{key}_low"], f[f"{key}_high"])
        rows.setdefault(STAGES[name], {})[f"{METRICS.get(metric, metric)}@{k}"] = shown
    if not rows:
        return None
    text = (
        "The best of all live articles, asked for just before an impression, against what was "
        "clicked in it. People can click only what they were shown, so a list that guesses the "
        "page does well here; whether it is the better list, a log cannot tell."
    )
    return Part("lists", "The lists of the two stages", text, pd.DataFrame(rows).T)


def calibration(result: Result) -> Part | None:
    """Whether of a hundred clicks promised a hundred came; None for a ranker of mere orders."""
    scores = getattr(result.evaluation, "scores", {})
    if "with positions" not in scores or not hasattr(result.model.ranker, "probabilities"):
        return None
    promised = 1 / (1 + np.exp(-np.asarray(scores["with positions"], float)))
    table = calibration_table(result.evaluation, promised, scores.get("true probability"))
    text = (
        "Everything shown, in tenths by the chance that the model promised, places known. On the "
        f"line, as many clicked as promised: {promised.mean():.3f} promised, "
        f"{result.evaluation.shown.clicked.mean():.3f} clicked over all."
    )
    alt = (
        f"Share clicked against promised chance in {len(table)} groups, from "
        f"{table['observed'].iloc[0]:.3f} to {table['observed'].iloc[-1]:.3f} clicked"
    )
    shown = table.map("{:.3f}".format).assign(shown=table["shown"].map("{:,.0f}".format))
    shown = shown.rename(columns={"predicted": "promised", "observed": "clicked"})
    figure = report_figures.calibration(table)
    return Part("calibration", "Clicks promised, clicks found", text, shown, figure, alt)


def groups(result: Result) -> list[Part]:
    """AUC by what the model knew of the person, by the hour, by what was clicked."""
    frame, evaluation = result.per_impression, result.evaluation
    first = evaluation.shown.start[:-1] + first_clicked(evaluation.shown)
    articles = result.model.articles
    category = np.array(articles.categories, object)[
        articles.category[evaluation.shown.item[first]]
    ]
    known = result.model.state.arrays.user_clicks
    clicks = np.where(
        frame["user"] < len(known), known[np.minimum(frame["user"], len(known) - 1)], 0
    )
    begin = (frame["time"] // 3600 % 24 // 3 * 3).astype(int)
    hours = np.array([f"{h:02d}:00 to {h + 3:02d}:00" for h in range(24)])[begin]
    kinds = [
        ("history", "By clicks known of the person when training ended", level(clicks), None),
        ("hour", "By hour of the day (UTC)", hours, None),
        ("category", "By category of the first article clicked", category, 10),
    ]
    return [part for kind in kinds if (part := _group_part(result, *kind))]


def _group_part(result: Result, key: str, title: str, group, most: int | None) -> Part | None:
    auc = result.per_impression["auc"].to_numpy()
    table = group_means(
        auc, np.asarray(group, object), result.evaluation.user_index, result.evaluation.rng
    )
    if most is not None:
        table = table.sort_values("impressions", ascending=False, kind="stable").head(most)
    if table.empty:
        return None
    shown = pd.DataFrame(
        {
            "AUC": [_with_interval(*row) for row in table[["mean", "low", "high"]].to_numpy()],
            "impressions": table["impressions"].map("{:,.0f}".format),
        },
        index=table.index,
    )
    whole = result.metrics["ranker_auc"]
    text = f"Groups of {FEWEST} impressions or more; the line is the mean over all, {whole:.3f}."
    alt = "Mean AUC with its interval: " + ", ".join(
        f"{name} {mean:.3f}" for name, mean in table["mean"].items()
    )
    figure = report_figures.intervals(table, "AUC per impression", whole)
    return Part(key, title, text, shown, figure, alt)


def weights(result: Result) -> Part:
    """What moves the ranker's score, most first."""
    ranker = result.model.ranker
    signed = getattr(ranker, "weights", None)
    if signed is None:
        values, what = ranker.importance(), "share of the gain of all splits"
    else:
        values, what = signed, "log odds per standard deviation"
    order = np.argsort(-np.abs(values), kind="stable")
    table = pd.DataFrame({"weight": values[order]}, index=[FEATURES[i] for i in order])
    text = f"Each feature's weight: {what}. Features that go together share what they say."
    alt = "Weights, largest first: " + ", ".join(
        f"{name} {weight:+.2f}" for name, weight in table["weight"].items()
    )
    shown = table.map("{:+.3f}".format)
    return Part(
        "weights", "What the ranker looks at", text, shown, report_figures.bars(table, what), alt
    )


def steps(result: Result) -> Part | None:
    """The ranker's training, step by step; None where the model was read from a file."""
    table = pd.DataFrame(result.steps)
    if len(table) < 2:
        return None
    measure = next(name for name in table.columns if name != "step")
    table = table[["step", measure]]
    first, last = table[measure].iloc[0], table[measure].iloc[-1]
    text = f"{measure} on the training impressions: from {first:.4f} to {last:.4f}."
    alt = f"{measure} over {len(table)} steps, from {first:.4f} to {last:.4f}"
    figure = report_figures.curve(table, measure)
    return Part("steps", "Training, step by step", text, None, figure, alt)


def _with_interval(mean: float, low: float, high: float, sign: str = "") -> str:
    return f"{mean:{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
