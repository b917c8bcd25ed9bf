"""Metrics: cases by hand, and the opinion of ir-measures and scikit-learn."""

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import AP, RR, P, R, Success, nDCG
from scipy import sparse
from sklearn.metrics import (
    mean_absolute_error,
    ndcg_score,
    roc_auc_score,
    root_mean_squared_error,
)

from recsys.metrics import (
    auc,
    average_precision_at_k,
    calibration,
    coverage,
    gini,
    hit_at_k,
    intra_list_diversity,
    mae,
    ndcg_at_k,
    novelty,
    popularity_bias,
    precision_at_k,
    recall_at_k,
    reciprocal_rank_at_k,
    rmse,
    serendipity,
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
    "nothing to find": ([4, 2], set(), 2, [np.nan] * 6),
    "neither": ([], set(), 2, [np.nan] * 6),
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
def test_by_hand(case):
    recommended, relevant, k, expected = HAND[case]
    found = [metric([recommended], [relevant], k) for metric in RANKING]
    assert all(values.shape == (1,) and values.dtype == np.float64 for values in found)
    np.testing.assert_allclose(np.concatenate(found), expected, rtol=1e-6)


@pytest.mark.parametrize("metric", RANKING)
def test_every_form_of_input_gives_the_same(metric):
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
    """AP@k divides by n there and by min(n, k) here, so it agrees where n is at most k."""
    lists, relevant = rankings
    qrels = {str(u): {str(i): 1 for i in items} for u, items in enumerate(relevant)}
    run = {
        str(u): {str(item): float(100 - place) for place, item in enumerate(items)}
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


def test_auc_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    for _ in range(40):
        labels, scores = rng.permutation(40) < rng.integers(1, 40), rng.normal(size=40)
        for values in (scores, scores.round()):  # without and with ties
            theirs = roc_auc_score(labels, values)
            assert auc(labels, values) == pytest.approx(theirs, abs=1e-12)


def test_a_constant_scorer_does_not_beat_chance():
    """Targets drawn by chance are found k times in n, whatever a constant score lists."""
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
def test_bounds_and_the_ideal_order(items, relevant, k):
    values = np.concatenate([metric([items], [relevant], k) for metric in RANKING])
    assert (values >= 0).all() and (values <= 1 + 1e-12).all()
    ideal = sorted(items, key=lambda item: item not in relevant)
    better = np.concatenate([metric([ideal], [relevant], k) for metric in RANKING])
    assert (better >= values - 1e-12).all()
    if relevant <= set(items):  # everything relevant first: the order is perfect
        assert ndcg_at_k([ideal], [relevant], k) == pytest.approx(1)
        assert average_precision_at_k([ideal], [relevant], k) == pytest.approx(1)


@pytest.mark.parametrize("metric", RANKING)
def test_bad_input_is_refused(metric):
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


@pytest.mark.parametrize(
    "labels, scores, message",
    [
        ([], [], "labels must be 0 and 1, at least one of each, got"),
        ([0, 0], [1, 2], "labels must be 0 and 1, at least one of each, got .*0"),
        ([1, 1], [1, 2], "labels must be 0 and 1, at least one of each, got .*1"),
        ([0, 2], [1, 2], "labels must be 0 and 1, at least one of each, got .*2"),
        ([0, 1], [1, np.nan], "scores must be finite, got .*nan.* in row 1"),
        ([0, 1, 1], [1, 2], r"labels must have one entry per row, shape \(2,\), got \(3,\)"),
    ],
)
def test_auc_refuses_what_has_none(labels, scores, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        auc(labels, scores)


def test_auc_by_hand():
    assert auc([1, 1, 0, 0], [4, 3, 2, 1]) == 1
    assert auc([0, 0, 1, 1], [4, 3, 2, 1]) == 0
    assert auc([1, 0, 1, 0], [4, 3, 2, 1]) == 3 / 4
    assert auc(np.array([True, False]), [1, 1]) == 1 / 2


# --- beyond accuracy ------------------------------------------------------------------------

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
    """Of 8 users, item 0 was met by 8, item 1 by 4, item 2 by none (counted as one)."""
    users = np.array([8, 4, 0])
    np.testing.assert_allclose(novelty(LISTS, users, 8), [(0 + 1 + 3) / 3, 1 / 2, 0, np.nan])
    np.testing.assert_allclose(popularity_bias(LISTS, users, 8), [1.5 / 3, 1.5 / 2, 1, np.nan])


def test_intra_list_diversity():
    alike, unlike = [[1, 0], [2, 0], [3, 0]], [[1, 0, 0], [0, 2, 0], [0, 0, 0]]
    found = intra_list_diversity(LISTS, np.array(alike))
    np.testing.assert_allclose(found, [0, 0, np.nan, np.nan], atol=1e-12)
    found = intra_list_diversity(LISTS, sparse.csr_matrix(unlike))
    np.testing.assert_allclose(found, [1, 1, np.nan, np.nan], atol=1e-12)
    features = np.random.default_rng(0).normal(size=(6, 4))
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    pairs = [1 - unit[a] @ unit[b] for a, b in ((5, 3), (5, 1), (3, 1))]
    assert intra_list_diversity(np.array([[5, 3, 1]]), features) == pytest.approx(np.mean(pairs))


def test_serendipity():
    """A hit counts unless the obvious list shows it too; places count, not items listed."""
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


def test_rating_errors_by_hand():
    assert rmse([4.0, 3.0], [1.0, 7.0]) == pytest.approx(np.sqrt((9 + 16) / 2))
    assert mae([4.0, 3.0], [1.0, 7.0]) == (3 + 4) / 2
    assert rmse([3, 3], [3, 3]) == mae([3, 3], [3, 3]) == 0
    assert rmse(np.array([0.1], np.float32), np.array([0.1], np.float32)) == 0


def test_rating_errors_agree_with_scikit_learn():
    rng = np.random.default_rng(0)
    predicted, actual = rng.normal(3, 1, (2, 500)).astype(np.float32)
    assert rmse(predicted, actual) == pytest.approx(root_mean_squared_error(actual, predicted))
    assert mae(predicted, actual) == pytest.approx(mean_absolute_error(actual, predicted))


@pytest.mark.parametrize("metric", [rmse, mae])
def test_rating_errors_refuse_what_cannot_be_compared(metric):
    for predicted, actual, message in [
        ([], [], "actual must hold at least one rating, got none"),
        ([1, 2], [1], r"predicted must have one entry per row, shape \(1,\), got \(2,\)"),
        ([np.nan], [1], "predicted must be finite, got .*nan.* in row 0"),
        ([1], [np.inf], "actual must be finite, got .*inf.* in row 0"),
        ([[1, 2]], [[1, 2]], r"actual must have one entry per row, shape \(2,\), got \(1, 2\)"),
        (["a"], [1], "predicted must hold numbers"),
    ]:
        with pytest.raises(ValueError, match=f"^{message}"):
            metric(predicted, actual)
