"""Scores before re-ranking: on one scale, and discounted by age.

A re-ranker adds a score to a similarity or a divergence, so both must be of comparable size.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys import validation


def to_unit_range(scores: Any) -> np.ndarray:
    """Scores scaled linearly to the range 0 to 1 (min-max); all 1 if they are all equal.

    >>> to_unit_range([-2.0, 0.0, 2.0])
    array([0. , 0.5, 1. ])
    """
    scores = validation.amounts("scores", scores, low=-np.inf)
    if scores.size == 0 or scores.max() == scores.min():
        return np.ones_like(scores)
    return (scores - scores.min()) / (scores.max() - scores.min())


def freshness(age: Any, half_life: float) -> np.ndarray:
    """Exponential decay: 1 at age 0, halved every `half_life`, in the unit of the ages.

    >>> freshness([0, 6, 12], half_life=6)
    array([1.  , 0.5 , 0.25])
    """
    half_life = validation.real_number("half_life", half_life, open_low=True)
    return 0.5 ** (validation.amounts("age", age) / half_life)
