"""Vector indexes: the results of a full sort, and one contract for all."""

import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.retrieval import ExactIndex
from recsys.retrieval.exact import ORDERED, top_k_reference
from recsys.retrieval.faiss_index import FaissIndex
from recsys.retrieval.index import BLOCK
from recsys.retrieval.ivf import IVFIndex
from recsys.retrieval.ivfpq import IVFPQIndex

EVERY = 10**6


class AllListsIndex(IVFIndex):
    """Reads every list, so that it is exact and passes the same tests."""

    def __init__(self, n_lists=None, n_probe=EVERY, iterations=2):
        super().__init__(n_lists, n_probe, iterations)


class AllCandidatesIndex(IVFPQIndex):
    """Reads every list and scores every item exactly."""

    def __init__(self, n_lists=None, n_probe=EVERY, code_bytes=2, rescore=EVERY, iterations=1):
        super().__init__(n_lists, n_probe, code_bytes, rescore, iterations)


INDEXES = {
    "exact": ExactIndex,
    "faiss": FaissIndex,
    "ivf": AllListsIndex,
    "ivfpq": AllCandidatesIndex,
}
PLAIN = (ExactIndex, FaissIndex)  # whose state is the vectors


@pytest.fixture(params=INDEXES)
def Index(request):
    if request.param == "faiss":
        pytest.importorskip("faiss")
    return INDEXES[request.param]


def some_vectors(n, d, seed=0):
    """Vectors of few different values, so that many products are equal."""
    return np.random.default_rng(seed).integers(-2, 3, (n, d)).astype(np.float32) / 3


def search_reference(vectors, queries, k, allowed=None):
    """The k best items of each query by a full sort of all products."""
    products = np.zeros((len(queries), len(vectors)), np.float32)
    for c in range(vectors.shape[1]):  # coordinate by coordinate, as the index sums them
        products += np.outer(queries[:, c], vectors[:, c]).astype(np.float32)
    if allowed is not None:
        products[:, ~allowed] = -np.inf
    return top_k_reference(products, k)


def assert_same(found, expected):
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])
    assert found[0].dtype == np.int32 and found[1].dtype == np.float32


@given(st.integers(1, 3 * BLOCK), st.integers(1, 5), st.integers(1, 3 * BLOCK), st.integers(0, 99))
def test_search_equals_a_full_sort(n, d, k, seed):
    vectors, queries = some_vectors(n, d, seed), some_vectors(11, d, seed + 1)
    allowed = np.random.default_rng(seed).random(n) < 0.6
    for Index in INDEXES.values():
        index = Index().fit(vectors)
        assert_same(index.search(queries, k), search_reference(vectors, queries, k))
        expected = search_reference(vectors, queries, k, allowed)
        assert_same(index.search(queries, k, allowed), expected)


def test_scores_of_real_vectors_are_bit_identical(Index):
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(1000, 33)).astype(np.float32)
    vectors = np.vstack([vectors, vectors[::-1]])  # each twice, far apart
    queries = rng.normal(size=(20, 33)).astype(np.float32)
    items, scores = Index().fit(vectors).search(queries, 9)
    assert_same((items, scores), search_reference(vectors, queries, 9))
    np.testing.assert_array_equal(items[:, 1:8:2], 1999 - items[:, 0:8:2])
    exact = np.take_along_axis(queries.astype(float) @ vectors.T.astype(float), items, 1)
    np.testing.assert_allclose(scores, exact, rtol=1e-5)


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1.0, 1e12])
@pytest.mark.parametrize("k", [1, 10, 40])
def test_many_queries_at_once_give_the_bits_of_single_queries(scale, k):
    """Products of matrices are summed in another order, and must not show."""
    rng = np.random.default_rng(3)
    base = rng.normal(size=64).astype(np.float32)
    near = base + rng.normal(0, 3e-7, (700, 64)).astype(
        np.float32
    )  # products equal but for rounding
    vectors = np.vstack([near, rng.normal(size=(500, 64)).astype(np.float32)])
    queries = (np.vstack([base] * 60 + [rng.normal(size=64)] * 40) * scale).astype(np.float32)
    index = ExactIndex().fit(vectors)
    items, scores = index.search(queries, k)
    for row, query in enumerate(queries):
        assert_same((items[[row]], scores[[row]]), index.search(query[None], k))
    with np.errstate(all="ignore"):
        assert_same((items, scores), search_reference(vectors, queries, k))


