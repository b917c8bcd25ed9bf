r"""CUPED: a narrower interval, from what users did before the experiment (Deng et al. 2013).

Much of the variance between users was there before. The metric :math:`y` of each user is replaced
by

.. math:: y - \theta (x - \bar x), \qquad \theta = cov(x, y) / var(x)

with :math:`x` a value of the same user from before. The arms were drawn independently of :math:`x`,
so the expected difference stays; of the variance the fraction :math:`1 - cor(x, y)^2` is left.
Left out: several values from before, which need a regression, and metrics per impression.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys import validation
from recsys.ab import arguments


def cuped(control: Any, treatment: Any, control_before: Any, treatment_before: Any) -> tuple:
    r"""The metric of each user less what their value before the experiment explains.

    :math:`y - \theta (x - \bar x)`, with :math:`\theta = cov(x, y) / var(x)` within the arms,
    both together.

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
    control = arguments.values("control", control)
    treatment = arguments.values("treatment", treatment)
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
