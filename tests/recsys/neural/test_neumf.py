"""NeuMF: the network by hand, all items at once as one by one, and the labels of a batch."""

import numpy as np
import pytest

from recsys import Interactions
from recsys.neural.neumf import GMFAndMLP, NeuMF

torch = pytest.importorskip("torch", reason="needs PyTorch, which is not installed")


def by_hand(w, u, i):
    out = np.concatenate([w["mlp_users.weight"][u], w["mlp_items.weight"][i]])
    for layer in (0, 1):
        out = np.maximum(0, w[f"layers.{layer}.weight"] @ out + w[f"layers.{layer}.bias"])
    both = np.concatenate([w["users.weight"][u] * w["items.weight"][i], out])
    return w["output.weight"][0] @ both + w["output.bias"][0]


def test_the_network_by_hand_for_pairs_and_for_all_items():
    torch.manual_seed(0)
    network = GMFAndMLP(4, 5, 3, 6, 2)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)
    w = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    assert w["layers.0.weight"].shape == (6, 6) and w["layers.1.weight"].shape == (3, 6)
    table = np.array([[by_hand(w, u, i) for i in range(5)] for u in range(4)])
    users, items = torch.tensor([0, 3, 3]), torch.tensor([4, 0, 2])
    with torch.inference_mode():
        np.testing.assert_allclose(network(users, items), table[[0, 3, 3], [4, 0, 2]], rtol=1e-4)
        np.testing.assert_allclose(
            network.of_all_items(torch.arange(4)), table, rtol=1e-4, atol=1e-5
        )


def test_each_epoch_has_all_pairs_and_new_negatives_that_are_no_positives():
    log = Interactions([0, 0, 1] + [2] * 30, [0, 1, 1, *range(30)])  # user 2 has all items
    model = NeuMF(factors=2, hidden=4, epochs=0, batch_size=5, n_negatives=3).fit(log)
    epochs, rng = [], np.random.default_rng(0)
    for _ in range(2):
        users, items, labels = map(np.concatenate, zip(*model._training_batches(rng)))
        assert labels.sum() == 33 and len(labels) == 33 + 3 * 3
        positive = sorted(zip(users[labels == 1], items[labels == 1]))
        assert positive == sorted(zip(log.user, log.item))
        others = sorted(zip(users[labels == 0].tolist(), items[labels == 0].tolist()))
        assert not set(others) & set(zip(log.user.tolist(), log.item.tolist()))
        assert [u for u, _ in others] == [0] * 6 + [1] * 3
        epochs.append(others)
    assert epochs[0] != epochs[1]


def test_the_loss_is_the_binary_cross_entropy():
    log = Interactions([0, 1], [0, 1], n_items=3)
    model = NeuMF(factors=2, hidden=4, layers=2, epochs=0).fit(log)
    w, labels = model.weights, np.array([1, 0, 0], np.float32)
    r = np.array([by_hand(w, 0, 0), by_hand(w, 0, 2), by_hand(w, 1, 0)])
    p = 1 / (1 + np.exp(-r))
    expected = -np.log([p[0], 1 - p[1], 1 - p[2]]).mean()
    batch = np.array([0, 0, 1]), np.array([0, 2, 0]), labels
    assert model._loss(model.network, batch).item() == pytest.approx(expected, rel=1e-5)


def test_scores_do_not_depend_on_how_many_users_are_asked_for(monkeypatch):
    log = Interactions(np.arange(40) % 8, np.arange(40) % 7)
    model = NeuMF(factors=2, hidden=4, epochs=1).fit(log, progress=False)
    whole = model.score(np.arange(8))
    monkeypatch.setattr("recsys.neural.neumf.NUMBERS_IN_MEMORY", 60)
    np.testing.assert_allclose(model.score(np.arange(8)), whole, rtol=1e-5)
    assert not hasattr(model, "fold_in")
