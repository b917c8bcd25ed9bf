r"""Sample ratio mismatch: have the arms of an A/B test the sizes that were planned?

The first test of every experiment. Its statistic is Pearson's

.. math:: \chi^2 = \sum_a \frac{(n_a - n p_a)^2}{n p_a}

with :math:`n_a` users counted in arm a of :math:`n`, and :math:`p_a` its planned fraction (Fabijan
et al. 2019 list what causes a mismatch).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import chdtrc

from recsys import validation
from recsys.ab import arguments


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
    users = np.array(arguments.counts("users", users, low=0, length=n_arms))
    expected = validation.finite("expected", expected, n_arms, np.float64)
    if (expected <= 0).any() or abs(expected.sum() - 1) > 1e-9:
        raise ValueError(f"expected must be above 0 and sum to 1, got {expected.tolist()}")
    if not users.any():
        raise ValueError("users must not all be 0")
    planned = users.sum() * expected
    return float(chdtrc(n_arms - 1, np.sum((users - planned) ** 2 / planned)))
