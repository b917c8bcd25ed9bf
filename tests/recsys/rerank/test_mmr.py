"""Maximal marginal relevance: cases by hand, and the compiled loop against the formula."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.rerank import mmr

# Three reports of one match and one of the budget: v0'v1 = 0.8, v0'v2 = 0.6, v1'v2 = 0.96, and
# the budget has similarity 0 to them.
RELEVANCE = np.array([1.0, 0.9, 0.8, 0.3])
VECTORS = np.array([[1, 0, 0], [0.8, 0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])


def mmr_reference(relevance, vectors, k, trade_off):
    """The formula in NumPy: all similarities computed again for each position."""
    vectors = np.asarray(vectors, np.float64)
    selected = []
    while len(selected) < min(k, len(relevance)):
        left = [i for i in range(len(relevance)) if i not in selected]
        values = trade_off * np.asarray(relevance)[left]
        if selected:
            values = values - (1 - trade_off) * (vectors[left] @ vectors[selected].T).max(axis=1)
        selected.append(left[int(values.argmax())])
    return selected


@pytest.mark.parametrize(
    "trade_off, expected",
    [
        (1.0, [0, 1, 2, 3]),
        # after 0: .7 * .9 - .3 * .8 = .39, .7 * .8 - .3 * .6 = .38, .7 * .3 = .21;
        # after 1: .56 - .3 * .96 = .272, .21
        (0.7, [0, 1, 2, 3]),
        # after 0: .45 - .4 = .05, .4 - .3 = .1, .15; after 3: .05, .1: 0 is still the most similar
        (0.5, [0, 3, 2, 1]),
        (0.0, [0, 3, 2, 1]),  # the first by its index, the others by similarity
    ],
)
def test_mmr_by_hand(trade_off, expected):
    assert mmr(RELEVANCE, VECTORS, 4, trade_off).tolist() == expected
    assert mmr_reference(RELEVANCE, VECTORS, 4, trade_off) == expected


def test_similarity_to_the_most_similar_selected_item_counts():
    vectors = np.array([[1, 0], [0, 1], [1, 0], [0.6, 0.6]])
    assert mmr([1, 0.9, 0.8, 0.7], vectors, 4, 0.5).tolist() == [0, 1, 3, 2]


@given(st.integers(1, 30), st.integers(1, 40), st.integers(0, 10), st.integers(0, 200))
def test_mmr_equals_the_formula(n, k, tenths, seed):
    rng = np.random.default_rng(seed)
    relevance, vectors = rng.normal(size=n), rng.normal(size=(n, 4)).astype(np.float32)
    selected = mmr(relevance, vectors, k, tenths / 10)
    np.testing.assert_array_equal(selected, mmr_reference(relevance, vectors, k, tenths / 10))
    assert selected.dtype == np.int32 and len(set(selected.tolist())) == min(k, n)


def test_ties_go_to_the_first_candidate_and_no_candidates_give_an_empty_list():
    assert mmr([1, 2, 2], np.zeros((3, 2)), 2, 0.5).tolist() == [1, 2]
    assert mmr([], np.zeros((0, 3)), 5, 0.5).tolist() == []


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"relevance": [1, np.nan, 0, 0]}, "relevance must be finite"),
        ({"relevance": [1.0]}, "relevance must have one entry per row"),
        ({"vectors": np.full((4, 2), np.inf)}, "vectors must be finite"),
        ({"k": 0}, "k must be at least 1"),
        ({"trade_off": 1.1}, "trade_off must be finite and at least 0 and at most 1"),
    ],
)
def test_wrong_arguments_are_refused(changed, message):
    arguments = {"relevance": RELEVANCE, "vectors": VECTORS, "k": 2, "trade_off": 0.5} | changed
    with pytest.raises(ValueError, match=message):
        mmr(**arguments)
