"""Metadata filters: which items may be shown at all, by business rules.

In stock, of these categories, at most this price: the conditions become a mask, `passing`, that
every index takes as `allowed`, and `QdrantIndex` passes them to the database. Filtering before the
search (pre-filtering) returns k items wherever k pass; filtering its results afterwards
(post-filtering) may return fewer. Left out: "or" across columns, which is `|` of two masks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from recsys import validation

EQUALS, ONE_OF, BETWEEN = "equals", "one of", "between"
Condition = tuple[str, str, Any]


def passing(metadata: Mapping[str, Any], where: Mapping[str, Any]) -> np.ndarray:
    """Mask of the items that satisfy all conditions, for an index to take as `allowed`.

    Parameters
    ----------
    metadata : mapping of str to array (n,)
        One value per item: text, bools, whole numbers or floats.
    where : mapping of str to value, list or (low, high)
        A value must be equal; of a list, one must. A pair (low, high) holds the least
        and the greatest value allowed; None is no bound. {} passes all.

    Returns
    -------
    array (n,) of bool
        All False if nothing passes; an index then returns only padding.

    Examples
    --------
    >>> metadata = {"category": ["shoe", "hat", "shoe"], "price": [20, 10, 90]}
    >>> passing(metadata, {"category": "shoe", "price": (None, 50)})
    array([ True, False, False])
    """
    columns = check_metadata(metadata)
    mask = np.ones(len(next(iter(columns.values()))), np.bool_)
    for name, kind, value in conditions(columns, where):
        if kind == EQUALS:
            mask &= columns[name] == value
        elif kind == ONE_OF:
            mask &= np.isin(columns[name], value)
        else:
            low, high = value
            mask &= True if low is None else columns[name] >= low
            mask &= True if high is None else columns[name] <= high
    return mask


def check_metadata(metadata: Mapping[str, Any], n_items: int | None = None) -> dict[str, Any]:
    """Columns of metadata as arrays (n_items,) of text, bools, whole numbers or finite floats."""
    if not isinstance(metadata, Mapping) or not metadata:
        raise ValueError(f"metadata must map names to columns, got {type(metadata).__name__}")
    columns = {}
    for name, values in metadata.items():
        column = validation.as_array(f"metadata[{name!r}]", values)
        if not (isinstance(name, str) and name.isidentifier()):
            raise ValueError(f"metadata must have names such as 'in_stock', got {name!r}")
        n_items = len(column) if n_items is None and column.ndim == 1 else n_items
        if column.shape != (n_items,):
            raise ValueError(
                f"metadata[{name!r}] must have one value per item, got shape {column.shape}"
            )
        if column.dtype.kind not in "biufU":
            raise ValueError(
                f"metadata[{name!r}] must hold text, bools or numbers, got {column.dtype}"
            )
        if column.dtype.kind == "f":
            validation.all_finite(f"metadata[{name!r}]", column)
        columns[name] = column
    return columns


def conditions(columns: Mapping[str, np.ndarray], where: Mapping[str, Any]) -> list[Condition]:
    """The conditions of `where` as (name, EQUALS, ONE_OF or BETWEEN, value), checked."""
    if not isinstance(where, Mapping):
        raise ValueError(f"where must map names to conditions, got {type(where).__name__}")
    found = []
    for name, value in where.items():
        if name not in columns:
            raise ValueError(f"where must name columns of {sorted(columns)}, got {name!r}")
        kind = columns[name].dtype.kind
        if isinstance(value, tuple):
            found.append((name, BETWEEN, _check_bounds(name, kind, value)))
        elif isinstance(value, list):
            found.append((name, ONE_OF, [_check_value(name, kind, one) for one in value]))
        else:
            found.append((name, EQUALS, _check_value(name, kind, value)))
    return found


def _check_value(name: str, kind: str, value: Any) -> Any:
    """A value of the column's own type, so that 1 is not taken for True nor "1" for 1."""
    types = {"b": (bool, np.bool_), "i": (int, np.integer), "u": (int, np.integer), "U": (str,)}
    if kind == "f":
        raise ValueError(f"where[{name!r}] must be a pair (low, high) for floats, got {value!r}")
    if not isinstance(value, types[kind]) or (kind != "b" and isinstance(value, bool)):
        expected = {"b": "a bool", "U": "text"}.get(kind, "a whole number")
        raise ValueError(f"where[{name!r}] must be {expected}, got {value!r}")
    return value.item() if isinstance(value, np.generic) else value


def _check_bounds(name: str, kind: str, bounds: tuple) -> tuple[float | None, float | None]:
    if kind not in "iuf" or len(bounds) != 2:
        raise ValueError(f"where[{name!r}] must be a pair (low, high) of numbers, got {bounds!r}")
    low, high = (
        None if bound is None else validation.real_number(f"where[{name!r}]", bound, -np.inf)
        for bound in bounds
    )
    return low, high
