"""The sequential test: against normal densities, and its errors when looked at after every user."""

import numpy as np
import pytest
from scipy import integrate, stats

from recsys.sequential import confidence_sequence

EXPERIMENTS = 1000


def test_p_value_is_the_inverse_ratio_of_densities():
    d, error, scale = np.array([0.2, 0.9, -0.1]), np.array([0.5, 0.4, 0.3]), 0.7
    ratio = stats.norm.pdf(d, 0, np.hypot(error, scale)) / stats.norm.pdf(d, 0, error)
    expected = np.minimum.accumulate(np.minimum(1, 1 / ratio))
    assert confidence_sequence(d, error, scale).p_value == pytest.approx(expected)


def test_ratio_has_mean_one_under_the_null():
    def weighted(d):  # above d = 2 the p-value is below 1, and its inverse the ratio
        p = confidence_sequence([d], [1.0], scale=2.0).p_value[0]
        return stats.norm.pdf(d) / p

    tail, _ = integrate.quad(weighted, 2, 20)
    # the mixture's own mass beyond 2, with standard deviation sqrt(1 + 4)
    assert tail == pytest.approx(stats.norm.sf(2 / np.sqrt(5)), rel=1e-6)


@pytest.mark.parametrize("alpha", [0.01, 0.1])
def test_interval_holds_what_the_test_does_not_reject(alpha):
    d, error = np.array([1.0]), np.array([0.3])
    found = confidence_sequence(d, error, 0.5, alpha)
    for end, sign in ((found.low, 1), (found.high, -1)):
        inside = confidence_sequence(d - end - sign * 1e-6, error, 0.5).p_value[0]
        outside = confidence_sequence(d - end + sign * 1e-6, error, 0.5).p_value[0]
        assert outside < alpha < inside


def looks(values):
    """Difference and naive standard error after each pair of users; (experiments, n, 2) values."""
    n = np.arange(1, values.shape[1] + 1)
    difference = np.diff(values, axis=2)[:, :, 0].cumsum(axis=1) / n
    return difference, np.sqrt(2 / n)


def rejected(difference, error, scale, start=0):
    """Fraction of experiments in which any look is significant: (naive, sequential)."""
    naive = (np.abs(difference) > 1.959964 * error)[:, start:].any(axis=1).mean()
    error = np.broadcast_to(error, difference.shape)
    found = [
        confidence_sequence(one[start:], e[start:], scale).p_value[-1] <= 0.05
        for one, e in zip(difference, error, strict=True)
    ]
    return naive, np.mean(found)


@pytest.mark.parametrize("scale", [0.02, 0.1, 0.5])
def test_peeking_after_every_user_keeps_the_error(scale):
    rng = np.random.default_rng(0)
    difference, error = looks(rng.normal(size=(EXPERIMENTS, 3000, 2)))
    naive, sequential = rejected(difference, error, scale)
    assert naive > 0.4
    assert sequential < 0.05 + 2 * np.sqrt(0.05 * 0.95 / EXPERIMENTS)
    assert scale == 0.02 or sequential > 0.01  # it can reject


def test_peeking_with_arms_of_different_growth():
    """Treatment gets two users at a time, then only control grows."""
    rng = np.random.default_rng(1)
    n_control = np.arange(1, 1501)
    n_treatment = np.minimum(2 * n_control, 800)
    control = rng.normal(size=(EXPERIMENTS, 1500)).cumsum(axis=1) / n_control
    treatment = rng.normal(size=(EXPERIMENTS, 800)).cumsum(axis=1)[:, n_treatment - 1]
    difference = treatment / n_treatment - control
    naive, sequential = rejected(difference, np.sqrt(1 / n_control + 1 / n_treatment), 0.2)
    assert naive > 0.3
    assert 0.005 < sequential < 0.064


def test_peeking_at_clicks_with_estimated_variance():
    rng = np.random.default_rng(2)
    n = np.arange(1, 4001)
    rate = (rng.random((EXPERIMENTS, 4000, 2)) < 0.1).cumsum(axis=1) / n[:, None]
    error = np.sqrt((rate * (1 - rate)).sum(axis=2) / n + 1e-12)
    naive, sequential = rejected(rate[:, :, 1] - rate[:, :, 0], error, 0.02, start=300)
    assert naive > 0.2
    assert sequential < 0.064


def test_a_true_difference_is_found_and_held_throughout():
    rng = np.random.default_rng(3)
    values = rng.normal(size=(300, 3000, 2))
    values[:, :, 1] += 0.2
    difference, error = looks(values)
    found = [confidence_sequence(one, error, 0.2) for one in difference]
    assert np.mean([one.p_value[-1] <= 0.05 for one in found]) > 0.99
    holds = [((one.low < 0.2) & (one.high > 0.2)).all() for one in found]
    assert np.mean(holds) > 0.95 - 2 * np.sqrt(0.05 * 0.95 / 300)


def test_p_value_never_rises_and_is_at_most_one():
    found = confidence_sequence([0.0, 3.0, 0.0], [1.0, 0.5, 0.4], scale=1.0).p_value
    assert found[0] == 1
    assert found[2] == found[1] < 0.05


def test_extreme_looks_stay_finite():
    found = confidence_sequence([1e6, 1e-9], [1e-3, 1e-3], scale=1e3)
    assert found.p_value.tolist() == [0.0, 0.0]
    assert np.isfinite([found.low, found.high]).all()


@pytest.mark.parametrize("arguments, message", [
    (([], [], 1), "difference must have one entry per look, got none"),
    (([np.nan], [1], 1), "difference must be finite, got nan"),
    (([1], [np.nan], 1), "standard_error must be finite, got nan"),
    (([1], [0], 1), "standard_error must be above 0, got 0"),
    (([1, 2], [1], 1), "standard_error must have one entry per row"),
    (([1], [1], 0), "scale must be finite and above 0"),
    (([1], [1], 1, 0), "alpha must be finite and above 0"),
    (([1], [1], 1, 1.5), "alpha must be finite and above 0 and at most 1"),
])  # fmt: skip
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        confidence_sequence(*arguments)
