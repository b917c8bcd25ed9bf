"""Qdrant: the exact index's answers, in process and through the documented HTTP contract."""

import gc
import sys
import threading

import numpy as np
import pytest

from recsys.retrieval import ExactIndex, load_index, save_index
from recsys.retrieval.filters import passing
from recsys.retrieval.qdrant_index import SPARE, QdrantIndex
from tests.recsys.retrieval.qdrant_stub import QdrantStub

pytest.importorskip("qdrant_client")


@pytest.fixture
def server():
    stub = QdrantStub()
    yield stub
    stub.close()
    assert not stub.refused


@pytest.fixture(params=["in process", "server", "exact server"])
def make(request):
    if request.param == "in process":
        yield QdrantIndex
        return
    stub = request.getfixturevalue("server")
    yield lambda: QdrantIndex(stub.url, exact=request.param == "exact server")


def some_vectors(n, d, seed=0):
    """Vectors of few different values, so that many products are equal."""
    return np.random.default_rng(seed).integers(-2, 3, (n, d)).astype(np.float32) / 3


def some_metadata(n, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "category": rng.choice(["hat", "shoe", "scarf"], n),
        "in_stock": rng.random(n) < 0.6,
        "year": rng.integers(2000, 2004, n),
        "price": rng.random(n) * 100,
    }


def assert_same(found, expected):
    for one, other in zip(found, expected):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


@pytest.mark.parametrize("n, d, k", [(1, 1, 1), (40, 2, 5), (150, 1, 7), (150, 3, 40), (60, 4, 90)])
def test_answers_are_those_of_the_exact_index(make, n, d, k):
    vectors, queries = some_vectors(n, d, n), some_vectors(7, d, 1)
    ours, exact = make().fit(vectors), ExactIndex().fit(vectors)
    assert_same(ours.search(queries, k), exact.search(queries, k))
    for fraction in (0.1, 0.7):
        allowed = np.random.default_rng(2).random(n) < fraction
        assert_same(ours.search(queries, k, allowed), exact.search(queries, k, allowed))


def test_scores_of_real_vectors_are_bit_identical(make):
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(300, 33)).astype(np.float32)
    vectors = np.vstack([vectors, vectors[::-1]])  # each twice, far apart
    queries = rng.normal(size=(5, 33)).astype(np.float32)
    expected = ExactIndex().fit(vectors).search(queries, 9)
    assert_same(make().fit(vectors).search(queries, 9), expected)


def test_more_ties_than_spare_candidates_are_all_compared(make):
    """All products are equal, and the database returns the highest ids first."""
    vectors = np.ones((5 * SPARE, 2))
    assert make().fit(vectors).search([[1.0, 0.0]], 3)[0].tolist() == [[0, 1, 2]]


def test_items_are_added_and_removed(make):
    vectors, queries = some_vectors(90, 3), some_vectors(7, 3, 1)
    ours, exact = make().fit(vectors[:50]), ExactIndex().fit(vectors[:50])
    for index in (ours, exact):
        index.remove([3, 49]).add(vectors[50:]).remove([60])
    assert len(ours) == 90
    assert_same(ours.search(queries, 90), exact.search(queries, 90))
    with pytest.raises(ValueError, match="removed before, got 60"):
        ours.remove([0, 60])
    assert_same(ours.fit(vectors).search(queries, 5), ExactIndex().fit(vectors).search(queries, 5))


def test_removed_items_leave_the_database(server):
    index = QdrantIndex(server.url).fit(np.eye(4)).remove([1, 2])
    assert [set(points) for points in server.collections.values()] == [{0, 3}]
    assert index.remove([]) is index and server.requests.count("remove") == 1


CONDITIONS = [
    {"category": "shoe"},
    {"category": ["hat", "scarf"], "in_stock": True},
    {"in_stock": [False, True], "year": [2001, 2003]},
    {"year": 2002},
    {"year": (2001, 2002)},
    {"price": (None, 40.0), "category": "hat"},
    {"price": (70, None)},
    {"price": (60, 40)},
    {"category": "glove"},
    {},
]


