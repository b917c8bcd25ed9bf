"""k-means: agreement with plain NumPy, the objective, empty clusters, determinism."""

import numpy as np
import pytest

from recsys.retrieval.kmeans import assign, kmeans, kmeans_reference
from recsys.threads import limit_threads


def loss(V, C):
    return ((V[:, None, :] - C[None]) ** 2).sum(axis=2).min(axis=1).mean()


@pytest.mark.parametrize("n, d, n_clusters", [(500, 7, 13), (300, 1, 5), (60, 3, 50)])
def test_kmeans_equals_plain_numpy(n, d, n_clusters):
    V = np.random.default_rng(1).normal(size=(n, d)).astype(np.float32)
    start = kmeans(V, n_clusters, iterations=0, rng=4)
    expected = kmeans_reference(V.astype(float), start.astype(float), 6)
    np.testing.assert_allclose(kmeans(V, n_clusters, 6, rng=4), expected, atol=1e-5)


def test_it_starts_from_different_vectors():
    V = np.arange(40.0)[:, None]
    start = kmeans(V, 40, iterations=0, rng=0)
    assert sorted(start.ravel()) == sorted(V.ravel())
    assert not np.array_equal(kmeans(V, 5, 0, rng=0), kmeans(V, 5, 0, rng=1))


def test_each_iteration_lowers_the_loss():
    V = np.random.default_rng(2).normal(size=(800, 5)).astype(np.float32)
    losses = [loss(V, kmeans(V, 20, iterations, rng=0)) for iterations in range(8)]
    assert all(after < before for before, after in zip(losses, losses[1:]))


def test_separate_groups_are_found():
    rng = np.random.default_rng(0)
    means = np.array([[0, 0], [0, 9], [9, 0], [9, 9]])
    V = (np.repeat(means, 50, axis=0) + rng.uniform(-1, 1, (200, 2))).astype(np.float32)
    C = kmeans(V, 4, iterations=10, rng=3)
    found = C[np.lexsort(C.round().T[::-1])]
    np.testing.assert_allclose(found, V.reshape(4, 50, 2).mean(axis=1), atol=1e-5)


def test_empty_clusters_move_to_the_farthest_vectors():
    """All start in the same vector, so all clusters but the first are empty."""
    V = np.array([[0.0]] * 60 + [[1.0], [100.0], [50.0]])
    for seed in range(20):
        C = kmeans(V, 3, iterations=1, rng=seed)
        if (kmeans(V, 3, iterations=0, rng=seed) == 0).all():
            break
    np.testing.assert_allclose(sorted(C.ravel()), [V.mean(), 50, 100], rtol=1e-6)
    assert loss(V, kmeans(V, 4, iterations=8, rng=seed)) == 0


def test_fewer_vectors_than_clusters():
    V = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
    C = kmeans(V, 10, iterations=3, rng=0)
    assert sorted(C.tolist()) == sorted(V.tolist())
    assert kmeans(np.zeros((0, 2)), 10).shape == (0, 2)


def test_equal_vectors_are_no_error():
    assert (kmeans(np.ones((9, 2)), 3, iterations=4, rng=0) == 1).all()


def test_nearest_centroid_and_squared_distance():
    nearest, squares = assign(np.array([[0, 0], [3, 4]], "f"), np.array([[0, 1], [3, 0]], "f"))
    assert nearest.tolist() == [0, 1] and squares.tolist() == [1, 16]


def test_same_bits_on_any_number_of_threads():
    V = np.random.default_rng(5).normal(size=(3000, 16)).astype(np.float32)
    results = []
    for n_threads in (1, 2):
        with limit_threads(n_threads):
            results.append(kmeans(V, 40, 5, rng=7).tobytes())
    assert results[0] == results[1]


@pytest.mark.parametrize(
    "change, message",
    [
        ({"vectors": [[np.nan]]}, "vectors must be finite, got nan"),
        ({"vectors": [1.0]}, "vectors must be a matrix"),
        ({"n_clusters": 0}, "n_clusters must be at least 1"),
        ({"iterations": -1}, "iterations must be at least 0"),
        ({"rng": -1}, "rng must be"),
    ],
)
def test_invalid_arguments_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        kmeans(**{"vectors": [[1.0]], "n_clusters": 1} | change)
