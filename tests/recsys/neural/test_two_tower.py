"""Two towers: the NumPy model's gradient, the correction over all batches, unseen items."""

import itertools

import numpy as np
import pytest

import recsys
from recsys import Interactions
from recsys.models.two_tower import batch_gradients
from recsys.neural.two_tower import TwoTower, bpr_loss, softmax_loss

torch = pytest.importorskip("torch", reason="needs PyTorch, which is not installed")

SCORE = np.array([0.5, -1.0, 0.3, 1.2])
Q = np.array([0.4, 0.3, 0.2, 0.1])


def groups():
    """Odd users have items 20-37, even users 0-17; 18, 19, 38, 39 have no interactions."""
    user, item = np.divmod(np.arange(60 * 40), 40)
    own = (user % 2 == (item >= 20)) & (item % 20 < 18)
    keep = own & ((user // 2 + item) % 3 > 0)
    features = np.column_stack([np.arange(40) < 20, np.arange(40) >= 20])
    return Interactions(user[keep], item[keep], None, None, 60, 40), features


def fitted(**options):
    log, _ = groups()
    return TwoTower(**{"factors": 4, "epochs": 1} | options).fit(log, progress=False)


@pytest.mark.parametrize("mask_seen", [False, True])
@pytest.mark.parametrize("correction", [False, True])
def test_the_gradient_is_that_of_the_numpy_model(mask_seen, correction):
    model = fitted(reg=0.3, batch_size=64, mask_seen=mask_seen, correction=correction)
    batch = next(iter(model._training_batches(np.random.default_rng(0))))
    u, i = batch[:2]
    assert len(set(i.tolist())) < len(i)  # duplicates
    network = model.network.train()
    loss = model._loss(network, batch)
    loss.backward()
    X, Y = model.weights["users.first"][u], model.weights["items.first"][i]
    counts = np.bincount(model.history.indices, minlength=40)
    log_weights = np.log((len(u) - 1) * counts[i] / counts.sum()) * correction
    masked = model.history[u][:, i].toarray() > 0 if mask_seen else None
    by_user, by_item = batch_gradients(
        X.astype(float), Y.astype(float), i, log_weights, masked, 0.3
    )
    for name, at, rows in (("users", u, by_user), ("items", i, by_item)):
        expected = np.zeros(model.weights[f"{name}.first"].shape)
        np.add.at(expected, at, rows / len(u))
        found = getattr(network, name).first.grad.numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)


def total_of(ids, correction=1.0):
    """The sum in the logarithm of pair 0's loss, from the loss itself; scores are the biases."""
    ids = np.asarray(ids)
    own = torch.tensor(np.column_stack([np.zeros(len(ids)), SCORE[ids]]))
    weights = torch.tensor(correction * np.log((len(ids) - 1) * Q[ids]))
    masked = torch.tensor(ids[:, None] == ids)
    x = torch.zeros(len(ids), 1, dtype=torch.float64)
    loss = softmax_loss(x[:1], own[:1], own, weights, masked[:1])
    return np.exp(loss.item() + SCORE[ids[0]])


@pytest.mark.parametrize(("correction", "equal"), [(1.0, True), (0.0, False), (-1.0, False)])
def test_over_all_batches_the_corrected_sum_is_that_of_the_full_softmax(correction, equal):
    expected = sum(
        np.prod(Q[list(others)]) * total_of([1, *others], correction)
        for others in itertools.product(range(4), repeat=3)
    )
    assert (abs(expected - np.exp(SCORE).sum()) < 1e-9) == equal


@pytest.mark.parametrize(("correction", "equal"), [(1.0, True), (0.0, False), (-1.0, False)])
def test_with_negatives_in_proportion_the_gradient_is_the_full_softmaxs(correction, equal):
    ids = np.array([2, *np.repeat(np.arange(4), [8, 6, 4, 2])])
    bias = torch.tensor(SCORE, requires_grad=True)
    own = torch.stack([torch.zeros(len(ids), dtype=torch.float64), bias[ids]], 1)
    weights = torch.tensor(correction * np.log((len(ids) - 1) * Q[ids]))
    masked = torch.tensor(ids[:1, None] == ids)
    softmax_loss(own[:1, :1] * 0, own[:1], own, weights, masked).backward()
    full = np.exp(SCORE) / np.exp(SCORE).sum() - np.array([0, 0, 1, 0])
    assert np.allclose(bias.grad.numpy(), full, rtol=1e-10) == equal


def test_a_batch_masks_duplicates_of_the_own_item_and_seen_items():
    for mask_seen in (False, True):
        model = fitted(batch_size=64, mask_seen=mask_seen)
        u, i, j, _, masked = next(iter(model._training_batches(np.random.default_rng(0))))
        for row, column in itertools.product(range(len(u)), range(len(j))):
            seen = model.history[u[row], j[column]] > 0
            assert masked[row, column] == (i[row] == j[column] or (mask_seen and seen))


def test_sampled_softmax_and_bpr_by_hand():
    model = fitted(loss="sampled_softmax", n_negatives=10, batch_size=8)
    _, i, j, log_weights, masked = next(iter(model._training_batches(np.random.default_rng(0))))
    np.testing.assert_allclose(log_weights, np.log(10 / 40), rtol=1e-6)
    assert len(j) == 10 and (masked == (i[:, None] == j)).all()
    x = torch.tensor([[2.0]])
    found = bpr_loss(x, torch.tensor([[1.0, 0.5]]), torch.tensor([[0.0, 1.5]])).item()
    assert found == pytest.approx(np.log(1 + np.exp(-1)))  # 2.5 - 1.5
    model = fitted(loss="bpr")
    for u, _, j, *_ in model._training_batches(np.random.default_rng(0)):
        assert (np.asarray(model.history[u, j]) == 0).all()


@pytest.mark.parametrize("loss", ["in_batch_softmax", "sampled_softmax", "bpr"])
@pytest.mark.parametrize("hidden", [None, 16])
def test_items_never_seen_are_recommended_by_their_features(loss, hidden):
    log, features = groups()
    options = {"factors": 4, "epochs": 30, "learning_rate": 0.02, "batch_size": 128}
    model = TwoTower(loss=loss, hidden=hidden, item_features=features, **options)
    new, _ = model.fit(log, progress=False).recommend(np.arange(60), 2, items=[18, 19, 38, 39])
    assert ((new >= 20).all(axis=1) == (np.arange(60) % 2 == 1)).all()


@pytest.mark.parametrize("unit", [False, True])
@pytest.mark.parametrize("hidden", [None, 8])
def test_embedded_vectors_give_the_scores_by_inner_product(hidden, unit, tmp_path):
    log, features = groups()
    ages = np.column_stack([np.arange(60) % 2, np.ones(60), np.arange(60) / 60])
    options = {"hidden": hidden, "normalize": unit, "temperature": 0.5}
    model = TwoTower(
        factors=4, epochs=2, item_features=features, user_features=ages, **options
    ).fit(log, progress=False)
    model.save(tmp_path / "model")
    for each in (model, recsys.load(tmp_path / "model")):
        users, items = each.embed_users(ages[[7, 3]]), each.embed_items(features[[39, 0, 5]])
        assert users.shape == (2, 5) and items.shape == (3, 5) and users[:, -1].tolist() == [1, 1]
        np.testing.assert_allclose(
            users @ items.T, model.score([7, 3])[:, [39, 0, 5]], rtol=1e-4, atol=1e-6
        )
        if unit:
            np.testing.assert_allclose((users[:, :-1] ** 2).sum(1), 4, rtol=1e-5)  # 1 / 0.5^2
            np.testing.assert_allclose((items[:, :-1] ** 2).sum(1), 1, rtol=1e-5)
    with pytest.raises(ValueError, match="item_features must have 2 columns, as in fit"):
        model.embed_items(np.ones((1, 3)))
    folded = model.fold_in([[], [0]], user_features=ages[[7, 3]])
    np.testing.assert_allclose(folded.user_factors, model.user_factors[[7, 3]], rtol=1e-5)


def test_a_folded_in_vector_is_the_optimum_of_the_full_softmax():
    model = fitted(epochs=10, reg=0.2)
    history = [0, 1, 5]
    x = model.fold_in([history]).user_factors[0].astype(float)
    Y, b = model.item_factors.astype(float), model.item_biases.astype(float)
    warm = np.setdiff1d(np.arange(40), model.cold_items)
    p = np.exp(Y[warm] @ x + b[warm])
    gradient = 0.2 * x + p @ Y[warm] / p.sum() - Y[history].mean(0)
    assert np.abs(gradient).max() < 1e-3


@pytest.mark.parametrize("given", [{"loss": "hinge"}, {"temperature": 0.0}, {"normalize": 1}])
def test_parameters_are_checked(given):
    with pytest.raises(ValueError, match=f"{next(iter(given))} must be"):
        TwoTower(**given)
    log, features = groups()
    with pytest.raises(ValueError, match="item_features must have n_items = 40 rows"):
        TwoTower(item_features=features[1:]).fit(log)
