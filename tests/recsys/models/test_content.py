"""Content: profiles and cosines by hand, items without interactions or features."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from recsys import Interactions, load
from recsys.models import ContentBased
from recsys.models.content import decayed_history
from recsys.text import TfIdf

# Items 0 and 1 share a feature, 2 has another, 3 both, 4 neither, 5 none.
FEATURES = np.array([[1, 0, 0], [2, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1], [0, 0, 0]], float)
KINDS = pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix, sparse.coo_array])


def log(user, item, time=None, value=None):
    return Interactions(user, item, time, value, n_users=4, n_items=6)


@KINDS
def test_scores_by_hand(kind):
    """User 0's profile is (1, 1, 0), user 1's (2, 0, 0), user 2's item has no features."""
    model = ContentBased(kind(FEATURES)).fit(log([0, 0, 1, 2], [0, 2, 1, 5]))
    half = np.sqrt(0.5)
    expected = [half, half, half, 1, 0, -np.inf]
    np.testing.assert_allclose(model.score(0), expected, rtol=1e-6)
    np.testing.assert_allclose(model.score(1), [1, 1, 0, half, 0, -np.inf], rtol=1e-6)
    assert np.isneginf(model.score([2, 3])).all()
    assert model.recommend(0, 6)[0].tolist() == [3, 1, 4, -1, -1, -1]
    assert model.recommend([1, 2, 3], 3)[0].tolist() == [[0, 3, 2], [-1] * 3, [-1] * 3]


def test_longer_vectors_weigh_more():
    model = ContentBased(FEATURES).fit(log([0, 0], [1, 2]))  # profile (2, 1, 0)
    np.testing.assert_allclose(model.score(0)[:3], np.array([2, 2, 1]) / np.sqrt(5), rtol=1e-6)


def test_weight_halves_from_the_users_own_last_interaction():
    """User 0: item 0 two half-lives before item 2. User 1's, long ago, have the same weights."""
    rows = log([0, 0, 1, 1], [0, 2, 0, 2], [1e9 - 200, 1e9, 0, 200])
    model = ContentBased(FEATURES, half_life=100).fit(rows)
    np.testing.assert_allclose(model.weights.toarray()[:2, [0, 2]], [[0.25, 1]] * 2)
    expected = np.array([0.25, 0.25, 1, 1.25 / np.sqrt(2)]) / np.hypot(0.25, 1)
    np.testing.assert_allclose(model.score([0, 1])[:, :4], [expected] * 2, rtol=1e-6)
    assert np.isfinite(ContentBased(FEATURES, half_life=0.001).fit(rows).score([0, 1])[:, 0]).all()


def test_repeats_and_values_count():
    for rows in (log([0, 0, 0], [0, 0, 2], [5, 5, 5]), log([0, 0], [0, 2], [5, 5], [2, 1])):
        for half_life in (None, 10.0):
            model = ContentBased(FEATURES, half_life).fit(rows)
            np.testing.assert_allclose(model.score(0)[[0, 2]], np.array([2, 1]) / np.sqrt(5))


def test_the_order_of_the_rows_changes_no_bit():
    """In float64, 1e17 + 1 - 1e17 is 0 and 1e17 - 1e17 + 1 is 1."""
    value = np.array([1e17, 1, -1e17], np.float32)
    weights = [
        decayed_history(log([0] * 3, [0] * 3, [5] * 3, value[list(order)]), 10.0)[0, 0]
        for order in ([0, 1, 2], [0, 2, 1], [2, 1, 0], [1, 0, 2])
    ]
    assert len(set(weights)) == 1


@given(
    rows=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 7), st.integers(0, 9)), min_size=1),
    half_life=st.sampled_from([None, 0.5, 3.0, 1e9]),
)
def test_the_weights_are_the_sum_of_decays(rows, half_life):
    user, item, time = np.array(rows).T
    data = Interactions(user, item, time, n_users=6, n_items=8)
    expected = np.zeros((6, 8))
    for u, i, t in rows:
        last = max(when for who, _, when in rows if who == u)
        expected[u, i] += 1 if half_life is None else 0.5 ** ((last - t) / half_life)
    weights = decayed_history(data, half_life)
    np.testing.assert_allclose(weights.toarray(), expected, rtol=1e-6, atol=1e-30)
    assert weights.dtype == np.float32 and (weights.indptr == data.matrix.indptr).all()


@pytest.mark.parametrize("d", [3, 64])
def test_items_with_equal_features_have_equal_scores(d):
    """A product of dense matrices may round equal columns differently."""
    rng = np.random.default_rng(0)
    features = rng.random((40, d))[np.arange(997) % 40]
    data = Interactions(np.repeat(np.arange(33), 5), rng.integers(0, 997, 165), n_items=997)
    for kind in (np.asarray, sparse.csr_matrix):
        scores = ContentBased(kind(features)).fit(data).score(np.arange(33))
        assert (scores == scores[:, np.arange(997) % 40]).all()


