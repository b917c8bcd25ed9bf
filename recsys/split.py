"""Splits of a log into training and test set.

Every split looks at time, because a recommender predicts the future from the past. A random
split lets it learn from next week to predict last week: it is deliberately left out.
"""

from __future__ import annotations

import numpy as np

from recsys import validation
from recsys.compiled import compiled
from recsys.interactions import Interactions, check_log, check_same_items


def leave_last_out(data: Interactions) -> tuple[Interactions, Interactions]:
    """Hold out each user's last interaction.

    Of several at the same last time, the highest item id counts as last, so that the order of
    the rows does not matter. A user with a single interaction keeps it for training.

    Returns
    -------
    train, test : Interactions
        test has at most one row per user; sizes and labels stay as they were.

    Examples
    --------
    >>> log = Interactions(user=[0, 0, 1], item=[5, 3, 4], time=[2, 1, 9])
    >>> train, test = leave_last_out(log)
    >>> test.item.tolist(), train.item.tolist()
    ([5], [3, 4])
    """
    time = _times(data)
    last, count = last_rows(data.user, data.item, time, data.n_users)
    return _split_rows(data, last[count > 1])


@compiled
def last_rows(user, item, time, n_users):
    """Each user's last row (n_users,), -1 if there is none, and their number of rows."""
    last = np.full(n_users, -1)
    count = np.zeros(n_users, np.int64)
    for row in range(len(user)):
        u, before = user[row], last[user[row]]
        count[u] += 1
        if (
            before < 0
            or time[row] > time[before]
            or (time[row] == time[before] and item[row] >= item[before])
        ):
            last[u] = row
    return last, count


def last_fraction(data: Interactions, fraction: float = 0.2) -> tuple[Interactions, Interactions]:
    """Hold out the last `fraction` of each user's interactions, rounded down.

    Parameters
    ----------
    fraction : float in (0, 1)

    Returns
    -------
    train, test : Interactions
    """
    fraction = _fraction("fraction", fraction)
    order, position, count = by_user_and_time(data)
    held_out = position >= count - np.floor(count * fraction + 1e-9)
    return _split_rows(data, order[held_out])


def temporal_split(
    data: Interactions, test_fraction: float = 0.2, at: float | None = None
) -> tuple[Interactions, Interactions]:
    """Split the log at one time for all users: the past trains, the rest tests.

    Parameters
    ----------
    test_fraction : float in (0, 1)
        The fraction of interactions from which the cutoff is found. Equal times stay together,
        in test, so the fraction may come out a little larger.
    at : float, optional
        The cutoff itself, in the unit of the log's times; rows with time >= at are test.

    Returns
    -------
    train, test : Interactions
        Every time in train is before every time in test.
    """
    times = _times(data)
    if at is None:
        test_fraction = _fraction("test_fraction", test_fraction)
        if not len(data):
            return data, data
        first_test = min(len(data) - int(len(data) * test_fraction + 1e-9), len(data) - 1)
        at = np.partition(times, first_test)[first_test]
    else:
        at = validation.real_number("at", at, low=-np.inf)
    return data.select(times < at), data.select(times >= at)


def temporal_fold_in(
    data: Interactions,
    test_fraction: float = 0.2,
    at: float | None = None,
    last: float = 0.2,
) -> tuple[Interactions, Interactions, Interactions]:
    """Split the log at one time, with the histories of the users in the test period.

    Training data end at the cutoff. A test user's history, to fold in, ends just before
    their first held-out interaction, so new users are evaluated as well ("strong
    generalisation", Liang et al. 2018, with a temporal split).

    Parameters
    ----------
    test_fraction, at
        The cutoff, as for `temporal_split`.
    last : float in (0, 1)
        The fraction of each user's interactions from the cutoff on that is held out,
        rounded down.

    Returns
    -------
    train, history, test : Interactions
        train ends before the cutoff, history holds all rows but those of test. A model
        that can `fold_in` is evaluated by
        `evaluate(model.fit(train).fold_in(history), history, test)`.
    """
    last = _fraction("last", last)
    train, later = temporal_split(data, test_fraction, at)
    order, position, count = by_user_and_time(later)
    held_out = order[position >= count - np.floor(count * last + 1e-9)]
    after = np.ones(len(data), bool) if not len(train) else data.time > train.time.max()
    history, test = _split_rows(data, np.flatnonzero(after)[held_out])
    return train, history, test


def keep_known_items(*logs: Interactions, least: int = 5) -> list[Interactions]:
    """Keep the items that enough different users interacted with in the first log.

    Only the first log, the training set, is counted: a test set must not decide which items
    exist. Rows of other items are dropped from all logs, and the items numbered anew.

    Parameters
    ----------
    *logs : Interactions
        train, and any others of the same items, such as test.
    least : int
        Minimum number of users of an item that is kept.

    Returns
    -------
    list of Interactions
        The logs, over the items kept, in their old order and with their labels.

    Examples
    --------
    >>> train, test = Interactions([0, 1, 1], [7, 7, 3]), Interactions([0, 1], [3, 7], n_items=8)
    >>> train, test = keep_known_items(train, test, least=2)
    >>> train.item.tolist(), test.user.tolist(), train.n_items
    ([0, 0], [1], 1)
    """
    least = validation.whole_number("least", least)
    if not logs:
        raise ValueError("logs must be at least one, got none")
    for log in logs:
        check_log("logs", log)
    sizes = {log.n_items for log in logs}
    if len(sizes) != 1:
        raise ValueError(f"logs must be of the same items, got n_items {sorted(sizes)}")
    for log in logs[1:]:
        check_same_items("the first log", logs[0].item_labels, "another", log)
    n_users = np.bincount(logs[0].matrix.indices, minlength=logs[0].n_items)
    return [_with_items(log, np.flatnonzero(n_users >= least)) for log in logs]


def _with_items(log: Interactions, items: np.ndarray) -> Interactions:
    """The rows of the given items, which become 0, 1, 2, ..."""
    number = np.full(log.n_items, -1)
    number[items] = np.arange(len(items))
    rows = log.select(number[log.item] >= 0)
    labels = log.item_labels
    return Interactions(
        rows.user, number[rows.item], rows.time, rows.value, log.n_users, len(items),
        log.user_labels, None if labels is None else [labels[i] for i in items],
        {name: column[items] for name, column in log.item_info.items()},
    )  # fmt: skip


def _times(data: Interactions) -> np.ndarray:
    check_log("data", data)
    if data.time is None:
        raise ValueError("data.time must be given to split by time, got None")
    return data.time


def _fraction(name: str, value: float) -> float:
    value = validation.real_number(name, value, low=0.0, open_low=True)
    if value >= 1:
        raise ValueError(f"{name} must be below 1, got {value!r}")
    return value


def by_user_and_time(data: Interactions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows sorted by user, time, item; each one's position in its user's history; its length."""
    time = _times(data)
    order = np.lexsort((data.item, time, data.user))
    counts = np.bincount(data.user, minlength=data.n_users)
    starts = np.cumsum(counts) - counts
    users = data.user[order]
    return order, np.arange(len(data)) - starts[users], counts[users]


def _split_rows(data: Interactions, held_out: np.ndarray) -> tuple[Interactions, Interactions]:
    """The log without and with the rows at the given positions, each in the log's own order."""
    mask = np.zeros(len(data), bool)
    mask[held_out] = True
    return data.select(~mask), data.select(mask)
