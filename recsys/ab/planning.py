r"""Planning an A/B test: how many users find a difference that is there.

Users are drawn into a control and a treatment arm. With :math:`s^2` the variance of one user's
metric, :math:`\delta` the true difference and :math:`\alpha` the probability of a false alarm,
:math:`n` users per arm find the difference with the probability `power` if

.. math:: n = (z_{1 - \alpha/2} + z_{power})^2 \, \frac{s_c^2 + s_t^2}{\delta^2}

:math:`z_q` being the quantile of the normal distribution (Kohavi, Tang and Xu 2020, chapter 17).
Left out: samples so small that the t distribution matters.
"""

from __future__ import annotations

from math import ceil
from statistics import NormalDist
from typing import Any

import numpy as np

from recsys import validation
from recsys.ab import arguments

NORMAL = NormalDist()


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
    alpha = arguments.between("alpha", alpha, 0.0)
    power = arguments.between("power", power, alpha / 2)
    z = NORMAL.inv_cdf(1 - alpha / 2) + NORMAL.inv_cdf(power)
    return max(1, ceil(z**2 * sum(arguments.one_per_arm("variance", variance)) / difference**2))


def power(difference: float, variance: Any, n: Any, alpha: float = 0.05) -> float:
    """Probability that a test with n users per arm finds a true difference of means.

    Parameters and errors are those of `sample_size`; `n` is a number above 0 or a pair
    (control, treatment). Only significant differences of the right sign count, so a
    `difference` of 0 has the power alpha / 2.

    >>> round(power(difference=5, variance=100, n=63), 3)
    0.801
    """
    difference = abs(validation.real_number("difference", difference, low=-np.inf))
    control, treatment = arguments.one_per_arm("variance", variance)
    n_control, n_treatment = arguments.one_per_arm("n", n)
    error = np.sqrt(control / n_control + treatment / n_treatment)
    z = NORMAL.inv_cdf(1 - arguments.between("alpha", alpha, 0.0) / 2)
    return NORMAL.cdf(difference / error - z)


def bernoulli_variance(control: float, treatment: float) -> tuple[float, float]:
    """Variances of two rates, for `sample_size` and `power`: p (1 - p), with p in (0, 1).

    From 65 % to 85 % takes 70 users per arm (Chow, Shao and Wang 2008):

    >>> sample_size(0.85 - 0.65, bernoulli_variance(0.65, 0.85))
    70
    """
    control = arguments.between("control", control, 0.0)
    treatment = arguments.between("treatment", treatment, 0.0)
    return control * (1 - control), treatment * (1 - treatment)
