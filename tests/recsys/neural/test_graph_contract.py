"""The recommenders' contract, for the neural models that learn from pairs and whole histories."""

import numpy as np
import pytest

import recsys
from recsys import Interactions, neural

torch = pytest.importorskip("torch", reason="needs PyTorch, which is not installed")

SMALL = {
    "LightGCN": {"factors": 8, "epochs": 60, "batch_size": 64, "learning_rate": 0.02},
    "MultVAE": {"factors": 4, "hidden": 16, "epochs": 80, "batch_size": 16, "learning_rate": 0.01},
    "NeuMF": {"factors": 4, "hidden": 8, "epochs": 60, "batch_size": 64, "learning_rate": 0.01},
    "TwoTower": {"factors": 4, "epochs": 60, "batch_size": 32, "learning_rate": 0.02},
}
FOLDS = ["LightGCN", "MultVAE", "TwoTower"]


@pytest.fixture(params=SMALL)
def name(request):
    return request.param


def make(name, **changed):
    return getattr(neural, name)(**SMALL[name] | {"n_threads": 1} | changed)


def blocks(n_users=52, n_items=32):
    """Users 0-23 have 12 of items 0-15, users 24-51 have 12 of 16-31; the others are held out."""
    user, item = np.divmod(np.arange(52 * 32), 32)
    own = (user >= 24) == (item >= 16)
    held_out = own & ((user + 3 * item) % 4 == 0)
    train = Interactions(
        user[own & ~held_out], item[own & ~held_out], n_users=n_users, n_items=n_items
    )
    return train, Interactions(user[held_out], item[held_out], n_users=n_users, n_items=n_items)


def same(first, second):
    assert first.weights.keys() == second.weights.keys()
    return all(np.array_equal(first.weights[n], second.weights[n]) for n in first.weights)


def test_the_items_missing_in_the_block_are_recommended(name):
    train, held = blocks()
    items, _ = make(name).fit(train, progress=False).recommend(np.arange(52), 4)
    answers = [set(held.matrix[u].indices.tolist()) for u in range(52)]
    right = [set(row) == answer for row, answer in zip(items.tolist(), answers)]
    assert np.mean(right) > 0.95


def test_seen_items_users_without_history_and_a_large_k(name):
    train, _ = blocks(53, 33)
    model = make(name, epochs=2).fit(train, progress=False)
    items, scores = model.recommend(np.arange(53), 40)
    assert (items[52] == -1).all() and np.isneginf(scores[52]).all()
    for user in range(52):
        found = items[user][items[user] >= 0]
        assert sorted(found) == sorted(set(range(32)) - set(train.matrix[user].indices.tolist()))
    expected = model.score(np.arange(52))
    expected[train.matrix[:52].toarray() > 0] = -np.inf
    best = np.argsort(-expected, axis=1, kind="stable")[:, :5]
    assert (best == items[:52, :5]).mean() > 0.99


def test_the_same_seed_gives_the_same_bits(name):
    train, _ = blocks()
    first, again, other = (
        make(name, epochs=2, rng=seed).fit(train, progress=False) for seed in (1, 1, 2)
    )
    assert same(first, again) and not same(first, other)


def test_resumed_training_equals_uninterrupted_training(name, tmp_path):
    train, held = blocks()
    whole = make(name, epochs=5).fit(train, progress=False, validation=held)
    make(name, epochs=2).fit(train, progress=False, validation=held, checkpoint=tmp_path)
    model = make(name, epochs=5)
    model.fit(train, progress=False, validation=held, checkpoint=tmp_path)
    assert same(model, whole)
    for key in ("loss", "validation_loss", "validation_ndcg_at_10"):
        values = [[record[key] for record in m.training_history] for m in (model, whole)]
        assert values[0] == values[1] and np.isfinite(values[0]).all()
    plain = make(name, epochs=5).fit(train, progress=False)
    assert same(plain, whole)  # the validation set changes nothing


def test_saved_and_loaded_models_agree(name, tmp_path):
    train, held = blocks()
    model = make(name, epochs=2).fit(train, progress=False)
    models = [model]
    if name in FOLDS:
        models.append(model.fold_in([[0, 1, 5], [], [20]]))
    for number, each in enumerate(models):
        each.save(tmp_path / str(number))
        loaded = recsys.load(tmp_path / str(number))
        users = np.arange(each.n_users)
        assert np.array_equal(loaded.score(users), each.score(users))
        assert loaded.parameters == each.parameters and same(loaded, each)


@pytest.mark.parametrize("kind", FOLDS)
def test_new_users_get_the_items_of_their_block(kind):
    train, _ = blocks()
    model = make(kind).fit(train, progress=False)
    folded = model.fold_in([[0, 1, 2, 3, 5, 7], [], [16, 17, 19, 20, 25]])
    items, _ = folded.recommend(np.arange(3), 4)
    assert (items[0] < 16).all() and (items[0] >= 0).all()
    assert (items[1] == -1).all() and (items[2] >= 16).all()
    assert not set(items[0].tolist()) & {0, 1, 2, 3, 5, 7}
    assert model.n_users == 52 and len(model.fold_in([]).recommend([], 3)[0]) == 0


def test_a_user_who_has_every_item_is_no_obstacle(name):
    log = Interactions([0] * 6 + [1, 1, 2], [*range(6), 0, 1, 3])
    for loss in {"TwoTower": ["bpr", "in_batch_softmax"], "LightGCN": ["bpr"]}.get(name, [None]):
        options = {"loss": loss} if loss else {}
        model = make(name, epochs=2, **options).fit(log, progress=False)
        assert (model.recommend(0, 3)[0] == -1).all()
