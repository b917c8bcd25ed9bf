"""IVF and IVF-PQ where they are approximate; test_index.py holds the contract."""

import numpy as np
import pytest

from recsys.retrieval import ExactIndex, IVFIndex, IVFPQIndex
from recsys.threads import limit_threads

RNG = np.random.default_rng(0)
MEANS = RNG.normal(size=(30, 12))
VECTORS = (MEANS[RNG.integers(30, size=3000)] + RNG.normal(0, 0.5, (3000, 12))).astype(np.float32)
VECTORS *= RNG.lognormal(0, 0.4, (3000, 1)).astype(np.float32)
QUERIES = (MEANS[RNG.integers(30, size=60)] + RNG.normal(0, 0.5, (60, 12))).astype(np.float32)
TRUTH = ExactIndex().fit(VECTORS).search(QUERIES, 10)[0]
KINDS = [IVFIndex, IVFPQIndex]


def recall(items):
    return (items[:, :, None] == TRUTH[:, None]).any(axis=2).mean()


def lists_of(vectors, centroids):
    """The nearest centroid of each vector, by all distances."""
    return ((vectors[:, None] - centroids[None]) ** 2).sum(axis=2).argmin(axis=1)


def search_reference(index, queries, k, scores_of, allowed):
    """Read the n_probe best lists in full, twice as many where they hold too little, and so on.

    `scores_of` scores all items for a query.
    """
    nearest = lists_of(VECTORS, index.centroids)
    found = []
    for query in queries:
        order = np.argsort(-(index.centroids @ query), kind="stable")
        read, n_probe = np.empty(0, int), index.n_probe
        while len(read) < k:
            read = np.flatnonzero(np.isin(nearest, order[:n_probe]) & allowed)
            if n_probe >= len(order):
                break
            n_probe *= 2
        found.append(read[np.argsort(-scores_of(query)[read], kind="stable")][:k])
    return found


@pytest.mark.parametrize("n_probe", [1, 3, 40])
@pytest.mark.parametrize("k", [1, 10, 33, 300])
@pytest.mark.parametrize("n_queries", [3, 60])
def test_ivf_equals_plain_numpy(n_probe, k, n_queries):
    index = IVFIndex(n_lists=40, n_probe=n_probe, rng=3).fit(VECTORS)
    allowed = np.random.default_rng(1).random(len(VECTORS)) < 0.5
    for mask in (None, allowed):
        items, scores = index.search(QUERIES[:n_queries], k, mask)
        keep = np.ones(len(VECTORS), bool) if mask is None else mask
        expected = search_reference(index, QUERIES[:n_queries], k, lambda q: VECTORS @ q, keep)
        for row, own in enumerate(expected):
            assert items[row].tolist() == own.tolist() + [-1] * (k - len(own))
            np.testing.assert_allclose(scores[row, : len(own)], VECTORS[own] @ QUERIES[row], 1e-4)
            assert np.isneginf(scores[row, len(own) :]).all()


@pytest.mark.parametrize("n_queries", [3, 60])
def test_ivfpq_without_rescoring_ranks_by_decoded_vectors(n_queries):
    index = IVFPQIndex(40, n_probe=5, code_bytes=4, rescore=0, rng=3).fit(VECTORS)
    nearest = lists_of(VECTORS, index.centroids)
    residuals = VECTORS - index.centroids[nearest]
    decoded = index.centroids[nearest] + index.quantizer.decode(index.quantizer.encode(residuals))
    items, scores = index.search(QUERIES[:n_queries], 10)
    everything = np.ones(len(VECTORS), bool)
    expected = search_reference(index, QUERIES[:n_queries], 10, lambda q: decoded @ q, everything)
    for row, own in enumerate(expected):  # ties within rounding may change places
        np.testing.assert_allclose(scores[row], decoded[own] @ QUERIES[row], rtol=1e-4)
        np.testing.assert_allclose(scores[row], decoded[items[row]] @ QUERIES[row], rtol=1e-4)


@pytest.mark.parametrize("Index", KINDS)
@pytest.mark.parametrize("n_allowed", [3, 10, 11, 30])
def test_a_narrow_filter_leaves_no_position_empty(Index, n_allowed):
    """Only items of the list worst for the query are allowed: the first lists hold none."""
    index = Index(n_lists=30, n_probe=2).fit(VECTORS)
    nearest = lists_of(VECTORS, index.centroids)
    worst = (index.centroids @ QUERIES[0]).argmin()
    own = np.flatnonzero(nearest == worst)[:n_allowed]
    assert len(own) == n_allowed
    allowed = np.isin(np.arange(len(VECTORS)), own)
    items, scores = index.search(QUERIES[:1], 10, allowed)
    expected = own[np.argsort(-(VECTORS[own] @ QUERIES[0]), kind="stable")][:10]
    assert items[0].tolist() == expected.tolist() + [-1] * (10 - len(expected))


