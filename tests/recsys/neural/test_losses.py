"""The losses of next-item prediction against NumPy, and against all that could be drawn."""

import itertools

import numpy as np
import pytest
import torch

from recsys.neural import losses


def vectors(rng, n, m, f):
    hidden, items = rng.normal(size=(n, f)), rng.normal(size=(m, f))
    return hidden, items, torch.from_numpy(hidden), torch.from_numpy(items)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_full_softmax():
    hidden, items, H, E = vectors(np.random.default_rng(0), 4, 5, 3)
    targets = np.array([0, 4, 2, 2])
    scores = np.exp(hidden @ items.T)
    p = scores[np.arange(4), targets] / scores.sum(axis=1)
    found = losses.full_softmax(H, E, torch.from_numpy(targets))
    assert found.item() == pytest.approx(-np.log(p).mean(), rel=1e-6)


@pytest.mark.parametrize("calibration", [0.0, 0.75, 1.0])
def test_binary_cross_entropy(calibration):
    hidden, items, H, E = vectors(np.random.default_rng(1), 2, 7, 3)
    targets, negatives = np.array([1, 3]), np.array([[0, 2, 2], [6, 5, 1]])
    fraction = 3 / 6
    power = fraction * (calibration * (1 - 1 / fraction) + 1 / fraction)
    expected = 0.0
    for row in range(2):
        expected += power * np.log(sigmoid(hidden[row] @ items[targets[row]]))
        for j in negatives[row]:
            expected += np.log(1 - sigmoid(hidden[row] @ items[j]))
    found = losses.binary_cross_entropy(
        H, E, torch.from_numpy(targets), torch.from_numpy(negatives), calibration
    )
    assert found.item() == pytest.approx(-expected / 2 / 4, rel=1e-6)


def test_gbce_with_t_1_makes_the_sigmoid_the_true_probability():
    """One item is chosen with probability p, each of 4 others is drawn once in every 2 positions.

    The loss per position, p beta ln s + (1 - p) fraction ln (1 - s) for one item, is lowest where
    s = p: checked on a grid, with the negatives drawn from the items that were not chosen.
    """
    p, fraction = 0.3, 0.5
    power = losses.gbce_power(5, 2, 1.0)
    assert power == pytest.approx(fraction)
    s = np.linspace(0.01, 0.99, 99)
    loss = -(p * power * np.log(s) + (1 - p) * fraction * np.log(1 - s))
    assert s[loss.argmin()] == pytest.approx(p)
    plain = -(p * np.log(s) + (1 - p) * fraction * np.log(1 - s))
    assert s[plain.argmin()] == pytest.approx(p / (p + (1 - p) * fraction), abs=0.01)


def test_negatives_are_all_other_items_alike():
    torch.manual_seed(0)
    targets = torch.tensor([0, 2, 4]).repeat(20_000)
    drawn = losses.draw_negatives(5, targets, 2)
    assert drawn.shape == (60_000, 2)
    for target in (0, 2, 4):
        counts = np.bincount(drawn[targets == target].ravel().numpy(), minlength=5)
        assert counts[target] == 0
        others = np.delete(counts, target)
        assert np.abs(others - 10_000).max() < 5 * np.sqrt(40_000 * 0.25 * 0.75)


def test_sampled_softmax():
    hidden, items, H, E = vectors(np.random.default_rng(2), 2, 6, 3)
    targets, drawn = np.array([1, 3]), np.array([3, 0, 5])
    expected = []
    for row, target in enumerate(targets):
        own = np.exp(hidden[row] @ items[target])
        rest = sum(np.exp(hidden[row] @ items[j]) * 6 / 3 for j in drawn if j != target)
        expected.append(-np.log(own / (own + rest)))
    found = losses.sampled_softmax(H, E, torch.from_numpy(targets), torch.from_numpy(drawn))
    assert found.item() == pytest.approx(np.mean(expected), rel=1e-6)


def test_the_sampled_softmax_s_sum_is_that_over_all_items_in_expectation():
    """Over every list of two items that may be drawn, the sum in the logarithm is the full one."""
    hidden, items, H, E = vectors(np.random.default_rng(3), 1, 4, 2)
    target = torch.tensor([2])
    own = np.exp(hidden[0] @ items[2])
    sums = []
    for drawn in itertools.product(range(4), repeat=2):
        loss = losses.sampled_softmax(H, E, target, torch.tensor(drawn)).item()
        sums.append(np.exp(loss) * own)
    assert np.mean(sums) == pytest.approx(np.exp(hidden[0] @ items.T).sum(), rel=1e-6)


@pytest.mark.parametrize("n", [1, losses.ROWS, losses.ROWS + 1, 2 * losses.ROWS + 7])
def test_fused_softmax_equals_the_formula_and_its_gradient(n):
    rng = np.random.default_rng(n)
    h, e = rng.normal(size=(n, 5)), 2 * rng.normal(size=(9, 5))
    targets = rng.integers(9, size=n)
    p = np.exp(h @ e.T)
    p /= p.sum(axis=1, keepdims=True)
    hidden, items = (torch.tensor(x, requires_grad=True) for x in (h, e))
    loss = losses.full_softmax(hidden, items, torch.from_numpy(targets))
    (3 * loss).backward()
    assert loss.item() == pytest.approx(-np.log(p[np.arange(n), targets]).mean(), rel=1e-12)
    wrong = (p - np.eye(9)[targets]) / n
    np.testing.assert_allclose(hidden.grad, 3 * wrong @ e, rtol=0, atol=1e-13)
    np.testing.assert_allclose(items.grad, 3 * wrong.T @ h, rtol=0, atol=1e-12)


def test_fused_softmax_of_large_scores_stays_finite():
    hidden = torch.tensor([[300.0], [-300.0]], requires_grad=True)
    loss = losses.full_softmax(hidden, torch.tensor([[1.0], [0.0]]), torch.tensor([1, 1]))
    loss.backward()
    assert loss.item() == pytest.approx(150.0)  # (300 + 0) / 2
    assert hidden.grad.tolist() == [[0.5], [0.0]]
