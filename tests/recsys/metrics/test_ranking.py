"""Ranking metrics: cases by hand, and agreement with ir-measures and scikit-learn."""

import ir_measures
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import AP, RR, P, R, Success, nDCG
from scipy import sparse
from sklearn.metrics import ndcg_score

from recsys.metrics import (
    auc,
    average_precision_at_k,
    hit_at_k,
    ndcg_at_k,
    precision_at_k,
    recall_at_k,
    reciprocal_rank_at_k,
)
from recsys.retrieval.exact import top_k

RANKING = [
    recall_at_k, precision_at_k, hit_at_k, ndcg_at_k, average_precision_at_k, reciprocal_rank_at_k
]  # fmt: skip
D = 1 / np.log2(np.arange(2, 20))  # the discounts of ranks 1, 2, ...

# name: list, relevant, k, then recall, precision, hit, ndcg, average precision, reciprocal rank
HAND = {
    "perfect": ([4, 2], {2, 4}, 2, [1, 1, 1, 1, 1, 1]),
    "all wrong": ([4, 2], {1, 3}, 2, [0, 0, 0, 0, 0, 0]),
    "no list": ([], {1, 3}, 2, [0, 0, 0, 0, 0, 0]),
    "no relevant items": ([4, 2], set(), 2, [np.nan] * 6),
    "neither list nor relevant items": ([], set(), 2, [np.nan] * 6),
    "2 relevant, one hit at rank 1": (
        [3, 0, 1, 2, 5], {3, 4}, 5,
        [1 / 2, 1 / 5, 1, 0.613147, 1 / 2, 1],
    ),
    "12 relevant, hits at ranks 1-5": ([0, 1, 2, 3, 4], range(12), 5, [5 / 12, 1, 1, 1, 1, 1]),
    "1 relevant, 1 hit": ([7, 0, 1, 2, 3], {7}, 5, [1, 1 / 5, 1, 1, 1, 1]),
    "1 relevant at rank 3": ([7, 8, 9], {9}, 3, [1, 1 / 3, 1, 1 / 2, 1 / 3, 1 / 3]),
    "hits at ranks 2 and 4": (
        [9, 1, 8, 2], {1, 2, 3}, 4,
        [2 / 3, 1 / 2, 1, (D[1] + D[3]) / D[:3].sum(), (1 / 2 + 2 / 4) / 3, 1 / 2],
    ),
    "shorter than k": ([5, 1], {1, 2}, 4, [1 / 2, 1 / 4, 1, D[1] / D[:2].sum(), 1 / 4, 1 / 2]),
    "padded": ([5, 1, -1, -1], {1, 2}, 4, [1 / 2, 1 / 4, 1, D[1] / D[:2].sum(), 1 / 4, 1 / 2]),
    "longer than k": ([5, 6, 1, 2], {1, 2}, 2, [0, 0, 0, 0, 0, 0]),
    "k of one": ([1, 2], {1, 2}, 1, [1 / 2, 1, 1, 1, 1, 1]),
}  # fmt: skip


@pytest.mark.parametrize("case", HAND)
def test_metrics_by_hand(case):
    recommended, relevant, k, expected = HAND[case]
    found = [metric([recommended], [relevant], k) for metric in RANKING]
    assert all(values.shape == (1,) and values.dtype == np.float64 for values in found)
    np.testing.assert_allclose(np.concatenate(found), expected, rtol=1e-6)


