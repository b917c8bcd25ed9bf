"""Outside names of users and items, and their numbering 0, 1, 2, ...

Without labels an id is its own label.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence, Set, Sized
from typing import Any

import numpy as np

from recsys import validation
from recsys.compiled import compiled, prange

CANONICAL = re.compile(r"0|-?[1-9][0-9]*")  # the one way to write a whole number
LEAST_GAPS = 10_000_000, 100  # ids above the first and this many times the rows are refused


def given_size(name: str, size: int | None, labels_name: str, labels: Any) -> int | None:
    """The number of users or items, if given or known from the labels."""
    if size is not None:
        size = validation.whole_number(name, size, low=0, high=validation.MAX_ID)
    if labels is None:
        return size
    if not isinstance(labels, Sized) or isinstance(labels, (str, bytes, Set, Mapping)):
        raise ValueError(f"{labels_name} must be a sequence of labels, got {labels!r}")
    if size is not None and size != len(labels):
        raise ValueError(f"{labels_name} must hold {name} = {size} labels, got {len(labels)}")
    return len(labels)


def size_of(name: str, ids: np.ndarray) -> int:
    """The largest id plus one; ValueError if it leaves most of the numbers unused."""
    size = int(ids.max(initial=-1)) + 1
    largest, times = LEAST_GAPS
    if size - 1 > max(largest, times * len(ids)):
        raise ValueError(
            f"{name} must hold ids 0, 1, 2, ... with few gaps, got {size - 1} in {len(ids)} rows: "
            f"Interactions.from_frame numbers labels, and n_{name}s = {size} allows the gaps"
        )
    return size


def checked(name: str, labels: Sequence[Hashable] | None) -> list | None:
    """Labels as a list of Python values, all different."""
    if labels is None:
        return None
    labels = labels.tolist() if isinstance(labels, np.ndarray) else list(labels)
    labels = [label.item() if isinstance(label, np.generic) else label for label in labels]
    for label in labels:
        if isinstance(label, float) and label != label:
            raise ValueError(f"{name} must not be missing, got {label!r}")
        if not isinstance(label, Hashable):
            raise ValueError(f"{name} must be hashable, got {label!r}")
    if len(set(labels)) != len(labels):
        seen = set()
        duplicate = next(label for label in labels if label in seen or seen.add(label))
        raise ValueError(f"{name} must all be different, got {duplicate!r} twice")
    return labels


def index(labels: list | None, size: int) -> dict:
    """Id of each label."""
    return {label: i for i, label in enumerate(range(size) if labels is None else labels)}


def look_up(name: str, ids: dict, labels: Sequence[Hashable]) -> np.ndarray:
    """Ids of labels; ValueError names the first unknown one."""
    if not np.iterable(labels) or isinstance(labels, (str, bytes, Set, Mapping)):
        raise ValueError(f"labels must be a sequence of labels, got {labels!r}")
    labels = list(labels)
    try:
        return np.array([ids[label] for label in labels], np.int32)
    except (KeyError, TypeError):
        unknown = next(x for x in labels if not isinstance(x, Hashable) or x not in ids)
        raise ValueError(f"unknown {name} {unknown!r}; {_some(ids)}") from None


def extend(ids: dict, labels: list) -> tuple[np.ndarray, list]:
    """Ids of labels, of which the unknown ones are numbered on, in order; and these."""
    added = [label for label in labels if label not in ids]
    more = {label: len(ids) + i for i, label in enumerate(added)}
    return np.array([ids.get(x, more.get(x)) for x in labels], np.int32), added


def joined(
    kind: str, labels: list | None, size: int, more: list | None, more_size: int
) -> tuple[np.ndarray, list | None]:
    """Ids of a second log's users or items after those of a first one, and all labels."""
    if labels is None and more is None:
        return np.arange(more_size, dtype=np.int32), None
    if more is None or (labels is None and more[:size] != list(range(size))):
        raise ValueError(f"both logs must have {kind}_labels or neither, got them in one only")
    ids, added = extend(index(labels, size), more)
    return ids, [*(range(size) if labels is None else labels), *added]


def longer(known: list | None, size: int, added: list) -> list | None:
    """Labels with more of them; the same list if there are none."""
    return [*(range(size) if known is None else known), *added] if added else known


def check_same(kind: str, first: str, a: list | None, second: str, b: list | None) -> None:
    """ValueError if two logs, called `first` and `second`, number their labels differently."""
    if a is None or b is None or a is b or a == b:
        return
    where = next((i for i, pair in enumerate(zip(a, b)) if pair[0] != pair[1]), min(len(a), len(b)))
    ours, theirs = (repr(part[where]) if where < len(part) else "nothing" for part in (a, b))
    raise ValueError(
        f"{first} and {second} must number the same {kind}s alike, got {ours} and {theirs} as "
        f"{kind} {where}: from_frame(..., like=log) reads a log with the numbers of another"
    )


def check_known(name: str, ids: dict, labels: list) -> None:
    """ValueError if a label is unknown."""
    for label in labels:
        if label not in ids:
            raise ValueError(
                f"{name} {label!r} must be in like; {_some(ids)} "
                "(unknown='drop' leaves such rows out, 'add' adds the labels)"
            )


def in_the_type_of(ids: dict, labels: list) -> list:
    """Labels read from text, as text where the known labels are text, else as whole numbers."""
    if any(isinstance(label, str) for label in ids):
        return [str(label) for label in labels]
    whole = (isinstance(label, str) and CANONICAL.fullmatch(label) for label in labels)
    return [int(label) if is_whole else label for label, is_whole in zip(labels, whole)]


def _some(ids: dict) -> str:
    return f"known are {', '.join(repr(label) for label in list(ids)[:3]) or 'none'}, ..."


def number(name: str, labels: np.ndarray) -> tuple[np.ndarray, list]:
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
    ranks = np.cumsum(present, dtype=np.int32) - np.int32(1)
    ids = np.empty(len(labels), np.int32)
    translate(labels, labels.dtype.type(low), ranks, ids)
    return ids, (np.flatnonzero(present) + low).tolist()


@compiled(parallel=True)
def mark(labels, low, present):
    """Set present[label - low] for each label."""
    for row in prange(len(labels)):
        present[labels[row] - low] = True


@compiled(parallel=True)
def translate(labels, low, ranks, ids):
    """ids[row] = ranks[label - low], row by row."""
    for row in prange(len(labels)):
        ids[row] = ranks[labels[row] - low]


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
