"""Two towers: every gradient, the correction in expectation, matrix factorization by ids."""

import itertools
from functools import partial

import numpy as np
import pytest
from scipy import sparse

import recsys
from recsys import Interactions, models
from recsys.models import Popularity
from recsys.models.tower import Tower
from recsys.models.two_tower import batch_gradients, batches, two_tower_step

TwoTower = partial(models.TwoTower, learning_rate=0.2, reg=0.1, n_negatives=31)  # for small logs
IDS = np.array([3, 0, 3, 2])  # item 3 is in the batch twice
LOG_WEIGHTS = np.log(3 * np.array([0.5, 0.2, 0.5, 0.3]))
MASKED = np.zeros((4, 4), bool)
MASKED[1, 3] = MASKED[3, 0] = MASKED[1, 1] = True  # the last is on the diagonal: ignored
REG = 0.3


def rows(n, d, seed):
    """Feature rows with a few zeros, of which row 0 has no feature but one."""
    table = np.random.default_rng(seed).normal(size=(n, d)) * (np.arange(n * d) % 3 > 0).reshape(
        n, d
    )
    table[:, -1] = 1
    return sparse.csr_matrix(table)


def objective(X, Y, masked):
    """The loss of the batch, pair by pair, as the module writes it."""
    total = 0.0
    for p, own in enumerate(IDS):
        score = [Y[q, -1] + X[p] @ Y[q, :-1] for q in range(4)]
        terms = [np.exp(score[p])]
        for q, item in enumerate(IDS):
            if item != own and not (masked is not None and masked[p, q]):
                terms.append(np.exp(score[q]) / np.exp(LOG_WEIGHTS[q]))
        total += np.log(np.sum(terms)) - score[p]
        total += REG / 2 * (X[p] @ X[p] + Y[p] @ Y[p])
    return total


def by_hand(rows, weights):
    """The vectors of a tower, without the library."""
    out = rows.toarray() @ weights[0]
    return out if len(weights) == 1 else np.where(out > 0, out, 0) @ weights[1]


def random_weights(d, hidden, f, seed):
    rng = np.random.default_rng(seed)
    shapes = [(d, f)] if hidden is None else [(d, hidden), (hidden, f)]
    return tuple(rng.normal(size=shape) for shape in shapes)


@pytest.mark.parametrize("hidden", [None, 5])
@pytest.mark.parametrize("masked", [None, MASKED])
def test_a_step_follows_the_gradient_in_every_parameter(hidden, masked):
    """Finite differences of the loss by each entry of each matrix of both towers.

    With sums of squares that hold the gradient's square times 0 plus 1, AdaGrad divides by 1.
    """
    F, G = rows(4, 6, 0), rows(4, 7, 1)
    weights = random_weights(6, hidden, 3, 2), random_weights(7, hidden, 4, 3)
    users, items = (Tower.with_weights(*(w.copy() for w in side)) for side in weights)
    for tower in (users, items):
        for squares in tower.squares:
            squares[:] = 1e12  # so large that the step's own gradient changes nothing
    two_tower_step(users, items, F, G, IDS, LOG_WEIGHTS, masked, 1e6, REG)
    steps = 0
    for side, tower in zip(weights, (users, items)):
        for matrix, moved in zip(side, tower.weights):
            for at in np.ndindex(matrix.shape):
                before, ends = matrix[at], []
                for h in (1e-6, -1e-6):
                    matrix[at] = before + h
                    ends.append(objective(by_hand(F, weights[0]), by_hand(G, weights[1]), masked))
                matrix[at] = before
                slope = (ends[0] - ends[1]) / 2e-6
                assert before - moved[at] == pytest.approx(slope, rel=1e-5, abs=1e-6)
                steps += 1
    assert steps == sum(w.size for side in weights for w in side)


def test_the_step_divides_by_the_root_of_the_summed_squares():
    tower = Tower.with_weights(np.zeros((3, 1)))
    at = np.array([0, 2])
    for gradient in (3.0, 4.0):
        tower.descend([(at, np.full((2, 1), gradient))], 0.5)
    first, second = 3 / np.sqrt(9.1), 4 / np.sqrt(25.1)
    np.testing.assert_allclose(
        tower.weights[0].ravel(), np.array([1, 0, 1]) * -0.5 * (first + second)
    )
    np.testing.assert_allclose(tower.squares[0].ravel(), [25.1, 0.1, 25.1])


