"""The report's sections on the ranker itself: calibration, feature importance, training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from newsreco.evaluation.groups import calibration_table
from newsreco.features.matrix import FEATURES
from newsreco.reports import figures
from newsreco.reports.section import Section, alt_text

if TYPE_CHECKING:
    from newsreco.training import Result


def calibration(result: Result) -> Section | None:
    """Predicted and observed click-through rate; None for a ranker without probabilities."""
    scores = result.evaluation.scores
    if "with positions" not in scores or not hasattr(result.model.ranker, "probabilities"):
        return None
    predicted = 1 / (1 + np.exp(-np.asarray(scores["with positions"], float)))
    table = calibration_table(result.evaluation, predicted, scores.get("true probability"))
    text = (
        "Everything displayed, in tenths by predicted probability, given the positions. On the "
        f"dashed line, predictions are calibrated. Overall: predicted {predicted.mean():.3f}, "
        f"observed {result.evaluation.shown.clicked.mean():.3f}."
    )
    observed = table["observed"]
    alt = (
        f"Observed against predicted click-through rate in {len(table)} groups, observed from "
        f"{observed.iloc[0]:.3f} to {observed.iloc[-1]:.3f}"
    )
    shown = table.map("{:.3f}".format).assign(shown=table["shown"].map("{:,.0f}".format))
    shown = shown.rename(columns={"known": "true", "shown": "displayed"})
    title = "Calibration: predicted and observed click-through rate"
    return Section("calibration", title, text, shown, figures.calibration(table), alt)


def weights(result: Result) -> Section:
    """Coefficients of a logistic ranker, or the gain of boosted trees, largest first."""
    ranker = result.model.ranker
    if hasattr(ranker, "weights"):
        values, unit = ranker.weights, "log odds per standard deviation"
    else:
        values, unit = ranker.importance(), "fraction of the gain of all splits"
    order = np.argsort(-np.abs(values), kind="stable")
    table = pd.DataFrame({"weight": values[order]}, index=[FEATURES[i] for i in order])
    text = f"Weight of each feature: {unit}. Correlated features divide their weight."
    shown, alt = table.map("{:+.3f}".format), alt_text("Weights", table["weight"], "+.2f")
    figure = figures.bars(table, unit)
    return Section("weights", "Feature importance", text, shown, figure, alt)


def steps(result: Result) -> Section | None:
    """The ranker's training step by step; None for a model read from a file."""
    table = pd.DataFrame(result.steps)
    if len(table) < 2:
        return None
    measure = next(name for name in table.columns if name != "step")
    first, last = table[measure].iloc[0], table[measure].iloc[-1]
    text = f"{measure} on the training impressions: from {first:.4f} to {last:.4f}."
    alt = f"{measure} over {len(table)} steps, from {first:.4f} to {last:.4f}"
    figure = figures.curve(table[["step", measure]], measure)
    return Section("steps", "Training curve", text, None, figure, alt)
