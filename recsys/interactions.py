"""Interactions of users with items, the one data structure of this library.

An interaction log is four columns of equal length: user, item and, if known, time and value (a
rating, a play count). Inside, users and items are the numbers 0..n-1; outside they may have any
labels. Left out: edits. A log never changes; a selection is a new log.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from recsys import io, numbering, validation
from recsys.fingerprint import digest_of_rows, log_fingerprint
from recsys.item_info import checked_columns, copied_columns
from recsys.log_formats import COLUMNS, LogFormats, check_log

__all__ = [
    "Interactions",
    "check_log",
    "check_same_items",
    "check_same_labels",
    "check_same_users",
    "log_fingerprint",
    "read_only",
]

CACHED = ("matrix", "fingerprint", "row_digest")  # computed from the rows


class Interactions(LogFormats):
    """A log of interactions between users and items.

    It owns its arrays: they are copied, and nobody can write to them.

    Parameters
    ----------
    user, item : array-like of int, shape (n,)
        Ids from 0 to n_users - 1 and from 0 to n_items - 1.
    time : array-like, shape (n,), optional
        Seconds since 1970 in UTC, or any other clock that grows; datetimes without a zone are
        taken as UTC.
    value : array-like of float, shape (n,), optional
        A rating or a count; None if only the interaction itself is known.
    n_users, n_items : int, optional
        The sizes; by default the largest id plus one.
    user_labels, item_labels : sequence of hashable, optional
        Outside names of user 0, user 1, ...; all different.
    item_info : mapping of str to sequence, optional
        Columns about the items, one entry per item, such as "title" or "genres".
    unit : {"s", "ms", "us", "ns"}, optional
        Unit of numeric times; without it, times of 1e11 and above raise.

    Attributes
    ----------
    n_dropped : int
        Number of rows that `from_frame(..., unknown="drop")` left out.

    Raises
    ------
    ValueError
        If an id is negative, fractional or too large, a time or value is not finite, or the
        lengths disagree. Nothing is repaired. Ids above 10 million and above 100 times the number
        of rows are too large unless `n_users` or `n_items` allows them.

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
        unit: str | None = None,
    ):
        n_users = numbering.given_size("n_users", n_users, "user_labels", user_labels)
        n_items = numbering.given_size("n_items", n_items, "item_labels", item_labels)
        user_labels = numbering.checked("user_labels", user_labels)
        item_labels = numbering.checked("item_labels", item_labels)
        info = copied_columns(item_info)
        self._own(user, item, time, value, n_users, n_items, user_labels, item_labels, info, unit)

    def _own(
        self, user, item, time, value, n_users, n_items, user_labels, item_labels, item_info,
        unit=None, copy=True,
    ):  # fmt: skip
        """Fill the log; without `copy`, with arrays that were made for it and nobody else has."""
        self.user = validation.ids("user", user, n_users, copy)
        self.item = validation.ids("item", item, n_items, copy)
        if len(self.user) != len(self.item):
            raise ValueError(
                f"user and item must be equally long, got {len(self.user)} and {len(self.item)}"
            )
        self.n_users = numbering.size_of("user", self.user) if n_users is None else n_users
        self.n_items = numbering.size_of("item", self.item) if n_items is None else n_items
        self.time = None if time is None else io.seconds(time, len(self), unit, copy)
        if value is not None:
            value = validation.finite("value", value, len(self), np.float32, copy)
        self.value = value
        self.user_labels, self.item_labels = user_labels, item_labels
        self.item_info = checked_columns(item_info, self.n_items)
        self.n_dropped = 0
        self._freeze()

    def _freeze(self) -> None:
        """Let nobody write to the arrays."""
        for array in (*(getattr(self, name) for name in COLUMNS), *self.item_info.values()):
            if array is not None:
                array.setflags(write=False)

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        for name in ("matrix", "titles"):
            self.__dict__.pop(name, None)
        self._freeze()  # arrays that were pickled are writeable

    @classmethod
    def _made(cls, *columns_sizes_labels: Any, unit: str | None = None) -> Interactions:
        """A log of arrays that nobody else has, and of labels known to be right."""
        log = cls.__new__(cls)
        log._own(*columns_sizes_labels, unit, copy=False)
        return log

    def append(self, other: Interactions) -> Interactions:
        """The log of these rows and then those of `other`, whose new labels are numbered on.

        Both logs must have times or neither, and likewise values and labels. Of `item_info` the
        columns that are known for all items are kept.
        """
        check_log("other", other)
        for name in ("time", "value"):
            if (getattr(self, name) is None) != (getattr(other, name) is None):
                raise ValueError(
                    f"other must have a {name} if and only if the log has, got {other!r}"
                )
        users = numbering.joined(
            "user", self.user_labels, self.n_users, other.user_labels, other.n_users
        )
        items = numbering.joined(
            "item", self.item_labels, self.n_items, other.item_labels, other.n_items
        )
        (user_ids, user_labels), (item_ids, item_labels) = users, items
        theirs = user_ids[other.user], item_ids[other.item], other.time, other.value
        columns = [
            None if column is None else np.concatenate([getattr(self, name), column])
            for name, column in zip(COLUMNS, theirs, strict=True)
        ]
        n_users = max(self.n_users, user_ids.max(initial=-1) + 1)
        n_items = max(self.n_items, item_ids.max(initial=-1) + 1)
        new = item_ids >= self.n_items
        info = {
            name: np.concatenate([column, other.item_info[name][new]]) if new.any() else column
            for name, column in self.item_info.items()
            if name in other.item_info or not new.any()
        }
        return self._made(*columns, int(n_users), int(n_items), user_labels, item_labels, info)

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
        if self.n_dropped:
            print(f"{self.n_dropped:,} rows of unknown users or items were dropped")

    @cached_property
    def matrix(self) -> sparse.csr_matrix:
        """CSR matrix (n_users, n_items), float32: summed values, or counts without values.

        Built once, memory grows with the number of interactions. A pair is stored even
        if its values sum to zero.
        """
        values = np.ones(len(self), np.float32) if self.value is None else self.value
        user, item, shape = self.user, self.item, (self.n_users, self.n_items)
        matrix = sparse.csr_matrix((values, (user, item)), shape=shape)
        matrix.sum_duplicates()
        if self.value is not None and matrix.nnz < len(self):
            order = np.lexsort((values, item, user))  # the same sums for any row order
            rows = (values[order], (user[order], item[order]))
            matrix = sparse.csr_matrix(rows, shape=shape)
            matrix.sum_duplicates()
        return read_only(matrix)

    @cached_property
    def titles(self) -> np.ndarray:
        """Name of each item for readers: title, else label, else "item 0"; (n_items,) str."""
        if "title" in self.item_info:
            return self.item_info["title"]
        if self.item_labels is not None:
            titles = np.array([str(label) for label in self.item_labels])
        else:
            titles = np.array([f"item {i}" for i in range(self.n_items)])
        titles.setflags(write=False)
        return titles

    @cached_property
    def fingerprint(self) -> str:
        """Hexadecimal digest of the rows and sizes; it does not depend on the order of the rows."""
        return log_fingerprint(self.n_users, self.n_items, self.row_digest)

    @cached_property
    def row_digest(self) -> np.ndarray:
        """Number of rows, whether they have times and values, and two sums of hashes: (5,) uint64.

        The sums of two logs add up to those of both.
        """
        return digest_of_rows([getattr(self, name) for name in COLUMNS], len(self))

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
        part.__dict__.update({k: v for k, v in self.__dict__.items() if k not in CACHED})
        part.n_dropped = 0
        for name in COLUMNS:
            column = getattr(self, name)
            setattr(part, name, None if column is None else column[rows])
        part._freeze()
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
        return numbering.look_up("user", self.user_index, labels)

    def item_ids(self, labels: Sequence[Hashable]) -> np.ndarray:
        """The ids (n,) int32 of items given by label; ValueError for an unknown label."""
        return numbering.look_up("item", self.item_index, labels)

    @cached_property
    def user_index(self) -> dict:
        """Id of each user label."""
        return numbering.index(self.user_labels, self.n_users)

    @cached_property
    def item_index(self) -> dict:
        """Id of each item label."""
        return numbering.index(self.item_labels, self.n_items)


def check_same_labels(first: str, a: Interactions, second: str, b: Interactions) -> None:
    """ValueError if both logs have labels and number them differently."""
    check_same_users(first, a, second, b)
    check_same_items(first, a.item_labels, second, b)


def check_same_users(first: str, a: Interactions, second: str, b: Interactions) -> None:
    """ValueError if both logs have user labels and number them differently."""
    numbering.check_same("user", first, a.user_labels, second, b.user_labels)


def check_same_items(first: str, item_labels: list | None, second: str, b: Interactions) -> None:
    """ValueError if a log has labels that differ from the given ones."""
    numbering.check_same("item", first, item_labels, second, b.item_labels)


def read_only(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """The CSR matrix itself, whose arrays can no longer be written to."""
    for array in (matrix.data, matrix.indices, matrix.indptr):
        array.setflags(write=False)
    return matrix
