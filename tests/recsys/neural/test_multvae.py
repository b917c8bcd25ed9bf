"""MultVAE: the loss against NumPy, the annealing, and nothing random in the lists."""

import numpy as np
import pytest
from scipy import sparse

from recsys import Interactions
from recsys.neural.multvae import Autoencoder, MultVAE, anneal, kl_divergence, unit_rows

torch = pytest.importorskip("torch", reason="needs PyTorch, which is not installed")

LOG = Interactions([0, 0, 1, 2, 2, 2], [0, 1, 1, 0, 2, 3], value=[5, 1, 2, 1, 1, 1])


def fitted(**options):
    return MultVAE(factors=2, hidden=3, epochs=1, batch_size=2, **options).fit(LOG, progress=False)


def forward(weights, x):
    """Scores, mean and log variance of dense rows x, without the library."""
    h = np.tanh(x @ weights["input"] + weights["input_bias"])
    code = h @ weights["code.weight"].T + weights["code.bias"]
    mean, log_variance = code[:, :2], code[:, 2:]
    h = np.tanh(mean @ weights["decoder.weight"].T + weights["decoder.bias"])
    return h @ weights["output.weight"].T + weights["output.bias"], mean, log_variance


X = np.array([[1, 1, 0, 0], [0, 1, 0, 0], [1, 0, 1, 1]], float)
UNIT = X / np.sqrt(X.sum(1, keepdims=True))


def test_histories_become_rows_of_length_one_whatever_the_values():
    np.testing.assert_allclose(unit_rows(LOG.matrix).toarray(), UNIT, rtol=1e-6)


def test_the_loss_in_evaluation_is_that_of_numpy():
    model = fitted(beta=0.3)
    logits, mean, log_variance = forward(model.weights, UNIT)
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    kl = 0.5 * (np.exp(log_variance) + mean**2 - 1 - log_variance).sum(1)
    expected = (-(X * log_p).sum(1) + 0.3 * kl).mean()
    found = model._loss(model.network, (np.arange(3), model.history)).item()
    assert found == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(model.score([0, 1, 2]), logits, rtol=1e-4, atol=1e-6)


def test_the_divergence_of_known_distributions():
    same = torch.zeros(2, 3)
    assert kl_divergence(same, same).item() == 0
    mean, log_variance = torch.tensor([[2.0]]), torch.tensor([[np.log(4.0)]])
    assert kl_divergence(mean, log_variance).item() == pytest.approx((4 + 4 - 1 - np.log(4)) / 2)


def test_the_weight_grows_with_the_steps_and_is_then_kept():
    assert [anneal(s, 0.5, 10) for s in (0, 1, 5, 10, 99)] == pytest.approx(
        [0, 0.05, 0.25, 0.5, 0.5]
    )
    assert anneal(0, 0.5, 0) == 0.5
    model = MultVAE(factors=2, hidden=3, epochs=3, batch_size=2).fit(LOG, progress=False)
    assert model.weights["steps"] == 3 * 2


def test_the_training_loss_uses_the_annealed_weight():
    """Without dropout, and a variance so small that the draw is the mean."""
    model = fitted(beta=0.8, anneal_steps=4, dropout=0.0)
    network = model.network
    network.code.bias.data[2:], network.code.weight.data[2:] = -40.0, 0.0
    batch = np.arange(3), model.history
    whole = model._loss(network, batch).item()
    _, mean, log_variance = forward({n: t.numpy() for n, t in network.state_dict().items()}, UNIT)
    kl = 0.5 * (np.exp(log_variance) + mean**2 - 1 - log_variance).sum(1).mean()
    network.train().steps.fill_(1)
    assert model._loss(network, batch).item() == pytest.approx(whole - 0.6 * kl, rel=1e-5)
    assert model._loss(network, batch).item() == pytest.approx(whole - 0.4 * kl, rel=1e-5)
    network.eval()
    assert model._loss(network, batch).item() == pytest.approx(whole, rel=1e-6)
    assert int(network.steps) == 3


def test_lists_have_neither_dropout_nor_draws_and_training_has_both():
    model = fitted()
    assert np.array_equal(model.score([0, 1, 2]), model.score([0, 1, 2]))
    for kept in (0.0, 0.9):
        network = Autoencoder(4, 3, 2, kept).train()
        inputs = [torch.tensor([0, 1, 2, 3]), torch.tensor([0]), torch.ones(4)]
        means = {tuple(network.encode(*inputs)[0][0].tolist()) for _ in range(20)}
        assert (len(means) > 1) == (kept > 0)
        assert len({network(*inputs)[0].sum().item() for _ in range(5)}) == 5
        network.eval()
        assert len({network(*inputs)[0].sum().item() for _ in range(5)}) == 1


def test_a_folded_in_history_scores_as_a_user_with_that_history():
    model = fitted()
    folded = model.fold_in(sparse.csr_matrix(X))
    assert np.array_equal(folded.score([0, 1, 2]), model.score([0, 1, 2]))


@pytest.mark.parametrize("given", [{"beta": -0.1}, {"anneal_steps": -1}, {"hidden": None}])
def test_parameters_are_checked(given):
    with pytest.raises(ValueError, match=f"{next(iter(given))} must be"):
        MultVAE(**given)
