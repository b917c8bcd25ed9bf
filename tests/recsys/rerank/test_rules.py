"""Business rules: cases by hand, and every list against the rule."""

from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.rerank import drop_duplicates, limit_in_a_row, limit_per_group, number_texts

GROUPS = st.lists(st.integers(0, 4), max_size=25)


def test_drop_duplicates_keeps_the_first_of_each_title():
    titles = ["Late goal wins it", "Budget passes", "LATE GOAL WINS IT", "Budget passes", "Rain"]
    keys = number_texts(titles)
    assert keys.tolist() == [0, 1, 0, 1, 2]
    order = np.array([2, 4, 0, 3, 1])
    assert order[drop_duplicates(order, keys[order])].tolist() == [2, 4, 3]
    assert drop_duplicates([], []).tolist() == []
    with pytest.raises(ValueError, match="keys must have one entry per item"):
        drop_duplicates([1, 2], [1])


def test_limits_by_hand():
    groups = [7, 7, 7, 3, 5, 7, 3, 3]
    assert limit_per_group(groups, 2, 5).tolist() == [0, 1, 3, 4, 6]
    assert limit_per_group(groups, 1, 10).tolist() == [0, 3, 4]
    assert limit_per_group(groups, 3, 4).tolist() == [0, 1, 2, 3]
    assert limit_in_a_row(groups, 2, 8).tolist() == [0, 1, 3, 2, 4, 5, 6, 7]
    assert limit_in_a_row(groups, 1, 8).tolist() == [0, 3, 1, 4, 2, 6, 5, 7]
    assert limit_in_a_row([7, 7, 7], 2, 3).tolist() == [0, 1]  # nothing else is left
    assert limit_in_a_row([7, 7, 7, 3], 1, 2).tolist() == [0, 3]


@given(GROUPS, st.integers(1, 4), st.integers(1, 30))
def test_per_group_keeps_all_that_obey(groups, at_most, k):
    kept = limit_per_group(groups, at_most, k).tolist()
    wanted = [i for i, group in enumerate(groups) if groups[:i].count(group) < at_most]
    assert kept == wanted[:k]


@given(GROUPS, st.integers(1, 4), st.integers(1, 30))
def test_each_position_holds_the_best_item_that_makes_no_long_run(groups, at_most, k):
    order = limit_in_a_row(groups, at_most, k).tolist()
    shown = [groups[i] for i in order]
    assert all(len(list(run)) <= at_most for _, run in groupby(shown))
    for position in range(min(k, len(groups))):
        left = [i for i in range(len(groups)) if i not in order[:position]]
        before = shown[max(position - at_most, 0) : position]
        full = len(before) == at_most and len(set(before)) == 1
        allowed = [i for i in left if not (full and groups[i] == before[0])]
        assert order[position : position + 1] == allowed[:1]
        if not allowed:
            break


@pytest.mark.parametrize("rule", [limit_per_group, limit_in_a_row])
def test_rules_of_nothing_and_wrong_arguments(rule):
    found = rule([], 2, 5)
    assert found.tolist() == [] and found.dtype == np.int32
    for arguments, message in {
        (((1.5, 2),), 2, 3): "groups must hold whole-number ids",
        (((-1, 2),), 2, 3): "groups must hold ids",
        (((1, 2),), 0, 3): "at_most must be at least 1",
        (((1, 2),), 2, 0): "k must be at least 1",
    }.items():
        (groups,), at_most, k = arguments
        with pytest.raises(ValueError, match=message):
            rule(groups, at_most, k)