@pytest.mark.parametrize("added", [slice(0, 5), slice(5, None)])
def test_rounding_is_that_of_the_longest_vector_also_after_add(added):
    """Short vectors and long ones, whichever are added last."""
    rng = np.random.default_rng(4)
    base = rng.normal(size=64).astype(np.float32)
    near = 1e4 * (base + rng.normal(0, 3e-7, (900, 64)).astype(np.float32))
    vectors = np.vstack([rng.normal(size=(5, 64)).astype(np.float32), near])
    last = np.zeros(len(vectors), bool)
    last[added] = True
    vectors = np.vstack([vectors[~last], vectors[last]]).astype(np.float32)
    index = ExactIndex().fit(vectors[: (~last).sum()]).add(vectors[(~last).sum() :])
    queries = np.vstack([base] * 40).astype(np.float32)
    assert_same(index.search(queries, 10), search_reference(vectors, queries, 10))


def test_products_that_overflow_come_first_also_in_a_batch():
    vectors = np.array([[1e38, 1.0], [3e38, 0.0], [1.0, 1.0]])
    items, scores = ExactIndex().fit(vectors).search(np.full((20, 2), 1e10), 2)
    assert (items == [0, 1]).all() and np.isposinf(scores).all()


def test_large_k(Index):
    vectors, queries = some_vectors(500, 6), some_vectors(11, 6, 1)
    index = Index().fit(vectors)
    allowed = np.arange(500) % 3 > 0
    for k in (ORDERED, ORDERED + 1, 257, 499, 800):
        assert_same(index.search(queries, k), search_reference(vectors, queries, k))
        expected = search_reference(vectors, queries, k, allowed)
        assert_same(index.search(queries, k, allowed), expected)


def test_zero_query_returns_the_lowest_ids(Index):
    items, scores = Index().fit(some_vectors(300, 4)).search(np.zeros((1, 4)), 5)
    np.testing.assert_array_equal(items, [[0, 1, 2, 3, 4]])
    np.testing.assert_array_equal(scores, np.zeros((1, 5)))


def test_empty_mask_returns_only_padding(Index):
    items, scores = Index().fit(np.eye(3)).search(np.eye(3), 2, np.zeros(3, bool))
    assert (items == -1).all() and np.isneginf(scores).all()


def test_k_beyond_the_catalogue_is_padded(Index):
    items, scores = Index().fit(np.eye(2)).search([[1.0, 2.0]], 4)
    np.testing.assert_array_equal(items, [[1, 0, -1, -1]])
    np.testing.assert_array_equal(scores, [[2, 1, -np.inf, -np.inf]])


def test_empty_index_and_no_queries(Index):
    index = Index().fit(np.zeros((0, 3)))
    assert len(index) == 0
    assert (index.search(np.ones((2, 3)), 4)[0] == -1).all()
    assert index.add(np.eye(3)).search(np.zeros((0, 3)), 4)[0].shape == (0, 4)


@pytest.mark.parametrize("first", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 150])
def test_add_equals_fit_on_all_items(Index, first):
    vectors, queries = some_vectors(200, 5), some_vectors(4, 5, 1)
    index = Index().fit(vectors[:first]).add(vectors[first:170]).add(vectors[170:])
    assert len(index) == 200
    assert_same(index.search(queries, 30), search_reference(vectors, queries, 30))
    if Index in PLAIN:
        np.testing.assert_array_equal(index.state()["vectors"], vectors)


def test_state_restores_the_index(Index):
    vectors, queries = some_vectors(100, 5), some_vectors(4, 5, 1)
    index = Index().fit(vectors)
    arrays = index.state()
    assert all(isinstance(array, np.ndarray) for array in arrays.values())
    assert_same(Index.from_state(arrays).search(queries, 7), index.search(queries, 7))