def test_dense_and_sparse_features_agree(train):
    sparse_features = TfIdf().fit_transform(train.item_info["title"])
    users = np.arange(300)
    few, many = (
        ContentBased(features, 5_000.0).fit(train).score(users)
        for features in (sparse_features, sparse_features.toarray())
    )
    np.testing.assert_allclose(few, many, atol=1e-6)
    assert few.std() > 0.05


def test_contributions_sum_to_the_score(train):
    features = TfIdf().fit_transform(train.item_info["title"]).toarray()
    features[[2, 30]] = 0
    for kind in (sparse.csr_matrix, np.asarray):
        model = ContentBased(kind(features), half_life=2_000.0).fit(train)
        for user, item in [(0, 1), (7, 149), (299, 60)]:
            items, parts = model.explain(user, item, 150)
            history = train.matrix[user].indices
            assert sorted(items[items >= 0]) == sorted(history)
            assert (items.dtype, parts.dtype) == (np.int32, np.float32)
            assert model.score(user)[item] == pytest.approx(parts.sum(), rel=1e-5)
            assert (np.diff(parts[: len(history)]) <= 0).all() and not parts[len(history) :].any()
            assert model.explain(user, item, 3)[0].tolist() == items[:3].tolist()
        assert model.explain(0, 30)[0].tolist() == [-1] * 5


def test_contributions_by_hand():
    """To item 3's score: item 0 twice 1 / sqrt(2), item 2 once, over the length of (2, 1)."""
    model = ContentBased(FEATURES).fit(log([0, 0, 0], [2, 0, 0]))
    items, parts = model.explain(0, 3, k=3)
    assert items.tolist() == [0, 2, -1]
    np.testing.assert_allclose(parts, [2 / np.sqrt(10), 1 / np.sqrt(10), 0], rtol=1e-6)
    assert model.explain(3, 0, k=1)[0].tolist() == [-1]  # a user without history
    tie = ContentBased(FEATURES).fit(log([0, 0], [2, 0])).explain(0, 3, k=2)[0]
    assert tie.tolist() == [0, 2]
    for name, arguments in {"user": (4, 0), "item": (0, 6), "k": (0, 0, 0)}.items():
        with pytest.raises(ValueError, match=f"^{name} must be"):
            model.explain(*arguments)


def test_fold_in_with_and_without_times():
    rows = log([0, 0, 1], [0, 2, 1], [0, 100, 100])
    model = ContentBased(FEATURES, half_life=50).fit(rows)
    timed = model.fold_in(rows).score(0)
    assert timed.tolist() == model.score(0).tolist()
    timeless = model.fold_in([[0, 2], [5], []])
    np.testing.assert_allclose(timeless.score(0)[[0, 2]], [np.sqrt(0.5)] * 2)
    assert np.isneginf(timeless.score([1, 2])).all()
    assert timeless.explain(0, 3, 2)[0].tolist() == [0, 2]


def test_a_loaded_model_can_be_fitted_again(tmp_path):
    rows = log([0, 0, 1], [0, 2, 1], [0, 100, 100])
    for features in (FEATURES, sparse.csr_matrix(FEATURES)):
        model = ContentBased(features, half_life=50).fit(rows)
        model.save(tmp_path / "model")
        loaded = load(tmp_path / "model")
        assert sparse.issparse(loaded.item_features) == sparse.issparse(features)
        assert loaded.parameters == {"half_life": 50}
        assert loaded.fit(rows).score(0).tolist() == model.score(0).tolist()
    assert repr(loaded) == "ContentBased(half_life=50)"


def test_item_features_are_copied():
    given = sparse.csr_matrix(([1.0, 0.0, 2.0], ([0, 1, 2], [0, 1, 0])), shape=(6, 3))
    model = ContentBased(given).fit(log([0], [0]))
    assert given.nnz == 3 and given.dtype == np.float64
    given.data[:] = 7
    assert model.item_features.data.tolist() == [1, 2]


def test_features_of_another_catalogue_raise():
    with pytest.raises(ValueError, match=r"^item_features must have n_items = 6 rows, .*\(5, 3\)"):
        ContentBased(FEATURES[:5]).fit(log([0], [0]))


def test_one_user_and_one_item():
    model = ContentBased([[2.0]], half_life=1.0).fit(Interactions([0], [0], [5]))
    assert model.score(0).tolist() == [1] and model.recommend(0, 2)[0].tolist() == [-1, -1]