@pytest.mark.parametrize("where", CONDITIONS)
def test_conditions_are_those_of_the_mask(make, where):
    vectors, queries, metadata = some_vectors(120, 3), some_vectors(4, 3, 1), some_metadata(120)
    ours, exact = make().fit(vectors, metadata), ExactIndex().fit(vectors)
    mask = passing(metadata, where)
    assert_same(ours.search(queries, 6, where=where), exact.search(queries, 6, mask))
    allowed = np.arange(120) % 4 > 0
    expected = exact.search(queries, 6, mask & allowed)
    assert_same(ours.search(queries, 6, allowed, where), expected)


def test_added_metadata_is_filtered_by(make):
    index = make().fit(np.eye(2), {"shop": ["a", "b"]}).add(np.eye(2), {"shop": ["longer", "a"]})
    assert index.search([[1.0, 2.0]], 3, where={"shop": "a"})[0].tolist() == [[3, 0, -1]]
    assert index.search([[1.0, 2.0]], 3, where={"shop": "longer"})[0].tolist() == [[2, -1, -1]]
    for columns in (None, {"shop": [1, 2]}, {"shop": ["a", "b"], "more": [1, 2]}):
        with pytest.raises(ValueError, match="metadata must have the columns"):
            index.add(np.eye(2), columns)


def test_empty_index_mask_and_queries(make):
    index = make().fit(np.zeros((0, 3)))
    assert len(index) == 0 and (index.search(np.ones((2, 3)), 4)[0] == -1).all()
    index.add(np.eye(3))
    items, scores = index.search(np.eye(3), 2, np.zeros(3, bool))
    assert (items == -1).all() and np.isneginf(scores).all()
    assert index.search(np.zeros((0, 3)), 4)[0].shape == (0, 4)
    items, scores = index.remove([0, 1, 2]).search(np.eye(3), 1)
    assert (items == -1).all() and np.isneginf(scores).all()


def test_zero_query_returns_the_lowest_ids(make):
    items, scores = make().fit(some_vectors(70, 4)).search(np.zeros((1, 4)), 5)
    np.testing.assert_array_equal(items, [[0, 1, 2, 3, 4]])
    np.testing.assert_array_equal(scores, np.zeros((1, 5)))


def test_saved_and_loaded(make, tmp_path):
    vectors, metadata = some_vectors(50, 3), some_metadata(50)
    index = make().fit(vectors, metadata).remove([4, 9])
    save_index(index, tmp_path / "index")
    loaded = load_index(tmp_path / "index")
    for where in CONDITIONS:
        expected = index.search(vectors[:2], 50, where=where)
        assert_same(loaded.search(vectors[:2], 50, where=where), expected)
    assert not loaded.state()["vectors"][[4, 9]].any()  # a removed vector is gone


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((np.ones((1, 4)), 2), "queries must have 3 columns"),
        ((np.full((1, 3), np.nan), 2), "queries must be finite, got nan"),
        ((np.ones((1, 3)), 0), "k must be at least 1"),
        ((np.ones((1, 3)), 2, np.ones(4, bool)), "allowed must be a mask of 3 bools"),
        ((np.ones((1, 3)), 2, None, {"color": "red"}), "where must name columns of .*'color'"),
    ],
)
def test_invalid_searches_are_refused(make, arguments, message):
    with pytest.raises(ValueError, match=message):
        make().fit(np.eye(3), {"in_stock": [True] * 3}).search(*arguments)


def test_invalid_vectors_and_settings_are_refused(make):
    with pytest.raises(ValueError, match="vectors must be finite, got nan"):
        make().fit([[1.0, np.nan]])
    with pytest.raises(ValueError, match="vectors must have 3 columns"):
        make().fit(np.eye(3)).add(np.eye(4))
    with pytest.raises(ValueError, match=r"metadata\['shop'\] must have one value per item"):
        make().fit(np.eye(3), {"shop": ["a"]})
    for call in (lambda index: index.search(np.eye(3), 1), len, lambda index: index.state()):
        with pytest.raises(ValueError, match="must be fitted first"):
            call(make())
    with pytest.raises(ValueError, match="url must begin with http"):
        QdrantIndex("localhost:6333")


