"""Reciprocal rank fusion: tiny cases by hand, and a dictionary of sums."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.retrieval.hybrid import reciprocal_rank_fusion

RANKINGS = st.lists(st.integers(0, 12), unique=True, max_size=8)


def fuse_by_hand(rankings, c, weights):
    """(item, score) of one query, in exact fractions, best first, ties to the lower id."""
    total = {}
    for ranking, weight in zip(rankings, weights):
        for rank, item in enumerate(ranking, start=1):
            total[item] = total.get(item, 0) + Fraction(weight, c + rank)
    return sorted(total.items(), key=lambda pair: (-pair[1], pair[0]))


def padded(ranking, width=8):
    return [ranking + [-1] * (width - len(ranking))]


@given(st.lists(RANKINGS, min_size=1, max_size=4), st.integers(0, 60), st.data())
def test_scores_are_sums_of_reciprocal_ranks(rankings, c, data):
    weights = data.draw(st.lists(st.integers(0, 3), min_size=len(rankings), max_size=len(rankings)))
    items, scores = reciprocal_rank_fusion([padded(r) for r in rankings], 40, c, weights)
    expected = fuse_by_hand(rankings, c, weights)
    found = items[0][items[0] >= 0]
    assert sorted(found) == sorted(item for item, _ in expected)
    exact = dict(expected)
    np.testing.assert_allclose(scores[0, : len(found)], [float(exact[i]) for i in found], rtol=1e-6)
    assert np.isneginf(scores[0, len(found) :]).all() and (items[0, len(found) :] == -1).all()


def test_an_item_of_two_lists_passes_the_first_of_one():
    items, scores = reciprocal_rank_fusion([[[1, 2, 3]], [[4, 3, -1]]], k=4)
    assert items.tolist() == [[3, 1, 4, 2]]
    np.testing.assert_allclose(scores[0], [1 / 63 + 1 / 62, 1 / 61, 1 / 61, 1 / 62], rtol=1e-6)
    assert items.dtype == np.int32 and scores.dtype == np.float32


def test_a_small_constant_favours_first_ranks():
    lists = [[[1, 2, 3]], [[4, 5, 3]]]
    assert reciprocal_rank_fusion(lists, 1)[0].tolist() == [[3]]
    assert reciprocal_rank_fusion(lists, 1, c=0)[0].tolist() == [[1]]


def test_weights_decide_and_ties_go_to_the_lower_id():
    lists = [[[9, 1]], [[5, 1]]]
    assert reciprocal_rank_fusion(lists, 3)[0].tolist() == [[1, 5, 9]]
    assert reciprocal_rank_fusion(lists, 3, c=1, weights=[1, 10])[0].tolist() == [[5, 1, 9]]


def test_each_query_is_fused_by_itself_and_k_cuts():
    items, _ = reciprocal_rank_fusion([[[1, 2], [3, -1], [-1, -1]], [[2], [4], [-1]]], k=1)
    assert items.tolist() == [[2], [3], [-1]]
    assert reciprocal_rank_fusion([np.zeros((0, 3), int)], 2)[0].shape == (0, 2)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (([], 3), "lists must be of the same queries"),
        (([[[1]], [[1], [2]]], 3), r"lists must be of the same queries, got \[1, 2\] rows"),
        (([[[1, 2, 1]]], 3), r"lists\[0\] must name an item once per row, got 1 twice"),
        (([[[-2]]], 3), r"lists\[0\] must hold ids from 0"),
        (([[[0.5]]], 3), r"lists\[0\] must hold item ids"),
        (([[[1]]], 0), "k must be at least 1"),
        (([[[1]]], 1, -1.0), "c must be finite and at least 0"),
        (([[[1]]], 1, 60, [1, 2]), "weights must be one per list, 1, got"),
        (([[[1]]], 1, 60, [-1.0]), "weights must be finite and at least 0"),
        (([[[1]]], 1, 60, [np.nan]), "weights must be finite and at least 0, got nan"),
    ],
)
def test_invalid_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        reciprocal_rank_fusion(*arguments)