@pytest.mark.parametrize("metric", RANKING)
def test_all_input_types_give_the_same_values(metric):
    lists = [[3, 1, 2], [0, 4], [5, 6, 0]]
    relevant = [{1, 2}, set(), {6, 5}]
    padded = np.array([[3, 1, 2], [0, 4, -1], [5, 6, 0]])
    matrix = sparse.csr_matrix(np.array([[0, 1, 1, 0, 0, 0, 0], [0] * 7, [0, 0, 0, 0, 0, 1, 1]]))
    unsorted = sparse.csr_matrix(([1.0, 2, 3, 1, 5], [2, 1, 2, 6, 5], [0, 3, 3, 5]), (3, 7))
    expected = metric(lists, relevant, 3)
    assert np.isnan(expected).tolist() == [False, True, False]
    for recommended in (lists, padded, padded.astype(np.int32), np.asfortranarray(padded)):
        for wanted in (relevant, [[2, 1, 1], [], np.array([5, 6])], matrix, unsorted):
            np.testing.assert_array_equal(metric(recommended, wanted, 3), expected)
    assert unsorted.indices.tolist() == [2, 1, 2, 6, 5]  # the caller's matrix stays as it is
    order = [2, 0, 1]
    found = metric([lists[u] for u in order], [relevant[u] for u in order], 3)
    np.testing.assert_array_equal(found, expected[order])


@pytest.fixture(scope="module")
def rankings():
    """200 users' random rankings of 40 items, and random relevant sets of 1 to 12 items."""
    rng = np.random.default_rng(0)
    lists = np.array([rng.permutation(40)[:25] for _ in range(200)])
    relevant = [set(rng.choice(40, rng.integers(1, 13), replace=False).tolist()) for _ in lists]
    return lists, relevant


@pytest.mark.parametrize("k", [1, 5, 12, 25])
def test_agreement_with_ir_measures(rankings, k):
    """AP@k divides by n there and by min(n, k) here, so they agree if n is at most k."""
    lists, relevant = rankings
    qrels = {str(u): {str(i): 1 for i in items} for u, items in enumerate(relevant)}
    run = {
        str(u): {str(item): float(100 - rank) for rank, item in enumerate(items)}
        for u, items in enumerate(lists.tolist())
    }
    theirs = {R @ k: recall_at_k, P @ k: precision_at_k, Success @ k: hit_at_k}
    theirs |= {nDCG @ k: ndcg_at_k, AP @ k: average_precision_at_k, RR @ k: reciprocal_rank_at_k}
    found = {metric: np.empty(200) for metric in theirs}
    for value in ir_measures.iter_calc(list(theirs), qrels, run):
        found[value.measure][int(value.query_id)] = value.value
    n = np.array([len(items) for items in relevant])
    for metric, ours in theirs.items():
        agree = n <= k if metric == AP @ k else np.full(200, True)
        assert agree.sum() > 10
        np.testing.assert_allclose(ours(lists, relevant, k)[agree], found[metric][agree], atol=1e-9)


@pytest.mark.parametrize("k", [1, 5, 40])
def test_agreement_with_scikit_learn(rankings, k):
    _, relevant = rankings
    truth = np.array([[i in items for i in range(40)] for items in relevant])
    scores = np.random.default_rng(1).normal(size=truth.shape)
    found = ndcg_at_k(top_k(scores, k)[0], relevant, k)
    theirs = [ndcg_score([t], [s], k=k) for t, s in zip(truth, scores)]
    np.testing.assert_allclose(found, theirs, atol=1e-9)


def test_constant_scores_are_no_better_than_random():
    """Random targets are found with probability k / n by any fixed list."""
    rng = np.random.default_rng(0)
    relevant = [{i} for i in rng.integers(0, 50, 20_000)]
    lists, _ = top_k(np.zeros((20_000, 50)), 10)
    assert lists[0].tolist() == list(range(10))
    for metric, expected in [
        (recall_at_k, 10 / 50),
        (precision_at_k, 1 / 50),
        (ndcg_at_k, D[:10].sum() / 50),
        (reciprocal_rank_at_k, (1 / np.arange(1, 11)).sum() / 50),
    ]:
        values = metric(lists, relevant, 10)
        assert values.mean() == pytest.approx(expected, abs=4 * values.std() / np.sqrt(20_000))
    assert auc(rng.integers(0, 2, 99), np.ones(99)) == 0.5
    assert auc([0, 1, 1], np.zeros(3)) == 0.5


