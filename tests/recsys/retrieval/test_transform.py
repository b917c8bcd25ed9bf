"""The inner product as a distance: hand-made cases, and orders that must not change."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.retrieval.transform import augment_items, augment_queries

ITEMS = np.array([[3.0, 0.0], [0.0, 5.0], [-4.0, 0.0], [0.0, 0.0]])


def squared_distances(queries, items):
    return ((queries[:, None] - items) ** 2).sum(axis=2)


def test_added_coordinate_completes_the_norm():
    np.testing.assert_array_equal(augment_items(ITEMS)[:, 2], [4, 0, 3, 5])
    np.testing.assert_array_equal(augment_items(ITEMS, max_norm=13.0)[1], [0, 5, 12])
    np.testing.assert_array_equal(augment_items(ITEMS)[:, :2], ITEMS)


def test_squared_distance_by_hand():
    """|q|^2 + M^2 - 2 q'v: q = (2, 1) has products 6, 5, -8, 0, and 5 + 25 - 2 x 6 = 18."""
    distances = squared_distances(augment_queries([[2.0, 1.0]]), augment_items(ITEMS))
    np.testing.assert_array_equal(distances, [[18, 20, 46, 30]])


@given(st.integers(1, 40), st.integers(1, 6), st.integers(0, 999), st.floats(1, 100))
def test_nearest_first_is_largest_product_first(n, d, seed, room):
    """Whole numbers: products are exact, so equal ones are known; norms differ a thousandfold."""
    rng = np.random.default_rng(seed)
    items = rng.integers(-9, 10, (n, d)) * rng.choice([1, 10, 1000], (n, 1))
    queries = rng.integers(-9, 10, (5, d))
    M = room * np.linalg.norm(items, axis=1).max()
    distances = squared_distances(augment_queries(queries), augment_items(items, M))
    products = (queries @ items.T).astype(float)
    expected = (queries**2).sum(axis=1)[:, None] + M**2 - 2 * products
    np.testing.assert_allclose(distances, expected, rtol=1e-12, atol=1e-12 * M**2)
    apart = products[:, :, None] > products[:, None, :]
    if M < 1e4:  # a product differs by at least 1: far above rounding
        assert (distances[:, :, None] < distances[:, None, :])[apart].all()


def test_longer_vectors_are_refused():
    with pytest.raises(ValueError, match="max_norm must be at least the longest norm, 5, got 4"):
        augment_items(ITEMS, max_norm=4.0)
    assert augment_items(ITEMS, max_norm=5.0)[1, 2] == 0


def test_empty_and_zero_vectors():
    assert augment_items(np.zeros((0, 3))).shape == (0, 4)
    np.testing.assert_array_equal(augment_items(np.zeros((2, 3))), np.zeros((2, 4)))
    assert augment_queries(np.zeros((0, 3))).shape == (0, 4)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: augment_items([[np.nan]]), "vectors must be finite, got nan"),
        (lambda: augment_items([1.0]), "vectors must be a matrix"),
        (lambda: augment_items([[1.0]], max_norm=np.inf), "max_norm must be finite"),
        (lambda: augment_queries([[np.inf]]), "queries must be finite, got inf"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
