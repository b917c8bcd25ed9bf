"""The forms in which a log is read and written: frames, CSV files, matrices and folders.

`Interactions` inherits them. Left out: databases, which pandas and polars read into frames.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from recsys import bundle, io, item_info, numbering, validation

if TYPE_CHECKING:
    import pandas as pd

    from recsys.interactions import Interactions

COLUMNS = ("user", "item", "time", "value")


class LogFormats:
    """What a log can be read from and written to; a base of `Interactions` alone."""

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
        users, items = adapt(like.user_index, users), adapt(like.item_index, items)
        if unknown == "raise":
            numbering.check_known("user", like.user_index, users)
            numbering.check_known("item", like.item_index, items)
        return like._numbered_alike(users, user, items, item, columns, unit, unknown)

    def _numbered_alike(self, users, user, items, item, columns, unit, unknown) -> Interactions:
        """Rows of ids among the labels `users` and `items`, numbered like this log."""
        user_ids, new_users = numbering.extend(self.user_index, users)
        item_ids, new_items = numbering.extend(self.item_index, items)
        user, item = user_ids[user], item_ids[item]
        known = np.ones(len(user), bool)
        if unknown == "drop":
            new_users, new_items = [], []
            known = (user < self.n_users) & (item < self.n_items)
            columns = {name: column[known] for name, column in columns.items()}
        log = self._made(
            user[known], item[known], columns.get("time"), columns.get("value"),
            self.n_users + len(new_users), self.n_items + len(new_items),
            numbering.longer(self.user_labels, self.n_users, new_users),
            numbering.longer(self.item_labels, self.n_items, new_items),
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

    def save(self, folder: str | Path) -> None:
        """Write the log to a folder of arrays and JSON; `recsys.load(folder)` reads it.

        Labels must be text or whole numbers, and columns of `item_info` text or numbers.
        """
        columns = item_info.savable_columns(self.item_info)
        arrays = {f"item_info_{i}": column for i, column in enumerate(columns)}
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


def check_log(name: str, log: Any) -> None:
    """ValueError unless `log` is an Interactions."""
    if not isinstance(log, LogFormats):
        raise ValueError(f"{name} must be Interactions, got {type(log).__name__}")
