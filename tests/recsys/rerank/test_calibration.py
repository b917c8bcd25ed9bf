"""Calibrated re-ranking: cases by hand, and the objective evaluated list by list."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from recsys.metrics import calibration
from recsys.rerank import calibrated

# Five romances and two thrillers, for a history of 7 and 3.
RELEVANCE = np.array([1.0, 0.98, 0.96, 0.94, 0.92, 0.5, 0.4])
GENRES = np.array([[1, 0]] * 5 + [[0, 1]] * 2)


def divergence(p, q, smoothing):
    """Steck's formula, one genre at a time."""
    mixed = [(1 - smoothing) * b + smoothing * a for a, b in zip(p, q)]
    return sum(a * np.log(a / b) for a, b in zip(p, mixed) if a > 0)


def value(listed, relevance, genres, target, trade_off, smoothing):
    """The objective of one list, from its definition."""
    shown = np.asarray(genres, float)[list(listed)].sum(axis=0)
    q = shown / shown.sum() if shown.any() else shown
    fit = divergence(np.asarray(target) / np.sum(target), q, smoothing)
    return trade_off * np.sum(np.asarray(relevance)[list(listed)]) - (1 - trade_off) * fit


def greedy(relevance, genres, target, k, trade_off, smoothing=0.01):
    """Each position takes the candidate with which the list is worth most; ties to the first."""
    listed = []
    for _ in range(min(k, len(relevance))):
        left = [i for i in range(len(relevance)) if i not in listed]
        args = relevance, genres, target, trade_off, smoothing
        listed.append(max(left, key=lambda i: (value([*listed, i], *args), -i)))
    return listed


def test_by_hand():
    """With a smoothing of 0.01: after one romance q = 1, 0. KL(.7, .3 | .997, .003) = 1.134;
    with a thriller added q = .5, .5 and KL(.502, .498) = .0809: 0.5 (.98 - .5) < .5 (1.134 - .081).
    """
    assert calibrated(RELEVANCE, GENRES, [7, 3], 2, 0.5).tolist() == [0, 5]
    # 0.9 (.98 - .5) = .432 > 0.1 (1.134 - .081) = .105: relevance decides
    assert calibrated(RELEVANCE, GENRES, [7, 3], 2, 0.9).tolist() == [0, 1]
    assert calibrated(RELEVANCE, GENRES, [7, 3], 7, 1.0).tolist() == [0, 1, 2, 3, 4, 5, 6]
    # calibration only: .7 and .3 from one romance, one thriller, and then romances again
    assert calibrated(RELEVANCE, GENRES, [7, 3], 4, 0.0).tolist() == [0, 5, 1, 2]


def test_ties_go_to_the_first_candidate():
    assert calibrated([1, 1, 1], [[1, 0]] * 3, [1, 1], 3, 0.5).tolist() == [0, 1, 2]


@given(
    st.integers(1, 12), st.integers(1, 14), st.integers(0, 10), st.integers(0, 300),
    st.sampled_from([0.01, 0.2, 1.0]),
)  # fmt: skip
def test_equals_the_greedy_search_of_the_definition(n, k, tenths, seed, smoothing):
    rng = np.random.default_rng(seed)
    relevance, genres = rng.random(n), rng.random((n, 4)) * (rng.random((n, 4)) < 0.6)
    target = rng.random(4) + 1e-3
    expected = greedy(relevance, genres, target, k, tenths / 10, smoothing)
    for form in (genres, sparse.csr_matrix(genres)):
        found = calibrated(relevance, form, target, k, tenths / 10, smoothing)
        assert found.tolist() == expected and found.dtype == np.int32


def test_the_divergence_is_that_of_the_metric():
    """Calibration only: no other second item gives a lower value of the metric."""
    rng = np.random.default_rng(3)
    genres, history = rng.random((9, 3)), rng.integers(1, 5, (1, 9))
    target = history[0] @ genres
    first, second = calibrated(np.zeros(9), genres, target, 2, 0.0)
    lists = np.array([[first, i] for i in range(9) if i != first])
    measured = calibration(lists, sparse.csr_matrix(np.repeat(history, 8, axis=0)), genres)
    assert lists[measured.argmin(), 1] == second


def test_the_target_is_scaled_and_a_genre_outside_it_costs():
    for target in ([7, 3], [0.7, 0.3], [700, 300]):
        assert calibrated(RELEVANCE, GENRES, target, 4, 0.3).tolist() == [0, 5, 1, 2]
    genres = np.array([[1, 0, 0], [0, 0, 1], [0, 1, 0]])  # the second is of no wanted genre
    assert calibrated([1.0, 1.0, 1.0], genres, [1, 1, 0], 2, 0.5).tolist() == [0, 2]


def test_items_without_genres_come_by_relevance():
    assert calibrated([0.1, 0.9], np.zeros((2, 2)), [1, 1], 2, 0.5).tolist() == [1, 0]
    # a list without any genre is the farthest from the target: ln(1 / 0.01) = 4.6 nats
    assert calibrated([0.1, 0.9], [[1, 1], [0, 0]], [1, 1], 1, 0.5).tolist() == [0]


def test_no_candidates_and_long_lists():
    assert calibrated([], np.zeros((0, 2)), [1, 1], 5, 0.5).tolist() == []
    assert len(calibrated(RELEVANCE, GENRES, [7, 3], 100, 0.5)) == 7


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"relevance": [np.nan] * 7}, "relevance must be finite"),
        ({"relevance": [1.0]}, "relevance must have one entry per row"),
        ({"genres": np.full((7, 2), np.nan)}, "genres must be finite and at least 0"),
        ({"genres": -GENRES}, "genres must be finite and at least 0"),
        ({"genres": [1, 2]}, "genres must be a matrix"),
        ({"target": [0, 0]}, "target must be above 0 for some genre"),
        ({"target": [1, -1]}, "target must be finite and at least 0"),
        ({"target": [1, 1, 1]}, "target must have one entry per row"),
        ({"k": 0}, "k must be at least 1"),
        ({"trade_off": -0.1}, "trade_off must be finite and at least 0 and at most 1"),
        ({"smoothing": 0}, "smoothing must be finite and above 0"),
    ],
)
def test_wrong_arguments_are_refused(changed, message):
    arguments = {"relevance": RELEVANCE, "genres": GENRES, "target": [7, 3], "k": 2}
    with pytest.raises(ValueError, match=message):
        calibrated(**arguments | {"trade_off": 0.5} | changed)
