"""Figures in one style: colour-blind-safe, readable on a light and on a dark page.

The colours are those of Okabe and Ito (2008). Only plots that several chapters draw are here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recsys import validation

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

BLUE, ORANGE, GREEN, PINK, SKY, RED, YELLOW, GREY = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#7F7F7F",
)  # fmt: skip
COLORS = [BLUE, ORANGE, GREEN, PINK, SKY, RED, GREY]


def use_style() -> None:
    """Set matplotlib's defaults to the book's; called once, in a chapter's setup."""
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
    """Draw a leaderboard's confidence intervals, the first model on top.

    Parameters
    ----------
    table : DataFrame
        From `recsys.leaderboard`.
    metric : str
        The column that `low` and `high` belong to, such as "ndcg@10"; or "difference", which is
        drawn with a line at zero.
    ax : matplotlib Axes, optional
    """
    import matplotlib.pyplot as plt

    low, high = ("difference_low", "difference_high") if metric == "difference" else ("low", "high")
    if missing := {metric, low, high} - set(getattr(table, "columns", ())):
        raise ValueError(
            f"table must be a leaderboard with the columns {metric}, {low} and {high}, "
            f"got none named {sorted(missing, key=str)[0]!r}"
        )
    ax = ax or plt.gca()
    for position, (_, row) in enumerate(table.iterrows()):
        ax.plot([row[low], row[high]], [position, position], color=BLUE, linewidth=3)
        ax.plot(row[metric], position, "o", color=BLUE, markersize=8)
    if metric == "difference":
        ax.axvline(0, color=GREY, linewidth=1)
    ax.set(yticks=range(len(table)), yticklabels=table.index, xlabel=metric)
    ax.set_ylim(len(table) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)
    return ax


def heatmap(
    matrix: Any,
    ax: Axes | None = None,
    label: str = "",
    limits: tuple[float, float] | None = None,
) -> Axes:
    """Draw a small matrix as colours, with its values written into the cells.

    Parameters
    ----------
    matrix : array-like (n, m) of finite numbers
    ax : matplotlib Axes, optional
    label : str
        Label of the colour bar.
    limits : (low, high), optional
        The values of the darkest and the lightest colour, the same for matrices drawn side by
        side; by default the smallest and the largest value.
    """
    import matplotlib.pyplot as plt

    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or not matrix.size:
        raise ValueError(f"matrix must have rows and columns, got shape {matrix.shape}")
    matrix = validation.amounts("matrix", matrix, low=-np.inf)
    limits = (matrix.min(), matrix.max()) if limits is None else limits
    if np.shape(limits) != (2,) or not limits[0] <= limits[1]:
        raise ValueError(f"limits must be (low, high), the lower first, got {limits!r}")
    ax = ax or plt.gca()
    low, high = limits
    image = ax.imshow(matrix, aspect="auto", vmin=low, vmax=high)
    ax.grid(visible=False)
    for (row, column), value in np.ndenumerate(matrix):
        color = "black" if value > (low + high) / 2 else "white"
        ax.text(column, row, f"{value:g}", ha="center", va="center", color=color)
    ax.figure.colorbar(image, ax=ax, label=label)
    return ax
