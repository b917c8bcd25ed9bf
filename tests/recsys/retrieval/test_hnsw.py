"""HNSW: the graph and the searches of its plain twin, and the contract of an index."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.retrieval import ExactIndex, load_index, save_index
from recsys.retrieval import hnsw as hnsw_module
from recsys.retrieval.hnsw import SCAN, HNSWIndex, in_lines
from recsys.retrieval.hnsw_build import (
    GROWTH,
    batch_end,
    draw_levels,
    grow,
    select,
)
from recsys.retrieval.hnsw_graph import empty_graph, no_links
from recsys.retrieval.hnsw_reference import build_reference, search_reference
from recsys.retrieval.hnsw_search import node_of, pack, place, push, score_of


def whole_vectors(n, d, seed=0, high=4):
    """Different vectors of whole numbers: products are exact in any order, and often equal."""
    vectors = np.random.default_rng(seed).integers(-high, high + 1, (3 * n, d))
    _, first = np.unique(vectors, axis=0, return_index=True)
    return vectors[np.sort(first)][:n].astype(np.float32)


def long_tailed(n, d, seed=0):
    """Vectors and queries as of a catalogue: directions in groups, norms with a long tail."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(20, d))
    vectors = centers[rng.integers(0, 20, n)] + rng.normal(size=(n, d))
    queries = centers[rng.integers(0, 20, 100)] + rng.normal(size=(100, d))
    return (vectors * rng.lognormal(0, 0.7, (n, 1))).astype(np.float32), queries.astype(np.float32)


def recall(found, expected):
    """Mean fraction of the expected items found; -1 is none."""
    both = [(set(f) - {-1}, set(e) - {-1}) for f, e in zip(found.tolist(), expected.tolist())]
    return np.mean([len(f & e) / len(e) for f, e in both])


def assert_same(found, expected):
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])
    assert found[0].dtype == np.int32 and found[1].dtype == np.float32


def without_links(graph):
    n_rows, m = graph.upper.shape
    return graph._replace(
        base=no_links(len(graph.vectors), 2 * m), upper=no_links(n_rows, m), entry=0
    )


# The entries of the beam.


def test_entries_order_by_score_then_node():
    scores = [np.inf, 3e38, 2.0, 2.0, 1e-40, 0.0, -0.0, 0.0, -1e-40, -2.0, -3e38, -np.inf]
    nodes = [9, 8, 1, 2**31 - 1, 5, 3, 4, 10, 6, 2, 0, 7]
    entries = [pack(np.float32(score), node) for score, node in zip(scores, nodes)]
    assert entries == sorted(entries) and len(set(entries)) == len(entries)
    assert [node_of(entry) for entry in entries] == nodes
    assert [score_of(entry) for entry in entries] == [np.float32(score) for score in scores]
    assert [node_of(entry | 1) for entry in entries] == nodes


@given(st.lists(st.integers(0, 50), unique=True), st.integers(1, 8))
def test_a_full_beam_drops_the_last(values, width):
    beam, size = np.empty(width, np.int64), 0
    for value in values:
        if size < width or value < beam[size - 1]:
            position = push(beam, size, value)
            size = min(size + 1, width)
            assert beam[position] == value
    assert beam[:size].tolist() == sorted(values)[:width]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), unique_by=lambda pair: pair[0]))
def test_items_are_placed_by_score_then_id(pairs):
    items, scores = np.full(5, -1, np.int32), np.full(5, -np.inf, np.float32)
    for item, score in pairs:
        place(items, scores, item, np.float32(score))
    expected = sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:5]
    assert items.tolist() == [item for item, _ in expected] + [-1] * (5 - len(expected))
    assert scores.tolist() == [score for _, score in expected] + [-np.inf] * (5 - len(expected))


# The graph.


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 150), st.integers(2, 6), st.integers(1, 12), st.integers(0, 99))
def test_build_and_search_equal_the_plain_twins(n, m, width, seed):
    vectors = in_lines(whole_vectors(n, 4, seed))
    graph = grow(empty_graph(16, m), vectors, seed, width)
    expected = build_reference(without_links(graph), width)
    np.testing.assert_array_equal(graph.base, expected.base)
    np.testing.assert_array_equal(graph.upper, expected.upper)
    assert graph.entry == expected.entry == np.argmax(graph.levels)
    index = HNSWIndex(m, width, width).fit(vectors[:, :4])
    for query in in_lines(whole_vectors(5, 4, seed + 1)):
        found = search_reference(index._graph, query, width)
        if len(found) == min(width, n) < n:
            items, _ = index.search([query[:4]], width)
            assert items[0].tolist() == found


