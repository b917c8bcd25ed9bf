"""Neighbours, item-item and user-user: the reference, folding in and explanations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys import Interactions
from recsys.models import ItemKNN, UserKNN
from recsys.models.user_knn import LANE, SHIFT, user_neighbors_reference
from recsys.retrieval.exact import top_k_reference

SIZES = [(1, 1, 1, 0), (60, 45, 400, 1), (130, 90, 1500, 2), (64, 30, 300, 3)]
EXPLAINING = [ItemKNN, UserKNN]


def nearest(similarity, n_neighbors):
    """The largest of each row, the others 0; and their number per row."""
    items, values = top_k_reference(np.where(similarity > 0, similarity, -np.inf), n_neighbors)
    kept = np.zeros_like(similarity)
    rows, positions = np.nonzero(items >= 0)
    kept[rows, items[rows, positions]] = values[rows, positions]
    return kept, (items >= 0).sum(axis=1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("shrinkage", [0.0, 7.5])
@pytest.mark.parametrize("n_neighbors", [None, 4])
def test_user_neighbors_equal_the_reference(size, shrinkage, n_neighbors, ragged):
    log = ragged(*size)
    history = log.matrix.toarray()
    expected = user_neighbors_reference(history, history, shrinkage)
    np.fill_diagonal(expected, 0)
    expected, counts = nearest(expected, n_neighbors or log.n_users)
    model = UserKNN(n_neighbors, shrinkage).fit(log)
    found = model.similarity.toarray()
    assert (np.diff(model.similarity.indptr) == counts).all()
    # Rounding may swap two neighbours that tie, so the values are compared in order.
    np.testing.assert_allclose(np.sort(found), np.sort(expected), rtol=1e-5)
    if n_neighbors is None:
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    scores = model.score(np.arange(log.n_users))
    np.testing.assert_allclose(np.where(np.isinf(scores), 0, scores), found @ (history > 0), 1e-4)


@pytest.mark.parametrize("n_new", [0, 1, 200])
def test_new_users_are_compared_with_all_voters(n_new, ragged):
    log, new = ragged(130, 90, 1500, 2), ragged(max(n_new, 1), 90, 8 * n_new, 5)
    histories = new.matrix[:n_new]
    folded = UserKNN(7, shrinkage=2.0).fit(log).fold_in(histories)
    expected = user_neighbors_reference(histories.toarray(), log.matrix.toarray(), 2.0)
    expected, counts = nearest(expected, 7)
    assert folded.similarity.shape == (n_new, 130)
    assert (np.diff(folded.similarity.indptr) == counts).all()
    np.testing.assert_allclose(np.sort(folded.similarity.toarray()), np.sort(expected), rtol=1e-5)


def test_a_folded_model_keeps_its_voters(train, fitted):
    history = [train.matrix[17].indices[:9].tolist()]
    folded = fitted["UserKNN"].fold_in(history)
    twice = folded.fold_in(train).fold_in(history)
    assert twice.score(0).tolist() == folded.score(0).tolist()
    assert folded.voters is fitted["UserKNN"].voters and folded.n_users == 1


def test_user_neighbors_by_hand():
    """Ann 0 1, Bob 0 1 2, Cid 1 3, Dan 3: for Ann, Bob votes for 2 and Cid for 3."""
    log = Interactions([0, 0, 1, 1, 1, 2, 2, 3], [0, 1, 0, 1, 2, 1, 3, 3])
    items, scores = UserKNN().fit(log).recommend(0, 3)
    assert items.tolist() == [2, 3, -1]
    assert scores[:2].tolist() == pytest.approx([2 / np.sqrt(6), 1 / 2])
    _, shrunk = UserKNN(shrinkage=3).fit(log).recommend(0, 2)
    assert shrunk.tolist() == pytest.approx([2 / (np.sqrt(6) + 3), 1 / 5])
    assert UserKNN(n_neighbors=1).fit(log).recommend(0, 3)[0].tolist() == [2, -1, -1]


def test_equal_similarities_go_to_the_lower_ids():
    """Users 1 to 199 have the same history; three of them may vote, so 1, 2 and 3 do."""
    n = 200
    log = Interactions(np.repeat(np.arange(n), 2), np.tile([0, 1], n))
    model = UserKNN(n_neighbors=3).fit(log)
    assert model.similarity[0].indices.tolist() == [1, 2, 3]
    assert model.similarity[2].indices.tolist() == [0, 1, 3]
    assert model.similarity[n - 1].indices.tolist() == [0, 1, 2]


def test_touched_counts_are_reset():
    """Each user finds its only neighbour, in any lane."""
    assert 1 << int(SHIFT) == LANE
    n = 5 * LANE + 3
    user, item = np.arange(n), np.minimum(np.arange(n), n - 1 - np.arange(n))
    model = UserKNN(n_neighbors=4).fit(Interactions(user, item))
    rows = np.diff(model.similarity.indptr)
    assert rows[n // 2] == 0 and (np.delete(rows, n // 2) == 1).all()
    assert model.similarity.indices.tolist() == np.delete(n - 1 - user, n // 2).tolist()
    assert (model.similarity.data == 1).all()


def test_values_of_zero_count_as_interactions():
    log = Interactions([0, 0, 1, 1], [0, 1, 0, 2], value=[0.0, 1.0, 1.0, 0.0])
    model = UserKNN().fit(log)
    assert model.recommend(0, 1)[0].tolist() == [2]
    items, contributions = model.explain(0, 2, 2)
    assert items.tolist() == [0, 1] and contributions.tolist() == pytest.approx([0.5, 0.0])


@given(seed=st.integers(0, 10**6), n_neighbors=st.sampled_from([None, 1, 5]))
def test_contributions_sum_to_the_score(seed, n_neighbors):
    rng = np.random.default_rng(seed)
    log = Interactions(rng.integers(0, 20, 90), rng.integers(0, 15, 90), n_users=20, n_items=15)
    for kind in EXPLAINING:
        model = kind(n_neighbors, shrinkage=float(rng.integers(0, 3))).fit(log)
        for each in (model, model.fold_in([[0, 3, 7], [2]])):
            user, item = rng.integers(0, each.n_users), rng.integers(0, 15)
            items, contributions = each.explain(user, item, k=15)
            history = each.history[user].indices
            assert sorted(items[: len(history)]) == sorted(history)
            assert (items[len(history) :] == -1).all()
            assert (contributions >= 0).all() and (np.diff(contributions) <= 0).all()
            score = each.score(user)[item]
            assert contributions.sum() == pytest.approx(0 if np.isinf(score) else score, rel=1e-5)


def test_explanations_by_hand():
    """Ann has 0 and 1; Bob 0, 1 and 2; Cid 1 and 2. Both vote for 2."""
    log = Interactions([0, 0, 1, 1, 1, 2, 2], [0, 1, 0, 1, 2, 1, 2])
    items, contributions = UserKNN().fit(log).explain(0, 2, 3)
    bob, cid = 1 / np.sqrt(2 * 3), 1 / np.sqrt(2 * 2)
    assert items.tolist() == [1, 0, -1]
    assert contributions.tolist() == pytest.approx([bob + cid, bob, 0])
    model = ItemKNN().fit(log)
    items, contributions = model.explain(0, 2, 1)
    assert items.tolist() == [1] and contributions[0] == model.similarity[1, 2]
    assert (items.dtype, contributions.dtype) == (np.int32, np.float32)


@pytest.mark.parametrize("kind", EXPLAINING)
def test_invalid_arguments_of_explain_raise(kind, fitted):
    model = fitted[kind.__name__]
    wrong = [
        ((300, 0), "user"), ((-1, 0), "user"), ((0.5, 0), "user"), ((0, 150), "item"),
        ((0, -1), "item"), ((0, "a"), "item"), ((0, 0, 0), "k"), ((0, 0, 1.5), "k"),
    ]  # fmt: skip
    for arguments, name in wrong:
        with pytest.raises(ValueError, match=f"^{name} must be .*, got"):
            model.explain(*arguments)
    with pytest.raises(ValueError, match=f"{kind.__name__} must be fitted first"):
        kind().explain(0, 0)
