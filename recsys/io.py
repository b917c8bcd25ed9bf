"""Reading columns from data frames and CSV files, and numbering their labels."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import numpy as np

from recsys.compiled import compiled, prange


def columns(frame: Any, names: dict[str, str | None]) -> dict[str, np.ndarray]:
    """Columns of a pandas or polars DataFrame; `names` maps an argument to its column or None."""
    if not hasattr(frame, "columns"):
        raise ValueError(f"frame must be a pandas or polars DataFrame, got {type(frame).__name__}")
    _check_names(names, list(frame.columns))
    return {argument: frame[name].to_numpy() for argument, name in names.items() if name}


def read_csv(
    file: str | Path | IO[bytes], names: dict[str, str | None], separator: str = ","
) -> dict[str, np.ndarray]:
    """Columns of a CSV file with a header, as `columns`; polars reads it on all cores."""
    import polars as pl

    if not isinstance(separator, str) or len(separator.encode()) != 1:
        raise ValueError(f"separator must be one character, got {separator!r}")
    try:
        header = pl.read_csv(file, separator=separator, n_rows=0).columns
        _check_names(names, header)
        if hasattr(file, "seek"):
            file.seek(0)
        wanted = sorted({name for name in names.values() if name is not None})
        frame = pl.read_csv(
            file, separator=separator, columns=wanted, schema_overrides=_floats(names)
        )
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{file} must be a CSV file with a header: {reason}") from None
    return columns(frame, names)


def _floats(names: dict[str, str | None]) -> dict[str, Any]:
    """The types that a log stores: reading wider ones would take twice the memory."""
    import polars as pl

    types = {"time": pl.Float64, "value": pl.Float32}
    labels = (names["user"], names["item"])
    return {
        names[argument]: dtype
        for argument, dtype in types.items()
        if names.get(argument) is not None and names[argument] not in labels
    }


def _check_names(names: dict[str, str | None], known: list[str]) -> None:
    for argument, name in names.items():
        if name is None and argument not in ("user", "item"):
            continue
        if known.count(name) != 1:
            again = " more than once" if name in known else ""
            raise ValueError(f"{argument} must be one of {known}, got {name!r}{again}")


def number_labels(name: str, labels: np.ndarray) -> tuple[np.ndarray, list]:
    """Labels numbered in sorted order: ids (n,) int32 and the list of labels."""
    if labels.dtype.kind in "iu" and len(labels):
        low, high = int(labels.min()), int(labels.max())
        if high - low < 4 * len(labels) and high < 2**63:
            return _number_integers(labels, low, high - low + 1)
    return _number_by_sorting(name, labels)


def _number_integers(labels: np.ndarray, low: int, span: int) -> tuple[np.ndarray, list]:
    """Integers close together: a table of all integers in their range needs no sorting."""
    present = np.zeros(span, np.bool_)
    mark(labels, labels.dtype.type(low), present)
    number = np.cumsum(present, dtype=np.int32) - np.int32(1)
    ids = np.empty(len(labels), np.int32)
    translate(labels, labels.dtype.type(low), number, ids)
    ids.setflags(write=False)
    return ids, (np.flatnonzero(present) + low).tolist()


@compiled(parallel=True)
def mark(labels, low, present):
    """Set present[label - low] for each label."""
    for row in prange(len(labels)):
        present[labels[row] - low] = True


@compiled(parallel=True)
def translate(labels, low, number, ids):
    """ids[row] = number[label - low], row by row."""
    for row in prange(len(labels)):
        ids[row] = number[labels[row] - low]


def _number_by_sorting(name: str, labels: np.ndarray) -> tuple[np.ndarray, list]:
    """Labels of any sortable type."""
    import pandas as pd

    try:
        codes, unique = pd.factorize(labels, sort=True)
    except TypeError as error:
        raise ValueError(f"{name} labels must be hashable and of one type: {error}") from None
    if (codes < 0).any():
        row = int(np.flatnonzero(codes < 0)[0])
        raise ValueError(f"{name} labels must not be missing, got {labels[row]!r} in row {row}")
    return codes, list(unique.tolist() if hasattr(unique, "tolist") else unique)