def test_error_names_the_missing_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "qdrant_client", None)
    with pytest.raises(ValueError, match="needs the package qdrant-client"):
        QdrantIndex().fit(np.eye(3))


def test_large_uploads_and_many_queries_are_split(server, monkeypatch):
    module = sys.modules["recsys.retrieval.qdrant_collection"]
    monkeypatch.setattr(module, "FLOATS_PER_REQUEST", 30)
    monkeypatch.setattr(module, "QUERIES_PER_REQUEST", 4)
    vectors, queries = some_vectors(25, 3), some_vectors(9, 3, 1)
    index = QdrantIndex(server.url).fit(vectors, some_metadata(25))
    np.testing.assert_array_equal(index.state()["vectors"], vectors)
    assert server.requests.count("upsert") == 3 == server.requests.count("retrieve")
    assert_same(index.search(queries, 25), ExactIndex().fit(vectors).search(queries, 25))
    assert server.requests.count("query") == 3


def test_a_mask_is_sent_as_the_shorter_list_of_ids(server):
    sent = []
    answer = server.nearest
    server.nearest = lambda *a, **search: sent.append(search.get("filter")) or answer(*a, **search)
    index = QdrantIndex(server.url).fit(np.eye(5))
    for allowed in (np.arange(5) == 3, np.arange(5) != 3, np.ones(5, bool)):
        index.search(np.ones((1, 5)), 9, allowed)
    assert sent == [{"must": [{"has_id": [3]}]}, {"must_not": [{"has_id": [3]}]}, None]


@pytest.mark.parametrize("allowed", [np.arange(10) < 4, np.arange(10) >= 4])
def test_queries_that_repeat_a_long_mask_are_split(server, monkeypatch, allowed):
    monkeypatch.setattr(sys.modules["recsys.retrieval.qdrant_collection"], "IDS_PER_REQUEST", 9)
    vectors, queries = some_vectors(10, 3), some_vectors(5, 3, 1)
    index = QdrantIndex(server.url).fit(vectors)
    assert_same(
        index.search(queries, 4, allowed), ExactIndex().fit(vectors).search(queries, 4, allowed)
    )
    assert server.requests.count("query") == 3  # of two queries with four ids each, at most
    index.search(queries, 4)
    assert server.requests.count("query") == 4


def test_key_exactness_and_columns_reach_the_server(server, recwarn):
    index = QdrantIndex(server.url, api_key="secret", exact=True, name="news")
    params = []
    answer = server.nearest
    server.nearest = lambda *a, **search: params.append(search["params"]) or answer(*a, **search)
    index.fit(np.eye(3), some_metadata(3)).search(np.eye(3)[:1], 1)
    assert server.keys == {"secret"} and params == [{"exact": True}]
    (name,) = server.collections
    assert name.startswith("news-")
    types = {"category": "keyword", "in_stock": "bool", "year": "integer", "price": "float"}
    assert server.columns[name] == types


def test_collections_are_deleted_with_their_index(server):
    one, other = QdrantIndex(server.url).fit(np.eye(3)), QdrantIndex(server.url).fit(np.eye(3))
    assert len(server.collections) == 2
    one.fit(np.eye(4))
    gc.collect()
    assert len(server.collections) == 2  # the earlier one of `one` is gone
    del other
    gc.collect()
    assert len(server.collections) == 1 and one.search(np.eye(4), 1)[0].shape == (4, 1)


