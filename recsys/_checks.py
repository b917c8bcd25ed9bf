"""Input checks: each error names the argument, what came and what may come."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

MAX_ID = np.iinfo(np.int32).max


def whole_number(name: str, value: Any, low: int = 1, high: int | None = None) -> int:
    """`value` as an int in [low, high]; booleans, floats and strings are refused."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral):
        raise ValueError(f"{name} must be a whole number, got {value!r}")
    if value < low or (high is not None and value > high):
        bounds = f"at least {low}" if high is None else f"between {low} and {high}"
        raise ValueError(f"{name} must be {bounds}, got {value!r}")
    return int(value)


def real_number(
    name: str, value: Any, low: float = 0.0, high: float = np.inf, open_low: bool = False
) -> float:
    """`value` as a finite float in [low, high], or in (low, high] with `open_low`."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise ValueError(f"{name} must be a number, got {value!r}")
    too_low = value <= low if open_low else value < low
    if not np.isfinite(value) or too_low or value > high:
        bounds = f"{'above' if open_low else 'at least'} {low:g}"
        bounds += "" if np.isinf(high) else f" and at most {high:g}"
        raise ValueError(f"{name} must be finite and {bounds}, got {value!r}")
    return float(value)


def true_or_false(name: str, value: Any) -> bool:
    """`value` as a bool; nothing else is taken for one."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def ids(name: str, values: Any, size: int | None = None) -> np.ndarray:
    """`values` as a one-dimensional int32 array of ids in 0..size-1."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, got shape {array.shape}")
    if array.size == 0:
        return np.empty(0, np.int32)
    if array.dtype == bool or array.dtype.kind not in "iuf":
        raise ValueError(
            f"{name} must hold whole-number ids, got values of type {array.dtype}; "
            "Interactions.from_frame turns labels into ids"
        )
    if array.dtype.kind == "f":
        wrong = ~(np.isfinite(array) & (array == np.floor(array)))
        if wrong.any():
            raise ValueError(f"{name} must hold whole-number ids, got {array[wrong][0]!r}")
    low, high = array.min(), array.max()
    limit = MAX_ID if size is None else size - 1
    if low < 0 or high > limit:
        wrong = low if low < 0 else high
        raise ValueError(f"{name} must hold ids between 0 and {limit}, got {wrong!r}")
    return array.astype(np.int32)


def finite(name: str, values: Any, length: int, dtype: type) -> np.ndarray:
    """`values` as a finite one-dimensional array of `length` numbers."""
    array = np.asarray(values)
    if array.dtype.kind not in "iufb":
        raise ValueError(f"{name} must hold numbers, got values of type {array.dtype}")
    if array.shape != (length,):
        raise ValueError(f"{name} must have one entry a row, shape ({length},), got {array.shape}")
    with np.errstate(over="ignore"):
        wrong = ~np.isfinite(array.astype(dtype))  # also what is too large for the type
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise ValueError(f"{name} must be finite, got {array[row]!r} in row {row}")
    return array.astype(dtype)


def random_generator(rng: Any) -> np.random.Generator:
    """The generator that `rng`, an int or a `numpy.random.Generator`, stands for (SPEC 7)."""
    if isinstance(rng, np.random.Generator):
        return rng
    if isinstance(rng, (bool, np.bool_)) or not isinstance(rng, numbers.Integral) or rng < 0:
        raise ValueError(
            f"rng must be a whole number of at least 0 or a numpy.random.Generator, got {rng!r}"
        )
    return np.random.default_rng(int(rng))
