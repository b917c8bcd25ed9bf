"""MovieLens-1M as sequences, in the form on which SASRec was published (Kang and McAuley 2018)."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

import numpy as np

from recsys.datasets.sources import data_folders
from recsys.interactions import Interactions

SEQUENCES = "1m-sequences"
FOLDER, SIZES = "ml-1m-sequences", (6_040, 3_416)  # users, items
# sha256 of the pairs (user, item) as int32, from 0
CHECKSUM = "fd1093608398a0e5582a7b83847419d252475d62610bf3edc33c79dbbf1a349e"
PUBLISHED = "https://github.com/kang205/SASRec"


def load_sequences() -> Interactions:
    """The log of `load_movielens("1m-sequences")`."""
    path = _find()
    try:
        users, items = _read(path)
    except ValueError as error:
        raise ValueError(f"{path} is damaged or incomplete: {error}") from None
    pairs = np.column_stack([users, items]).astype("<i4")
    found = hashlib.sha256(pairs.tobytes()).hexdigest()
    if found != CHECKSUM:
        raise ValueError(
            f"{path} is damaged or incomplete: the sha256 of its pairs is {found}, "
            f"expected {CHECKSUM}"
        )
    return _log(users, items, path.with_name("items.csv"))


def _log(users: np.ndarray, items: np.ndarray, labels: Path) -> Interactions:
    """Positions as times; MovieLens ids as labels where items.csv lies beside the sequences."""
    starts = np.flatnonzero(np.diff(users, prepend=-1))
    time = (np.arange(len(users)) - np.repeat(starts, np.bincount(users))).astype(np.float64)
    item_labels = None
    if labels.is_file():
        table = np.loadtxt(labels, delimiter=",", skiprows=1, dtype=np.int64)
        if not np.array_equal(table[:, 0], np.arange(1, SIZES[1] + 1)):
            raise ValueError(
                f"{labels} is damaged or incomplete: it must list items 1 to {SIZES[1]}"
            )
        item_labels = table[:, 1]
    return Interactions(
        users, items, time, n_users=SIZES[0], n_items=SIZES[1], item_labels=item_labels
    )


def _find() -> Path:
    for folder in data_folders():
        for path in (folder / FOLDER / "sequences.txt", folder / "ml-1m.txt"):
            if path.is_file():
                return path
    looked = " or ".join(str(folder) for folder in data_folders())
    raise ConnectionError(
        f"the sequences of MovieLens-1M are not found: put data/ml-1m.txt of {PUBLISHED} "
        f"into {looked}, or set RECSYS_DATA_DIR to the folder that holds it"
    )


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Users and items from 0, in order: of lines of items, or of lines "user item"."""
    if path.name == "ml-1m.txt":
        table = np.loadtxt(path, dtype=np.int64, ndmin=2)
        if table.shape[1] != 2:
            raise ValueError(f"a line must hold two numbers, got {table.shape[1]}")
        return table[:, 0] - 1, table[:, 1] - 1
    lines = [np.array(line.split(), np.int64) for line in path.read_text().splitlines()]
    items = np.concatenate(lines) if lines else np.empty(0, np.int64)
    return np.repeat(np.arange(len(lines)), [len(line) for line in lines]), items - 1


def split_sequences(log: Interactions) -> tuple[Interactions, Interactions, Interactions]:
    """Training, validation and test set of `load_movielens("1m-sequences")`.

    The test set is each user's last item, the validation set the last but one of 512 users, drawn
    once by Petrov and Macdonald (2023), and the training set all other rows. Those 512 users'
    validation items are in no training set: add them to the history before testing.

    Parameters
    ----------
    log : Interactions
        As loaded.

    Returns
    -------
    train, validation, test : Interactions

    Raises
    ------
    ValueError
        If the log is another one.
    """
    if (log.n_users, log.n_items) != SIZES or log.time is None:
        raise ValueError(
            f"log must be load_movielens({SEQUENCES!r}), of {SIZES[0]:,} users and {SIZES[1]:,} "
            f"items, got {log.n_users:,} users and {log.n_items:,} items"
        )
    text = files("recsys.datasets").joinpath("movielens_validation_users.txt").read_text()
    validation_users = np.isin(np.arange(log.n_users), np.array(text.split(), np.int64))
    from_last = np.bincount(log.user)[log.user] - 1 - log.time
    test = from_last == 0
    validation = (from_last == 1) & validation_users[log.user]
    return log.select(~test & ~validation), log.select(validation), log.select(test)
