"""Means and calibration by group, checked by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from newsreco.evaluation.groups import calibration_table, first_clicked, group_means, level
from newsreco.evaluation.intervals import mean_over_users


def test_mean_over_users_resamples_users_not_impressions():
    values, user = np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0]), np.array([0, 0, 0, 9, 9, 9])
    mean, low, high = mean_over_users(values, user)
    assert (mean, low, high) == (0.5, 0.0, 1.0)  # two users: both, or one of them twice
    alone = mean_over_users(values, np.zeros(6, int))
    assert alone == (0.5, 0.5, 0.5)


def test_group_means_by_hand():
    values = np.r_[np.full(20, 0.25), np.full(20, 0.75), np.nan, np.full(19, 1.0)]
    group = np.array(["b"] * 20 + ["a"] * 21 + ["few"] * 19, object)
    table = group_means(values, group, np.arange(60))
    assert list(table.index) == ["a", "b"]
    assert list(table["mean"]) == [0.75, 0.25] and list(table["impressions"]) == [20, 20]


def test_levels_of_click_counts_sort_as_the_counts():
    found = level(np.array([0, 1, 4, 5, 9, 10, 49, 50, 10_000]))
    words = [" 0", " 1 to 4", " 1 to 4", " 5 to 9", " 5 to 9", "10 to 19", "20 to 49"]
    assert list(found) == [*words, "50 or more", "50 or more"]
    assert sorted(set(found)) == list(dict.fromkeys(found))


def test_calibration_by_hand():
    predicted = np.repeat(np.arange(10) / 10, 4)
    clicked = np.tile([True, False, False, False], 10)
    shown = SimpleNamespace(clicked=clicked, impression=np.repeat(np.arange(20), 2))
    evaluation = SimpleNamespace(shown=shown, user_index=np.arange(20), rng=0)
    table = calibration_table(evaluation, predicted, predicted + 0.05)
    assert list(table["predicted"]) == pytest.approx([b / 10 for b in range(10)])
    assert list(table["observed"]) == [0.25] * 10 and list(table["shown"]) == [4] * 10
    assert list(table["known"]) == pytest.approx([b / 10 + 0.05 for b in range(10)])


def test_first_clicked_position_of_an_impression():
    clicked = np.array([0, 1, 1, 0, 0, 1], bool)
    start = np.array([0, 3, 5, 6])

    class Shown(SimpleNamespace):
        def __len__(self):
            return 3

    shown = Shown(clicked=clicked, start=start, impression=np.array([0, 0, 0, 1, 1, 2]))
    assert list(first_clicked(shown)) == [1, 0, 0]
