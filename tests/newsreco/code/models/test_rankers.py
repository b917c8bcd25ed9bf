"""Rankers: correct minimum, same scores after a round trip, errors that name the argument."""

from dataclasses import asdict

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from newsreco.models.rankers import RANKERS, LambdaMARTRanker, LogisticRanker


def rows(n=3000, seed=0):
    rng = np.random.default_rng(seed)
    X = (rng.normal(size=(n, 4)) * [1, 10, 0.1, 1] + [0, 5, 0, 0]).astype(np.float32)
    X[:, 3] = 7  # constant
    odds = X[:, 0] - 0.1 * X[:, 1] + 5 * X[:, 2] - 1
    clicked = rng.random(n) < 1 / (1 + np.exp(-odds))
    return X, clicked, np.arange(0, n + 1, 10)


def test_logistic_agrees_with_scikit_learn():
    X, clicked, _ = rows()
    ours = LogisticRanker(reg=2.0).fit(X, clicked)
    scaled = (X - ours.mean) / ours.std
    theirs = LogisticRegression(C=0.5, tol=1e-10, max_iter=1000).fit(scaled, clicked)
    np.testing.assert_allclose(ours.weights, theirs.coef_[0], atol=1e-4)
    assert ours.intercept == pytest.approx(theirs.intercept_[0], abs=1e-4)
    np.testing.assert_allclose(ours.probabilities(X), theirs.predict_proba(scaled)[:, 1], atol=1e-4)


def test_newton_loss_never_rises_and_gradient_vanishes():
    X, clicked, _ = rows()
    ranker = LogisticRanker().fit(X, clicked)
    losses = [step["loss"] for step in ranker.steps]
    assert len(losses) > 2
    assert all(after <= before for before, after in zip(losses, losses[1:]))
    residual = ranker.probabilities(X) - clicked
    scaled = (X - ranker.mean) / ranker.std
    np.testing.assert_allclose(scaled.T @ residual + ranker.weights, 0, atol=1e-2)


@pytest.mark.parametrize("clicked", [0, 1])
def test_logistic_with_one_label_is_finite(clicked):
    X, _, _ = rows(200)
    ranker = LogisticRanker().fit(X, np.full(200, bool(clicked)))
    assert np.isfinite(ranker.scores(X)).all()
    assert (ranker.probabilities(X) > 0.5).all() == bool(clicked)


def test_logistic_on_separable_rows_is_finite():
    X = np.linspace(-1, 1, 400, dtype=np.float32)[:, None]
    ranker = LogisticRanker(reg=0.1).fit(X, X[:, 0] > 0)
    assert ranker.weights[0] > 1
    assert np.isfinite(ranker.weights).all()


@pytest.mark.parametrize("name", RANKERS)
def test_rankers_learn_and_survive_a_round_trip(name):
    X, clicked, start = rows()
    ranker = RANKERS[name]().fit(X, clicked, start)
    assert ranker.steps and all(np.isfinite(list(step.values())).all() for step in ranker.steps)
    again = RANKERS[name].from_arrays(asdict(ranker), ranker.to_arrays())
    assert np.array_equal(again.scores(X), ranker.scores(X))
    better = ranker.scores(X)[clicked].mean() - ranker.scores(X)[~clicked].mean()
    assert better > 0.5
    assert ranker.importance().argmin() == 3, "a constant feature has no effect"


def test_lambdamart_needs_whole_impressions():
    X, clicked, start = rows(100)
    with pytest.raises(ValueError, match="start"):
        RANKERS["lambdamart"]().fit(X, clicked, start[:-1])


def test_wrong_rows_raise():
    X, clicked, _ = rows(100)
    with pytest.raises(ValueError, match="clicked"):
        LogisticRanker().fit(X, clicked[:50])
    with pytest.raises(ValueError, match="two-dimensional"):
        LogisticRanker().fit(X[:, 0], clicked)
    X[3, 1] = np.nan
    with pytest.raises(ValueError, match="finite"):
        LogisticRanker().fit(X, clicked)


def test_impression_longer_than_lightgbm_can_order_is_one_sentence():
    rows = np.zeros((10_001, 2))
    with pytest.raises(ValueError, match="at most 10,000 articles in an impression, got 10,001"):
        LambdaMARTRanker().fit(rows, np.zeros(10_001, bool), np.array([0, 10_001]))
