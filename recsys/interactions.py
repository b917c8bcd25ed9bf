"""Interactions of users with items, the one data structure of this library.

An interaction log is four columns of equal length: user, item and, if known, time and value (a
rating, a play count). Inside, users and items are the numbers 0..n-1; outside they may have any
labels. Left out: edits. A log never changes; a selection is a new log.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from recsys import bundle, io, numbering, validation

if TYPE_CHECKING:
    import pandas as pd


class Interactions:
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
        info = _copied_columns(item_info)
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
        self.item_info = _checked_columns(item_info, self.n_items)
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

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        user: str,
        item: str,
        time: str | None = None,
        value: str | None = None,
        unit: str | None = None,
        like: Interactions | None = None,
        unknown: str = "raise",
    ) -> Interactions:
        """Read a pandas or polars DataFrame; the named columns become the log.

        Labels are numbered in sorted order. A missing label raises ValueError, and so does a
        missing time or value.

        Parameters
        ----------
        unit : {"s", "ms", "us", "ns"}, optional
            Unit of numeric times.
        like : Interactions, optional
            A log, such as the training set, whose labels and numbers are taken over.
        unknown : {"raise", "drop", "add"}
            What to do with labels that `like` does not have: raise ValueError, drop their rows
            (`n_dropped` counts them), or number them on, after those of `like`.
        """
        names = {"user": user, "item": item, "time": time, "value": value}
        columns = io.columns(frame, names)
        for name in ("time", "value"):
            if name in columns:
                columns[name] = columns[name].copy()
        return cls._from_columns(columns, unit, like, unknown)

    @classmethod
    def from_csv(
        cls,
        path: str | Path,
        user: str,
        item: str,
        time: str | None = None,
        value: str | None = None,
        separator: str = ",",
        unit: str | None = None,
        like: Interactions | None = None,
        unknown: str = "raise",
    ) -> Interactions:
        """Read a CSV file with a header; the named columns become the log, the rest is skipped.

        Labels are whole numbers if each is written as one ("7", not "007"), else text; with
        `like`, they are of the type of its labels. As `from_frame` in all else. Reading takes all
        cores, and about 100 bytes of memory per row.
        """
        names = {"user": user, "item": item, "time": time, "value": value}
        columns = io.read_csv(path, names, separator)
        return cls._from_columns(columns, unit, like, unknown, numbering.in_the_type_of)

    @classmethod
    def _from_columns(
        cls, columns: dict, unit: str | None, like: Any, unknown: str, adapt: Any = lambda _, x: x
    ) -> Interactions:
        if unknown not in ("raise", "drop", "add") or (like is None and unknown != "raise"):
            raise ValueError(
                f"unknown must be 'raise', 'drop' or 'add', the last two with like, got {unknown!r}"
            )
        user, users = numbering.number("user", columns.pop("user"))
        item, items = numbering.number("item", columns.pop("item"))
        if like is None:
            return cls._made(
                user, item, columns.get("time"), columns.get("value"), len(users), len(items),
                users, items, {}, unit=unit,
            )  # fmt: skip
        check_log("like", like)
        users, items = adapt(like._user_index, users), adapt(like._item_index, items)
        if unknown == "raise":
            numbering.check_known("user", like._user_index, users)
            numbering.check_known("item", like._item_index, items)
        return like._numbered_alike(users, user, items, item, columns, unit, unknown)

    def _numbered_alike(self, users, user, items, item, columns, unit, unknown) -> Interactions:
        """Rows of ids among the labels `users` and `items`, numbered like this log."""
        user_ids, new_users = numbering.extend(self._user_index, users)
        item_ids, new_items = numbering.extend(self._item_index, items)
        user, item = user_ids[user], item_ids[item]
        known = np.ones(len(user), bool)
        if unknown == "drop":
            new_users, new_items = [], []
            known = (user < self.n_users) & (item < self.n_items)
            columns = {name: column[known] for name, column in columns.items()}
        log = self._made(
            user[known], item[known], columns.get("time"), columns.get("value"),
            self.n_users + len(new_users), self.n_items + len(new_items),
            _longer(self.user_labels, self.n_users, new_users),
            _longer(self.item_labels, self.n_items, new_items),
            {} if new_items else self.item_info, unit=unit,
        )  # fmt: skip
        log.n_dropped = int((~known).sum())
        return log

    @classmethod
    def from_matrix(
        cls,
        matrix: Any,
        user_labels: Sequence[Hashable] | None = None,
        item_labels: Sequence[Hashable] | None = None,
        item_info: Mapping[str, Sequence] | None = None,
    ) -> Interactions:
        """The log of the nonzero cells of a matrix (n_users, n_items), dense or sparse.

        Its values are those of the cells; a boolean matrix gives none. Stored zeros raise.
        """
        cells = sparse.coo_matrix(validation.matrix("matrix", matrix))
        validation.no_stored_zeros("matrix", cells)
        value = None if cells.dtype == bool else cells.data
        labels_and_info = user_labels, item_labels, item_info
        return cls(cells.row, cells.col, None, value, *cells.shape, *labels_and_info)

    def to_frame(self) -> pd.DataFrame:
        """A pandas DataFrame of the rows: user and item as labels, and time and value if known."""
        import pandas as pd

        columns = {"user": self.user, "item": self.item, "time": self.time, "value": self.value}
        for name, labels in (("user", self.user_labels), ("item", self.item_labels)):
            if labels is not None:
                columns[name] = pd.Series(labels).to_numpy()[columns[name]]
        return pd.DataFrame({name: c for name, c in columns.items() if c is not None}, copy=True)

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

    def save(self, folder: str | Path) -> None:
        """Write the log to a folder of arrays and JSON; `recsys.load(folder)` reads it.

        Labels must be text or whole numbers, and columns of `item_info` text or numbers.
        """
        arrays = {f"item_info_{i}": c for i, c in enumerate(_savable(self.item_info))}
        arrays |= {name: getattr(self, name) for name in (*COLUMNS, "user_labels", "item_labels")}
        sizes = {"n_users": self.n_users, "n_items": self.n_items}
        parameters = sizes | {"item_info": list(self.item_info)}
        arrays = {name: array for name, array in arrays.items() if array is not None}
        bundle.save(folder, type(self), parameters, self.fingerprint, arrays)

    @classmethod
    def restore(cls, parameters: dict, fingerprint: str, arrays: dict) -> Interactions:
        """The log that `save` wrote; `recsys.load` calls this."""
        info = {n: arrays[f"item_info_{i}"] for i, n in enumerate(parameters["item_info"])}
        columns = (arrays.get(name) for name in COLUMNS)
        labels = arrays.get("user_labels"), arrays.get("item_labels")
        sizes = parameters["n_users"], parameters["n_items"]
        return cls._made(*columns, *sizes, *labels, info, unit="s")

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
        rows = np.zeros(len(self), np.uint64)
        for column in (self.user, self.item, self.time, self.value):
            if column is not None:
                rows = _hash64(rows ^ column.astype(np.float64).view(np.uint64))
        present = [self.time is not None, self.value is not None]
        totals = [_hash64(rows + np.uint64(salt)).sum(dtype=np.uint64) for salt in (1, 2)]
        return np.array([len(self), *present, *totals], np.uint64)

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
        return numbering.look_up("user", self._user_index, labels)

    def item_ids(self, labels: Sequence[Hashable]) -> np.ndarray:
        """The ids (n,) int32 of items given by label; ValueError for an unknown label."""
        return numbering.look_up("item", self._item_index, labels)

    @cached_property
    def _user_index(self) -> dict:
        return numbering.index(self.user_labels, self.n_users)

    @cached_property
    def _item_index(self) -> dict:
        return numbering.index(self.item_labels, self.n_items)


def log_fingerprint(n_users: int, n_items: int, row_digest: np.ndarray) -> str:
    """The fingerprint of a log of which only the sizes and the digest of the rows are known."""
    length, has_time, has_value, *totals = row_digest.tolist()
    parts = [length, n_users, n_items, bool(has_time), bool(has_value), *totals]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def check_log(name: str, log: Any) -> None:
    """ValueError unless `log` is an Interactions."""
    if not isinstance(log, Interactions):
        raise ValueError(f"{name} must be Interactions, got {type(log).__name__}")


def check_same_labels(first: str, a: Interactions, second: str, b: Interactions) -> None:
    """ValueError if both logs have labels and number them differently."""
    check_same_users(first, a, second, b)
    check_same_items(first, a.item_labels, second, b)


def check_same_users(first: str, a: Interactions, second: str, b: Interactions) -> None:
    """ValueError if both logs have user labels and number them differently."""
    _check_same("user", first, a.user_labels, second, b.user_labels)


def check_same_items(first: str, item_labels: list | None, second: str, b: Interactions) -> None:
    """ValueError if a log has labels that differ from the given ones."""
    _check_same("item", first, item_labels, second, b.item_labels)


def _check_same(kind: str, first: str, a: list | None, second: str, b: list | None) -> None:
    if a is None or b is None or a is b or a == b:
        return
    where = next((i for i, pair in enumerate(zip(a, b)) if pair[0] != pair[1]), min(len(a), len(b)))
    ours, theirs = (repr(part[where]) if where < len(part) else "nothing" for part in (a, b))
    raise ValueError(
        f"{first} and {second} must number the same {kind}s alike, got {ours} and {theirs} as "
        f"{kind} {where}: from_frame(..., like=log) reads a log with the numbers of another"
    )


def read_only(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """The CSR matrix itself, whose arrays can no longer be written to."""
    for array in (matrix.data, matrix.indices, matrix.indptr):
        array.setflags(write=False)
    return matrix


COLUMNS = ("user", "item", "time", "value")
_CACHED = (
    "matrix",
    "fingerprint",
    "row_digest",
)  # computed from the rows, so a selection drops them


def _longer(known: list | None, size: int, added: list) -> list | None:
    """Labels with more of them; the same list if there are none."""
    return [*(range(size) if known is None else known), *added] if added else known


def _savable(item_info: dict[str, np.ndarray]) -> list[np.ndarray]:
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


def _copied_columns(info: Mapping[str, Sequence] | None) -> dict[str, np.ndarray]:
    if info is not None and not isinstance(info, Mapping):
        raise ValueError(f"item_info must map names to columns, got {info!r}")
    return {name: np.array(column) for name, column in (info or {}).items()}


def _checked_columns(columns: dict[str, np.ndarray], n_items: int) -> dict[str, np.ndarray]:
    for name, column in columns.items():
        if column.shape[:1] != (n_items,):
            raise ValueError(
                f"item_info[{name!r}] must have n_items = {n_items} entries, "
                f"got {len(column) if column.ndim else column}"
            )
    return columns


def _hash64(x: np.ndarray) -> np.ndarray:
    """Hash of each 64-bit word (SplitMix64, Steele et al. 2014)."""
    x = (x + np.uint64(0x9E3779B97F4A7C15)).astype(np.uint64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