@given(
    st.lists(st.integers(0, 30), unique=True, max_size=20),
    st.sets(st.integers(0, 30), min_size=1),
    st.integers(1, 25),
)
def test_values_are_bounded_and_highest_in_ideal_order(items, relevant, k):
    values = np.concatenate([metric([items], [relevant], k) for metric in RANKING])
    assert (values >= 0).all() and (values <= 1 + 1e-12).all()
    ideal = sorted(items, key=lambda item: item not in relevant)
    better = np.concatenate([metric([ideal], [relevant], k) for metric in RANKING])
    assert (better >= values - 1e-12).all()
    if relevant <= set(items):  # all relevant items come first: the order is ideal
        assert ndcg_at_k([ideal], [relevant], k) == pytest.approx(1)
        assert average_precision_at_k([ideal], [relevant], k) == pytest.approx(1)


@pytest.mark.parametrize("metric", RANKING)
def test_invalid_input_is_refused(metric):
    good = np.array([[1, 2]])
    for k in (0, -1, 1.5, None, True):
        with pytest.raises(ValueError, match=f"^k must .* got {k!r}"):
            metric(good, [{1}], k)
    for recommended, relevant, message in [
        (good, [{1}, {2}], "recommended and relevant must have the same users, got 1 and 2 rows"),
        ([[1, 1]], [{1}], r"recommended must not list an item twice, got \[.*1.*1.*\]"),
        ([[2], [3, 2], [5, 5]], [{1}] * 3, "recommended must not list an item twice"),
        (np.array([[1.0, 2.0]]), [{1}], "recommended must hold item ids, got type float64"),
        (good[:, :1], [{1}], r"recommended must have at least k = 2 columns, got shape \(1, 1\)"),
        (good[0], [{1}], r"recommended must have at least k = 2 columns, got shape \(2,\)"),
        ([[1.5, 2]], [{1}], "recommended must hold item ids, got"),
        ([["a", "b"]], [{1}], "recommended must hold item ids, got"),
        (good + 2**32, [{1}], "recommended must hold ids from 0 to .*, got .*4294967298"),
        (good, [3], "relevant must hold one set of items per user, got 3"),
        (good, [{-1}], "relevant must hold ids between 0 and .*, got .*-1"),
        (good, [[0.5]], "relevant must hold whole-number ids, got .*0.5"),
        (good, [["a"]], "relevant must hold whole-number ids, got values of type"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=f"^{message}"):
            metric(recommended, relevant, 2)


ONES = np.array([[0, 1, 1], [1, 0, 0]])


@pytest.mark.parametrize("metric", RANKING)
def test_stored_zeros_are_refused(metric):
    for zeros in ([1, 0, 1], [True, False, True], [1, -0.0, 1]):
        relevant = sparse.csr_matrix((zeros, [1, 2, 0], [0, 2, 3]), (2, 3))
        with pytest.raises(
            ValueError, match=r"^relevant must not store zeros, got 1: .*eliminate_"
        ):
            metric([[2, 1], [0, 1]], relevant, 2)
        relevant.eliminate_zeros()
        assert (
            metric([[2, 0], [0, 1]], relevant, 2).tolist()
            == metric([[2, 0], [0]], [{1}, {0}], 2).tolist()
        )


@pytest.mark.parametrize(
    "dense",
    [ONES, ONES.astype(bool), ONES.astype(float), ONES[:, :2], 3 * ONES, ONES * [5, 4, 3]],
)
def test_dense_matrices_are_refused(dense):
    with pytest.raises(ValueError, match="^relevant must be one list of ids per user or a sparse"):
        recall_at_k([[2, 1], [0, 1]], dense, 2)


def test_arrays_of_ids_are_one_list_per_user():
    lists = [[2, 1], [0, 1]]
    for ids, expected in (
        ([[1], [0]], [1, 1]),
        ([[1, 4], [0, 5]], [1 / 2, 1 / 2]),
        ([[0], [1]], [0, 1]),
    ):
        assert recall_at_k(lists, np.array(ids), 2).tolist() == expected
    assert recall_at_k([], np.empty((0, 3)), 2).tolist() == []


@pytest.mark.parametrize("k", [1, 5, 40, 60])
def test_graded_ndcg_agrees_with_scikit_learn(k):
    """Linear gains, no ties among the scores."""
    rng = np.random.default_rng(1)
    gains = rng.integers(0, 5, (100, 40)) * rng.random((100, 40)).round(2)
    gains[gains.sum(axis=1) == 0, 0] = 1
    scores = rng.random((100, 40))
    lists = np.pad(np.argsort(-scores, axis=1), ((0, 0), (0, 20)), constant_values=-1)
    found = ndcg_at_k(lists, sparse.csr_matrix(gains), k, graded=True)
    theirs = [ndcg_score(gains[[u]], scores[[u]], k=k) for u in range(100)]
    np.testing.assert_allclose(found, theirs, atol=1e-6)


def test_graded_ndcg_by_hand():
    """Gains 3 and 1; the list has the 1 first and the 3 third: (1 + 3/2) / (3 + 1/log2(3))."""
    gains = sparse.csr_matrix([[0, 3.0, 0, 1], [0, 0, 0, 0], [2, 0, 0, 0]])
    found = ndcg_at_k([[3, 0, 1], [0, 1, 2], [1, 0, -1]], gains, 3, graded=True)
    assert found == pytest.approx([2.5 / (3 + 1 / np.log2(3)), np.nan, 1 / np.log2(3)], nan_ok=True)
    equal = 7 * (gains > 0).astype(float)
    lists = [[3, 0, 1], [0, 1, 2], [1, 0, -1]]
    np.testing.assert_array_equal(
        ndcg_at_k(lists, equal, 3, graded=True), ndcg_at_k(lists, gains, 3)
    )


@pytest.mark.parametrize(
    "relevant, graded, message",
    [
        ([{1}], True, "relevant must be a sparse matrix of gains, got list"),
        (sparse.csr_matrix([[0, -1.0]]), True, "relevant must be finite and at least 0, got -1"),
        (sparse.csr_matrix([[0, 1.0]]), 1, "graded must be True or False, got 1"),
    ],
)
def test_what_has_no_grades_is_refused(relevant, graded, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        ndcg_at_k([[1]], relevant, 1, graded)


DENSE = [[1, 0, 1], [0, 1, 0]]


@pytest.mark.parametrize(
    "relevant, got",
    [
        (DENSE, r"a dense matrix of shape \(2, 3\): pass"),
        ([[1.0, 0.0, 1.0], (0.0, 1.0, 0.0)], r"a dense matrix of shape \(2, 3\): pass"),
        ([np.array(row) for row in DENSE], r"a dense matrix of shape \(2, 3\): pass"),
        (pd.DataFrame(DENSE), "a DataFrame$"),
        (pl.DataFrame({"a": [0, 1], "b": [1, 2]}), "a DataFrame$"),
        ({0: [1], 1: [2]}, "a dict$"),
    ],
)
def test_tables_are_not_read_as_lists_of_relevant_items(relevant, got):
    with pytest.raises(
        ValueError, match=f"^relevant must be one list of ids per user .*, got {got}"
    ):
        recall_at_k([[0, 1], [2, 3]], relevant, 2)


def test_lists_of_ids_0_and_1_are_read_where_they_are_no_matrix():
    lists = [[0, 1], [1, 0]]
    assert recall_at_k(lists, [[0, 1], [1, 0]], 2).tolist() == [1, 1]
    assert recall_at_k(lists, [[0, 1, 2], [1, 0, 3]], 2).tolist() == [2 / 3, 2 / 3]
    assert recall_at_k(lists, [{0, 1}, {0}], 2).tolist() == [1, 1]


@pytest.mark.parametrize("table", [pl.DataFrame({"a": [0, 1], "b": [1, 2]}), {0: [1], 1: [2]}])
def test_tables_are_not_read_as_recommended_lists(table):
    with pytest.raises(ValueError, match="^recommended must be one list per user, got "):
        recall_at_k(table, [{0}, {1}], 2)


@pytest.mark.parametrize("value", [-1, np.nan])
def test_values_that_are_not_above_zero_are_not_relevant_without_a_word(value):
    with pytest.raises(ValueError, match="^relevant must be finite and at least 0, got "):
        recall_at_k([[0, 1]], sparse.csr_matrix([[1.0, value]]), 2)