def test_build_in_large_batches_equals_its_plain_twin():
    """Batches of several nodes begin after 64; here they have up to 8, in several layers."""
    vectors = in_lines(whole_vectors(450, 5))
    graph = grow(empty_graph(16, 3), vectors, 1, 20)
    expected = build_reference(without_links(graph), 20)
    np.testing.assert_array_equal(graph.base, expected.base)
    np.testing.assert_array_equal(graph.upper, expected.upper)
    assert graph.levels.max() >= 3 and (graph.base >= 0).sum(axis=1).max() == 6


def test_choice_by_hand():
    """For q = (4, 0): b is left out, since b'a = 18 > b'q = 12; c'a = 2 < c'q = 8 keeps c."""
    vectors = np.array([[4, 0], [6, 0], [3, 1], [2, -10], [5, 0.5], [1, 9]], np.float32)
    entries = np.sort([pack(vectors[0] @ vectors[node], node) for node in range(1, 6)])
    chosen = np.full(4, 7, np.int32)
    select(vectors, entries, 4, chosen)
    assert chosen.tolist() == [1, -1, -1, -1]
    vectors[1] = [5, 3]  # products with q: 20, 12, 8, 20, 4; with (5, 3): b 18, c -20, d 26.5, e 32
    entries = np.sort([pack(vectors[0] @ vectors[node], node) for node in range(1, 6)])
    select(vectors, entries, 4, chosen)
    assert chosen.tolist() == [1, 3, -1, -1]
    select(vectors, entries, 1, chosen)
    assert chosen.tolist() == [1, -1, -1, -1]


def test_layers_are_drawn_with_probability_m_to_the_minus_level():
    levels = draw_levels(np.uint64(5), 0, 100_000, 8)
    for level, expected in ((1, 1 / 8), (2, 1 / 64), (3, 1 / 512)):
        error = np.sqrt(expected / 100_000)
        assert abs(np.mean(levels >= level) - expected) < 4 * error
    np.testing.assert_array_equal(draw_levels(np.uint64(5), 40, 60, 8), levels[40:100])
    assert (draw_levels(np.uint64(6), 0, 1000, 8) != levels[:1000]).any()


def test_batches_grow_and_end_after_a_higher_node():
    graph = empty_graph(16, 4)._replace(levels=np.zeros(20_000, np.int64))
    assert batch_end(graph, 0) == 1
    assert batch_end(graph, GROWTH - 1) == GROWTH
    assert batch_end(graph, GROWTH) == GROWTH + 2
    assert batch_end(graph, 100 * GROWTH) == 101 * GROWTH + 1 - GROWTH + 100
    assert batch_end(graph, 19_999) == 20_000
    graph.levels[100 * GROWTH + 7] = 1
    assert batch_end(graph, 100 * GROWTH) == 100 * GROWTH + 8


@pytest.mark.parametrize("n_threads", [1, 2, 4])
def test_threads_do_not_change_a_bit(n_threads):
    vectors, queries = long_tailed(3000, 12)
    one, many = (HNSWIndex(8, 40, n_threads=t).fit(vectors[:2500]) for t in (1, n_threads))
    one, many = one.add(vectors[2500:]), many.add(vectors[2500:])
    for name, array in one.state().items():
        np.testing.assert_array_equal(many.state()[name], array)
    assert_same(many.search(queries, 10), one.search(queries, 10))


def test_seed_draws_the_layers():
    vectors, _ = long_tailed(500, 8)
    first, again, other = (HNSWIndex(rng=rng).fit(vectors).state() for rng in (1, 1, 2))
    np.testing.assert_array_equal(first["base"], again["base"])
    assert (first["levels"] != other["levels"]).any()
    added = HNSWIndex(rng=1).fit(vectors[:200]).add(vectors[200:]).state()
    np.testing.assert_array_equal(added["levels"], first["levels"])
    drawn = HNSWIndex(rng=np.random.default_rng(1)).fit(vectors).state()
    np.testing.assert_array_equal(drawn["levels"], first["levels"])