def errors_of_first_pair(ids, score, correction=1.0):
    """The slope of pair 0's loss in each item's score, added over its copies in the batch."""
    q = np.array([0.4, 0.3, 0.2, 0.1])
    log_weights = correction * np.log((len(ids) - 1) * q[ids])
    marks = np.column_stack([np.eye(4)[ids], score[ids]])  # x is 0, so the score is the bias
    return batch_gradients(np.zeros((len(ids), 4)), marks, ids, log_weights, None, 0.0)[0][0]


SCORE = np.array([0.5, -1.0, 0.3, 1.2])


def test_the_corrected_sum_is_that_of_the_full_softmax_in_expectation():
    """Over all 4^3 batches with three other pairs, each by its probability: exactly."""
    q, expected = [0.4, 0.3, 0.2, 0.1], 0.0
    for others in itertools.product(range(4), repeat=3):
        slope = errors_of_first_pair(np.array([1, *others]), SCORE)[1]  # e^r / sum - 1
        expected += np.prod([q[j] for j in others]) * np.exp(SCORE[1]) / (slope + 1)
    assert expected == pytest.approx(np.exp(SCORE).sum(), rel=1e-12)


@pytest.mark.parametrize("correction, equal", [(1.0, True), (0.0, False), (-1.0, False)])
def test_with_negatives_in_proportion_the_gradient_is_the_full_softmaxs(correction, equal):
    """20 others, 8, 6, 4 and 2 of each item; only the right sign gives the gradient."""
    ids = np.array([2, *np.repeat(np.arange(4), [8, 6, 4, 2])])
    full = np.exp(SCORE) / np.exp(SCORE).sum() - np.array([0, 0, 1, 0])
    found = errors_of_first_pair(ids, SCORE, correction)
    assert np.allclose(found, full, rtol=1e-12) == equal
    assert np.abs(found - full).max() < 1e-12 or np.abs(found - full).max() > 0.02


def test_on_ids_a_step_is_one_of_matrix_factorization():
    """Written by hand: a table of vectors, a sum over the batch, AdaGrad."""
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(5, 3)), rng.normal(size=(4, 4))
    users, items = np.array([4, 1, 1, 0]), IDS
    towers = Tower.with_weights(X.copy()), Tower.with_weights(Y.copy())
    one_hot = sparse.identity(5, format="csr")[users], sparse.identity(4, format="csr")[items]
    two_tower_step(*towers, *one_hot, items, LOG_WEIGHTS, None, 0.2, REG)
    slopes = np.zeros_like(X), np.zeros_like(Y)
    for p, (u, i) in enumerate(zip(users, items)):
        negatives = [q for q in range(4) if items[q] != i]
        at = [p, *negatives]
        r = np.array([X[u] @ Y[items[q], :3] + Y[items[q], 3] for q in at])
        r[1:] -= LOG_WEIGHTS[negatives]
        error = np.exp(r) / np.exp(r).sum()
        error[0] -= 1
        for e, q in zip(error, at):
            slopes[0][u] += e * Y[items[q], :3]
            slopes[1][items[q]] += e * np.array([*X[u], 1])
        slopes[0][u] += REG * X[u]
        slopes[1][i] += REG * Y[i]
    for tower, table, slope in zip(towers, (X, Y), slopes):
        np.testing.assert_allclose(tower.weights[0], table - 0.2 * slope / np.sqrt(0.1 + slope**2))


