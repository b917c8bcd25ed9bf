"""Folding in by gradient descent and by ridge regression, with the items fixed."""

import contextlib

import numpy as np
import pytest

from recsys import Interactions
from recsys.kernels import draw
from recsys.metrics import ndcg_at_k
from recsys.models import BPR, WARP, BiasedMF, ImplicitALS, Popularity, SampledSoftmax, TwoTower
from recsys.models.sgd import history_seed

RANKERS = [
    BPR(16, epochs=30),
    BPR(16, 0.02, 0.003, epochs=30, negatives="popular"),
    WARP(16, epochs=30),
    SampledSoftmax(16),
    SampledSoftmax(16, correction=False),
    TwoTower(16, 0.2, 0.1, 20, 31),
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


def bpr_steps(model, history, state, item_counts):
    """Per step: a gradient of the loss by the user's vector and how it enters AdaGrad's sum."""
    Y, b, x = model.item_factors, model.item_biases, (yield)
    pool = np.repeat(np.arange(len(Y)), item_counts if model.negatives == "popular" else 1)
    for i in np.tile(history, model.epochs):
        state, drawn = draw(np.uint64(state), len(pool))
        while pool[drawn] in history:
            state, drawn = draw(np.uint64(state), len(pool))
        j = pool[drawn]
        margin = b[i] - b[j] + x @ (Y[i] - Y[j])
        x = yield (Y[j] - Y[i]) / (1 + np.exp(margin)), False


def warp_steps(model, history, state, item_counts):
    Y, b, x = model.item_factors, model.item_biases, (yield)
    for i in np.tile(history, model.epochs):
        for trial in range(1, model.max_trials + 1):
            state, j = draw(np.uint64(state), len(Y))
            if b[j] + x @ Y[j] > b[i] + x @ Y[i] - 1 and j not in history:
                rank = max(1, (len(Y) - 1) // trial)
                x = yield sum(1 / r for r in range(1, rank + 1)) * (Y[j] - Y[i]), True
                break


def softmax_steps(model, history, state, item_counts):
    Y, b, x = model.item_factors, model.item_biases, (yield)
    item_of_pair = np.repeat(np.arange(len(Y)), item_counts)
    log_q = np.log(np.maximum(item_counts, 1) / item_counts.sum()) * model.correction
    for i in np.tile(history, model.epochs):
        items = [i]
        for _ in range(model.n_negatives):
            state, pair = draw(np.uint64(state), len(item_of_pair))
            items.append(item_of_pair[pair])
        scores = x @ Y[items].T + b[items] - log_q[items]
        weights = np.exp(scores) * ~((np.array(items) == i) & (np.arange(len(items)) > 0))
        x = yield (weights / weights.sum()) @ Y[items] - Y[i], True


@pytest.mark.parametrize(
    "model, steps",
    [
        (BPR(6, epochs=3), bpr_steps),
        (BPR(6, epochs=3, negatives="popular"), bpr_steps),
        (WARP(6, epochs=3, max_trials=9), warp_steps),
        (SampledSoftmax(6, epochs=3, n_negatives=5), softmax_steps),
        (SampledSoftmax(6, epochs=3, n_negatives=5, correction=False), softmax_steps),
    ],
    ids=lambda value: getattr(value, "__name__", repr(value)),
)
def test_folding_in_takes_the_steps_of_the_objective(model, steps, train):
    """In plain NumPy, with the same draws; the steps are large, so that each one shows."""
    model.fit(train, progress=False)
    rng = np.random.default_rng(0)
    model.item_factors = rng.normal(0, 1, model.item_factors.shape).astype(np.float32)
    item_counts = np.bincount(train.matrix.indices, minlength=train.n_items)
    for history in (np.array([3]), np.arange(0, train.n_items, 2), np.arange(5, 90)):
        x, square = np.zeros(6), 1.0
        gradients = steps(model, history, history_seed(history.astype(np.int32)), item_counts)
        next(gradients)
        with contextlib.suppress(StopIteration):
            while True:
                gradient, counts = gradients.send(x)
                rate = model.learning_rate / np.sqrt(square)
                x = (1 - rate * model.reg) * x - rate * gradient
                square += counts * np.mean(gradient**2)
        found = model.fold_in([history]).user_factors[0]
        np.testing.assert_allclose(found, x, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("model", [Popularity(), BPR(2, epochs=1), ImplicitALS(2, iterations=1)])
def test_a_folded_in_model_knows_its_own_users_by_name(model):
    old = Interactions([0, 0, 1], [0, 1, 1], user_labels=["a", "b"], item_labels=["x", "y", "z"])
    new = Interactions([0, 1], [1, 0], user_labels=["b", "c"], item_labels=["x", "y", "z"])
    model.fit(old, progress=False).recommend_labels(["a", "b"], 1)  # its index has been built
    folded = model.fold_in(new)
    assert folded.recommend_labels(["c", "b"], 1).values[:, :3].tolist() == [
        ["c", 1, "y"],
        ["b", 1, "x"],
    ]
    with pytest.raises(ValueError, match="^unknown user 'a'"):
        folded.recommend_labels(["a"])
    assert model.recommend_labels(["b"], 1)["item"].tolist() == ["x"]


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
