r"""A/B tests: how many users, what the difference is, and whether the arms can be compared at all.

Users are drawn into a control and a treatment arm. Each arm has an estimate :math:`m` of its metric
with the variance :math:`v`; independent arms, many users, so the difference is nearly normal:

.. math:: m_t - m_c \pm z_{1 - \alpha/2} \sqrt{v_c + v_t} \qquad
          n = (z_{1 - \alpha/2} + z_{power})^2 \, \frac{s_c^2 + s_t^2}{\delta^2}

where :math:`n` users per arm find a true difference :math:`\delta` with the probability `power`,
:math:`s^2` being the variance of one user's metric (Kohavi, Tang and Xu 2020, chapter 17). The
relative lift :math:`m_t / m_c - 1` and metrics per impression are ratios of means, whose variance
is that of the delta method (Deng, Knoblich and Lu 2018). `cuped` removes the part of the variance
that a metric from before the experiment explains (Deng, Xu, Kohavi and Walker 2013).

All of it is for a test that is read once, at the end; `recsys.sequential` is for one that is
watched. Left out: exact tests for a handful of clicks (below some ten per arm the intervals here
are too narrow), quantiles, and networks in which a treated user changes an untreated one.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from statistics import NormalDist
from typing import Any

import numpy as np
from scipy.special import chdtrc

from recsys import validation

NORMAL = NormalDist()


@dataclass(frozen=True)
class Difference:
    """Difference of a metric between treatment and control, with intervals and p-value.

    Attributes
    ----------
    control, treatment : float
        The metric in each arm.
    difference, standard_error, low, high : float
        Treatment minus control. All but `difference` are nan where no arm varies.
    p_value : float
        Two-sided, of no difference: below alpha where the interval of level 1 - alpha excludes 0.
    lift, lift_low, lift_high : float
        The difference relative to control, by the delta method: normal, so it needs a control whose
        own standard error is small beside it. nan if control is 0.
    """

    control: float
    treatment: float
    difference: float
    standard_error: float
    low: float
    high: float
    p_value: float
    lift: float
    lift_low: float
    lift_high: float


def sample_size(difference: float, variance: Any, power: float = 0.8, alpha: float = 0.05) -> int:
    """Users per arm that find a true difference of means with the probability `power`.

    Parameters
    ----------
    difference : float
        Of treatment from control, in the unit of the metric; not 0.
    variance : float or (control, treatment)
        Variance of one user's metric, above 0.
    power : float
        Above alpha / 2 and below 1. Probability of a significant difference of the right sign.
    alpha : float
        Above 0 and below 1. Probability of a significant difference where there is none.

    Returns
    -------
    int
        Rounded up.

    Raises
    ------
    ValueError
        If an argument is not as above.

    Examples
    --------
    "Sixteen times the variance over the squared difference" is the rule of thumb; Chow, Shao and
    Wang (2008) have 63 for a difference of 5 and a standard deviation of 10:

    >>> sample_size(difference=5, variance=100)
    63
    """
    difference = validation.real_number("difference", difference, low=-np.inf)
    if difference == 0:
        raise ValueError("difference must not be 0: no number of users finds that")
    alpha = _between("alpha", alpha, 0.0)
    power = _between("power", power, alpha / 2)
    z = NORMAL.inv_cdf(1 - alpha / 2) + NORMAL.inv_cdf(power)
    return max(1, ceil(z**2 * sum(_pair("variance", variance)) / difference**2))


def power(difference: float, variance: Any, n: Any, alpha: float = 0.05) -> float:
    """Probability that a test with n users per arm finds a true difference of means.

    Parameters and errors are those of `sample_size`; `n` is a number above 0 or a pair
    (control, treatment). Only significant differences of the right sign count, so a
    `difference` of 0 has the power alpha / 2.

    >>> round(power(difference=5, variance=100, n=63), 3)
    0.801
    """
    difference = abs(validation.real_number("difference", difference, low=-np.inf))
    control, treatment = _pair("variance", variance)
    n_control, n_treatment = _pair("n", n)
    error = np.sqrt(control / n_control + treatment / n_treatment)
    z = NORMAL.inv_cdf(1 - _between("alpha", alpha, 0.0) / 2)
    return NORMAL.cdf(difference / error - z)


def bernoulli_variance(control: float, treatment: float) -> tuple[float, float]:
    """Variances of two rates, for `sample_size` and `power`: p (1 - p), with p in (0, 1).

    From 65 % to 85 % takes 70 users per arm (Chow, Shao and Wang 2008):

    >>> sample_size(0.85 - 0.65, bernoulli_variance(0.65, 0.85))
    70
    """
    rates = _between("control", control, 0.0), _between("treatment", treatment, 0.0)
    return rates[0] * (1 - rates[0]), rates[1] * (1 - rates[1])


def difference_of_proportions(clicks: Any, users: Any, level: float = 0.95) -> Difference:
    """Difference of two rates, such as the fraction of users who clicked at least once.

    Parameters
    ----------
    clicks, users : (int, int)
        Of control and treatment. Each user counts once: clicks are at most users. For clicks per
        impression, of which a user has several, see `difference_of_ratios`.
    level : float
        Of the intervals.

    Raises
    ------
    ValueError
        For an empty arm, negative counts, or more clicks than users.

    Examples
    --------
    The rates are 0.5 and 0.6, the variance 0.25 / 100 + 0.24 / 100:

    >>> found = difference_of_proportions(clicks=(50, 60), users=(100, 100))
    >>> round(found.difference, 2), round(found.standard_error, 2), round(found.lift, 2)
    (0.1, 0.07, 0.2)
    """
    users = _counts("users", users, low=1)
    clicks = _counts("clicks", clicks, low=0)
    for one, most in zip(clicks, users, strict=True):
        if one > most:
            raise ValueError(f"clicks must be at most users, {most}, got {one}")
    rate = [one / n for one, n in zip(clicks, users, strict=True)]
    return _difference(rate, [p * (1 - p) / n for p, n in zip(rate, users, strict=True)], level)


def difference_of_means(control: Any, treatment: Any, level: float = 0.95) -> Difference:
    """Difference of the mean of one value per user; the variances may differ (Welch).

    Parameters
    ----------
    control, treatment : array (n,) of float
        One value per user, of two or more users in each arm.
    level : float
        Of the intervals.

    Raises
    ------
    ValueError
        For fewer than two users in an arm, nan or infinity.

    Examples
    --------
    The means are 2 and 4, their variances 1/3 each:

    >>> found = difference_of_means([1, 2, 3], [3, 4, 5])
    >>> found.difference, round(found.standard_error**2, 4)
    (2.0, 0.6667)
    """
    arms = [_values("control", control), _values("treatment", treatment)]
    means = [float(arm.mean()) for arm in arms]
    return _difference(means, [arm.var(ddof=1) / len(arm) for arm in arms], level)


def difference_of_ratios(control: Any, treatment: Any, level: float = 0.95) -> Difference:
    r"""Difference of a metric per impression where users were drawn: total over total.

    The impressions of one user are correlated, so the number of impressions is no sample size. With
    sums :math:`y_u` over the :math:`x_u` impressions of user u, :math:`r = \sum y_u / \sum x_u` is
    a ratio of means over users, and the delta method gives
    :math:`v = \sum_u (y_u - r x_u)^2 / (n (n - 1) \bar x^2)` (Deng, Knoblich and Lu 2018).

    Parameters
    ----------
    control, treatment : (array (n,), array (n,))
        Of each user the sum, such as clicks, and the number of impressions: at least 0, and not 0
        for all.
    level : float
        Of the intervals.

    Raises
    ------
    ValueError
        For fewer than two users in an arm, an arm without impressions, negative impressions, sums
        without impressions, nan or infinity.

    Examples
    --------
    One user clicks on all of two impressions, one on none of two. The ratio is 1/2, its variance
    (1 + 1) / (2 * 1 * 4); were the four impressions independent, it would be 1/12 or less:

    >>> arm = ([2, 0], [2, 2])
    >>> found = difference_of_ratios(arm, arm)
    >>> found.control, round(found.standard_error**2, 4)
    (0.5, 0.5)
    """
    arms = [_ratio("control", control), _ratio("treatment", treatment)]
    return _difference([ratio for ratio, _ in arms], [variance for _, variance in arms], level)


def cuped(control: Any, treatment: Any, control_before: Any, treatment_before: Any) -> tuple:
    r"""The metric of each user less what their value before the experiment explains.

    :math:`y - \theta (x - \bar x)`, with :math:`\theta = cov(x, y) / var(x)` within the arms,
    both together (Deng et al. 2013). The arms were drawn independently of :math:`x`, so the
    expected difference stays; the variance falls by the squared correlation of :math:`x` and
    :math:`y`.

    Parameters
    ----------
    control, treatment : array (n,) of float
        One value per user.
    control_before, treatment_before : array (n,) of float
        Of the same users, measured before the experiment: nothing that it can have changed.

    Returns
    -------
    tuple of two arrays
        Control and treatment, for `difference_of_means`.

    Raises
    ------
    ValueError
        For nan, infinity, other lengths, or values before that do not vary within an arm.

    Examples
    --------
    Here :math:`\theta = 1`, and after the correction only the effect is left:

    >>> cuped([1, 3], [3, 5], control_before=[1, 3], treatment_before=[1, 3])
    (array([2., 2.]), array([4., 4.]))
    """
    control, treatment = _values("control", control), _values("treatment", treatment)
    before = [
        validation.finite("control_before", control_before, len(control), np.float64),
        validation.finite("treatment_before", treatment_before, len(treatment), np.float64),
    ]
    if all(arm.min() == arm.max() for arm in before):
        raise ValueError("control_before or treatment_before must vary, got one value per arm")
    x = np.concatenate(before)
    own = np.concatenate([control - control.mean(), treatment - treatment.mean()])
    within = np.concatenate([arm - arm.mean() for arm in before])
    theta = within @ own / (within @ within)
    return tuple(y - theta * (b - x.mean()) for y, b in zip((control, treatment), before))


def sample_ratio_mismatch(users: Any, expected: Any = (0.5, 0.5)) -> float:
    r"""P-value of the hypothesis that the arms have the sizes that were planned.

    Pearson's :math:`\chi^2`. A small value, such as below 0.001, says that users were lost or
    counted in one arm and not in the other: mend that, and trust no metric of the experiment
    (Kohavi, Tang and Xu 2020, chapter 21).

    Parameters
    ----------
    users : sequence of int
        Users counted in each arm, two or more arms.
    expected : sequence of float
        Planned fractions, above 0, that sum to 1.

    Raises
    ------
    ValueError
        If an argument is not as above, or there are no users at all.

    Examples
    --------
    50 and 50 were expected: :math:`\chi^2 = 100/50 + 100/50 = 4`.

    >>> round(sample_ratio_mismatch([40, 60]), 4)
    0.0455
    """
    n_arms = max(2, np.size(expected))
    users = np.array(_counts("users", users, low=0, length=n_arms))
    expected = validation.finite("expected", expected, n_arms, np.float64)
    if (expected <= 0).any() or abs(expected.sum() - 1) > 1e-9:
        raise ValueError(f"expected must be above 0 and sum to 1, got {expected.tolist()}")
    if not users.any():
        raise ValueError("users must not all be 0")
    planned = users.sum() * expected
    return float(chdtrc(n_arms - 1, np.sum((users - planned) ** 2 / planned)))


def _difference(metric: Any, variance: Any, level: float) -> Difference:
    """Both normal intervals, from the metric of each arm and the variance of its estimate."""
    z = NORMAL.inv_cdf((1 + _between("level", level, 0.0)) / 2)
    (control, treatment), (v_control, v_treatment) = metric, variance
    difference, error = treatment - control, float(np.sqrt(v_control + v_treatment))
    scale = max(abs(control), abs(treatment))
    if error <= 1e-12 * scale or error == 0:  # nothing varies, but for rounding
        error = np.nan
    p_value = 2 * NORMAL.cdf(-abs(difference) / error)
    lift = lift_error = np.nan
    if control != 0:
        ratio = treatment / control
        lift = ratio - 1
        lift_error = np.sqrt(v_treatment + ratio**2 * v_control) / abs(control) + 0 * error
    ends = (difference - z * error, difference + z * error)
    lifts = (lift, lift - z * lift_error, lift + z * lift_error)
    return Difference(*map(float, (control, treatment, difference, error, *ends, p_value, *lifts)))


def _ratio(name: str, arm: Any) -> tuple[float, float]:
    """The ratio of an arm and the variance of its estimate."""
    if len(arm) != 2:
        raise ValueError(f"{name} must be (sums, impressions), got {len(arm)} entries")
    sums = _values(f"the sums of {name}", arm[0])
    impressions = validation.finite(f"the impressions of {name}", arm[1], len(sums), np.float64)
    if impressions.min() < 0 or not impressions.any():
        raise ValueError(
            f"the impressions of {name} must be at least 0, and not 0 for all users, "
            f"got a least of {impressions.min()} and a sum of {impressions.sum()}"
        )
    if sums[impressions == 0].any():
        user = int(np.argmax((impressions == 0) & (sums != 0)))
        raise ValueError(f"{name} must have no sums without impressions, got some for user {user}")
    ratio = float(sums.sum() / impressions.sum())
    return ratio, (sums - ratio * impressions).var(ddof=1) / len(sums) / impressions.mean() ** 2


def _values(name: str, values: Any) -> np.ndarray:
    """`values` as float64, one per user, of two users or more."""
    values = validation.finite(name, values, np.size(values), np.float64)
    if len(values) < 2:
        raise ValueError(f"{name} must hold two or more users, got {len(values)}")
    return values


def _counts(name: str, values: Any, low: int, length: int = 2) -> list[int]:
    """Whole numbers of at least `low`, one per arm."""
    if np.ndim(values) != 1 or len(values) != length:
        raise ValueError(f"{name} must be {length} counts, one per arm, got {values!r}")
    return [validation.whole_number(name, value, low=low) for value in values]


def _pair(name: str, value: Any) -> tuple[float, float]:
    """A number for both arms, or one for each; above 0."""
    pair = (value, value) if np.ndim(value) == 0 else tuple(value)
    if len(pair) != 2:
        raise ValueError(f"{name} must be a number or one per arm, got {value!r}")
    first, second = (validation.real_number(name, one, open_low=True) for one in pair)
    return first, second


def _between(name: str, value: float, low: float) -> float:
    """`value` in (low, 1), both ends excluded."""
    value = validation.real_number(name, value, low=low, open_low=True)
    if value >= 1:
        raise ValueError(f"{name} must be below 1, got {value}")
    return value