@pytest.mark.parametrize("change", ["add", "fit", "remove"])
def test_a_search_on_a_server_is_of_the_index_as_it_was_when_it_began(server, change):
    index = QdrantIndex(server.url).fit(np.eye(3))
    changes = {
        "add": lambda: index.add(np.full((40, 3), 9.0)),
        "fit": lambda: index.fit(np.full((2, 3), 9.0)),
        "remove": lambda: None,
    }

    def before(action):
        if action == "query":
            server.before = lambda action: None
            changes[change]()

    server.before = before
    items, scores = index.search([[1.0, 2.0, 3.0]], 4)
    assert items.tolist() == [[2, 1, 0, -1]] and scores[0, :3].tolist() == [3, 2, 1]
    if change != "remove":
        assert index.search([[1.0, 2.0, 3.0]], 1)[1].tolist() == [[54.0]]


def test_items_being_added_are_not_found_before_all_are_stored(server, monkeypatch):
    monkeypatch.setattr(sys.modules["recsys.retrieval.qdrant_collection"], "FLOATS_PER_REQUEST", 9)
    index, found = QdrantIndex(server.url).fit(np.eye(3)), []

    def before(action):
        if action == "upsert":
            found.append(index.search([[1.0, 2.0, 3.0]], 5)[0].tolist())

    server.before = before
    index.add(np.full((9, 3), 9.0))
    assert found == [[[2, 1, 0, -1, -1]]] * 3
    assert index.search([[1.0, 2.0, 3.0]], 5)[0].tolist() == [[3, 4, 5, 6, 7]]


def test_threads_that_search_in_process_never_see_half_a_change():
    """Batch b is of items whose product is b: each search finds all items of a batch, or none."""
    index, n = QdrantIndex().fit(np.zeros((0, 2))), 30
    stop, torn = threading.Event(), []

    def search():
        try:
            while not stop.is_set():
                items, scores = index.search([[1.0, 0.0]], 10 * n)
                found = np.bincount(scores[0][items[0] >= 0].astype(int))
                torn.extend(found[(found > 0) & (found != n)])
        except Exception as error:
            torn.append(error)

    searcher = threading.Thread(target=search)
    searcher.start()
    try:
        for batch in range(1, 9):
            index.add(np.tile([[float(batch), 0.0]], (n, 1)))
            if batch > 2:
                index.remove(np.arange(n * (batch - 3), n * (batch - 2)))
    finally:
        stop.set()
        searcher.join(60)
    assert not torn and not searcher.is_alive()
    assert set(index.search([[1.0, 0.0]], 10 * n)[1][0]) == {7, 8, -np.inf}


def test_a_server_that_does_not_answer_is_named(server):
    index = QdrantIndex(server.url).fit(np.eye(3))
    server.collections.clear()
    with pytest.raises(ConnectionError, match=f"Qdrant server at {server.url}: .*404"):
        index.search(np.eye(3), 1)
    assert "doesn't exist" in server.refused[0]
    del index
    gc.collect()  # asks to delete a collection that is gone, which is no error
    server.refused.clear()
    with pytest.raises(ConnectionError, match="Qdrant server at http://127.0.0.1:9"):
        QdrantIndex("http://127.0.0.1:9", timeout=1).fit(np.eye(3))


def test_the_stub_refuses_what_is_not_documented():
    stub = QdrantStub()
    stub.answer("PUT", "/collections/a", b'{"vectors": {"size": 2, "distance": "Dot"}}', {})
    for method, path, body in [
        ("GET", "/collections/a/points", b""),
        ("PUT", "/collections/a", b'{"vectors": {"size": 0, "distance": "Dot"}}'),
        ("PUT", "/collections/a", b'{"vectors": {"size": 2, "distance": "Inner"}}'),
        ("PUT", "/collections/a/points", b'{"batch": {"ids": [-1], "vectors": [[1, 2]]}}'),
        ("PUT", "/collections/a/points", b'{"batch": {"ids": [1], "vectors": [[1]]}}'),
        ("POST", "/collections/a/points/query/batch", b'{"searches": [{"query": [1, 2]}]}'),
        ("POST", "/collections/a/points/delete?wait=yes", b'{"points": [1]}'),
        ("POST", "/collections/b/points/delete", b'{"points": [1]}'),
    ]:
        assert stub.answer(method, path, body, {})[0] in (400, 404)
    assert len(stub.refused) == 8
    stub.close()
