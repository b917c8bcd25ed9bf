"""LightGCN: propagation by hand and against dense matrices; its gradient; negatives; fold-in."""

import numpy as np
import pytest
from scipy import sparse

from recsys import Interactions
from recsys.neural.lightgcn import (
    LightGCN,
    Propagation,
    bipartite_graph,
    bpr_loss,
    propagate,
    softmax_loss,
)  # fmt: skip
from recsys.neural.pairs import Negatives, batches

torch = pytest.importorskip("torch", reason="needs PyTorch, which is not installed")

TABLE = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
HISTORY = sparse.csr_matrix(np.array([[3.0, 1, 0], [0, 1, 0]], np.float32))  # item 2: nobody's


def dense_graph():
    """User 0 has items 0 and 1, user 1 has item 1; nodes are users 0, 1 and items 0, 1, 2."""
    A = np.zeros((5, 5))
    A[0, 2] = A[2, 0] = 1 / np.sqrt(2 * 1)
    A[0, 3] = A[3, 0] = 1 / np.sqrt(2 * 2)
    A[1, 3] = A[3, 1] = 1 / np.sqrt(1 * 2)
    return A


def test_the_graph_is_normalised_by_both_degrees_and_ignores_values():
    np.testing.assert_allclose(bipartite_graph(HISTORY).toarray(), dense_graph(), rtol=1e-6)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_vectors_are_the_mean_of_all_layers(layers):
    A = dense_graph()
    powers = [np.linalg.matrix_power(A, k) for k in range(layers + 1)]
    expected = np.mean([power @ TABLE for power in powers], axis=0)
    before = TABLE.copy()
    found = propagate(bipartite_graph(HISTORY), TABLE, layers)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert np.array_equal(TABLE, before)


def test_one_layer_by_hand():
    found = propagate(bipartite_graph(HISTORY), TABLE, 1)
    user = (TABLE[0] + TABLE[2] / np.sqrt(2) + TABLE[3] / 2) / 2
    np.testing.assert_allclose(found[0], user, rtol=1e-5)
    np.testing.assert_allclose(found[4], TABLE[4] / 2, rtol=1e-6)


def test_the_gradient_goes_back_over_all_layers():
    weight = np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32)
    table = torch.from_numpy(TABLE.copy()).requires_grad_()
    (
        Propagation.apply(table, bipartite_graph(HISTORY), 2) * torch.from_numpy(weight)
    ).sum().backward()
    A = dense_graph()
    expected = (np.eye(5) + A + A @ A).T @ weight / 3
    np.testing.assert_allclose(table.grad.numpy(), expected, rtol=1e-5, atol=1e-6)


def test_the_losses_by_hand():
    x, own, other = (torch.tensor(rows) for rows in ([[1.0, 2.0]], [[3.0, 0.0]], [[0.0, 1.0]]))
    assert bpr_loss(x, own, other).item() == pytest.approx(np.log(1 + np.exp(-1)))
    drawn = torch.tensor([[0.0, 1.0], [3.0, 0.0], [1.0, 0.0]])
    is_own = torch.tensor([[False, True, False]])
    found = softmax_loss(x, own, drawn, is_own, 9).item()
    total = np.exp(3) + 9 / 3 * (np.exp(2) + np.exp(1))
    assert found == pytest.approx(np.log(total) - 3, rel=1e-6)


def test_the_training_loss_is_that_of_the_vectors_and_layer_0():
    model = LightGCN(factors=3, layers=2, reg=0.5, epochs=0).fit(
        Interactions([0, 0, 1], [0, 1, 1], n_items=3), progress=False
    )
    network = model.network
    network.table.data[:] = torch.from_numpy(TABLE)
    u, i, j = np.array([0, 1]), np.array([1, 1]), np.array([2, 0])
    A = dense_graph()
    V = (TABLE + A @ TABLE + A @ A @ TABLE) / 3
    x = (V[u] * (V[2 + i] - V[2 + j])).sum(1)
    squares = sum((TABLE[at] ** 2).sum() for at in (u, 2 + i, 2 + j))
    expected = np.log1p(np.exp(-x)).mean() + 0.5 / 2 * squares / 2
    assert model._loss(network, (u, i, j)).item() == pytest.approx(expected, rel=1e-5)


def test_negatives_are_never_positives_and_all_others_equally_often():
    rng = np.random.default_rng(0)
    history = sparse.csr_matrix((rng.random((30, 12)) < rng.random((30, 1))).astype(np.float32))
    negatives = Negatives(history)
    seen = history.toarray() > 0
    assert negatives.free.tolist() == (~seen).sum(1).tolist()
    users = np.repeat(np.flatnonzero(negatives.free), 2000)
    drawn = negatives.draw(rng, users)
    counts = sparse.csr_matrix((np.ones(len(users)), (users, drawn)), (30, 12)).toarray()
    assert (counts[seen] == 0).all()
    for user in np.unique(users):
        expected = 2000 / negatives.free[user]
        assert np.abs(counts[user][~seen[user]] - expected).max() <= 5 * np.sqrt(expected)


def test_negatives_do_not_depend_on_the_order_of_a_row():
    rows = sparse.csr_matrix((np.ones(3), np.array([4, 0, 2]), np.array([0, 3])), (1, 5))
    drawn = Negatives(rows).draw(np.random.default_rng(0), np.zeros(200, int))
    assert set(drawn.tolist()) == {1, 3}


def test_each_pair_is_in_one_batch():
    dealt = list(batches(np.random.default_rng(0), 50, 16))
    assert sorted(map(len, dealt)) == [12, 12, 13, 13]
    assert sorted(np.concatenate(dealt).tolist()) == list(range(50))
    assert np.concatenate(dealt).tolist() != list(range(50))
    assert np.concatenate(list(batches(None, 5, 2))).tolist() == [0, 1, 2, 3, 4]


def test_folding_in_a_training_history_leaves_out_the_users_own_layer_0():
    log = Interactions([0, 0, 1], [0, 1, 1], n_items=3)
    model = LightGCN(factors=3, layers=2, epochs=0).fit(log, progress=False)
    table, A = model.weights["table"].astype(float), dense_graph()
    V = (table + A @ table + A @ A @ table) / 3
    np.testing.assert_allclose(model.user_factors, V[:2], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(model.item_factors, V[2:], rtol=1e-5, atol=1e-7)
    folded = model.fold_in([[0, 1], [1]]).user_factors
    np.testing.assert_allclose(folded, V[:2] - table[:2] / 3, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("given", [{"loss": "hinge"}, {"layers": 0}, {"reg": -1.0}])
def test_parameters_are_checked(given):
    with pytest.raises(ValueError, match=f"{next(iter(given))} must be"):
        LightGCN(**given)
