"""Columns about the items of a log, such as titles: one entry per item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np


def copied_columns(info: Mapping[str, Sequence] | None) -> dict[str, np.ndarray]:
    """Copies of the columns as arrays; None gives none."""
    if info is not None and not isinstance(info, Mapping):
        raise ValueError(f"item_info must map names to columns, got {info!r}")
    return {name: np.array(column) for name, column in (info or {}).items()}


def checked_columns(columns: dict[str, np.ndarray], n_items: int) -> dict[str, np.ndarray]:
    """The columns; ValueError if one has not one entry per item."""
    for name, column in columns.items():
        if column.shape[:1] != (n_items,):
            raise ValueError(
                f"item_info[{name!r}] must have n_items = {n_items} entries, "
                f"got {len(column) if column.ndim else column}"
            )
    return columns


def savable_columns(item_info: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Item columns without Python objects, which only pickle could write."""
    columns = []
    for name, column in item_info.items():
        if column.dtype.kind == "O" and all(isinstance(entry, str) for entry in column.flat):
            column = column.astype(str)
        if column.dtype.kind not in "biufUSM":
            raise ValueError(
                f"item_info[{name!r}] must hold text or numbers to be saved, got {column.dtype}"
            )
        columns.append(column)
    return columns
