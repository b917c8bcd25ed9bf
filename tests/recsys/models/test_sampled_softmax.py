"""Sampled softmax: its gradient, and the effect of the logQ correction."""

import numpy as np
import pytest

from recsys import Interactions
from recsys.models import SampledSoftmax
from recsys.models.sampled_softmax import errors, log_popularity, softmax_step


def test_softmax_step_follows_the_gradient():
    """In a batch with a user and an item that come twice."""
    rng, reg, f = np.random.default_rng(0), 0.3, 3
    users, items = np.array([0, 1, 1, 2]), np.array([0, 1, 2, 1])
    log_q = np.log([0.2, 0.5, 0.3])
    start = rng.normal(size=3 * f + 3 * f + 3)

    def parts(p):
        return p[: 3 * f].reshape(3, f), p[3 * f : 6 * f].reshape(3, f), p[6 * f :]

    def objective(p):
        X, Y, b = parts(p)
        total = 0.0
        for u, i in zip(users, items):
            others = [b[j] + X[u] @ Y[j] - log_q[j] for j in items if j != i]
            own = b[i] + X[u] @ Y[i] - log_q[i]
            total += np.log(np.exp(own) + np.sum(np.exp(others))) - own
            total += reg / 2 * (X[u] @ X[u] + Y[i] @ Y[i] + b[i] ** 2)
        return total

    gradient = [(objective(start + h) - objective(start - h)) / 2e-6 for h in 1e-6 * np.eye(21)]
    moved = start.copy()
    softmax_step(*parts(moved), users, items, log_q, 1.0, reg)
    np.testing.assert_allclose(start - moved, gradient, rtol=1e-5, atol=1e-7)


def test_no_item_is_its_own_negative():
    found = errors(np.zeros((3, 3)), np.array([7, 8, 7]))
    expected = [[-1 / 2, 1 / 2, 0], [1 / 3, -2 / 3, 1 / 3], [0, 1 / 2, -1 / 2]]
    np.testing.assert_allclose(found, expected)


def test_log_popularity_by_hand():
    found = log_popularity(np.array([0, 0, 2, 0]), 4)
    assert found.tolist() == pytest.approx([np.log(0.75), 0, np.log(0.25), 0])
    assert found.dtype == np.float32


@pytest.fixture(scope="module")
def independent():
    """Users without preferences: each item has its own probability, the same for all users."""
    rng, probability = np.random.default_rng(0), np.linspace(0.02, 0.6, 60)
    user, item = np.nonzero(rng.random((1500, 60)) < probability)
    return Interactions(user, item), probability


@pytest.mark.parametrize("correction, slope", [(True, 1.0), (False, 0.0)])
def test_popular_items_score_higher_only_with_the_correction(correction, slope, independent):
    """The mean score of an item follows ln p(i), of slope 1 in ln q; uncorrected the slope is 0."""
    log, probability = independent
    model = SampledSoftmax(4, 0.02, reg=0.0, epochs=20, correction=correction).fit(log)
    scores = model.score(np.arange(1500)).mean(axis=0)
    found = np.polyfit(np.log(probability), scores, 1)[0]
    assert found == pytest.approx(slope, abs=0.15)


def test_training_ranks_observed_items_above_the_others(train):
    """Probability that an observed item is scored above another: 0.5 before training."""
    observed = train.matrix.toarray() > 0

    def auc(epochs):
        model = SampledSoftmax(16, epochs=epochs).fit(train, progress=False)
        means = [
            (s[m][:, None] > s[~m]).mean() for s, m in zip(model.score(np.arange(300)), observed)
        ]
        return np.mean(means)

    assert abs(auc(0) - 0.5) < 0.03
    assert auc(1) < auc(5) < auc(20)
    assert auc(20) > 0.8


@pytest.mark.parametrize("n_negatives", [1, 50, 10**6])
def test_batches_of_any_size(n_negatives, ragged):
    """Up to a single batch; every user's vector changes."""
    log = ragged(60, 45, 400, 1)
    model = SampledSoftmax(4, epochs=2, n_negatives=n_negatives).fit(log)
    start = SampledSoftmax(4, epochs=0).fit(log)
    active = np.diff(log.matrix.indptr) > 0
    moved = np.abs(model.user_factors - start.user_factors).max(axis=1) > 0
    assert (moved == active).all() and np.isfinite(model.item_factors).all()