# The index.


@pytest.fixture(scope="module")
def catalogue():
    vectors, queries = long_tailed(4000, 16)
    return vectors, queries, ExactIndex().fit(vectors), HNSWIndex(rng=3).fit(vectors)


def test_recall_rises_with_the_width(catalogue):
    vectors, queries, exact, index = catalogue
    expected = exact.search(queries, 10)[0]
    found = [
        recall(HNSWIndex(ef=ef).fit(vectors).search(queries, 10)[0], expected)
        for ef in (10, 30, 100)
    ]
    assert found[0] < found[1] <= found[2]
    assert found[0] > 0.8 and found[2] > 0.99


def test_few_vectors_are_compared(catalogue):
    """An index that compared all of them would have full recall at any width."""
    vectors, queries, exact, _ = catalogue
    narrow = HNSWIndex(m=2, ef_construction=2, ef=1).fit(vectors)
    assert recall(narrow.search(queries, 1)[0], exact.search(queries, 1)[0]) < 0.9


def test_scores_are_those_of_the_exact_index(catalogue):
    vectors, queries, exact, index = catalogue
    items, scores = index.search(queries, 10)
    expected = exact.search(queries, len(vectors))
    for row in range(len(queries)):
        products = dict(zip(expected[0][row].tolist(), expected[1][row].tolist()))
        assert scores[row].tolist() == [products[item] for item in items[row].tolist()]
    assert (np.diff(scores, axis=1) <= 0).all()


@pytest.mark.parametrize("fraction", [0.001, 0.01, 0.2, 0.5, 0.9])
def test_filtered_search_finds_the_best_allowed(catalogue, fraction):
    vectors, queries, exact, index = catalogue
    allowed = np.random.default_rng(1).random(len(vectors)) < fraction
    items, _ = index.search(queries, 10, allowed)
    expected = exact.search(queries, 10, allowed)[0]
    assert ((items >= 0) == (expected >= 0)).all()
    assert allowed[items[items >= 0]].all()
    assert recall(items, expected) > 0.97


def test_allowed_items_that_are_no_good_answers_are_found(catalogue):
    """The shortest half: the graph leads away from them, to the long vectors."""
    vectors, queries, exact, index = catalogue
    norms = np.linalg.norm(vectors, axis=1)
    allowed = norms < np.median(norms)
    items, _ = index.search(queries, 10, allowed)
    assert (items >= 0).all() and allowed[items].all()
    assert recall(items, exact.search(queries, 10, allowed)[0]) > 0.9


def test_edge_between_scan_and_graph(catalogue, monkeypatch):
    """n_allowed^2 = SCAN ef n is scanned; one more item is searched for in the graph."""
    vectors, queries, exact, _ = catalogue
    index = HNSWIndex(ef=10).fit(vectors[:1805])
    edge = 601  # SCAN x 10 x 1805 = 361,000 = 600.8^2
    assert (edge - 1) ** 2 <= SCAN * 10 * 1805 < edge**2
    searched = []
    monkeypatch.setattr(
        hnsw_module, "search_graph", lambda *arguments: searched.append(arguments[2])
    )
    for n_allowed, graph_is_used in ((edge - 1, False), (edge, True)):
        searched.clear()
        allowed = np.arange(1805) < n_allowed
        index.search(queries, 10, allowed)
        assert searched == ([31] if graph_is_used else [])  # the beam: 10 x 1805 / 601 = 30.03
    searched.clear()
    index.search(queries, 20)
    assert searched == [20]  # at least k


def test_what_the_graph_does_not_reach_is_scanned(catalogue, monkeypatch):
    vectors, queries, exact, index = catalogue
    monkeypatch.setattr(hnsw_module, "search_graph", lambda *arguments: None)
    assert_same(index.search(queries, 10), exact.search(queries, 10))


