"""Candidates and exclusions, against lists sorted in plain Python."""

import numpy as np
import pytest
from scipy import sparse

from recsys import Interactions
from recsys.models import BPR, BiasedMF, Fallback, ImplicitALS, ItemKNN, Popularity, PureSVD

N_USERS, N_ITEMS = 70, 2500  # more than one tile of users (48) and of items (1,024)


@pytest.fixture(scope="module")
def log():
    rng = np.random.default_rng(0)
    user, item = rng.integers(0, N_USERS - 1, 9000), (N_ITEMS * rng.random(9000) ** 1.5).astype(int)
    value = rng.integers(1, 6, 9000)
    return Interactions(user, item, np.arange(9000), value, N_USERS, N_ITEMS)


@pytest.fixture(
    scope="module",
    params=[
        ImplicitALS(6, iterations=2),
        PureSVD(5),
        BPR(7, epochs=2),
        BiasedMF(4, epochs=2),
        ItemKNN(),
        Popularity(),
        Fallback(ItemKNN(), Popularity()),
    ],
    ids=lambda model: type(model).__name__,
)
def model(request, log):
    return request.param.fit(log, progress=False)


def sorted_list(scores, allowed, k):
    """The k best allowed items of a row of scores."""
    best = sorted(allowed, key=lambda item: (-scores[item], item))
    return [item for item in best if scores[item] > -np.inf][:k]


def check(model, log, users, k, exclude_seen=True, items=None, exclude=None):
    found, scores = model.recommend(users, k, exclude_seen, items=items, exclude=exclude)
    assert found.shape == scores.shape == (len(users), k)
    all_scores = model.score(users)
    per_user = exclude is not None and len(exclude) > 0 and np.ndim(exclude[0]) == 1
    for row, user in enumerate(users):
        allowed = set(range(N_ITEMS) if items is None else items)
        if exclude is not None:
            allowed -= set(exclude[row] if per_user else exclude)
        if exclude_seen:
            allowed -= set(log.item[log.user == user].tolist())
        expected = sorted_list(all_scores[row], allowed, k)
        own = found[row][: len(expected)]
        assert (found[row][len(expected) :] == -1).all()
        assert np.isneginf(scores[row][len(expected) :]).all()
        assert len(set(own.tolist())) == len(own) and set(own.tolist()) <= allowed
        if not hasattr(model, "user_factors"):
            assert own.tolist() == expected
        # rounding may swap neighbours; the scores must be those of the expected list
        np.testing.assert_allclose(all_scores[row][own], all_scores[row][expected], atol=2e-5)
        np.testing.assert_allclose(scores[row][: len(own)], all_scores[row][own], atol=2e-5)


USERS = np.random.default_rng(1).permutation(N_USERS)
SOME = np.random.default_rng(2).permutation(N_ITEMS)[:1300]  # more than one tile, in any order


@pytest.mark.parametrize("k", [1, 10, 50])
@pytest.mark.parametrize("exclude_seen", [True, False])
def test_only_candidates_are_recommended(model, log, k, exclude_seen):
    check(model, log, USERS, k, exclude_seen, items=SOME)
    check(model, log, USERS[:3], k, exclude_seen, items=SOME[:30].tolist())


@pytest.mark.parametrize("exclude_seen", [True, False])
def test_excluded_items_are_never_recommended(model, log, exclude_seen):
    best, _ = model.recommend(0, 40)
    check(model, log, USERS, 40, exclude_seen, exclude=best)
    lists = [row[row >= 0].tolist() for row in model.recommend(USERS, 30)[0]]
    check(model, log, USERS, 40, exclude_seen, exclude=lists)
    check(model, log, USERS, 40, exclude_seen, exclude=[*lists[1:], []])


def test_candidates_and_exclusions_together(model, log):
    lists = [SOME[5 * row : 5 * row + 300] for row in range(N_USERS)]
    check(model, log, USERS, 40, items=SOME, exclude=lists)
    check(model, log, USERS, 40, False, items=SOME, exclude=lists)
    check(model, log, USERS, 40, items=SOME, exclude=SOME[:700])


def test_small_batches_give_the_same_lists(model, log, monkeypatch):
    lists = [SOME[5 * row : 5 * row + 300] for row in range(N_USERS)]
    for filters in ({}, {"items": SOME}, {"exclude": lists}, {"items": SOME, "exclude": lists}):
        whole = model.recommend(USERS, 20, **filters)
        with monkeypatch.context() as patch:
            patch.setattr("recsys.models.base.SCORES_IN_MEMORY", 7 * N_ITEMS)
            items, scores = model.recommend(USERS, 20, **filters)
        assert (items == whole[0]).all() and (scores == whole[1]).all()


def test_exclusions_may_be_a_sparse_matrix(model):
    lists = [[3, 1], [], [2000]]
    matrix = sparse.csr_matrix(
        (np.ones(3), ([0, 0, 2], [3, 1, 2000])), shape=(3, N_ITEMS), dtype=np.float32
    )
    found, _ = model.recommend([4, 5, 6], 20, exclude=matrix)
    assert found.tolist() == model.recommend([4, 5, 6], 20, exclude=lists)[0].tolist()


def test_one_user_and_no_user(model):
    items, _ = model.recommend(5, 3, items=[1, 2, 3, 4], exclude=[2])
    assert items.shape == (3,) and 2 not in items
    assert items.tolist() == model.recommend(5, 3, items=[4, 3, 1, 1], exclude=[[2]])[0].tolist()
    assert model.recommend([], 3, items=[1], exclude=[])[0].shape == (0, 3)


def test_no_candidate_gives_an_empty_list(model):
    for filters in ({"items": []}, {"exclude": np.arange(N_ITEMS)}, {"items": [7], "exclude": [7]}):
        items, scores = model.recommend([0, 1], 4, **filters)
        assert (items == -1).all() and np.isneginf(scores).all()


def test_an_empty_filter_changes_nothing(model):
    expected = model.recommend(USERS, 12)
    for filters in ({"exclude": []}, {"exclude": [[]] * N_USERS}):
        found = model.recommend(USERS, 12, **filters)
        assert (found[0] == expected[0]).all()


@pytest.mark.parametrize(
    "filters, message",
    [
        ({"items": [N_ITEMS]}, f"^items must hold ids between 0 and {N_ITEMS - 1}, got {N_ITEMS}"),
        ({"items": [-1]}, "^items must hold ids"),
        ({"items": 5}, "^items must be"),
        ({"items": [0.5]}, "^items must hold whole-number ids, got 0.5"),
        ({"items": [True, False]}, "^items must hold whole-number ids"),
        ({"items": [[1], [2]]}, "^items must be one-dimensional"),
        ({"exclude": [N_ITEMS]}, "^exclude must hold ids between"),
        ({"exclude": [[1], [N_ITEMS]]}, "^exclude must hold ids between"),
        ({"exclude": [[1], [-1]]}, "^exclude must hold ids between"),
        ({"exclude": ["a"]}, "^exclude must hold whole-number ids"),
        ({"exclude": 3}, "^exclude must be"),
        ({"exclude": [[1]]}, "^exclude must hold one list for all or one per user, 2, got 1 list"),
        ({"exclude": [1, [2]]}, "^exclude must"),
        ({"exclude": sparse.csr_matrix((2, 7))}, f"^exclude must have n_items = {N_ITEMS} columns"),
    ],
)
def test_invalid_filters_raise(model, filters, message):
    with pytest.raises(ValueError, match=message):
        model.recommend([0, 1], 5, **filters)
