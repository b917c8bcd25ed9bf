"""Plots draw the given values and refuse invalid input."""

import matplotlib
import numpy as np
import pandas as pd
import pytest

from recsys import plot

matplotlib.use("agg")


@pytest.fixture
def ax():
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


@pytest.fixture
def table():
    columns = {"ndcg@10": [0.2, 0.5], "low": [0.1, 0.4], "high": [0.3, 0.7]}
    columns |= {"difference": [0, 0.3], "difference_low": [0, 0.2], "difference_high": [0, 0.4]}
    return pd.DataFrame(columns, index=["Popularity", "EASE"])


@pytest.mark.parametrize(
    ("metric", "bars", "points"),
    [
        ("ndcg@10", [[0.1, 0.3], [0.4, 0.7]], [0.2, 0.5]),
        ("difference", [[0, 0], [0.2, 0.4]], [0, 0.3]),
    ],
)
def test_intervals_draw_a_bar_and_a_point_per_model(metric, bars, points, ax, table):
    assert plot.intervals(table, metric, ax) is ax
    lines = [line.get_xdata() for line in ax.get_lines()]
    assert [list(line) for line in lines[0:4:2]] == bars
    assert [line[0] for line in lines[1:4:2]] == points
    assert [label.get_text() for label in ax.get_yticklabels()] == ["Popularity", "EASE"]
    bottom, top = ax.get_ylim()
    assert bottom > top and ax.get_xlabel() == metric  # the first model is on top


@pytest.mark.parametrize("wrong", [5, {"ndcg@10": [1]}, pd.DataFrame({"ndcg@10": [1]})])
def test_table_that_is_no_leaderboard_is_refused(wrong, ax, table):
    with pytest.raises(ValueError, match="^table must be a leaderboard with the columns .*, got"):
        plot.intervals(wrong, "ndcg@10", ax)
    with pytest.raises(ValueError, match="^table must .*, got none named 'recall@10'"):
        plot.intervals(table, "recall@10", ax)


def test_heatmap_writes_its_values_readably(ax):
    plot.heatmap([[0.25, 1], [0, 0.75]], ax, label="share")
    assert [text.get_text() for text in ax.texts] == ["0.25", "1", "0", "0.75"]
    assert [text.get_color() for text in ax.texts] == ["white", "black", "white", "black"]
    assert ax.images[0].colorbar.ax.get_ylabel() == "share"
    assert ax.images[0].get_clim() == (0, 1)


def test_limits_make_two_heatmaps_comparable(ax):
    plot.heatmap([[0.1, 0.4]], ax, limits=(0, 1))
    assert ax.images[0].get_clim() == (0, 1)
    assert [text.get_color() for text in ax.texts] == ["white", "white"]


@pytest.mark.parametrize("wrong", [5, [1, 2], [[]], [["a"]], [[np.nan]], [[np.inf, 1]]])
def test_heatmap_refuses_anything_but_a_numeric_matrix(wrong, ax):
    with pytest.raises(ValueError, match="^matrix must .*, got"):
        plot.heatmap(wrong, ax)


@pytest.mark.parametrize("wrong", [(1, 0), (np.nan, 1), 5, (0, 1, 2)])
def test_invalid_limits_are_refused(wrong, ax):
    with pytest.raises(ValueError, match=r"^limits must be \(low, high\), .*, got"):
        plot.heatmap([[1]], ax, limits=wrong)


def test_use_style_sets_the_defaults():
    with matplotlib.rc_context():
        plot.use_style()
        cycle = matplotlib.rcParams["axes.prop_cycle"].by_key()["color"]
        assert cycle == plot.COLORS and len(set(cycle)) == len(cycle)
