"""Validation of arguments: each error names the argument, what it was and what it may be."""

from __future__ import annotations

import numbers
import os
from collections.abc import Iterable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

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
    """`value` as a bool; 0 and 1 are refused."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def one_of(name: str, value: Any, choices: Sequence[str]) -> str:
    """`value`, if it is one of `choices`."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {list(choices)}, got {value!r}")
    return value


def as_array(name: str, values: Any) -> np.ndarray:
    """`values` as an array; rows of different lengths are refused."""
    try:
        return np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} must have rows of one length, got {values!r}") from None


def path(name: str, value: Any) -> Path:
    """`value` as a path; "~" is the home folder."""
    if not isinstance(value, (str, os.PathLike)):
        raise ValueError(f"{name} must be a path, got {value!r}")
    try:
        return Path(value).expanduser()
    except RuntimeError:
        raise ValueError(f"{name} must be in a known home folder, got {str(value)!r}") from None


def ids(name: str, values: Any, size: int | None = None, copy: bool = True) -> np.ndarray:
    """`values` as a one-dimensional int32 array of ids in 0..size-1; a copy unless told not to."""
    no_order = isinstance(values, (str, bytes, Set, Mapping))
    if no_order or (isinstance(values, Iterable) and not hasattr(values, "__len__")):
        raise ValueError(f"{name} must be a sequence of ids, got a {type(values).__name__}")
    array = as_array(name, values)
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
            raise ValueError(f"{name} must hold whole-number ids, got {array[wrong][0]}")
    low, high = array.min(), array.max()
    limit = MAX_ID if size is None else size - 1
    if low < 0 or high > limit:
        wrong = low if low < 0 else high
        raise ValueError(f"{name} must hold ids between 0 and {limit}, got {wrong}")
    return array.astype(np.int32, copy=copy)


def no_stored_zeros(name: str, table: sparse.spmatrix) -> None:
    """ValueError if a sparse matrix stores a zero, which may or may not mean an interaction."""
    zeros = np.count_nonzero(table.data == 0)
    if zeros:
        raise ValueError(
            f"{name} must not store zeros, got {zeros}: call {name}.eliminate_zeros() if they mean "
            "no interaction, else store another value"
        )


def is_table(values: Any) -> bool:
    """Whether `values` is a data frame or a mapping, of which a loop reads the names or columns."""
    return isinstance(values, Mapping) or hasattr(type(values), "columns")


def not_dense(name: str, values: Any, n_items: int | None = None) -> None:
    """ValueError for a table or dense matrix, whose rows could be misread as lists of ids.

    An array of ids has whole numbers, no id twice in a row and other ids than 0 and 1. Lists are
    the rows of a dense matrix if they are equally long (`n_items`, if given; more than two) and
    hold 0 and 1 only.
    """
    must = f"{name} must be one list of ids per user or a sparse matrix"
    if is_table(values):
        raise ValueError(f"{must}, got a {type(values).__name__}")
    table = _equal_rows(values, n_items) if isinstance(values, (list, tuple)) else values
    if not isinstance(table, np.ndarray) or table.ndim != 2 or table.size == 0:
        return
    dense = table is values and (
        table.dtype.kind not in "iu" or (np.diff(np.sort(table, axis=1), axis=1) == 0).any()
    )
    if dense or (table.shape[1] > 1 and ((table == 0) | (table == 1)).all()):
        raise ValueError(
            f"{must}, got a dense matrix of shape {table.shape}: "
            f"pass scipy.sparse.csr_matrix({name})"
        )


def _equal_rows(rows: list | tuple, n_items: int | None) -> np.ndarray | None:
    """Rows of one length above two as an array; None if they are not."""
    if not all(isinstance(row, (list, tuple, np.ndarray)) for row in rows):
        return None
    lengths = {len(row) if np.ndim(row) else 0 for row in rows}
    if len(lengths) != 1 or not 2 < max(lengths) == (n_items or max(lengths)):
        return None
    try:
        return np.asarray(rows)
    except ValueError:
        return None


