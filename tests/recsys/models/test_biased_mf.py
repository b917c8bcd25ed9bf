"""BiasedMF: its steps, its predictions with few ratings or none, and its error."""

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import recsys
from recsys import Interactions
from recsys.metrics import rmse
from recsys.models import BiasedMF, biased_mf
from recsys.models.biased_mf import (
    RATINGS_PER_BLOCK,
    biased_mf_reference,
    rating_cell,
    rating_step,
    ratings_by_cell,
    sorted_rows,
)
from recsys.models.sgd import deal


def rated(n_users=80, n_items=60, n_rows=2500, seed=0, noise=0.3):
    """Ratings from 1 to 5 that follow biases and two factors; some users and items have none."""
    rng = np.random.default_rng(seed)
    user, item = rng.integers(0, n_users - 2, n_rows), rng.integers(0, n_items - 3, n_rows)
    b_u, b_i = rng.normal(0, 0.4, n_users), rng.normal(0, 0.5, n_items)
    X, Y = rng.normal(0, 0.7, (n_users, 2)), rng.normal(0, 0.7, (n_items, 2))
    value = 3 + b_u[user] + b_i[item] + (X[user] * Y[item]).sum(axis=1)
    value = np.clip(value + rng.normal(0, noise, n_rows), 1, 5)
    return Interactions(user, item, None, value, n_users, n_items)


def random_start(log, factors, seed=0):
    rng = np.random.default_rng(seed)
    shapes = (log.n_users, factors), (log.n_items, factors), log.n_users, log.n_items
    return [rng.normal(0, 0.3, shape).astype(np.float32) for shape in shapes]


