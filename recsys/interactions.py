"""Interactions of users with items, the one data structure of this library.

An interaction log is four columns of equal length: user, item and, if known, time and value (a
rating, a play count). Inside, users and items are the numbers 0..n-1; outside they may have any
labels. Left out: edits. A log never changes; a selection is a new log.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping, Sequence, Sized
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from recsys import io, validation


class Interactions:
    """A log of interactions between users and items.

    It copies the arrays that it is given, unless they are read-only and of the right type.

    Parameters
    ----------
    user, item : array-like of int, shape (n,)
        Ids from 0 to n_users - 1 and from 0 to n_items - 1.
    time : array-like, shape (n,), optional
        Seconds since 1970 in UTC, or any other clock that grows; datetime64 is taken as UTC.
    value : array-like of float, shape (n,), optional
        A rating or a count; None if only the interaction itself is known.
    n_users, n_items : int, optional
        The sizes; by default the largest id plus one.
    user_labels, item_labels : sequence of hashable, optional
        Outside names of user 0, user 1, ...; all different.
    item_info : mapping of str to sequence, optional
        Columns about the items, one entry per item, such as "title" or "genres".

    Raises
    ------
    ValueError
        If an id is negative, fractional or too large, a time or value is not finite, or the
        lengths disagree. Nothing is repaired.

    Examples
    --------
    >>> log = Interactions(user=[0, 0, 1], item=[2, 1, 2], time=[10, 20, 30])
    >>> log
    Interactions(3 rows, 2 users, 3 items, with time)
    >>> log.matrix.toarray()
    array([[0., 1., 1.],
           [0., 0., 1.]], dtype=float32)
    """

    def __init__(
        self,
        user: Any,
        item: Any,
        time: Any = None,
        value: Any = None,
        n_users: int | None = None,
        n_items: int | None = None,
        user_labels: Sequence[Hashable] | None = None,
        item_labels: Sequence[Hashable] | None = None,
        item_info: Mapping[str, Sequence] | None = None,
    ):
        self.n_users = _size("n_users", n_users, "user_labels", user_labels)
        self.n_items = _size("n_items", n_items, "item_labels", item_labels)
        self.user = validation.ids("user", user, self.n_users)
        self.item = validation.ids("item", item, self.n_items)
        if len(self.user) != len(self.item):
            raise ValueError(
                f"user and item must be equally long, got {len(self.user)} and {len(self.item)}"
            )
        if self.n_users is None:
            self.n_users = int(self.user.max(initial=-1)) + 1
        if self.n_items is None:
            self.n_items = int(self.item.max(initial=-1)) + 1
        self.time = None if time is None else _seconds(time, len(self.user))
        self.value = (
            None if value is None else validation.finite("value", value, len(self), np.float32)
        )
        self.user_labels = _labels("user_labels", user_labels)
        self.item_labels = _labels("item_labels", item_labels)
        self.item_info = _columns(item_info, self.n_items)
        for column in (self.user, self.item, self.time, self.value):
            if column is not None:
                column.setflags(write=False)

    @classmethod
    def from_frame(
        cls, frame: Any, user: str, item: str, time: str | None = None, value: str | None = None
    ) -> Interactions:
        """Read a pandas or polars DataFrame; the named columns become the log.

        Labels are numbered in sorted order. A missing label raises ValueError, and so does a
        missing time or value.
        """
        names = {"user": user, "item": item, "time": time, "value": value}
        return cls._from_columns(io.columns(frame, names))

    @classmethod
    def from_csv(
        cls,
        path: str | Path,
        user: str,
        item: str,
        time: str | None = None,
        value: str | None = None,
        separator: str = ",",
    ) -> Interactions:
        """Read a CSV file with a header; the named columns become the log, the rest is skipped.

        As `from_frame` in all else. Reading takes all cores, and about 60 bytes of memory per row.
        """
        names = {"user": user, "item": item, "time": time, "value": value}
        return cls._from_columns(io.read_csv(path, names, separator))

    @classmethod
    def _from_columns(cls, columns: dict[str, np.ndarray]) -> Interactions:
        user, user_labels = io.number_labels("user", columns.pop("user"))
        item, item_labels = io.number_labels("item", columns.pop("item"))
        return cls(user, item, **columns, user_labels=user_labels, item_labels=item_labels)

    def __len__(self) -> int:
        return len(self.user)

    def __repr__(self) -> str:
        extras = [name for name in ("time", "value") if getattr(self, name) is not None]
        suffix = f", with {' and '.join(extras)}" if extras else ""
        return (
            f"Interactions({len(self):,} rows, {self.n_users:,} users, "
            f"{self.n_items:,} items{suffix})"
        )

    def summary(self) -> None:
        """Print the log's size, density and time span in three lines."""
        pairs = self.matrix.nnz
        cells = max(self.n_users * self.n_items, 1)
        print(f"{len(self):,} interactions of {self.n_users:,} users with {self.n_items:,} items")
        print(f"{pairs:,} different pairs: {pairs / cells:.2%} of the user-item matrix is filled")
        if self.time is None or not len(self):
            print("no times")
        elif self.time.min() > 1e8:  # an epoch time, not a counter
            first, last = (np.datetime64(int(t), "s") for t in (self.time.min(), self.time.max()))
            print(f"from {str(first)[:10]} to {str(last)[:10]} (UTC)")
        else:
            print(f"times {self.time.min():g} to {self.time.max():g}")

    @cached_property
    def matrix(self) -> sparse.csr_matrix:
        """CSR matrix (n_users, n_items), float32: summed values, or counts without values.

        Built once, memory grows with the number of interactions. A pair is stored even if its
        values sum to zero.
        """
        values = np.ones(len(self), np.float32) if self.value is None else self.value
        user, item, shape = self.user, self.item, (self.n_users, self.n_items)
        matrix = sparse.csr_matrix((values, (user, item)), shape=shape)
        matrix.sum_duplicates()
        if self.value is not None and matrix.nnz < len(self):
            order = np.lexsort((values, item, user))  # the same sums for any order of the rows
            rows = (values[order], (user[order], item[order]))
            matrix = sparse.csr_matrix(rows, shape=shape)
            matrix.sum_duplicates()
        return matrix

    @cached_property
    def titles(self) -> np.ndarray:
        """Name of each item for readers: title, else label, else "item 0"; (n_items,) str."""
        if "title" in self.item_info:
            return self.item_info["title"]
        if self.item_labels is not None:
            return np.array([str(label) for label in self.item_labels])
        return np.array([f"item {i}" for i in range(self.n_items)])

    @cached_property
    def fingerprint(self) -> str:
        """Hexadecimal digest of the rows and sizes; it does not depend on the order of the rows."""
        rows = np.zeros(len(self), np.uint64)
        for column in (self.user, self.item, self.time, self.value):
            if column is not None:
                rows = _hash64(rows ^ column.astype(np.float64).view(np.uint64))
        present = [self.time is not None, self.value is not None]
        totals = [int(_hash64(rows + np.uint64(salt)).sum(dtype=np.uint64)) for salt in (1, 2)]
        parts = [len(self), self.n_users, self.n_items, *present, *totals]
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def select(self, rows: Any) -> Interactions:
        """The log of some rows, given by a boolean mask (n,) or an array of positions."""
        rows = validation.as_array("rows", rows)
        if rows.ndim != 1:
            raise ValueError(f"rows must be one-dimensional, got shape {rows.shape}")
        try:
            np.empty(len(self), np.bool_)[rows]
        except IndexError as error:
            raise ValueError(f"rows must name some of {len(self)} rows: {error}") from None
        part = Interactions.__new__(Interactions)
        part.__dict__.update({k: v for k, v in self.__dict__.items() if k not in _CACHED})
        for name in ("user", "item", "time", "value"):
            column = getattr(self, name)
            if column is not None:
                column = column[rows]
                column.setflags(write=False)
                setattr(part, name, column)
        return part

    def positives(self, min_value: float) -> Interactions:
        """The rows with a value of at least `min_value`, without their values.

        It turns explicit ratings into implicit feedback.
        """
        if self.value is None:
            raise ValueError("positives needs values, and this log has none")
        part = self.select(self.value >= validation.real_number("min_value", min_value, -np.inf))
        part.value = None
        return part

    def user_ids(self, labels: Sequence[Hashable]) -> np.ndarray:
        """The ids (n,) int32 of users given by label; ValueError for an unknown label."""
        return _look_up("user", self._user_index, labels)

    def item_ids(self, labels: Sequence[Hashable]) -> np.ndarray:
        """The ids (n,) int32 of items given by label; ValueError for an unknown label."""
        return _look_up("item", self._item_index, labels)

    @cached_property
    def _user_index(self) -> dict:
        return _index(self.user_labels, self.n_users)

    @cached_property
    def _item_index(self) -> dict:
        return _index(self.item_labels, self.n_items)


