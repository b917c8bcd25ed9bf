"""Figures in one style: quiet, colour-blind-safe, readable on a light and on a dark page.

The colours are those of Okabe and Ito (2008). Only what several chapters draw stands here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

BLUE, ORANGE, GREEN, PINK, SKY, RED, YELLOW, GREY = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#7F7F7F",
)  # fmt: skip
COLORS = [BLUE, ORANGE, GREEN, PINK, SKY, RED, GREY]


def use_style() -> None:
    """Set matplotlib's defaults to the book's: call it once, in a chapter's setup."""
    import matplotlib as mpl

    mpl.rcParams.update(
        {
            "axes.prop_cycle": mpl.cycler(color=COLORS),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlelocation": "left",
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": "#E5E5E5",
            "figure.figsize": (7.0, 3.6),
            "figure.dpi": 110,
            "figure.constrained_layout.use": True,
            "figure.facecolor": "white",
            "font.size": 11,
            "lines.linewidth": 2,
            "legend.frameon": False,
            "image.cmap": "cividis",
        }
    )


def intervals(table: pd.DataFrame, metric: str, ax: Axes | None = None) -> Axes:
    """Draw a leaderboard's interval bars, the first model on top.

    Parameters
    ----------
    table : DataFrame
        From `recsys.leaderboard`.
    metric : str
        The column whose interval `low` and `high` hold, such as "ndcg@10"; or "difference",
        which is drawn beside a line at zero.
    ax : matplotlib Axes, optional
    """
    import matplotlib.pyplot as plt

    ax = ax or plt.gca()
    low, high = ("difference_low", "difference_high") if metric == "difference" else ("low", "high")
    for place, (_, row) in enumerate(table.iterrows()):
        ax.plot([row[low], row[high]], [place, place], color=BLUE, linewidth=3)
        ax.plot(row[metric], place, "o", color=BLUE, markersize=8)
    if metric == "difference":
        ax.axvline(0, color=GREY, linewidth=1)
    ax.set(yticks=range(len(table)), yticklabels=table.index, xlabel=metric)
    ax.set_ylim(len(table) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)
    return ax


def heatmap(matrix: Any, ax: Axes | None = None, label: str = "") -> Axes:
    """Draw a small matrix with its numbers written into the cells, which are then comparable."""
    import matplotlib.pyplot as plt
    import numpy as np

    ax = ax or plt.gca()
    matrix = np.asarray(matrix)
    image = ax.imshow(matrix, aspect="auto")
    ax.grid(visible=False)
    middle = (matrix.max() + matrix.min()) / 2
    for (row, column), value in np.ndenumerate(matrix):
        color = "black" if value > middle else "white"
        ax.text(column, row, f"{value:g}", ha="center", va="center", color=color)
    ax.figure.colorbar(image, ax=ax, label=label)
    return ax
