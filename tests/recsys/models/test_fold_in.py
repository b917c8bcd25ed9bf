"""Folding in by gradient descent and by ridge regression, with the items fixed."""

import numpy as np
import pytest

from recsys import Interactions
from recsys.metrics import ndcg_at_k
from recsys.models import BPR, WARP, BiasedMF, SampledSoftmax

RANKERS = [
    BPR(16, epochs=30),
    BPR(16, 0.02, 0.003, epochs=30, negatives="popular"),
    WARP(16, epochs=30),
    SampledSoftmax(16),
    SampledSoftmax(16, correction=False),
]


@pytest.fixture(scope="module", params=RANKERS, ids=repr)
def ranker(request, train):
    return request.param.fit(train, progress=False)


def test_folding_in_the_training_histories_ranks_them_as_the_fit_did(ranker, train):
    """NDCG@20 of each user's own history, which the fit put far above chance.

    Both vectors are noisy ends of gradient descent with other draws, so that users differ; their
    mean may differ by a twentieth of what the fit gained over vectors of zeros.
    """
    users = np.arange(train.n_users)

    def ndcg(model):
        items, _ = model.recommend(users, 20, exclude_seen=False)
        return ndcg_at_k(items, train.matrix, 20).mean()

    fitted, folded = ndcg(ranker), ndcg(ranker.fold_in(train))
    start = ranker.fold_in(train)
    start.user_factors = np.zeros_like(start.user_factors)
    assert fitted > ndcg(start) + 0.1
    assert folded > fitted - 0.05 * (fitted - ndcg(start))


def test_the_gradient_of_the_objective_vanishes_on_average(ranker):
    """More passes over a long history change the scores little."""
    history = [np.arange(0, 150, 3)]
    short = ranker.fold_in(history).score(0)
    passes, ranker.epochs = ranker.epochs, 3 * ranker.epochs
    try:
        long = ranker.fold_in(history).score(0)
    finally:
        ranker.epochs = passes
    assert np.corrcoef(short, long)[0, 1] > 0.9


def test_a_vector_depends_on_the_users_own_history_only(ranker, train):
    alone = ranker.fold_in([train.matrix[17].indices]).user_factors[0]
    together = ranker.fold_in(train).user_factors
    other = ranker.fold_in([[1, 2], [], train.matrix[17].indices]).user_factors
    assert alone.tobytes() == together[17].tobytes() == other[2].tobytes()
    assert (other[1] == 0).all()


def test_a_new_users_popular_negatives_follow_the_training_counts():
    """With unit vectors for items, x shows which were drawn: below 0, and lower the more often."""
    log = Interactions([0, 1, 2, 3, 4], [0, 1, 2, 3, 4])
    model = BPR(5, epochs=40, reg=0.0, negatives="popular").fit(log, progress=False)
    assert model.item_counts.tolist() == [1, 1, 1, 1, 1]
    model.item_factors, model.item_biases = np.eye(5, dtype=np.float32), np.zeros(5, np.float32)
    model.item_counts = np.array([9, 9, 2, 8, 0])
    x = model.fold_in([[0, 1]]).user_factors[0]
    assert x[3] < x[2] < 0 == x[4] and (x[:2] > 0).all()


def ratings(n_users, n_items, n_rows, seed=0):
    rng = np.random.default_rng(seed)
    pairs = rng.permutation(n_users * n_items)[:n_rows]
    user, item = np.divmod(pairs, n_items)
    X, Y = rng.normal(0, 0.7, (n_users, 2)), rng.normal(0, 0.7, (n_items, 2))
    value = 3 + rng.normal(0, 0.5, n_items)[item] + (X[user] * Y[item]).sum(axis=1)
    return Interactions(user, item, None, value + rng.normal(0, 0.2, n_rows), n_users, n_items)


@pytest.fixture(scope="module")
def rated():
    log = ratings(200, 80, 6000)
    return log, BiasedMF(6, 0.01, 0.05, epochs=60).fit(log, progress=False)


def test_biased_mf_minimises_the_squared_error(rated):
    """No small change of a new user's bias and vector lowers the objective."""
    log, model = rated
    folded = model.fold_in(log)
    rng = np.random.default_rng(3)
    for u in (0, 57, 199):
        own = log.user == u
        y, b = model.item_factors[log.item[own]], model.item_biases[log.item[own]]

        def objective(p, rest=log.value[own] - model.mean - b, y=y):
            return np.sum((rest - p[0] - y @ p[1:]) ** 2) + len(y) * model.reg * np.sum(p**2)

        best = np.r_[folded.user_biases[u], folded.user_factors[u]].astype(np.float64)
        for _ in range(20):
            assert objective(best + 0.01 * rng.normal(size=7)) > objective(best)


def test_biased_mf_folded_in_predicts_as_well(rated):
    """The ridge regression is where gradient descent leads to: errors within 5 % of the fit's."""
    log, model = rated
    errors = [
        np.sqrt(np.mean((m.predict(log.user, log.item) - log.value) ** 2))
        for m in (model, model.fold_in(log))
    ]
    assert errors[1] < 1.05 * errors[0] and errors[0] < 0.5 * log.value.std()


def test_biased_mf_takes_each_user_alone_and_needs_ratings(rated):
    log, model = rated
    own = log.select(log.user == 57)
    alone = Interactions(np.zeros(len(own)), own.item, None, own.value, 2, 80)
    folded, together = model.fold_in(alone), model.fold_in(log)
    np.testing.assert_array_equal(folded.score(0), together.score(57))
    assert folded.user_biases[1] == 0 and (folded.user_factors[1] == 0).all()
    matrix = model.fold_in(alone.matrix)
    np.testing.assert_allclose(matrix.score(0), folded.score(0), atol=1e-5)
    with pytest.raises(ValueError, match="^histories must hold the ratings .* got list without"):
        model.fold_in([[1, 2]])
