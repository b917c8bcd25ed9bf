"""Metrics beyond accuracy: cases by hand."""

import tracemalloc
from itertools import combinations

import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import cosine
from scipy.stats import entropy

from recsys.metrics import (
    beyond_accuracy,
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


@pytest.mark.parametrize("n_features", [30, 5000])
def test_values_do_not_depend_on_the_size_of_the_blocks(n_features, monkeypatch):
    """One user at a time, and all at once; expected values from loops over pairs and features."""
    rng = np.random.default_rng(0)
    features = sparse.random(60, n_features, 0.1, "csr", rng=rng)
    history = sparse.random(40, 60, 0.2, "csr", rng=rng)
    lists = np.array([rng.permutation(60)[:6] for _ in range(40)])
    lists[3:9, 4:] = -1
    dense = features.toarray()
    diversity, calibrated = [], []
    for user, listed in enumerate(lists):
        vectors = dense[listed[listed >= 0]]
        pairs = combinations(vectors, 2)
        distances = [cosine(a, b) if a.any() and b.any() else 1.0 for a, b in pairs]
        diversity.append(np.mean(distances))
        p, q = history[[user]].toarray()[0] @ dense, vectors.sum(axis=0)
        p, q = p / p.sum(), q / q.sum()
        calibrated.append(entropy(p, 0.99 * q + 0.01 * p))
    for cells in (1, 2_000_000):
        monkeypatch.setattr(beyond_accuracy, "CELLS_IN_MEMORY", cells)
        for form in (features, dense):
            found = intra_list_diversity(lists, form)
            np.testing.assert_allclose(found, diversity, atol=1e-12)
            np.testing.assert_allclose(calibration(lists, history, form), calibrated, atol=1e-9)


def test_sparse_features_are_never_expanded_whole():
    """Dense they would take 80 MB, and the vectors of all lists 480 MB."""
    rng = np.random.default_rng(0)
    features = sparse.random(500, 20_000, 10 / 20_000, "csr", np.float32, rng=rng)
    lists = np.array([rng.permutation(500)[:10] for _ in range(300)])
    history = sparse.random(300, 500, 0.02, "csr", rng=rng)
    tracemalloc.start()
    intra_list_diversity(lists, features)
    calibration(lists, history, features)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 70e6