def test_removed_items_are_not_found_but_lead_on(catalogue):
    vectors, queries, exact, _ = catalogue
    best = np.unique(exact.search(queries, 3)[0])  # the hubs among them
    index = HNSWIndex().fit(vectors).remove(best[:5]).remove(best[5:])
    expected = ExactIndex().fit(vectors).remove(best).search(queries, 10)[0]
    items, _ = index.search(queries, 10)
    assert not np.isin(items, best).any() and len(index) == len(vectors)
    assert not np.isin(index.add(-vectors[:2]).search(queries, 10)[0], best).any()
    assert recall(items, expected) > 0.97
    allowed = np.zeros(len(index), bool)
    allowed[best] = True
    assert (index.search(queries, 10, allowed)[0] == -1).all()


def test_removal_of_unknown_items_is_refused(catalogue):
    index = HNSWIndex().fit(catalogue[0][:50]).remove([3])
    for items, message in (
        ([3], "removed before, got 3"),
        ([50], "between 0 and 49, got 50"),
        ([-1], "got -1"),
        ([4, 4], "named once each"),
    ):
        with pytest.raises(ValueError, match=message):
            index.remove(items)
    assert 4 in index.search(catalogue[1], 49)[0]


def test_added_items_are_found(catalogue):
    vectors, queries, exact, _ = catalogue
    index = HNSWIndex().fit(vectors[:1000])
    before = index.state()
    for start in (1000, 1001, 3000):
        index.add(vectors[start : {1000: 1001, 1001: 3000, 3000: 4000}[start]])
    assert len(index) == 4000
    assert recall(index.search(queries, 10)[0], exact.search(queries, 10)[0]) > 0.98
    np.testing.assert_array_equal(index.state()["vectors"], vectors)
    again = HNSWIndex().fit(vectors[:1000]).state()
    for name, array in before.items():  # a snapshot, which `add` leaves alone
        np.testing.assert_array_equal(array, again[name])


def test_an_added_vector_longer_than_all_becomes_the_answer(catalogue):
    vectors, queries, _, _ = catalogue
    index = HNSWIndex().fit(vectors)
    long = 100 * queries[:1] * np.abs(vectors).max()
    assert index.add(long).search(queries[:1], 1)[0].tolist() == [[4000]]


def test_copies_of_the_longest_vector_hide_nothing(catalogue):
    """Far more copies than links: they would be linked with each other only."""
    vectors, queries, _, _ = catalogue
    longest = vectors[[np.argmax(np.linalg.norm(vectors, axis=1))]]
    vectors = np.vstack([np.repeat(longest, 200, 0), vectors, np.repeat(longest, 200, 0)])
    index, exact = HNSWIndex().fit(vectors[:2000]).add(vectors[2000:]), ExactIndex().fit(vectors)
    assert_same(index.search(longest, 300), exact.search(longest, 300))
    assert recall(index.search(-queries, 10)[0], exact.search(-queries, 10)[0]) > 0.98
    index.remove(np.arange(200))
    assert index.search(longest, 3)[0].min() >= 200


def test_zero_vectors_are_legal():
    vectors = np.vstack([np.zeros((500, 4)), -np.eye(4), np.zeros((500, 4))])
    index = HNSWIndex().fit(vectors)
    assert index.search(np.ones((1, 4)), 5)[0].tolist() == [[0, 1, 2, 3, 4]]
    items, scores = index.search(np.zeros((1, 4)), 5)
    assert (scores == 0).all() and len(set(items[0].tolist())) == 5
    assert index.search(-np.ones((1, 4)), 4)[0].tolist() == [[500, 501, 502, 503]]


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5, 17, 40])
def test_fewer_vectors_than_links_or_than_k(n):
    vectors, queries = whole_vectors(n, 3), whole_vectors(7, 3, 1)
    index, exact = HNSWIndex().fit(vectors), ExactIndex().fit(vectors)
    for k in (1, 3, 17, 50):
        assert_same(index.search(queries, k), exact.search(queries, k))
    assert index.search(np.zeros((0, 3)), 4)[0].shape == (0, 4)


def test_empty_index_takes_items():
    index = HNSWIndex().fit(np.zeros((0, 3)))
    assert len(index) == 0
    assert (index.search(np.ones((2, 3)), 4)[0] == -1).all()
    assert index.add(np.zeros((0, 3))).add(np.eye(3)).search(np.eye(3), 1)[0].tolist() == [
        [0],
        [1],
        [2],
    ]