def groups(n_users=60, n_items=40):
    """Two groups of users who interact with 12 of the 20 items of their group; item features.

    Items 18, 19 and 38, 39 have no interactions.
    """
    user, item = np.divmod(np.arange(n_users * n_items), n_items)
    own = (user % 2 == (item >= 20)) & (item % 20 < 18)
    keep = own & ((user // 2 + item) % 3 > 0)
    features = np.column_stack([np.arange(n_items) < 20, np.arange(n_items) >= 20])
    return Interactions(user[keep], item[keep], None, None, n_users, n_items), features


@pytest.mark.parametrize("hidden", [None, 16])
def test_items_never_seen_are_recommended_by_their_features(hidden):
    log, features = groups()
    model = TwoTower(4, epochs=60, hidden=hidden, item_features=features).fit(log, progress=False)
    new, _ = model.recommend(np.arange(60), 2, items=[18, 19, 38, 39])
    assert ((new >= 20).all(axis=1) == (np.arange(60) % 2 == 1)).all()
    assert TwoTower(4, epochs=1).fit(log).recommend(0, 2, items=[18, 19])[0].tolist() == [-1, -1]


@pytest.mark.parametrize("hidden", [None, 8])
def test_embedded_vectors_give_the_scores_by_inner_product(hidden, tmp_path):
    log, features = groups()
    ages = np.column_stack([np.arange(60) % 2, np.ones(60), np.arange(60) / 60])
    model = TwoTower(4, epochs=5, hidden=hidden, item_features=features, user_features=ages)
    model.fit(log, progress=False).save(tmp_path / "model")
    for each in (model, recsys.load(tmp_path / "model")):
        users, items = each.embed_users(ages[[7, 3]]), each.embed_items(features[[39, 0, 5]])
        assert users.shape == (2, 5) and items.shape == (3, 5) and users[:, -1].tolist() == [1, 1]
        np.testing.assert_allclose(users @ items.T, model.score([7, 3])[:, [39, 0, 5]], rtol=1e-5)
        both = each.embed_items([[1.0, 1.0]])
        if hidden is None:  # linear: the sum of the two
            np.testing.assert_allclose(both, items[:2].sum(axis=0, keepdims=True), rtol=1e-5)


def test_users_are_folded_in_by_features_or_by_training():
    log, features = groups()
    ages = np.column_stack([np.arange(60) % 2, np.ones(60)])
    model = TwoTower(4, epochs=20, item_features=features, user_features=ages).fit(log)
    found, _ = model.fold_in([[], [0]], user_features=[[1, 1], [0, 1]]).recommend([0, 1], 3)
    assert (found[0] >= 20).all() and (found[1] < 20).all()
    trained = model.fold_in([[], [0, 1, 2]])
    assert trained.recommend(0, 3)[0].tolist() == [-1] * 3  # neither features nor history
    assert (trained.recommend(1, 3)[0] < 20).all()
    again = model.fold_in([[], [0]], user_features=ages[:2]).user_factors
    np.testing.assert_array_equal(again, model.user_factors[:2])


def test_users_without_history_but_with_features_get_a_list():
    log, _ = groups()
    wider = Interactions(log.user, log.item, None, None, 61, 40)
    ages = np.column_stack([np.arange(61) % 2, np.ones(61)])
    model = TwoTower(4, epochs=20, user_features=ages).fit(wider)
    items, scores = model.recommend(60, 3)
    assert (items < 20).all() and np.isfinite(scores).all()
    assert np.isneginf(model.score(60)[[18, 19, 38, 39]]).all()


def test_fit_weighs_negatives_by_their_expected_number_among_the_other_pairs():
    """One epoch of one batch of all five pairs: a step with m = 4."""
    user, item = np.array([0, 0, 1, 2, 2]), np.array([0, 1, 1, 1, 2])
    log = Interactions(user, item)
    start = TwoTower(2, epochs=0, rng=4).fit(log)
    model = TwoTower(2, epochs=1, rng=4, n_negatives=9).fit(log)
    items = np.column_stack([start.item_factors, start.item_biases])
    towers = [Tower.with_weights(x.astype(float)) for x in (start.user_factors, items)]
    q = np.array([1, 3, 1]) / 5
    one_hot = [sparse.identity(3, format="csr")[at] for at in (user, item)]
    two_tower_step(*towers, *one_hot, item, np.log(4 * q[item]), None, 0.2, 0.1)
    np.testing.assert_allclose(model.user_factors, towers[0].weights[0], rtol=1e-3)
    np.testing.assert_allclose(model.item_biases, towers[1].weights[0][:, -1], rtol=1e-4)


def test_an_item_without_features_is_never_recommended():
    log, features = groups()
    features = features * (np.arange(40) != 5)[:, None]
    model = TwoTower(4, epochs=2, item_features=features).fit(log, progress=False)
    items, _ = model.recommend(np.arange(60), 40, exclude_seen=False)
    assert 5 not in items and (np.sort(items)[:, 0] == -1).all()
    assert model.cold_items.tolist() == [5] and np.isneginf(model.score(0)[5])


def test_seen_items_are_no_negatives_if_masked():
    """One user with all items: masked, nothing is pushed down but by regularisation."""
    log = Interactions(np.zeros(6, int), np.arange(6))
    start = TwoTower(3, reg=0.0, epochs=0, n_negatives=5).fit(log)
    masked = TwoTower(3, reg=0.0, epochs=3, n_negatives=5, mask_seen=True).fit(log)
    moved = TwoTower(3, reg=0.0, epochs=3, n_negatives=5).fit(log)
    assert np.array_equal(masked.item_factors, start.item_factors)
    assert not np.array_equal(moved.item_factors, start.item_factors)


def test_each_pair_is_in_one_batch_of_about_the_size():
    dealt = list(batches(np.random.default_rng(0), 50, 16))
    assert sorted(map(len, dealt)) == [12, 12, 13, 13]
    assert sorted(np.concatenate(dealt).tolist()) == list(range(50))
    assert np.concatenate(dealt).tolist() != list(range(50))


def test_the_correction_raises_popular_items():
    rng, probability = np.random.default_rng(0), np.linspace(0.02, 0.6, 60)
    user, item = np.nonzero(rng.random((1500, 60)) < probability)
    slopes = []
    for correction in (True, False):
        setting = {"reg": 0.0, "epochs": 20, "n_negatives": 255, "correction": correction}
        model = TwoTower(4, learning_rate=0.1, **setting)
        scores = model.fit(Interactions(user, item), progress=False).score(np.arange(1500))
        slopes.append(np.polyfit(np.log(probability), scores.mean(axis=0), 1)[0])
    assert slopes == pytest.approx([1, 0], abs=0.15)


def test_training_ranks_held_out_items_better_than_popularity(train_test):
    train, test = train_test
    model = TwoTower(16, epochs=20).fit(train, progress=False)
    ndcg = [
        recsys.evaluate(each, train, test).per_user["ndcg@10"]
        for each in (model, Popularity().fit(train))
    ]
    gain = ndcg[0] - ndcg[1]
    assert gain.mean() > 2 * gain.std() / np.sqrt(len(gain))


def test_features_of_the_wrong_shape_are_refused():
    log, features = groups()
    with pytest.raises(ValueError, match=r"^item_features must have n_items = 40 rows, got .*\(39"):
        TwoTower(item_features=features[1:]).fit(log)
    with pytest.raises(ValueError, match="^user_features must have n_users = 60 rows, got"):
        TwoTower(user_features=features).fit(log)
    model = TwoTower(4, epochs=1, item_features=features).fit(log, progress=False)
    with pytest.raises(ValueError, match="^item_features must have 2 columns, as in fit, got"):
        model.embed_items(np.ones((1, 3)))
    with pytest.raises(ValueError, match="^user_features must have 60 columns, as in fit, got"):
        model.embed_users(np.ones((1, 3)))
    with pytest.raises(ValueError, match="^user_features must have one row per history, 2, got 1"):
        model.fold_in([[0], [1]], user_features=np.eye(60)[:1])
    with pytest.raises(ValueError, match="^item_features must be finite, got nan"):
        model.embed_items([[np.nan, 1]])
    for embed in (TwoTower().embed_items, TwoTower().embed_users):
        with pytest.raises(ValueError, match="^TwoTower must be fitted first"):
            embed(features)


def test_diverging_steps_are_refused():
    log, _ = groups()
    with pytest.raises(ValueError, match="^learning_rate must be smaller for"):
        TwoTower(4, learning_rate=1e30).fit(log, progress=False)


def test_no_items_embed_to_no_vectors():
    log, features = groups()
    model = TwoTower(4, epochs=1, item_features=features).fit(log, progress=False)
    assert model.embed_items(np.empty((0, 2))).shape == (0, 5)
    assert (model.embed_items(np.zeros((1, 2))) == 0).all()
