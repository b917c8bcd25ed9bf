"""Reading columns from data frames and CSV files, and times in any form."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import numpy as np

from recsys import validation

UNITS = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}  # units per second
MAX_SECONDS = 1e11  # the year 5138


def columns(frame: Any, names: dict[str, str | None]) -> dict[str, np.ndarray]:
    """Columns of a pandas or polars DataFrame; `names` maps an argument to its column or None.

    They may be views of the frame.
    """
    is_lazy = hasattr(frame, "collect")  # polars' frames without values
    if is_lazy or not hasattr(type(frame), "columns"):
        raise ValueError(f"frame must be a pandas or polars DataFrame, got {type(frame).__name__}")
    _check_names(names, list(frame.columns))
    found = {argument: frame[name] for argument, name in names.items() if name}
    return {
        argument: _in_utc(column) if argument == "time" else column.to_numpy()
        for argument, column in found.items()
    }


def read_csv(
    file: str | Path | IO[bytes], names: dict[str, str | None], separator: str = ","
) -> dict[str, np.ndarray]:
    """Columns of a CSV file with a header, as `columns`; polars reads it on all cores.

    User and item labels are whole numbers if each is written as one, else text: "007" is no 7.
    """
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
            file, separator=separator, columns=wanted, schema_overrides=_types(names)
        )
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{file} must be a CSV file with a header: {reason}") from None
    labels = {names["user"], names["item"]}
    return columns(frame.with_columns(_as_integers(frame[name]) for name in labels), names)


def _types(names: dict[str, str | None]) -> dict[str, Any]:
    """Labels as text; time and value as a log stores them: wider ones would take twice as much."""
    import polars as pl

    types = {"time": pl.Float64, "value": pl.Float32, "user": pl.String, "item": pl.String}
    return {names[argument]: dtype for argument, dtype in types.items() if names.get(argument)}


def _as_integers(texts: Any) -> Any:
    """A polars column of integers if each text is how that integer is written, else the texts."""
    import polars as pl

    numbers = texts.cast(pl.Int64, strict=False)
    exact = numbers.null_count() == 0 and (numbers.cast(pl.String) == texts).all()
    return numbers if exact else texts


def _check_names(names: dict[str, str | None], known: list[str]) -> None:
    for argument, name in names.items():
        if name is None and argument not in ("user", "item"):
            continue
        if known.count(name) != 1:
            again = " more than once" if name in known else ""
            raise ValueError(f"{argument} must be one of {known}, got {name!r}{again}")


def seconds(time: Any, length: int, unit: str | None = None, copy: bool = True) -> np.ndarray:
    """Times as float64 seconds; datetime64 counts from 1970 in UTC.

    Numbers are seconds, or what `unit` says; without it, 1e11 and above raise ValueError.
    """
    if unit is not None:
        validation.one_of("unit", unit, list(UNITS))
    array = _in_utc(time)
    if array.dtype.kind == "M":
        if unit is not None:
            raise ValueError(f"unit must be None for datetimes, which have their own, got {unit!r}")
        if np.isnat(array).any():
            raise ValueError("time must be finite, got NaT")
        array, copy = array.astype("datetime64[us]").astype(np.int64) / 1e6, False
    array = validation.finite("time", array, length, np.float64, copy)
    if unit is not None:
        return array / UNITS[unit]
    if np.abs(array).max(initial=0) >= MAX_SECONDS:
        raise ValueError(
            f"time must be in seconds, got {array[np.abs(array).argmax()]:g}: name its unit, "
            f"one of {list(UNITS)}, as in unit='ms'"
        )
    return array


def _in_utc(time: Any) -> np.ndarray:
    """Times as an array; those with a zone as datetime64 in UTC."""
    has_zone = getattr(getattr(time, "dtype", None), "tz", None) is not None
    times = time if has_zone else validation.as_array("time", time)
    if not has_zone and not (
        times.dtype == object and hasattr(next(iter(times.flat), None), "timestamp")
    ):
        return times
    import pandas as pd

    return pd.DatetimeIndex(pd.to_datetime(times, utc=True)).tz_convert(None).to_numpy()