def test_a_saved_index_finds_and_grows_as_before(catalogue, tmp_path):
    vectors, queries, _, _ = catalogue
    index = HNSWIndex(8, 50, 20, rng=9).fit(np.vstack([vectors[:900], vectors[:5]])).remove([1, 2])
    save_index(index, tmp_path / "index")
    loaded = load_index(tmp_path / "index")
    assert_same(loaded.search(queries, 10), index.search(queries, 10))
    index.add(vectors[900:1000]), loaded.add(vectors[900:1000])
    for name, array in index.state().items():
        np.testing.assert_array_equal(loaded.state()[name], array)


@pytest.mark.parametrize(
    "name, change",
    [
        ("base", lambda array: array[:-1]),
        ("base", lambda array: array[:, :-1]),
        ("base", lambda array: np.where(array < 0, array, 300)),
        ("base", lambda array: array - 1),
        ("upper", lambda array: array[:-1]),
        ("upper", lambda array: np.zeros_like(array)),
        ("base", lambda array: array.astype(np.int64)),
        ("levels", lambda array: array - 1),
        ("levels", lambda array: array[1:]),
    ],
)
def test_links_that_lead_nowhere_are_refused(name, change):
    vectors, _ = long_tailed(300, 4)
    state = HNSWIndex(4, 20).fit(vectors).state()
    assert state["levels"][0] == 0  # so that node 0 has no row in `upper`
    with pytest.raises(ValueError, match="arrays must hold a graph"):
        HNSWIndex.from_state(state | {name: change(state[name])})


@pytest.mark.parametrize("moment", ["check_vectors", "in_lines"])
def test_a_search_sees_the_index_of_its_start(catalogue, monkeypatch, moment):
    """The index is changed in the midst of the search, as another thread might."""
    vectors, queries, _, _ = catalogue
    index, step = HNSWIndex().fit(vectors[:500]), getattr(hnsw_module, moment)
    expected = index.search(queries, 10)

    def changing(*arguments):
        monkeypatch.setattr(hnsw_module, moment, step)
        index.remove(expected[0][:, 0].min()[None]).add(10 * vectors[500:900])
        return step(*arguments)

    monkeypatch.setattr(hnsw_module, moment, changing)
    assert_same(index.search(queries, 10), expected)
    assert not np.array_equal(index.search(queries, 10)[0], expected[0])  # it did change


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((np.ones((1, 4)), 2), "queries must have 3 columns"),
        ((np.ones(3), 2), "queries must be a matrix"),
        ((np.full((1, 3), np.nan), 2), "queries must be finite, got nan"),
        ((np.ones((1, 3)), 0), "k must be at least 1"),
        ((np.ones((1, 3)), 2, np.ones(4, bool)), "allowed must be a mask of 3 bools"),
        ((np.ones((1, 3)), 2, [0, 1, 2]), "allowed must be a mask of 3 bools"),
    ],
)
def test_invalid_searches_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        HNSWIndex().fit(np.eye(3)).search(*arguments)


def test_invalid_settings_and_vectors_are_refused():
    for settings_, message in (
        ({"m": 1}, "m must be between 2 and 1024, got 1"),
        ({"ef_construction": 0}, "ef_construction must be at least 1"),
        ({"ef": 1.5}, "ef must be a whole number"),
        ({"n_threads": 0}, "n_threads must be at least 1"),
    ):
        with pytest.raises(ValueError, match=message):
            HNSWIndex(**settings_)
    with pytest.raises(ValueError, match="rng must be a whole number"):
        HNSWIndex(rng=-1).fit(np.eye(3))
    with pytest.raises(ValueError, match="vectors must be finite, got nan"):
        HNSWIndex().fit([[1.0, np.nan]])
    with pytest.raises(ValueError, match="vectors must have 3 columns"):
        HNSWIndex().fit(np.eye(3)).add(np.eye(4))
    for call in (lambda index: index.search(np.eye(3), 1), len, lambda index: index.state()):
        with pytest.raises(ValueError, match="must be fitted first"):
            call(HNSWIndex())
