"""Sample size and power: textbook values, the noncentral t, and simulated experiments."""

import numpy as np
import pytest
from scipy import stats

from recsys.ab import bernoulli_variance, difference_of_proportions, power, sample_size

EXPERIMENTS = 2000


def test_sample_sizes_of_textbooks():
    """Chow, Shao and Wang (2008): 63 for two means, 70 for two proportions."""
    assert sample_size(5, 10**2) == 63
    assert sample_size(-5, (100, 100)) == 63
    assert sample_size(0.2, bernoulli_variance(0.65, 0.85)) == 70
    assert sample_size(0.2, (0.65 * 0.35, 0.85 * 0.15)) == 70


def test_size_by_the_tables_of_the_normal():
    """z: 1.959964 and 2.575829 (two-sided 5 % and 1 %), 1.281552 (power 90 %)."""
    assert sample_size(1, 1, power=0.9) == int(np.ceil(2 * (1.959964 + 1.281552) ** 2))
    assert sample_size(0.1, (1, 3), power=0.9, alpha=0.01) == int(
        np.ceil(400 * (2.575829 + 1.281552) ** 2)
    )


@pytest.mark.parametrize("target", [0.5, 0.8, 0.95])
def test_sample_size_is_the_smallest_with_that_power(target):
    n = sample_size(0.3, (1.0, 2.0), power=target)
    assert power(0.3, (1.0, 2.0), n) >= target > power(0.3, (1.0, 2.0), n - 1)


@pytest.mark.parametrize("effect", [0.0, 0.1, 0.3, -0.3])
def test_power_agrees_with_the_noncentral_t(effect):
    n = 500
    shift = abs(effect) / np.sqrt(2 / n)
    quantile = stats.t.ppf(0.975, 2 * n - 2)
    assert power(effect, 1.0, n) == pytest.approx(
        stats.nct.sf(quantile, 2 * n - 2, shift), abs=2e-3
    )


def test_power_of_unequal_arms():
    """Four times the variance over four times the users is the same error."""
    assert power(0.3, (1, 4), (100, 400)) == pytest.approx(power(0.3, 1, 100))
    assert power(0.3, (4, 1), (100, 400)) < power(0.3, (1, 4), (100, 400)) - 0.1


def test_planned_power_is_the_measured_one():
    rng = np.random.default_rng(0)
    rates, n = (0.10, 0.12), sample_size(0.02, bernoulli_variance(0.10, 0.12))
    clicks = rng.binomial(n, rates, size=(EXPERIMENTS, 2))
    found = [difference_of_proportions(row, (n, n)) for row in clicks.tolist()]
    assert np.mean([one.low > 0 for one in found]) == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("arguments, message", [
    ({"difference": 0}, "difference must not be 0"),
    ({"difference": np.nan}, "difference must be finite"),
    ({"variance": 0}, "variance must be finite and above 0, got 0"),
    ({"variance": (1, 2, 3)}, "variance must be a number or one per arm"),
    ({"power": 1}, "power must be below 1"),
    ({"power": 0.02}, "power must be finite and above 0.025"),
    ({"alpha": 0}, "alpha must be finite and above 0"),
    ({"alpha": 1}, "alpha must be below 1"),
])  # fmt: skip
def test_bad_plans(arguments, message):
    with pytest.raises(ValueError, match=message):
        sample_size(**{"difference": 1, "variance": 1} | arguments)


def test_bad_power():
    with pytest.raises(ValueError, match="n must be finite and above 0, got 0"):
        power(1, 1, n=0)


@pytest.mark.parametrize("rates, message", [
    ((0, 0.1), "control must be finite and above 0, got 0"),
    ((0.1, 1), "treatment must be below 1, got 1"),
])  # fmt: skip
def test_rates_without_variance_are_refused(rates, message):
    with pytest.raises(ValueError, match=message):
        bernoulli_variance(*rates)
