"""Groups of equal vectors: those of a dictionary of rows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.retrieval import copies
from recsys.retrieval.copies import group_equal, hash_rows


def group_reference(vectors):
    numbers = {}
    return [numbers.setdefault(tuple(row), len(numbers)) for row in vectors.tolist()]


@given(st.integers(0, 60), st.integers(1, 4), st.integers(0, 999))
def test_groups_are_those_of_a_dictionary(n, d, seed):
    vectors = np.random.default_rng(seed).integers(-1, 2, (n, d)).astype(np.float32)
    groups = group_equal(vectors)
    assert groups.dtype == np.int32
    assert groups.tolist() == group_reference(vectors)


def test_minus_zero_is_zero():
    assert group_equal(np.array([[0.0, 1.0], [-0.0, 1.0]], np.float32)).tolist() == [0, 0]


def test_vectors_of_one_hash_are_compared(monkeypatch):
    """With all hashes equal, only the comparison keeps different vectors apart."""
    monkeypatch.setattr(copies, "hash_rows", lambda words: np.zeros(len(words), np.uint64))
    vectors = np.array([[1, 2], [1, 2], [3, 4], [3, 4], [3, 5]], np.float32)
    assert group_equal(vectors).tolist() == [0, 0, 1, 1, 2]


def test_hashes_depend_on_each_word_and_its_position():
    words = np.array([[1, 2, 0], [2, 1, 0], [0, 1, 2], [1, 2, 1], [0, 0, 0]], np.uint32)
    assert len(set(hash_rows(words).tolist())) == 5