def test_fit_copies_the_vectors(Index):
    vectors = np.eye(3, dtype=np.float32)
    index = Index().fit(vectors)
    vectors[:] = 7
    np.testing.assert_array_equal(index.search(np.eye(3), 1), ([[0], [1], [2]], [[1]] * 3))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((np.ones((1, 4)), 2), "queries must have 3 columns"),
        ((np.ones(3), 2), "queries must be a matrix"),
        ((np.full((1, 3), np.nan), 2), "queries must be finite, got nan"),
        ((np.full((1, 3), np.inf), 2), "queries must be finite, got inf"),
        ((np.ones((1, 3)), 0), "k must be at least 1"),
        ((np.ones((1, 3)), 2, np.ones(4, bool)), "allowed must be a mask of 3 bools"),
        ((np.ones((1, 3)), 2, [0, 1, 2]), "allowed must be a mask of 3 bools"),
    ],
)
def test_invalid_searches_are_refused(Index, arguments, message):
    with pytest.raises(ValueError, match=message):
        Index().fit(np.eye(3)).search(*arguments)


def test_invalid_vectors_are_refused(Index):
    with pytest.raises(ValueError, match="vectors must be finite, got nan"):
        Index().fit([[1.0, np.nan]])
    with pytest.raises(ValueError, match="vectors must have 3 columns"):
        Index().fit(np.eye(3)).add(np.eye(4))
    for call in (lambda index: index.search(np.eye(3), 1), len, lambda index: index.state()):
        with pytest.raises(ValueError, match="must be fitted first"):
            call(Index())


def test_error_names_the_missing_faiss_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(ValueError, match="needs the package faiss-cpu"):
        FaissIndex().fit(np.eye(3))


@pytest.mark.parametrize("k", [10, 32, 33, 512])
def test_only_allowed_items_are_found(Index, k):
    """The products fall with the id, so the best allowed items are the first allowed ids."""
    vectors = np.arange(1000.0, 0.0, -1.0)[:, None]
    allowed = np.arange(1000) % 3 == 1
    for queries in ([[1.0]], [[1.0]] * 20):
        items, scores = Index().fit(vectors).search(queries, k, allowed)
        expected = np.append(np.arange(1, 1000, 3), np.full(k, -1))[:k]
        assert all(row.tolist() == expected.tolist() for row in items)
        np.testing.assert_array_equal(scores[0], np.where(expected < 0, -np.inf, 1000 - expected))


def test_removed_items_are_not_found(Index):
    vectors, queries = some_vectors(200, 5), some_vectors(11, 5, 1)
    removed = [0, 3, BLOCK - 1, BLOCK, 150, 199]
    left = ~np.isin(np.arange(200), removed)
    index = Index().fit(vectors).remove(removed[:3]).remove(np.array(removed[3:]))
    assert len(index) == 200
    assert_same(index.search(queries, 200), search_reference(vectors, queries, 200, left))
    allowed = np.arange(200) % 2 == 0
    expected = search_reference(vectors, queries, 9, left & allowed)
    assert_same(index.search(queries, 9, allowed), expected)


def test_ids_of_removed_items_stay_taken(Index):
    vectors, queries = some_vectors(100, 5), some_vectors(4, 5, 1)
    index = Index().fit(vectors[:90]).remove([2, 89]).add(vectors[90:])
    left = ~np.isin(np.arange(100), [2, 89])
    assert len(index) == 100
    assert_same(index.search(queries, 30), search_reference(vectors, queries, 30, left))
    assert_same(index.fit(vectors).search(queries, 30), search_reference(vectors, queries, 30))


def test_all_items_removed_leave_only_padding(Index):
    items, scores = Index().fit(np.eye(3)).remove([2, 0, 1]).search(np.eye(3), 2)
    assert (items == -1).all() and np.isneginf(scores).all()


