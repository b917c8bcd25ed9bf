"""Explanations: what the items of a history contribute to a score, and that they sum to it."""

import numpy as np
import pytest

from recsys import Interactions, models
from recsys.models import ImplicitALS
from recsys.models.als import als_reference, extra_confidence
from recsys.models.base import largest_contributions

EXPLAINING = [name for name in models.__all__ if hasattr(getattr(models, name), "explain")]


def test_als_and_ease_explain():
    assert {"ImplicitALS", "EASE"} <= set(EXPLAINING)


@pytest.mark.parametrize("kind", EXPLAINING)
def test_contributions_sum_to_the_score(kind, fitted, train):
    tolerance = 2e-4 if kind == "ImplicitALS" else 1e-5  # solved, or a sum of what is stored
    lists = [train.matrix[u].indices for u in (17, 18)]
    for model in (fitted[kind], fitted[kind].fold_in(lists)):
        for user, position in [(0, 0), (0, 1), (1, 5)]:
            item = model.recommend(user, 10)[0][position]
            history = model.history[user].indices
            items, contributions = model.explain(user, item, k=150)
            n = len(history)
            assert sorted(items[:n]) == sorted(history) and (items[n:] == -1).all()
            score = model.score(user)[item]
            assert np.abs(contributions).max() > 20 * tolerance
            assert contributions.sum() == pytest.approx(score, abs=tolerance)


@pytest.mark.parametrize("settings", [{}, {"alpha": 1.0, "reg": 10.0, "reg_exponent": 0.2}])
def test_als_fit_solves_all_users_to_convergence(settings, train):
    model = ImplicitALS(**settings).fit(train, progress=False)
    extra = extra_confidence(train.matrix, model.alpha)
    exact = als_reference(model.item_factors, extra, model.reg, model.reg_exponent)
    difference = (model.user_factors - exact) @ model.item_factors.T
    assert np.abs(difference).max() < 2e-4
    for user, item in [(0, 5), (200, 99)]:
        assert model.explain(user, item, 150)[1].sum() == pytest.approx(
            model.score(user)[item], abs=2e-4
        )


def test_als_contribution_is_the_score_lost_without_the_item(train):
    """With A_u fixed, the score without p_uj is less by the contribution of item j."""
    model = ImplicitALS(6, alpha=3.0, reg=0.5).fit(train, progress=False)
    user, item = 4, 12
    Y, row = model.item_factors.astype(float), train.matrix[user].toarray()[0]
    c = 1 + 3.0 * row
    A = (Y.T * c) @ Y + 0.5 * np.eye(6)
    items, contributions = model.explain(user, item, 4)
    for j, contribution in zip(items, contributions):
        p = (row > 0).astype(float)
        whole = Y[item] @ np.linalg.solve(A, Y.T @ (c * p))
        p[j] = 0
        rest = Y[item] @ np.linalg.solve(A, Y.T @ (c * p))
        assert contribution == pytest.approx(whole - rest, rel=1e-3)


def test_ease_contributions_are_weights(fitted, train):
    model = fitted["EASE"]
    items, contributions = model.explain(9, 30, k=4)
    weights = np.where(train.matrix[9].toarray()[0] > 0, model.item_weights[:, 30], -np.inf)
    best = np.lexsort((np.arange(150), -weights))[:4]
    assert items.tolist() == best.tolist()
    assert contributions.tolist() == weights[best].tolist()


@pytest.mark.parametrize("kind", EXPLAINING)
def test_explanations_are_sorted_and_padded(kind, make):
    log = Interactions([0, 0, 0, 1, 1, 2], [0, 1, 2, 0, 3, 4], np.zeros(6), n_users=4, n_items=6)
    model = make(kind).fit(log, progress=False)
    items, contributions = model.explain(0, 3, k=5)
    assert (items.dtype, contributions.dtype) == (np.int32, np.float32)
    assert items.shape == contributions.shape == (5,)
    assert sorted(items[:3]) == [0, 1, 2] and items[3:].tolist() == [-1, -1]
    assert (np.diff(contributions[:3]) <= 0).all() and (contributions[3:] == 0).all()
    assert items[0] == 0  # user 1 interacted with it and with item 3
    assert model.explain(0, 3)[0].tolist() == items.tolist()
    assert model.explain(0, 3, 1)[0].tolist() == [0]
    empty = model.explain(3, 0, 2)  # a user without history
    assert [part.tolist() for part in empty] == [[-1, -1], [0, 0]]


def test_equal_contributions_go_to_the_lower_id():
    items, contributions = largest_contributions(
        np.array([7, 2, 5, 9]), np.array([0.5, -1.0, 0.5, 2.0]), 5
    )
    assert items.tolist() == [9, 5, 7, 2, -1]
    assert contributions.tolist() == [2.0, 0.5, 0.5, -1.0, 0.0]


@pytest.mark.parametrize("kind", EXPLAINING)
def test_invalid_arguments_of_explain_raise(kind, fitted, make):
    for arguments, name in [
        ((300, 0), "user"), ((-1, 0), "user"), ((0.5, 0), "user"), (([0], 0), "user"),
        ((0, 150), "item"), ((0, -1), "item"), ((0, "a"), "item"),
        ((0, 0, 0), "k"), ((0, 0, 1.5), "k"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=f"^{name} must be .*, got"):
            fitted[kind].explain(*arguments)
    with pytest.raises(ValueError, match=f"{kind} must be fitted first"):
        make(kind).explain(0, 0)
