r"""Sequential A/B test: a p-value and an interval that stay valid however often one looks.

An interval of 95 % holds the truth in 95 % of *looks*; who looks every day and stops at the first
significant one errs far more often. A **confidence sequence** holds the truth at all looks together
in 95 % of *experiments*. Let :math:`d_t` be the difference at look t with standard error
:math:`\sqrt{V_t}`. The likelihood ratio of a true difference drawn from :math:`N(\delta, \tau^2)`
against one of exactly :math:`\delta`, a normal mixture (Robbins 1970), is

.. math:: \Lambda_t(\delta) = \sqrt{\frac{V_t}{V_t + \tau^2}}
          \exp \frac{\tau^2 (d_t - \delta)^2}{2 V_t (V_t + \tau^2)}

Where :math:`\delta` is the truth it is a martingale with mean 1, and so (Ville's inequality) it
ever exceeds :math:`1 / \alpha` with a probability of at most :math:`\alpha`. The always-valid
p-value is :math:`\min_{s \le t} 1 / \Lambda_s(0)`, the test is the mSPRT (Johari, Koomen, Pekelis
and Walsh 2022), and solving :math:`\Lambda_t(\delta) < 1 / \alpha` gives

.. math:: d_t \pm \sqrt{\frac{V_t (V_t + \tau^2)}{\tau^2}
          \left( 2 \ln \frac{1}{\alpha} + \ln \frac{V_t + \tau^2}{V_t} \right)}

It is exact for normal values of known variance, whichever numbers of users the arms have at each
look, if the results do not decide them. With estimated variances it holds for large samples
(Waudby-Smith et al. 2024), so the first look should wait for some hundred users, and some ten
clicks, per arm. Left out: group-sequential tests (Pocock, O'Brien and Fleming), which need the
number of looks beforehand and are then narrower.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys import validation


@dataclass(frozen=True)
class ConfidenceSequence:
    """Always-valid p-values and intervals, one per look.

    Attributes
    ----------
    p_value : array (n_looks,) of float64
        Never rises. The test may stop at the first one of at most alpha.
    low, high : array (n_looks,) of float64
        The interval of each look; all of them hold the truth together with a probability of
        1 - alpha or more.
    """

    p_value: np.ndarray
    low: np.ndarray
    high: np.ndarray


def confidence_sequence(
    difference: Any, standard_error: Any, scale: float, alpha: float = 0.05
) -> ConfidenceSequence:
    r"""Sequential test of a difference that is looked at again and again.

    Parameters
    ----------
    difference, standard_error : array (n_looks,) of float
        As they stand at each look, of all users so far; standard errors above 0.
    scale : float
        :math:`\tau`, about the size of difference that the test should find fastest, above 0. It
        is chosen before the first look; any choice is valid.
    alpha : float
        Probability that any of the looks, without end, excludes the truth.

    Raises
    ------
    ValueError
        For no look, nan, infinity, or a standard error or scale that is not above 0.

    Examples
    --------
    With V = 1 and :math:`\tau^2 = 3` the ratio is :math:`\tfrac12 \exp(3 d^2 / 8)`: 1/2 for the
    first look and 14.6 for the second. A difference of 3 standard errors is not enough at
    :math:`\alpha = 0.05`, where it would be if it were the only look:

    >>> found = confidence_sequence([0.0, 3.0], [1.0, 1.0], scale=3**0.5)
    >>> found.p_value.round(3), (found.low[1] < 0)
    (array([1.   , 0.068]), np.True_)
    """
    difference = validation.finite("difference", difference, np.size(difference), np.float64)
    n = len(difference)
    error = validation.finite("standard_error", standard_error, n, np.float64)
    if n == 0:
        raise ValueError("difference must have one entry per look, got none")
    if error.min() <= 0:
        raise ValueError(f"standard_error must be above 0, got {error.min()}")
    prior = validation.real_number("scale", scale, open_low=True) ** 2
    alpha = validation.real_number("alpha", alpha, high=1.0, open_low=True)
    variance = error**2
    spread = np.log1p(prior / variance)
    exponent = prior * difference**2 / (2 * variance * (variance + prior))
    p_value = np.minimum.accumulate(np.exp(np.minimum(0, spread / 2 - exponent)))
    half = np.sqrt(variance * (variance + prior) / prior * (spread - 2 * np.log(alpha)))
    return ConfidenceSequence(p_value, difference - half, difference + half)