def test_further_lists_are_read_only_where_the_first_hold_too_few():
    index = IVFIndex(n_lists=30, n_probe=2).fit(VECTORS)
    nearest = lists_of(VECTORS, index.centroids)
    order = np.argsort(-(index.centroids @ QUERIES[0]))
    read = np.isin(nearest, order[:2])
    further = np.flatnonzero(np.isin(nearest, order[2:4]))
    best = further[(VECTORS[further] @ QUERIES[0]).argmax()]
    allowed = np.zeros(len(VECTORS), bool)
    allowed[best] = True
    worst_read = np.flatnonzero(read)[np.argsort(VECTORS[read] @ QUERIES[0])]
    allowed[worst_read[:10]] = True  # ten, all below the best item of the further lists
    assert VECTORS[best] @ QUERIES[0] > (VECTORS[worst_read[:10]] @ QUERIES[0]).max()
    assert best not in index.search(QUERIES[:1], 10, allowed)[0]
    allowed[worst_read[0]] = False  # nine
    assert index.search(QUERIES[:1], 10, allowed)[0][0, 0] == best


def test_more_probes_and_more_candidates_find_more():
    index = IVFIndex(n_lists=60).fit(VECTORS)
    by_probes = []
    for index.n_probe in (1, 2, 4, 60):
        by_probes.append(recall(index.search(QUERIES, 10)[0]))
    assert all(after > before for before, after in zip(by_probes, by_probes[1:]))
    assert by_probes[-1] == 1
    index = IVFPQIndex(n_lists=60, n_probe=60, code_bytes=3).fit(VECTORS)
    by_candidates = []
    for index.rescore in (1, 2, 4, 300):
        by_candidates.append(recall(index.search(QUERIES, 10)[0]))
    assert all(after > before for before, after in zip(by_candidates, by_candidates[1:]))
    assert by_candidates[-1] == 1


def test_rescored_scores_are_those_of_the_exact_index():
    index = IVFPQIndex(40, n_probe=5, code_bytes=4, rescore=4).fit(VECTORS)
    items, scores = index.search(QUERIES, 10)
    exact_items, exact_scores = ExactIndex().fit(VECTORS).search(QUERIES, len(VECTORS))
    for row in range(len(QUERIES)):
        position = np.argsort(exact_items[row])[items[row]]
        np.testing.assert_array_equal(scores[row], exact_scores[row][position])
        assert (np.diff(position) > 0).all()


@pytest.mark.parametrize("Index", KINDS)
def test_same_bits_on_any_number_of_threads_and_one_seed(Index):
    states = []
    for n_threads, seed in ((1, 0), (2, 0), (2, 1)):
        with limit_threads(n_threads):
            index = Index(n_lists=30, rng=seed).fit(VECTORS)
            found = index.search(QUERIES, 7)
        states.append(b"".join(a.tobytes() for a in (*index.state().values(), *found)))
    assert states[0] == states[1] != states[2]


@pytest.mark.parametrize("Index", KINDS)
def test_added_items_join_the_lists_that_were_learned(Index):
    index = Index(n_lists=30, n_probe=3).fit(VECTORS[:2000])
    centroids = index.centroids.copy()
    index.add(VECTORS[2000:])
    np.testing.assert_array_equal(index.centroids, centroids)
    state = index.state()
    assert sorted(state["items"]) == list(range(3000))
    expected = lists_of(VECTORS, centroids)[state["items"]]
    assert (state["lists"] == expected).mean() > 0.999


@pytest.mark.parametrize("Index", KINDS)
def test_the_first_items_of_an_empty_index_are_learned_from(Index):
    index = Index(n_lists=20).fit(VECTORS[:0]).add(VECTORS)
    expected = Index(n_lists=20).fit(VECTORS)
    np.testing.assert_array_equal(index.search(QUERIES, 9), expected.search(QUERIES, 9))


@pytest.mark.parametrize("Index", KINDS)
def test_settings_survive_in_the_state(Index):
    index = Index(n_lists=None, n_probe=5, iterations=3).fit(VECTORS)
    again = Index.from_state(index.state())
    assert (again.n_lists, again.n_probe, again.iterations) == (None, 5, 3)
    if Index is IVFPQIndex:
        assert (again.code_bytes, again.rescore) == (16, 8)
    again.add(VECTORS[:50])
    index.add(VECTORS[:50])
    np.testing.assert_array_equal(again.search(QUERIES, 9), index.search(QUERIES, 9))


def test_an_added_batch_erases_what_was_removed():
    index = IVFPQIndex(n_lists=10).fit(VECTORS).remove([3, 2999]).add(VECTORS[:1])
    state = index.state()
    assert (state["exact"][[3, 2999]] == 0).all() and (state["exact"][[4, 3000]] != 0).any()
    assert len(index._ids[index._ids >= 0]) == len(VECTORS) - 2 + 1


def test_default_number_of_lists_is_twice_the_root():
    assert len(IVFIndex().fit(VECTORS[:2500]).centroids) == 100
    assert len(IVFIndex().fit(VECTORS[:1]).centroids) == 1


SETTINGS = {IVFIndex: ["n_lists", "n_probe", "iterations"]}
SETTINGS[IVFPQIndex] = [*SETTINGS[IVFIndex], "code_bytes", "rescore"]


@pytest.mark.parametrize("Index, name", [(kind, n) for kind in KINDS for n in SETTINGS[kind]])
def test_invalid_settings_are_refused(Index, name):
    for value in (-1, 1.5, "many", True):
        with pytest.raises(ValueError, match=f"{name} must be"):
            Index(**{name: value})
    with pytest.raises(ValueError, match="rng must be"):
        Index(rng="x")
    index = Index().fit(VECTORS[:99])
    index.n_probe = 0
    with pytest.raises(ValueError, match="n_probe must be at least 1"):
        index.search(QUERIES, 1)