def check_log(name: str, log: Any) -> None:
    """ValueError unless `log` is an Interactions."""
    if not isinstance(log, Interactions):
        raise ValueError(f"{name} must be Interactions, got {type(log).__name__}")


_CACHED = ("matrix", "fingerprint")  # computed from the rows, so a selection drops them


def _size(name: str, size: int | None, labels_name: str, labels: Sequence | None) -> int | None:
    """The number of users or items, if given or known from the labels."""
    if size is not None:
        size = validation.whole_number(name, size, low=0, high=validation.MAX_ID)
    if labels is None:
        return size
    if not isinstance(labels, Sized):
        raise ValueError(f"{labels_name} must be a sequence of labels, got {labels!r}")
    if size is not None and size != len(labels):
        raise ValueError(f"{labels_name} must hold {name} = {size} labels, got {len(labels)}")
    return len(labels)


def _labels(name: str, labels: Sequence[Hashable] | None) -> list | None:
    """Labels as a list of Python values, all different."""
    if labels is None:
        return None
    labels = labels.tolist() if isinstance(labels, np.ndarray) else list(labels)
    for label in labels:
        if not isinstance(label, Hashable):
            raise ValueError(f"{name} must be hashable, got {label!r}")
    if len(set(labels)) != len(labels):
        seen = set()
        duplicate = next(label for label in labels if label in seen or seen.add(label))
        raise ValueError(f"{name} must all be different, got {duplicate!r} twice")
    return labels


