"""Rows of fields as networks read them, with their labels, and the log loss."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch.nn.functional import binary_cross_entropy_with_logits

from recsys import validation
from recsys.fields import Fields
from recsys.neural.pairs import batches, on_device

ROWS_AT_ONCE = 16_384  # of an evaluation
LabelledRows = tuple[Fields, np.ndarray]


def as_field_bags(
    rows: sparse.csr_matrix, starts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows as one bag per row and field: features, where each bag begins, parts.

    `starts` are the first features of the fields and the number of features. The first of the
    n_fields bags of row 1 is number n_fields; a bag may be empty.

    >>> rows = sparse.csr_matrix([[1, 0, 0, 0.5, 0.5], [0, 0, 1, 0, 0]])
    >>> features, bags, parts = as_field_bags(rows, np.array([0, 2, 5]))
    >>> features.tolist(), bags.tolist()
    ([0, 3, 4, 2], [0, 1, 3, 3])
    """
    rows = rows.sorted_indices()
    n_fields = len(starts) - 1
    row = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    field = np.searchsorted(starts, rows.indices, side="right") - 1
    sizes = np.bincount(row * n_fields + field, minlength=rows.shape[0] * n_fields)
    bags = np.cumsum(sizes) - sizes
    return rows.indices.astype(np.int64), bags, rows.data.astype(np.float32)


def labelled(train: LabelledRows, order: Iterable[np.ndarray]) -> Iterator[tuple]:
    """Batches of labels and bags, from the numbers of their rows."""
    fields, labels = train
    for some in order:
        yield labels[some], *as_field_bags(fields.matrix[some], fields.starts)


def log_loss(network: torch.nn.Module, batch: tuple) -> torch.Tensor:
    """The mean log loss of a batch."""
    labels, *inputs = on_device(network, *batch)
    return binary_cross_entropy_with_logits(network(*inputs).float(), labels)


def mean_log_loss(network: torch.nn.Module, held_out: LabelledRows) -> float:
    """The mean log loss of all rows."""
    parts = [
        (len(batch[0]), log_loss(network, batch).item())
        for batch in labelled(held_out, batches(None, len(held_out[1]), ROWS_AT_ONCE))
    ]
    sizes, losses = np.array(parts).T
    return float(np.average(losses, weights=sizes))


def initialised(
    network: torch.nn.Module, rows: sparse.csr_matrix, labels: np.ndarray
) -> torch.nn.Module:
    """The network with the click rate as bias, and zeros for features that no row has.

    No gradient ever reaches such a feature: at zero, an unseen value adds nothing.
    """
    rate = (labels.sum() + 0.5) / (len(labels) + 1)
    unseen = torch.from_numpy(np.bincount(rows.indices, minlength=rows.shape[1]) == 0)
    with torch.no_grad():
        network.bias.fill_(float(np.log(rate / (1 - rate))))
        network.embeddings[unseen] = 0
    return network


def checked_labels(name: str, fields: Any, clicked: Any) -> np.ndarray:
    """Labels as float32 (n,); ValueError unless they are 0 and 1, one per row."""
    if not isinstance(fields, Fields):
        raise ValueError(f"fields must be Fields of a FieldEncoder, got a {type(fields).__name__}")
    if len(fields) == 0:
        raise ValueError("fields must have at least one row, got none")
    labels = validation.finite(name, clicked, len(fields), np.float32)
    wrong = (labels != 0) & (labels != 1)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(f"{name} must be 0 or 1, got {labels[row]:g} in row {row}")
    return labels


def checked_validation(
    train: Fields, held_out: Any, patience: int | None
) -> tuple[Fields, np.ndarray] | None:
    """The validation rows and labels, of the fields of the training rows."""
    if held_out is None:
        if patience is not None:
            raise ValueError(f"validation must be given with patience={patience}, got None")
        return None
    if not isinstance(held_out, tuple) or len(held_out) != 2:
        raise ValueError(f"validation must be a pair (fields, clicked), got {held_out!r}")
    fields, clicked = held_out
    labels = checked_labels("validation", fields, clicked)
    check_same_fields("validation", fields, train.names, train.starts)
    return fields, labels


def check_same_fields(name: str, fields: Any, names: tuple, starts: np.ndarray) -> None:
    """ValueError unless the fields have these names and features."""
    if not isinstance(fields, Fields):
        raise ValueError(f"{name} must be Fields of a FieldEncoder, got a {type(fields).__name__}")
    if fields.names != names or not np.array_equal(fields.starts, starts):
        raise ValueError(
            f"{name} must be of the encoder of the training rows, with the fields {names} and "
            f"{starts[-1]} features, got {fields.names} and {fields.starts[-1]}"
        )


def fingerprint(rows: LabelledRows) -> str:
    """The sha256 of rows and labels."""
    fields, labels = rows
    return hashlib.sha256(fields.fingerprint.encode() + labels.tobytes()).hexdigest()