def lists(name: str, values: Any, n_items: int = MAX_ID + 1, columns: int = 0) -> np.ndarray:
    """`values` as an int32 array (n_users, >= columns) of item ids, padded with -1."""
    array = matrix(name, as_array(name, values))
    if array.shape[1] < columns:
        raise ValueError(f"{name} must have {columns} or more columns, got shape {array.shape}")
    if array.size == 0:
        return np.empty(array.shape, np.int32)
    if array.dtype.kind not in "iu":
        raise ValueError(f"{name} must hold item ids, got values of type {array.dtype}")
    low, high = array.min(), array.max()
    if low < -1 or high >= n_items:
        raise ValueError(
            f"{name} must hold ids from 0 to {n_items - 1}, or -1 if short, "
            f"got {low if low < -1 else high}"
        )
    return array.astype(np.int32, copy=False)


def finite(name: str, values: Any, length: int, dtype: type, copy: bool = True) -> np.ndarray:
    """`values` as a finite one-dimensional array of `length` numbers; a copy by default."""
    array = as_array(name, values)
    if array.dtype.kind not in "iufb":
        raise ValueError(f"{name} must hold numbers, got values of type {array.dtype}")
    if array.shape != (length,):
        raise ValueError(
            f"{name} must have one entry per row, shape ({length},), got {array.shape}"
        )
    with np.errstate(over="ignore"):
        cast = array.astype(dtype, copy=copy)
    if array.dtype.kind == "f" and not np.isfinite(cast).all():  # also: too large for the type
        row = int(np.argmin(np.isfinite(cast)))
        raise ValueError(f"{name} must be finite, got {array[row]} in row {row}")
    return cast


def amounts(name: str, values: Any, low: float = 0.0) -> np.ndarray:
    """`values`, a number or an array of any shape, as finite float64 of at least `low`."""
    array = as_array(name, values)
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{name} must hold numbers, got {values!r}")
    wrong = ~np.isfinite(array) | (array < low)
    if wrong.any():
        bounds = "finite" if np.isneginf(low) else f"finite and at least {low:g}"
        raise ValueError(f"{name} must be {bounds}, got {array[wrong][0]}")
    return array.astype(np.float64)


def matrix(name: str, values: Any) -> np.ndarray | sparse.csr_matrix:
    """`values` as a two-dimensional array of numbers, or as a CSR matrix if sparse."""
    table = sparse.csr_matrix(values) if sparse.issparse(values) else as_array(name, values)
    if table.ndim != 2 or table.dtype.kind not in "iufb":
        raise ValueError(
            f"{name} must be a matrix of numbers, got shape {table.shape} of type {table.dtype}"
        )
    return table


def features(name: str, values: Any) -> np.ndarray | sparse.csr_matrix:
    """A copy of `values` as finite float32, one row per item: CSR if sparse, else an array."""
    with np.errstate(over="ignore"):  # values too large become infinite, and are refused
        table = matrix(name, values).astype(np.float32)
    if sparse.issparse(table):
        table.sum_duplicates()
        table.eliminate_zeros()
    else:
        table = np.ascontiguousarray(table)
    return all_finite(name, table)


def all_finite(name: str, table: Any) -> Any:
    """An array or sparse matrix of floats; ValueError if an entry is nan or infinite."""
    entries = table.data if sparse.issparse(table) else table
    wrong = ~np.isfinite(entries)
    if wrong.any():
        raise ValueError(f"{name} must be finite, got {entries[wrong][0]}")
    return table


def random_generator(rng: Any) -> np.random.Generator:
    """The generator of `rng`, an int or a `numpy.random.Generator` (SPEC 7)."""
    if isinstance(rng, np.random.Generator):
        return rng
    if isinstance(rng, (bool, np.bool_)) or not isinstance(rng, numbers.Integral) or rng < 0:
        raise ValueError(
            f"rng must be a whole number of at least 0 or a numpy.random.Generator, got {rng!r}"
        )
    return np.random.default_rng(int(rng))


def texts(name: str, values: Any) -> list[str]:
    """`values` as a list, all of them str; a single str is refused."""
    table = is_table(values) or getattr(values, "ndim", 1) != 1 or hasattr(values, "columns")
    if isinstance(values, str) or not np.iterable(values) or table:
        found = type(values).__name__ if table else repr(values)
        raise ValueError(f"{name} must be a sequence of texts, got {found}")
    values = list(values)
    for row, text in enumerate(values):
        if not isinstance(text, str):
            raise ValueError(f"{name} must all be str, got {text!r} in row {row}")
    return values