def test_rating_step_follows_the_gradient():
    """A step is learning_rate times half the gradient of the objective, downhill."""
    rng, reg, step = np.random.default_rng(0), 0.2, 1e-2
    start = rng.normal(size=10)

    def objective(p):
        x, y, b_u, b_i = p[:4], p[4:8], p[8], p[9]
        return (1.3 - b_u - b_i - x @ y) ** 2 + reg * p @ p

    gradient = [(objective(start + h) - objective(start - h)) / 2e-6 for h in 1e-6 * np.eye(10)]
    X, Y, b_u, b_i = (part.astype(np.float32) for part in np.split(start, [4, 8, 9]))
    rating_step(
        X[None], Y[None], b_u, b_i, 0, 0, np.float32(1.3), np.float32(step), np.float32(reg)
    )
    moved = np.concatenate([X, Y, b_u, b_i]) - start
    np.testing.assert_allclose(moved / step, -np.array(gradient) / 2, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("factors", [1, 6, 100])
@pytest.mark.parametrize("reg", [0.0, 0.05])
def test_rating_cell_equals_the_reference(factors, reg):
    log, step = rated(), 0.05
    start = random_start(log, factors)
    rows = np.random.default_rng(1).permutation(len(log))[:900]
    expected = [part.astype(np.float64) for part in start]
    triples = np.column_stack([log.user, log.item, log.value - 3.0])[rows]
    biased_mf_reference(*expected, triples, step, reg)
    found = [part.copy() for part in start]
    columns = log.user[rows], log.item[rows], log.value[rows] - np.float32(3)
    rating_cell(*found, *columns, np.float32(step), np.float32(reg))
    for before, fast, reference in zip(start, found, expected):
        np.testing.assert_allclose(fast, reference, atol=2e-4)
        assert np.abs(fast - before).max() > 0.05


@pytest.mark.parametrize("n_blocks", [1, 3, 8])
def test_ratings_stay_with_their_pairs_in_cells(n_blocks):
    log, rng = rated(), np.random.default_rng(0)
    user_block, item_block = deal(rng, 80, n_blocks)[0], deal(rng, 60, n_blocks)[0]
    starts, rows = ratings_by_cell(log.user, log.item, user_block, item_block, n_blocks)
    assert sorted(rows) == list(range(len(log))) and len(starts) == n_blocks**2 + 1
    for cell in range(n_blocks**2):
        mine = rows[starts[cell] : starts[cell + 1]]
        assert (user_block[log.user[mine]] == cell // n_blocks).all()
        assert (item_block[log.item[mine]] == cell % n_blocks).all()


@pytest.mark.parametrize("n_blocks", [1, 3])
def test_an_epoch_uses_every_rating_once(n_blocks, monkeypatch):
    """After tiny steps each bias has moved by the learning rate times its summed errors."""
    monkeypatch.setattr(biased_mf, "RATINGS_PER_BLOCK", 2500 // n_blocks)
    log, step = rated(), 1e-6
    model = BiasedMF(4, learning_rate=step, reg=0.0, epochs=1).fit(log, progress=False)
    rng = np.random.default_rng(0)
    X, Y = (0.1 * rng.standard_normal((n, 4), np.float32) for n in (80, 60))
    errors = log.value - log.value.mean() - (X[log.user] * Y[log.item]).sum(axis=1)
    for biases, ids in ((model.user_biases, log.user), (model.item_biases, log.item)):
        summed = np.bincount(ids, errors, minlength=len(biases))
        np.testing.assert_allclose(biases / step, summed, atol=0.02 * np.abs(summed).max())
        assert np.abs(biases / step).max() > 5


def test_ratings_are_learned_beyond_the_biases():
    log = rated(n_rows=3000)
    test = np.random.default_rng(9).random(len(log)) < 0.2
    train, test = log.select(~test), log.select(test)
    errors = {}
    for factors, epochs in ((1, 0), (1, 60), (4, 60)):
        model = BiasedMF(factors, 0.03, 0.02, epochs).fit(train, progress=False)
        errors[factors, epochs] = rmse(model.predict(test.user, test.item), test.value)
    assert errors[1, 0] > 0.85  # the standard deviation of the ratings
    assert errors[4, 60] < 0.45 and errors[4, 60] < errors[1, 60] - 0.02  # the noise is 0.3


def test_predict_is_score_clipped_to_the_range():
    log = rated()
    model = BiasedMF(5, 0.05, 0.01, 40).fit(log, progress=False)
    users, items = (part.ravel() for part in np.indices((80, 60)))
    predicted = model.predict(users, items)
    assert (predicted.shape, predicted.dtype) == ((4800,), np.float32)
    scores = model.user_factors @ model.item_factors.T + model.mean
    scores += model.user_biases[:, None] + model.item_biases
    assert scores.max() > log.value.max() and scores.min() < log.value.min()
    expected = np.clip(scores.ravel(), log.value.min(), log.value.max())
    np.testing.assert_allclose(predicted, expected, atol=1e-5)
    known = np.bincount(log.item, minlength=60) > 0
    np.testing.assert_allclose(model.score(np.arange(80))[:, known], scores[:, known], atol=1e-5)
    assert model.predict([], []).shape == (0,)


def test_without_ratings_prediction_uses_the_other_bias():
    log = rated()  # users 78, 79 and items 57-59 have none
    model = BiasedMF(5, 0.03, 0.02, 30).fit(log, progress=False)
    mean = pytest.approx(log.value.mean(), abs=1e-6)
    assert model.predict([79], [58])[0] == mean and model.mean == mean
    assert model.predict([79], [3])[0] == pytest.approx(model.mean + model.item_biases[3])
    assert model.predict([5], [58])[0] == pytest.approx(model.mean + model.user_biases[5])
    items, scores = model.recommend(79, 60)
    by_bias = np.lexsort((np.arange(57), -model.item_biases[:57]))
    assert items.tolist() == [*by_bias, -1, -1, -1]
    np.testing.assert_allclose(scores[:57], (model.mean + model.item_biases)[by_bias], rtol=1e-6)
    assert not set(model.recommend(5, 60)[0]) & {57, 58, 59}
    assert np.isneginf(model.score(5)[57:]).all()
    assert model.recommend(79, 300)[0][:57].tolist() == by_bias.tolist()


def test_a_pair_rated_twice_is_predicted_between_the_two():
    """Each row is a rating of its own; summing, as for counts, would make 2 + 4 a rating of 6."""
    log = Interactions([0, 0, 1, 1], [0, 0, 1, 1], None, [2, 4, 1, 5])
    model = BiasedMF(2, 0.05, 0.0, 400).fit(log, progress=False)
    np.testing.assert_allclose(model.predict([0, 1], [0, 1]), [3, 3], atol=0.2)
    assert model.history[0, 0] == 6 and model.recommend(0, 1)[0].tolist() == [1]


@pytest.mark.parametrize("repeated", [False, True])
def test_the_order_of_the_log_does_not_matter(repeated):
    log = rated(n_rows=2500 if repeated else 40)
    assert (log.matrix.nnz < len(log)) == repeated
    shuffled = log.select(np.random.default_rng(3).permutation(len(log)))
    for name in ("user", "item", "value"):
        one, other = (getattr(data, name)[sorted_rows(data)] for data in (log, shuffled))
        assert one.tolist() == other.tolist()


@pytest.mark.parametrize("n_threads", [1, 2, 4])
def test_any_number_of_threads_gives_the_same_bits(n_threads):
    assert numba.config.NUMBA_NUM_THREADS >= 4
    log = rated(400, 300, 8 * RATINGS_PER_BLOCK)  # so that there are eight blocks
    one = BiasedMF(20, n_threads=1, epochs=2).fit(log, progress=False)
    other = BiasedMF(20, n_threads=n_threads, epochs=2).fit(log, progress=False)
    for name in BiasedMF.learned:
        assert np.array_equal(getattr(one, name), getattr(other, name))


def test_save_and_load_predict_the_same(tmp_path):
    log = rated()
    model = BiasedMF(5).fit(log, progress=False)
    model.save(tmp_path / "ratings")
    loaded = recsys.load(tmp_path / "ratings")
    assert (loaded.predict(log.user, log.item) == model.predict(log.user, log.item)).all()


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4), st.integers(1, 5)), min_size=1))
def test_predictions_are_within_the_range_of_ratings(triples):
    user, item, value = np.array(triples).T
    model = BiasedMF(2, 0.05, epochs=3).fit(Interactions(user, item, None, value, 6, 5))
    predicted = model.predict(*(part.ravel() for part in np.indices((6, 5))))
    assert predicted.min() >= value.min() and predicted.max() <= value.max()


def test_invalid_arguments_raise():
    log = rated()
    with pytest.raises(ValueError, match="^train.value must hold the ratings for BiasedMF, got N"):
        BiasedMF().fit(Interactions([0, 1], [0, 1]))
    with pytest.raises(ValueError, match="^learning_rate must be smaller .*, got 0.5"):
        BiasedMF(learning_rate=0.5).fit(
            Interactions(log.user, log.item, None, 1000 * log.value), progress=False
        )
    with pytest.raises(ValueError, match="BiasedMF must be fitted first"):
        BiasedMF().predict([0], [0])
    model = BiasedMF(2, epochs=1).fit(log, progress=False)
    for arguments, name in [
        (([80], [0]), "users must hold"), (([0], [60]), "items must hold"),
        (([-1], [0]), "users must hold"), (([0, 1], [0]), "users and items must be equally long"),
        ((0, 0), "users must be one-dimensional"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=f"^{name}.*, got"):
            model.predict(*arguments)
