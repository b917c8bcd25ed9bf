"""Validation of arguments that several functions of A/B tests share."""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys import validation


def values(name: str, values: Any) -> np.ndarray:
    """`values` as float64, one per user, of two users or more."""
    values = validation.finite(name, values, np.size(values), np.float64)
    if len(values) < 2:
        raise ValueError(f"{name} must hold two or more users, got {len(values)}")
    return values


def counts(name: str, values: Any, low: int, length: int = 2) -> list[int]:
    """Whole numbers of at least `low`, one per arm."""
    if np.ndim(values) != 1 or len(values) != length:
        raise ValueError(f"{name} must be {length} counts, one per arm, got {values!r}")
    return [validation.whole_number(name, value, low=low) for value in values]


def one_per_arm(name: str, value: Any) -> tuple[float, float]:
    """A number for both arms, or one for each; above 0."""
    pair = (value, value) if np.ndim(value) == 0 else tuple(value)
    if len(pair) != 2:
        raise ValueError(f"{name} must be a number or one per arm, got {value!r}")
    first, second = (validation.real_number(name, one, open_low=True) for one in pair)
    return first, second


def between(name: str, value: float, low: float) -> float:
    """`value` in (low, 1), both ends excluded."""
    value = validation.real_number(name, value, low=low, open_low=True)
    if value >= 1:
        raise ValueError(f"{name} must be below 1, got {value}")
    return value