def _columns(info: Mapping[str, Sequence] | None, n_items: int) -> dict[str, np.ndarray]:
    """Item columns as arrays of n_items entries."""
    if info is not None and not isinstance(info, Mapping):
        raise ValueError(f"item_info must map names to columns, got {info!r}")
    columns = {name: np.asarray(column) for name, column in (info or {}).items()}
    for name, column in columns.items():
        if column.shape[:1] != (n_items,):
            raise ValueError(
                f"item_info[{name!r}] must have n_items = {n_items} entries, "
                f"got {len(column) if column.ndim else column}"
            )
    return columns


def _seconds(time: Any, length: int) -> np.ndarray:
    """Times as float64 seconds; datetime64 counts from 1970 in UTC."""
    array = np.asarray(time)
    if array.dtype.kind == "O" and len(array) and hasattr(array[0], "timestamp"):
        import pandas as pd  # times with a zone, or date objects

        array = pd.to_datetime(array, utc=True).tz_localize(None).to_numpy()
    if array.dtype.kind == "M":
        if np.isnat(array).any():
            raise ValueError("time must be finite, got NaT")
        array = array.astype("datetime64[us]").astype(np.int64) / 1e6
    return validation.finite("time", array, length, np.float64)


def _index(labels: list | None, size: int) -> dict:
    """Id of each label; without labels an id is its own label."""
    return {label: i for i, label in enumerate(range(size) if labels is None else labels)}


def _look_up(name: str, index: dict, labels: Sequence[Hashable]) -> np.ndarray:
    """Ids of labels; ValueError names the first unknown one."""
    if not np.iterable(labels):
        raise ValueError(f"labels must be a sequence of labels, got {labels!r}")
    try:
        return np.array([index[label] for label in labels], np.int32)
    except (KeyError, TypeError):
        unknown = next(x for x in labels if not isinstance(x, Hashable) or x not in index)
        known = ", ".join(repr(label) for label in list(index)[:3]) or "none"
        raise ValueError(f"unknown {name} {unknown!r}; known are {known}, ...") from None


def _hash64(x: np.ndarray) -> np.ndarray:
    """Hash of each 64-bit word (SplitMix64, Steele et al. 2014)."""
    x = (x + np.uint64(0x9E3779B97F4A7C15)).astype(np.uint64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