def test_nothing_removed_changes_nothing(Index):
    assert_same(
        Index().fit(np.eye(3)).remove([]).search(np.eye(3), 1), ([[0], [1], [2]], [[1]] * 3)
    )


@pytest.mark.parametrize(
    "items, message",
    [
        ([3], "items must hold ids between 0 and 2, got 3"),
        ([-1], "items must hold ids between 0 and 2, got -1"),
        ([0, 1], "items must not have been removed before, got 1"),
        ([2, 0, 2], "items must be named once each, got 2 twice"),
        ([0.5], "items must hold whole-number ids"),
        (2, "items must be one-dimensional"),
    ],
)
def test_invalid_removals_are_refused_and_remove_nothing(Index, items, message):
    index = Index().fit(np.eye(3)).remove([1])
    with pytest.raises(ValueError, match=message):
        index.remove(items)
    assert index.search(np.eye(3)[:1], 3)[0].tolist() == [[0, 2, -1]]
    with pytest.raises(ValueError, match="must be fitted first"):
        Index().remove([0])


def test_state_restores_removals(Index):
    vectors, queries = some_vectors(100, 5), some_vectors(4, 5, 1)
    index = Index().fit(vectors).remove([5, 99])
    state = index.state()
    np.testing.assert_array_equal(state["removed"], [5, 99])
    if Index in PLAIN:
        np.testing.assert_array_equal(state["vectors"], vectors)
    again = Index.from_state(state)
    assert_same(again.search(queries, 100), index.search(queries, 100))
    with pytest.raises(ValueError, match="removed before, got 99"):
        again.remove([99])


@pytest.mark.parametrize("Index", PLAIN)
def test_state_of_an_earlier_version_is_read(Index):
    if Index is FaissIndex:
        pytest.importorskip("faiss")
    index = Index.from_state({"vectors": np.eye(3, dtype=np.float32)})
    assert index.search(np.eye(3), 1)[0].tolist() == [[0], [1], [2]]


CHANGES = {
    "add": lambda index: index.add(np.full((BLOCK + 1, 2), 9.0)),
    "remove": lambda index: index.remove([0]),
    "fit": lambda index: index.fit(np.full((3, 2), 7.0)),
}


@pytest.mark.parametrize("moment", ["check_vectors", "check_allowed"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_a_search_sees_the_index_as_it_was_when_it_began(Index, change, moment, monkeypatch):
    """The index is changed in the midst of the search, as another thread might."""
    vectors, queries = some_vectors(BLOCK, 2), some_vectors(3, 2, 1)
    index, module = Index().fit(vectors), sys.modules[Index.search.__module__]
    check = getattr(module, moment)

    def changing(*arguments):
        monkeypatch.setattr(module, moment, check)
        change(index)
        return check(*arguments)

    monkeypatch.setattr(module, moment, changing)
    found = index.search(queries, 2 * BLOCK, np.ones(BLOCK, bool))
    assert_same(found, search_reference(vectors, queries, 2 * BLOCK))
    again = index.search(queries, 2 * BLOCK)[0]
    assert not np.array_equal(again, found[0])  # the change did happen


def test_threads_that_search_never_see_half_a_change(Index):
    """Batch b is of items whose product is b: each search finds all items of a batch, or none."""
    index, n = Index().fit(np.zeros((0, 2))), 70
    stop, torn = threading.Event(), []

    def search():
        while not stop.is_set():
            items, scores = index.search([[1.0, 0.0]], 40 * n)
            found = np.bincount(scores[0][items[0] >= 0].astype(int))
            torn.extend(found[(found > 0) & (found != n)])

    searcher = threading.Thread(target=search)
    searcher.start()
    try:
        for batch in range(1, 31):
            index.add(np.tile([[float(batch), 0.0]], (n, 1)))
            if batch > 5:
                index.remove(np.arange(n * (batch - 6), n * (batch - 5)))
    finally:
        stop.set()
        searcher.join(60)
    assert not torn and not searcher.is_alive()
    assert set(index.search([[1.0, 0.0]], 40 * n)[1][0]) == {26, 27, 28, 29, 30, -np.inf}
