"""Metrics beyond accuracy: cases by hand."""

import numpy as np
import pytest
from scipy import sparse

from recsys.metrics import (
    calibration,
    coverage,
    gini,
    intra_list_diversity,
    novelty,
    popularity_bias,
    serendipity,
)

LISTS = np.array([[0, 1, 2], [0, 1, -1], [0, -1, -1], [-1, -1, -1]])


def test_coverage_and_gini():
    assert coverage(LISTS, 10) == 0.3
    assert coverage(np.full((3, 2), -1), 10) == 0 and gini(np.full((3, 2), -1), 10) == 0
    # Shown 3, 2, 1 and 0 times; sorted upwards 0, 1, 2, 3 with weights -3, -1, 1, 3.
    assert gini(LISTS, 4) == pytest.approx((-1 + 2 + 9) / (4 * 6))
    assert gini(np.array([[0]] * 5), 100) == pytest.approx(0.99)
    for metric in (coverage, gini):
        with pytest.raises(ValueError, match="^recommended must hold ids from 0 to 1, or .* got 2"):
            metric(LISTS, 2)
        with pytest.raises(ValueError, match="^n_items must be at least 1, got 0"):
            metric(LISTS, 0)


def test_novelty_and_popularity():
    """Of 8 users, 8 interacted with item 0, 4 with item 1, none with item 2 (taken as one)."""
    users = np.array([8, 4, 0])
    np.testing.assert_allclose(novelty(LISTS, users, 8), [(0 + 1 + 3) / 3, 1 / 2, 0, np.nan])
    np.testing.assert_allclose(popularity_bias(LISTS, users, 8), [1.5 / 3, 1.5 / 2, 1, np.nan])


def test_intra_list_diversity():
    similar, different = [[1, 0], [2, 0], [3, 0]], [[1, 0, 0], [0, 2, 0], [0, 0, 0]]
    found = intra_list_diversity(LISTS, np.array(similar))
    np.testing.assert_allclose(found, [0, 0, np.nan, np.nan], atol=1e-12)
    found = intra_list_diversity(LISTS, sparse.csr_matrix(different))
    np.testing.assert_allclose(found, [1, 1, np.nan, np.nan], atol=1e-12)
    features = np.random.default_rng(0).normal(size=(6, 4))
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    pairs = [1 - unit[a] @ unit[b] for a, b in ((5, 3), (5, 1), (3, 1))]
    assert intra_list_diversity(np.array([[5, 3, 1]]), features) == pytest.approx(np.mean(pairs))


def test_serendipity():
    """A hit counts unless the expected list has it too; divided by k also for short lists."""
    relevant = [{0, 2}, {0, 1}, set(), {5}]
    expected = np.array([[2, 9, 8], [7, 9, 8], [0, 1, 2], [0, 1, 2]])
    found = serendipity(LISTS, relevant, expected)
    np.testing.assert_allclose(found, [1 / 3, 2 / 3, np.nan, 0])
    assert serendipity(LISTS, relevant, LISTS)[0] == 0


def test_calibration():
    genres = np.array([[1, 0], [0, 1], [1, 0]])
    history = sparse.csr_matrix(np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0], [1, 1, 1]]))
    lists = np.array([[0, 1], [0, 2], [0, 1], [-1, -1]])
    found = calibration(lists, history, genres)
    np.testing.assert_allclose(found, [0, 0, np.nan, np.nan], atol=1e-12)
    # Half and half in the history, three quarters and one quarter in the list.
    mixed = np.array([[1.0, 0], [0, 1], [1, 0], [1, 0]])
    history = sparse.csr_matrix(np.array([[1, 1, 0, 0]]))
    q = 0.99 * np.array([0.75, 0.25]) + 0.01 * 0.5
    expected = np.sum(0.5 * np.log(0.5 / q))
    assert calibration(np.array([[0, 1, 2, 3]]), history, mixed) == pytest.approx(expected)
    # An item of two genres counts in both; with rows that sum to 1, half in each (Steck 2018).
    genres = np.array([[1.0, 1], [1, 0], [0, 1]])
    history = sparse.csr_matrix(np.array([[0, 1, 1]]))
    for features, q in ((genres, [2 / 3, 1 / 3]), (genres / [[2], [1], [1]], [3 / 4, 1 / 4])):
        expected = np.sum(0.5 * np.log(0.5 / (0.99 * np.array(q) + 0.01 * 0.5)))
        assert calibration(np.array([[0, 1]]), history, features) == pytest.approx(expected)
    with pytest.raises(ValueError, match="^smoothing must be finite and above 0 .*, got 0"):
        calibration(np.array([[0, 1]]), history, genres, smoothing=0)
