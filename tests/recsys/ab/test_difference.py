"""Differences of two arms: by hand, agreement with scipy, coverage on simulated experiments."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from recsys.ab import difference_of_means, difference_of_proportions, difference_of_ratios

EXPERIMENTS = 2000
TRUE_RATIO = (0.3 * 20 * 0.12 + 0.7 * 3 * 0.06) / (0.3 * 20 + 0.7 * 3)


def test_intervals_of_proportions_hold_the_truth():
    rng = np.random.default_rng(1)
    rates, users = (0.04, 0.05), (3000, 2000)
    clicks = rng.binomial(users, rates, size=(EXPERIMENTS, 2))
    found = [difference_of_proportions(row, users) for row in clicks.tolist()]
    assert np.mean([one.low < 0.01 < one.high for one in found]) == pytest.approx(0.95, abs=0.02)
    lifts = np.mean([one.lift_low < 0.25 < one.lift_high for one in found])
    assert lifts == pytest.approx(0.95, abs=0.02)


def test_proportions_by_hand():
    found = difference_of_proportions(clicks=(20, 30), users=(100, 200), level=0.9)
    variance = 0.2 * 0.8 / 100 + 0.15 * 0.85 / 200
    assert (found.control, found.treatment) == (0.2, 0.15)
    assert found.difference == pytest.approx(-0.05)
    assert found.standard_error == pytest.approx(np.sqrt(variance))
    assert found.low == pytest.approx(-0.05 - 1.644854 * np.sqrt(variance), rel=1e-5)
    assert found.high == pytest.approx(-0.05 + 1.644854 * np.sqrt(variance), rel=1e-5)
    assert found.p_value == pytest.approx(2 * stats.norm.sf(0.05 / np.sqrt(variance)))
    assert found.lift == pytest.approx(-0.25)
    # delta method: v_t / c^2 + t^2 v_c / c^4
    lift_variance = 0.15 * 0.85 / 200 / 0.04 + 0.15**2 * (0.2 * 0.8 / 100) / 0.2**4
    assert found.lift_high - found.lift == pytest.approx(
        1.644854 * np.sqrt(lift_variance), rel=1e-5
    )
    assert found.lift - found.lift_low == pytest.approx(1.644854 * np.sqrt(lift_variance), rel=1e-5)


def test_means_agree_with_welch():
    rng = np.random.default_rng(2)
    control, treatment = rng.exponential(1, 4000), rng.exponential(1.05, 3000)
    found = difference_of_means(control, treatment)
    welch = stats.ttest_ind(treatment, control, equal_var=False)
    assert found.p_value == pytest.approx(welch.pvalue, rel=0.02)
    assert found.difference / found.standard_error == pytest.approx(welch.statistic)


def test_p_value_and_interval_say_the_same():
    rng = np.random.default_rng(3)
    for _ in range(200):
        found = difference_of_means(rng.normal(0, 1, 50), rng.normal(0.4, 1, 50))
        assert (found.p_value < 0.05) == (found.low > 0 or found.high < 0)


def experiment(rng, n=400, ratio=0.1):
    """Clicks and impressions of n users whose rates differ, and those who look more click more."""
    often = rng.random(n) < 0.3
    impressions = rng.poisson(np.where(often, 20, 3))
    rate = rng.beta(2, 18, n) * np.where(often, 1.2, 0.6)
    # E[y] / E[x]: (0.3 * 20 * 0.12 + 0.7 * 3 * 0.06) / (0.3 * 20 + 0.7 * 3)
    return rng.binomial(impressions, rate), impressions


def test_ratios_hold_the_truth_and_the_binomial_variance_does_not():
    rng = np.random.default_rng(4)
    holds, naive, control = [], [], []
    for _ in range(EXPERIMENTS):
        arms = experiment(rng), experiment(rng, n=300)
        found = difference_of_ratios(*arms)
        holds.append(found.low < 0 < found.high)
        control.append(found.control)
        counts = [(int(y.sum()), int(x.sum())) for y, x in arms]
        wrong = difference_of_proportions(*zip(*counts, strict=True))
        naive.append(wrong.low < 0 < wrong.high)
    assert np.mean(holds) == pytest.approx(0.95, abs=0.02)
    assert np.mean(naive) < 0.91
    assert np.mean(control) == pytest.approx(TRUE_RATIO, rel=0.01)


def test_ratio_by_hand():
    """Totals 3 / 6; residuals 2 - 1, 1 - 1, 0 - 1; squares 2; mean impressions 2."""
    arm = ([2, 1, 0], [2, 2, 2])
    found = difference_of_ratios(arm, ([0, 0, 3, 0], [1, 0, 4, 1]))
    assert found.control == found.treatment == 0.5
    residuals = np.array([-0.5, 0, 1, -0.5])
    second = (residuals**2).sum() / (4 * 3) / 1.5**2
    assert found.standard_error**2 == pytest.approx(2 / (3 * 2) / 4 + second)


def test_ratio_with_one_impression_each_is_the_mean():
    rng = np.random.default_rng(5)
    control, treatment = rng.random(30), rng.random(20)
    ratio = difference_of_ratios((control, np.ones(30)), (treatment, np.ones(20)))
    expected = dataclasses.astuple(difference_of_means(control, treatment))
    assert dataclasses.astuple(ratio) == pytest.approx(expected)


def test_arms_without_clicks_tell_no_error():
    found = difference_of_proportions(clicks=(0, 0), users=(100, 100))
    assert found.difference == 0
    for name in ("standard_error", "low", "high", "p_value", "lift", "lift_low", "lift_high"):
        assert np.isnan(getattr(found, name)), name


def test_constant_arms_tell_no_error():
    found = difference_of_means([0.1] * 7, [0.3] * 7)
    assert found.difference == pytest.approx(0.2)
    assert found.lift == pytest.approx(2)
    for name in ("standard_error", "low", "high", "p_value", "lift_low", "lift_high"):
        assert np.isnan(getattr(found, name)), name


def test_control_without_clicks_has_no_lift():
    found = difference_of_proportions(clicks=(0, 30), users=(100, 100))
    assert 0 < found.low < 0.3 < found.high
    assert np.isnan([found.lift, found.lift_low, found.lift_high]).all()


def test_an_arm_in_which_all_click():
    found = difference_of_proportions(clicks=(100, 50), users=(100, 100))
    assert found.standard_error == pytest.approx(0.05)


@pytest.mark.parametrize("clicks, users, message", [
    ((1, 1), (0, 10), "users must be at least 1, got 0"),
    ((-1, 1), (10, 10), "clicks must be at least 0, got -1"),
    ((1, 11), (10, 10), "clicks must be at most users, 10, got 11"),
    ((1.5, 1), (10, 10), "clicks must be a whole number, got 1.5"),
    ((np.nan, 1), (10, 10), "clicks must be a whole number, got nan"),
    ((1, 2, 3), (10, 10), "clicks must be 2 counts"),
    (1, (10, 10), "clicks must be 2 counts"),
])  # fmt: skip
def test_bad_counts(clicks, users, message):
    with pytest.raises(ValueError, match=message):
        difference_of_proportions(clicks, users)


@pytest.mark.parametrize("arm, message", [
    ([], "control must hold two or more users, got 0"),
    ([1.0], "control must hold two or more users, got 1"),
    ([1.0, np.nan], "control must be finite, got nan in row 1"),
    ([1.0, np.inf], "control must be finite, got inf in row 1"),
    ([[1.0, 2.0]], "control must have one entry per row"),
    (["a", "b"], "control must hold numbers"),
])  # fmt: skip
def test_bad_values(arm, message):
    with pytest.raises(ValueError, match=message):
        difference_of_means(arm, [1.0, 2.0])


@pytest.mark.parametrize("arm, message", [
    (([1, 2],), "treatment must be .sums, impressions., got 1"),
    (([1, 2], [0, 0]), "impressions of treatment must be at least 0, and not 0 for all"),
    (([1, 2], [3, -1]), "impressions of treatment must be at least 0"),
    (([1, 2], [3, np.nan]), "impressions of treatment must be finite"),
    (([1, 2], [3]), "impressions of treatment must have one entry per row"),
    (([1, 2], [3, 0]), "treatment must have no sums without impressions, got some for user 1"),
])  # fmt: skip
def test_bad_ratios(arm, message):
    with pytest.raises(ValueError, match=message):
        difference_of_ratios(([1, 0], [2, 2]), arm)


def test_bad_level():
    with pytest.raises(ValueError, match="level must be below 1"):
        difference_of_means([1, 2], [1, 2], level=1)
