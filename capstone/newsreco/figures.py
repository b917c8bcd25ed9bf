"""Figures of one training: how the loss went down, and who orders the exam how well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recsys.plot import BLUE, GREY, ORANGE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from newsreco.evaluation import Exam

NAMES = {
    "ranker": "the ranker",
    "order": "order on the page",
    "trend": "trend alone",
    "profile": "profile alone",
    "last": "last click alone",
    "best": "known chances",
}


def steps(rows: list[dict]) -> Figure:
    """The metric of the ranker's training over its steps."""
    figure, axes = _new_figure()
    (name,) = [key for key in rows[0] if key != "step"]
    axes.plot([row["step"] for row in rows], [row[name] for row in rows], color=BLUE, marker=".")
    axes.set(xlabel="step", ylabel=name)
    return figure


def contestants(exam: Exam) -> Figure:
    """AUC and its 95 % interval for each way to order the same impressions."""
    from recsys.bootstrap import interval

    figure, axes = _new_figure()
    names = [name for name in NAMES if name in exam.found]
    for place, name in enumerate(names):
        color = BLUE if name == "ranker" else ORANGE if name == "best" else GREY
        axes.plot(interval(exam.means(name)), [place, place], color=color, linewidth=3)
        axes.plot(exam.mean(name), place, "o", color=color)
    axes.set(yticks=range(len(names)), yticklabels=[NAMES[name] for name in names])
    axes.set(xlabel="AUC an impression")
    axes.invert_yaxis()
    return figure


def _new_figure():
    """Made without pyplot, so that no window and no other figure is touched."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), dpi=110, layout="constrained")
    return figure, figure.add_subplot()
