"""Sampled softmax: its gradient, its compiled step, and the effect of the logQ correction."""

import numpy as np
import pytest

from recsys import Interactions
from recsys.models import SampledSoftmax
from recsys.models.sampled_softmax import (
    errors,
    log_popularity,
    softmax_cell,
    softmax_reference,
)


def random_parameters(n_users, n_items, f, seed=0):
    rng = np.random.default_rng(seed)
    shapes = (n_users, f), (n_items, f), (n_items,)
    parameters = tuple(rng.normal(size=shape).astype(np.float32) for shape in shapes)
    return parameters, tuple(np.ones(shape[0], np.float32) for shape in shapes)


def test_the_first_step_follows_the_gradient():
    """While AdaGrad's sums are all 1; in a batch whose users and items come once."""
    f, users, items = 3, np.array([2, 0, 1]), np.array([0, 3, 1])
    log_q = np.log([0.4, 0.3, 0.2, 0.1])
    (X, Y, b), _ = random_parameters(3, 4, f)
    start = np.concatenate([X.ravel(), Y.ravel(), b]).astype(np.float64)

    def parts(p):
        return p[: 3 * f].reshape(3, f), p[3 * f : 7 * f].reshape(4, f), p[7 * f :]

    def objective(p):
        X, Y, b = parts(p)
        total = 0.0
        for u, i in zip(users, items):
            scores = [b[j] + X[u] @ Y[j] - log_q[j] for j in items]
            total += np.log(np.sum(np.exp(scores))) - (b[i] + X[u] @ Y[i] - log_q[i])
            total += 0.3 / 2 * (X[u] @ X[u] + Y[i] @ Y[i] + b[i] ** 2)
        return total

    steps = 1e-6 * np.eye(len(start))
    gradient = [(objective(start + h) - objective(start - h)) / 2e-6 for h in steps]
    moved = start.copy()
    softmax_reference(
        parts(moved), tuple(np.ones(n) for n in (3, 4, 4)), users, items, log_q, 1.0, 0.3
    )
    np.testing.assert_allclose(start - moved, gradient, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("n_pairs, f", [(1, 1), (37, 5), (130, 64)])
def test_compiled_steps_agree_with_the_reference(n_pairs, f):
    """In batches in which users and items come twice, one after the other."""
    rng = np.random.default_rng(f)
    users, items = (rng.integers(0, n, n_pairs).astype(np.int32) for n in (20, 30))
    log_q = log_popularity(items, 30)
    ours, our_squares = random_parameters(20, 30, f)
    theirs, their_squares = random_parameters(20, 30, f)
    step_sizes = np.float32(0.05), np.float32(0.2)
    softmax_cell(ours, our_squares, users, items, log_q, *step_sizes, 32, np.uint64(5))
    n_batches = -(-n_pairs // 32)
    bounds = [batch * n_pairs // n_batches for batch in range(n_batches + 1)]
    for start, stop in zip(bounds, bounds[1:]):  # the cell has shuffled the pairs in place
        here = slice(start, stop)
        softmax_reference(theirs, their_squares, users[here], items[here], log_q, *step_sizes)
    for our, their in zip((*ours, *our_squares), (*theirs, *their_squares)):
        np.testing.assert_allclose(our, their, rtol=2e-4, atol=2e-5)


def test_a_cell_keeps_its_pairs_and_shuffles_them():
    users, items = np.arange(200, dtype=np.int32) % 20, np.arange(200, dtype=np.int32) % 30
    before = sorted(zip(users.tolist(), items.tolist()))
    parameters, squares = random_parameters(20, 30, 4)
    log_q = np.zeros(30, np.float32)
    softmax_cell(parameters, squares, users, items, log_q, *np.float32([0.1, 0]), 32, np.uint64(1))
    assert sorted(zip(users.tolist(), items.tolist())) == before
    assert (users != np.arange(200) % 20).mean() > 0.5


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
    model = SampledSoftmax(4, 0.1, reg=0.0, epochs=20, n_negatives=127, correction=correction).fit(
        log, progress=False
    )
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
