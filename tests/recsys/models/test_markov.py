"""Markov: transitions by hand, order, ties in time, and content beside order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from recsys import Interactions, load
from recsys.models import ContentBased, Markov

# Three histories: 0 -> 1, 0 -> 1 -> 2 and 0 -> 3; 2 and 3 have no transitions.
WALKS = Interactions([0, 0, 1, 1, 1, 2, 2], [0, 1, 0, 1, 2, 0, 3], [1, 2, 1, 2, 3, 8, 9], n_items=6)
EYE = np.eye(6)


def test_transitions_by_hand():
    model = Markov().fit(WALKS)
    expected = np.zeros((6, 6))
    expected[0, [1, 3]], expected[1, 2] = [2 / 3, 1 / 3], 1
    np.testing.assert_allclose(model.transitions.toarray(), expected, rtol=1e-6)
    assert model.last_item.tolist() == [1, 2, 3]
    assert model.recommend(0, 2)[0].tolist() == [2, -1]
    assert model.score(0).tolist() == [-np.inf, -np.inf, 1, -np.inf, -np.inf, -np.inf]


def test_without_transitions_the_list_is_empty():
    model = Markov().fit(WALKS)
    items, scores = model.recommend([1, 2], 3, exclude_seen=False)
    assert (items == -1).all() and np.isneginf(scores).all()


@given(
    rows=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5), st.integers(0, 3)), min_size=1)
)
def test_transitions_are_counted_in_order_of_time_then_id(rows):
    user, item, time = np.array(rows).T
    model = Markov().fit(Interactions(user, item, time, n_users=6, n_items=6))
    counts, last = np.zeros((6, 6)), np.full(6, -1)
    for u in range(6):
        walk = [i for _, i in sorted((t, i) for who, i, t in rows if who == u)]
        for here, there in zip(walk, walk[1:]):
            counts[here, there] += 1
        last[u] = walk[-1] if walk else -1
    assert model.last_item.tolist() == last.tolist()
    probabilities = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    np.testing.assert_allclose(model.transitions.toarray(), probabilities, rtol=1e-6)
    assert model.transitions.nnz == np.count_nonzero(counts)


def test_a_cycle_is_learned_from_the_order():
    """All users go 0, 1, ..., 9, 0, ...: only the order predicts the next item."""
    start = np.repeat(np.arange(30), 5)
    item = (start + np.tile(np.arange(5), 30)) % 10
    model = Markov().fit(Interactions(start, item, np.tile(np.arange(5), 30)))
    assert model.recommend(np.arange(30), 1)[0][:, 0].tolist() == [(u + 5) % 10 for u in range(30)]


def test_content_scores_items_without_transitions():
    """Item 2 has no transitions, but 4 is similar; 5 has no features."""
    features = EYE.copy()
    features[4], features[5] = EYE[2] + EYE[3], 0
    model = Markov(content_weight=0.25, item_features=features).fit(WALKS)
    half = np.sqrt(0.5)
    expected = [0, 0, 0.25, 0, 0.25 * half, -np.inf]
    np.testing.assert_allclose(model.score(1), expected, rtol=1e-6)
    expected = [0, 0.25, 0.75, 0, 0, -np.inf]
    np.testing.assert_allclose(model.score(0), expected, rtol=1e-6)
    assert model.recommend(1, 3)[0].tolist() == [4, 3, -1]


def test_a_last_item_without_features_is_scored_by_transitions():
    features = EYE.copy()
    features[1] = 0
    model = Markov(0.5, sparse.csr_matrix(features)).fit(WALKS)
    assert model.score(0).tolist() == [-np.inf, -np.inf, 0.5, -np.inf, -np.inf, -np.inf]


def test_content_weight_one_equals_content_based_on_the_last_item(train):
    genres = np.unique(train.item_info["genre"], return_inverse=True)[1]
    features = np.eye(8)[genres] + 0.1
    model = Markov(content_weight=1.0, item_features=features).fit(train)
    last = ContentBased(features).fit(train).fold_in([[i] for i in model.last_item])
    users = np.arange(300)
    np.testing.assert_allclose(model.score(users), last.score(users), rtol=1e-5)


def test_fold_in_uses_the_order_of_the_lists():
    model = Markov().fit(WALKS)
    folded = model.fold_in([[1, 0], [0, 1], [5], []])
    assert folded.last_item.tolist() == [0, 1, 5, -1]
    assert folded.recommend([0, 1, 2, 3], 2)[0].tolist() == [[3, -1], [2, -1], [-1, -1], [-1, -1]]
    assert model.fold_in(WALKS).last_item.tolist() == model.last_item.tolist()
    twice = Interactions([0, 0], [1, 0], [5, 5], n_items=6)  # equal times: the higher id is last
    assert model.fold_in(twice).last_item.tolist() == [1]


def test_histories_without_order_raise():
    model = Markov().fit(WALKS)
    timeless = Interactions([0], [0], n_items=6)
    for histories in (timeless, timeless.matrix):
        with pytest.raises(ValueError, match="^histories must be lists in order of time, or Inte"):
            model.fold_in(histories)


def test_features_are_needed_and_must_fit():
    with pytest.raises(ValueError, match="^item_features must be given for a content_weight above"):
        Markov(content_weight=0.1)
    with pytest.raises(ValueError, match="^item_features must have n_items = 6 rows, got shape"):
        Markov(0.1, EYE[:5]).fit(WALKS)


@pytest.mark.parametrize("weight, features", [(0.0, None), (0.3, EYE)])
def test_saved_with_and_without_features(weight, features, tmp_path):
    model = Markov(weight, features).fit(WALKS)
    model.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert (loaded.item_features is None) == (features is None)
    assert loaded.score([0, 1, 2]).tolist() == model.score([0, 1, 2]).tolist()
    assert str(loaded) == f"Markov(content_weight={weight})"


def test_memory_is_sparse():
    """A dense matrix of a million items would take 4 TB."""
    rng = np.random.default_rng(0)
    item = rng.integers(0, 1_000_000, 5_000)
    data = Interactions(rng.integers(0, 100, 5_000), item, np.arange(5_000), n_items=1_000_000)
    model = Markov().fit(data)
    assert model.transitions.nnz == 4_900 and model.recommend(0, 1)[0].shape == (1,)


def test_one_user_and_one_item():
    model = Markov().fit(Interactions([0], [0], [5]))
    assert model.transitions.nnz == 0 and model.recommend(0, 2)[0].tolist() == [-1, -1]
    assert Markov().fit(Interactions([0, 0], [0, 0], [5, 6])).score(0).tolist() == [1]
