"""Splits: what a model may learn from, and what it is judged on.

Every split looks at time, because a recommender predicts the future from the past. A random
split lets it learn from next week to predict last week: it is deliberately left out.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from recsys import _checks
from recsys.interactions import Interactions


def leave_last_out(data: Interactions) -> tuple[Interactions, Interactions]:
    """Hold out each user's last interaction.

    Of several at the same last moment, the highest item id counts as last, so that the order
    of the rows does not matter. A user with a single interaction keeps it for training.

    Returns
    -------
    train, test : Interactions
        test has at most one row a user; sizes and labels stay as they were.

    Examples
    --------
    >>> log = Interactions(user=[0, 0, 1], item=[5, 3, 4], time=[2, 1, 9])
    >>> train, test = leave_last_out(log)
    >>> test.item.tolist(), train.item.tolist()
    ([5], [3, 4])
    """
    last, count = last_rows(data.user, data.item, _times(data), data.n_users)
    return _divide(data, last[count > 1])


@njit(cache=True)
def last_rows(user, item, time, n_users):
    """Each user's last row (n_users,), -1 where there is none, and their number of rows."""
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
    order, position, count = _by_user_and_time(data)
    held_out = position >= count - np.floor(count * fraction + 1e-9)
    return _divide(data, order[held_out])


def temporal_split(
    data: Interactions, test_fraction: float = 0.2, at: float | None = None
) -> tuple[Interactions, Interactions]:
    """Cut the log at one moment for everybody: the past trains, the rest tests.

    Parameters
    ----------
    test_fraction : float in (0, 1)
        The share of interactions from which the cut is found. Equal times stay together, in
        test, so the share may come out a little larger.
    at : float, optional
        The moment itself, in the log's own clock; rows with time >= at are test.

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
        at = _checks.real_number("at", at, low=-np.inf)
    return data.select(times < at), data.select(times >= at)


def _times(data: Interactions) -> np.ndarray:
    if data.time is None:
        raise ValueError("data.time must be given to split by time, got None")
    return data.time


def _fraction(name: str, value: float) -> float:
    value = _checks.real_number(name, value, low=0.0, open_low=True)
    if value >= 1:
        raise ValueError(f"{name} must be below 1, got {value!r}")
    return value


def _by_user_and_time(data: Interactions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows in order of user, time, item; each row's position in its user's history; its length."""
    order = np.lexsort((data.item, _times(data), data.user))
    counts = np.bincount(data.user, minlength=data.n_users)
    starts = np.cumsum(counts) - counts
    users = data.user[order]
    return order, np.arange(len(data)) - starts[users], counts[users]


def _divide(data: Interactions, held_out: np.ndarray) -> tuple[Interactions, Interactions]:
    """The log without and with the rows at the given positions, each in the log's own order."""
    mask = np.zeros(len(data), bool)
    mask[held_out] = True
    return data.select(~mask), data.select(mask)
