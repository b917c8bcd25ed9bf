"""Fields: the columns of a table as numbered features, for models of clicks.

Each column is a field, each of its values a feature with an id of its own, and a row is a sparse
vector of all features: 1 at its value, or the equal parts of several values (genres), so that each
field of a row adds up to 1. Numbers are cut into bins at quantiles. All of it is learned from
training data: a value that is missing, was never seen or is too rare gets the field's first id,
"unknown". Left out: hashing, for more values than memory holds (Weinberger et al. 2009).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from recsys import bundle, validation

UNKNOWN = 0  # id of the unknown value within its field
Entries = tuple[np.ndarray, np.ndarray, np.ndarray]  # row, id within the field, part


@dataclass(frozen=True, eq=False)
class Fields:
    """Encoded rows of a table.

    Attributes
    ----------
    names : tuple of str
        Of the fields, in the order of their features.
    starts : array (n_fields + 1,) int64
        Field f has the features starts[f] to starts[f + 1] - 1, the first of them "unknown".
    matrix : CSR matrix (n, n_features) float32
        Each field of a row adds up to 1.
    """

    names: tuple[str, ...]
    starts: np.ndarray
    matrix: sparse.csr_matrix

    def __len__(self) -> int:
        return self.matrix.shape[0]

    def select(self, rows: Any) -> Fields:
        """The fields of some rows: a slice, a mask or an array of row numbers."""
        return Fields(self.names, self.starts, self.matrix[rows])

    @property
    def fingerprint(self) -> str:
        """The sha256 of names and entries."""
        digest = hashlib.sha256(repr((self.names, self.starts.tolist())).encode())
        for part in (self.matrix.indptr, self.matrix.indices, self.matrix.data):
            digest.update(part.astype(np.float64).tobytes())
        return digest.hexdigest()


@dataclass(eq=False)
class FieldEncoder:
    """Turns tables into `Fields`, by what it learned from a training table.

    Parameters
    ----------
    categorical : sequence of str
        Columns of text or whole numbers, one value per row.
    multi_valued : sequence of str
        Columns of lists of text or whole numbers, such as genres.
    numeric : sequence of str
        Columns of numbers.
    min_count : int
        A value in fewer rows of the training table counts as unknown.
    n_bins : int
        Bins of a numeric column, at equal quantiles; fewer where quantiles coincide.

    In all of them None and nan mean unknown. `fit` learns `values`, the known values of each field
    that is not numeric, ascending, and `edges`, the lower ends of each numeric field's bins but
    the first.
    """

    categorical: Sequence[str] = ()
    multi_valued: Sequence[str] = ()
    numeric: Sequence[str] = ()
    min_count: int = 1
    n_bins: int = 10

    def __post_init__(self) -> None:
        for kind in ("categorical", "multi_valued", "numeric"):
            setattr(self, kind, validation.texts(kind, getattr(self, kind)))
        twice = [name for name, n in Counter(self.names).items() if n > 1]
        if twice or not self.names:
            raise ValueError(f"columns must be at least one, each given once, got {self.names}")
        validation.whole_number("min_count", self.min_count)
        validation.whole_number("n_bins", self.n_bins, low=2)
        self.values: dict[str, list] = {}
        self.edges: dict[str, np.ndarray] = {}

    @property
    def names(self) -> list[str]:
        """The columns, in the order of their fields."""
        return [*self.categorical, *self.multi_valued, *self.numeric]

    @property
    def starts(self) -> np.ndarray:
        """The first feature of each field, and the number of features: (n_fields + 1,) int64."""
        self._check_fitted()
        known = [len(self.values[n]) for n in [*self.categorical, *self.multi_valued]]
        known += [len(self.edges[name]) + 1 for name in self.numeric]
        return np.cumsum([0, *(size + 1 for size in known)])

    def fit(self, table: Any) -> FieldEncoder:
        """Learn values and bins from a training table: a mapping of columns, or a data frame."""
        columns = _columns(table, self.names)
        values, edges = {}, {}
        for name in (*self.categorical, *self.multi_valued):
            count = Counter(v for entry in self._labels(name, columns[name]) for v in set(entry))
            kept = [v for v, n in count.items() if n >= self.min_count and v is not None]
            values[name] = sorted(kept, key=lambda v: (isinstance(v, str), v))
        for name in self.numeric:
            numbers = _numbers(name, columns[name])
            numbers = numbers[~np.isnan(numbers)]
            ends = np.arange(1, self.n_bins) / self.n_bins
            edges[name] = np.unique(np.quantile(numbers, ends)) if len(numbers) else np.empty(0)
        self.values, self.edges = values, edges
        return self

    def transform(self, table: Any) -> Fields:
        """The rows of a table that has the columns of the training table."""
        columns, starts = _columns(table, self.names), self.starts
        n = len(columns[self.names[0]])
        parts = [self._entries(name, columns[name]) for name in self.names]
        row = np.concatenate([entries[0] for entries in parts])
        feature = np.concatenate([entries[1] + s for entries, s in zip(parts, starts)])
        part = np.concatenate([entries[2] for entries in parts]).astype(np.float32)
        matrix = sparse.csr_matrix((part, (row, feature)), (n, starts[-1]))  # equal ones summed
        return Fields(tuple(self.names), starts, matrix)

    def save(self, folder: str | Path) -> None:
        """Write the fitted encoder to a folder that `recsys.load` reads."""
        self._check_fitted()
        arrays = {f"values/{n}": values for n, values in enumerate(self.values.values())}
        arrays |= {f"edges/{n}": edges for n, edges in enumerate(self.edges.values())}
        bundle.save(folder, type(self), asdict(self), "", arrays)

    @classmethod
    def restore(cls, parameters: dict, fingerprint: str, arrays: dict) -> FieldEncoder:
        """The encoder that `save` wrote; `recsys.load` calls this."""
        encoder = cls(**parameters)
        labelled = [*encoder.categorical, *encoder.multi_valued]
        encoder.values = {name: arrays[f"values/{n}"] for n, name in enumerate(labelled)}
        encoder.edges = {name: arrays[f"edges/{n}"] for n, name in enumerate(encoder.numeric)}
        return encoder

    def _check_fitted(self) -> None:
        if not (self.values or self.edges):
            raise ValueError("FieldEncoder must be fitted first: call fit(table)")

    def _labels(self, name: str, column: list) -> list[list]:
        """The values of each row, None for unknown; at least one per row."""
        if name in self.categorical:
            return [[_label(name, entry)] for entry in column]
        return [_several(name, entry) for entry in column]

    def _entries(self, name: str, column: list) -> Entries:
        if name in self.edges:
            numbers = _numbers(name, column)
            bins = 1 + np.searchsorted(self.edges[name], numbers, side="right")
            ids = np.where(np.isnan(numbers), UNKNOWN, bins)
            return np.arange(len(ids)), ids, np.ones(len(ids))
        lists = self._labels(name, column)
        index = {value: n for n, value in enumerate(self.values[name], UNKNOWN + 1)}
        sizes = np.array([len(entry) for entry in lists], np.int64)
        ids = np.array([index.get(v, UNKNOWN) for entry in lists for v in entry], np.int64)
        return np.repeat(np.arange(len(lists)), sizes), ids, np.repeat(1 / sizes, sizes)


def _columns(table: Any, names: Iterable[str]) -> dict[str, list]:
    """The columns named, as lists of equal length."""
    if not validation.is_table(table):
        raise ValueError(f"table must be a mapping of columns or a data frame, got {table!r}")
    found = list(table) if isinstance(table, Mapping) else list(table.columns)
    columns = {}
    for name in names:
        if name not in found:
            raise ValueError(f"table must have the column {name!r}, got {found}")
        column = table[name]
        columns[name] = column.tolist() if hasattr(column, "tolist") else list(column)
    sizes = {name: len(column) for name, column in columns.items()}
    if len(set(sizes.values())) != 1:
        raise ValueError(f"table must have columns of one length, got {sizes}")
    return columns


def _label(name: str, value: Any) -> str | int | None:
    """A text or whole number; None for None and nan."""
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        return value
    if value is None or value != value:
        return None
    if isinstance(value, np.integer):
        return int(value)
    raise ValueError(f"column {name!r} must hold text or whole numbers, got {value!r}")


def _several(name: str, values: Any) -> list[str | int | None]:
    """The labels of a list; [None] for an empty or missing one."""
    if values is None or (isinstance(values, float) and values != values):
        return [None]
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ValueError(f"column {name!r} must hold lists of labels, got {values!r}: split it")
    return [_label(name, value) for value in values] or [None]


def _numbers(name: str, column: list) -> np.ndarray:
    """A column as float64 (n,), nan where it is None."""
    column = [np.nan if value is None else value for value in column]
    array = np.asarray(column)
    if array.ndim != 1 or array.dtype.kind not in "iuf" and len(array):
        raise ValueError(f"column {name!r} must hold numbers, got type {array.dtype}")
    array = array.astype(np.float64)
    if np.isinf(array).any():
        raise ValueError(f"column {name!r} must be finite or missing, got inf")
    return array
