"""The report's figures as SVG: text that stays text, and colours for a light and a dark page.

Each is one string: a file beside the Markdown, an embedded picture in the HTML. Black parts of
the drawing take the text colour of the page.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from newsreco.output import visible
from recsys.plot import BLUE, GREY, ORANGE, RED

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#010203"  # an otherwise unused colour, to be replaced
PAGE = """<style>svg{color:#1f2328}text{font-family:sans-serif}
@media (prefers-color-scheme:dark){svg{color:#e6edf3}}</style>"""
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "newsreco",
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "legend.frameon": False,
}
INKED = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")


def intervals(table: pd.DataFrame, label: str, line: float | None = None) -> str:
    """A dot and its interval for each row, the first row on top.

    table: columns `mean`, `low`, `high`, labels as index; line: a value to compare with.
    """

    def draw(ax: Axes) -> None:
        rows = np.arange(len(table))
        ax.hlines(rows, table["low"], table["high"], color=BLUE, linewidth=3)
        ax.plot(table["mean"], rows, "o", color=BLUE, markersize=7)
        if line is not None:
            ax.axvline(line, color=GREY, linewidth=1, linestyle="--")
        ax.set(yticks=rows, yticklabels=[_literal(name) for name in table.index], xlabel=label)
        ax.set_ylim(len(table) - 0.5, -0.5)
        ax.grid(axis="x", color=GREY, alpha=0.3)

    return _svg(draw, height=0.9 + 0.34 * len(table))


def bars(table: pd.DataFrame, label: str) -> str:
    """A bar for each row, negative ones in another colour. Columns: `weight`."""

    def draw(ax: Axes) -> None:
        colors = [BLUE if weight >= 0 else ORANGE for weight in table["weight"]]
        ax.barh(np.arange(len(table)), table["weight"], color=colors)
        names = [_literal(name) for name in table.index]
        ax.set(yticks=np.arange(len(table)), yticklabels=names, xlabel=label)
        ax.set_ylim(len(table) - 0.5, -0.5)
        ax.axvline(0, color=GREY, linewidth=1)
        ax.grid(axis="x", color=GREY, alpha=0.3)

    return _svg(draw, height=0.9 + 0.28 * len(table))


def curve(table: pd.DataFrame, label: str) -> str:
    """A line over the steps. Columns: `step` and a measure."""

    def draw(ax: Axes) -> None:
        ax.plot(table["step"], table.iloc[:, 1], color=BLUE, marker="o" if len(table) < 40 else "")
        ax.set(xlabel="step", ylabel=label)
        ax.grid(color=GREY, alpha=0.3)
        ax.xaxis.get_major_locator().set_params(integer=True)

    return _svg(draw, height=2.9)


def calibration(table: pd.DataFrame) -> str:
    """Observed against predicted rates. Columns: `predicted`, `observed`, `low`, `high`."""

    def draw(ax: Axes) -> None:
        top = 1.08 * max(table["high"].max(), table["predicted"].max())
        ax.plot([0, top], [0, top], color=GREY, linewidth=1, linestyle="--", label="calibrated")
        ax.vlines(table["predicted"], table["low"], table["high"], color=BLUE, linewidth=2)
        ax.plot(table["predicted"], table["observed"], "o", color=BLUE, label="observed")
        if "known" in table:
            known = {"color": RED, "fillstyle": "none", "label": "true probability"}
            ax.plot(table["predicted"], table["known"], "s", **known)
        ax.set(xlabel="predicted click-through rate", ylabel="observed click-through rate")
        ax.set(xlim=(0, top), ylim=(0, top))
        ax.grid(color=GREY, alpha=0.3)
        ax.legend(loc="upper left")

    return _svg(draw, height=4.2, width=5.2)


def _literal(name: object) -> str:
    """A label in which a dollar sign starts no formula and XML has nothing to refuse."""
    return visible(name).replace("$", r"\$")


def _svg(draw, height: float, width: float = 7.0) -> str:
    """The drawing, the same bytes each time."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE | dict.fromkeys(INKED, INK)):
        figure: Figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure.add_subplot())
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace(INK, "currentColor")
    return text.replace("<metadata>", f"{PAGE}<metadata>", 1)
