r"""The difference of a metric between two arms of an A/B test, with its interval.

Each arm has an estimate :math:`m` of its metric with the variance :math:`v`. The arms are
independent and have many users, so the difference is nearly normal:

.. math:: m_t - m_c \pm z_{1 - \alpha/2} \sqrt{v_c + v_t}

The relative lift :math:`m_t / m_c - 1` and metrics per impression are ratios of means, whose
variance is that of the delta method (Deng, Knoblich and Lu 2018).

All of it is for a test that is read once, at the end; `recsys.sequential` is for one that is
watched. Left out: exact tests for a handful of clicks (below some ten per arm the intervals here
are too narrow), quantiles, and networks in which a treated user changes an untreated one.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from recsys import validation
from recsys.ab import arguments

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
    users = arguments.counts("users", users, low=1)
    clicks = arguments.counts("clicks", clicks, low=0)
    for one, most in zip(clicks, users, strict=True):
        if one > most:
            raise ValueError(f"clicks must be at most users, {most}, got {one}")
    rate = [one / n for one, n in zip(clicks, users, strict=True)]
    return _difference(rate, [p * (1 - p) / n for p, n in zip(rate, users, strict=True)], level)


def difference_of_means(control: Any, treatment: Any, level: float = 0.95) -> Difference:
    """Difference of the mean of one value per user; the variances may differ.

    As Welch's test, but with normal quantiles: for some hundred users per arm, and more where the
    metric has a long tail, as revenue has.

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
    arms = [arguments.values("control", control), arguments.values("treatment", treatment)]
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


def _difference(metric: Any, variance: Any, level: float) -> Difference:
    """Both normal intervals, from the metric of each arm and the variance of its estimate."""
    z = NORMAL.inv_cdf((1 + arguments.between("level", level, 0.0)) / 2)
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
    sums = arguments.values(f"the sums of {name}", arm[0])
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
