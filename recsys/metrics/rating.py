r"""Rating metrics: the error of predicted ratings.

A predicted :math:`\hat r` and an actual rating r for each of n pairs of a user and an item. A low
error does not make good lists: these metrics see only the ratings that users gave, never the
items that they would not have rated at all.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys import validation


def rmse(predicted: Any, actual: Any) -> float:
    r"""Root mean squared error: :math:`\sqrt{\sum (\hat r - r)^2 / n}`.

    Parameters
    ----------
    predicted, actual : array-like (n,) of float
        Row by row the same pairs; at least one.

    Returns
    -------
    float
        In the unit of the ratings, at best 0. An error twice as large counts four times.

    >>> rmse([1, 2, 3, 4], [1, 2, 3, 6])
    1.0
    """
    return float(np.sqrt(np.mean(_errors(predicted, actual) ** 2)))


def mae(predicted: Any, actual: Any) -> float:
    r"""Mean absolute error: :math:`\sum |\hat r - r| / n`.

    Parameters and unit are those of `rmse`.

    >>> mae([1, 2, 3, 4], [1, 2, 3, 6])
    0.5
    """
    return float(np.mean(np.abs(_errors(predicted, actual))))


def _errors(predicted: Any, actual: Any) -> np.ndarray:
    """Predicted minus actual ratings, (n,) float64."""
    n = validation.as_array("actual", actual).size
    if n == 0:
        raise ValueError("actual must hold at least one rating, got none")
    actual = validation.finite("actual", actual, n, np.float64)
    return validation.finite("predicted", predicted, n, np.float64) - actual
