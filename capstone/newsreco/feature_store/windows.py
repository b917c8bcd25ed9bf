r"""Features of the log, window by window: running totals, and which of them changed.

At the end e of a window (an hour, a day) every user, article and pair that occurred in it gets a
new row. Clicks decay as in `recsys.models.Trending`,

.. math:: s_u(e) = \sum_{t < e} 2^{-(e - t) / h},

stored as one number per user: decay the old sum by the elapsed time, then add the new clicks. Only
windows with impressions have rows. A row is valid at its own time e: for a decayed sum at a later
time, decay it by the time since its event_time.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from newsreco.data.log import NewsLog

Columns = dict[str, list[str] | np.ndarray]


def windows(log: NewsLog, width: float) -> Iterator[tuple[float, int, int]]:
    """(end, first, last): the impressions first, ..., last - 1 lie in [end - width, end).

    Ends are whole multiples of the width since 1970, so that two jobs agree on them.
    """
    ends = window_ends(log, width)
    starts = np.flatnonzero(np.diff(ends, prepend=-np.inf))
    for first, last in zip(starts, [*starts[1:], len(ends)]):
        yield float(ends[first]), int(first), int(last)


def window_ends(log: NewsLog, width: float) -> np.ndarray:
    """The end of each impression's window: (n,) seconds UTC."""
    return (np.floor(log.impressions.time / width) + 1) * width


class Totals:
    """Running totals of a log; memory grows with users and with distinct displayed pairs.

    Parameters
    ----------
    log : NewsLog
    half_life : float
        Of the decayed clicks, in seconds.
    """

    def __init__(self, log: NewsLog, half_life: float):
        self.log, self.half_life = log, half_life
        shown = log.impressions
        pair = shown.user[shown.impression].astype(np.int64) * log.n_items + shown.item
        self.pairs, self.pair_of = np.unique(pair, return_inverse=True)  # numbered 0, 1, ...
        n_categories = len(log.articles.categories)
        self.impressions, self.clicks, self.decayed, self.updated = np.zeros((4, log.n_users))
        self.by_category = np.zeros((log.n_users, n_categories), np.int32)
        self.item_views, self.item_clicks = np.zeros((2, log.n_items))
        self.pair_shown, self.pair_clicks = np.zeros((2, len(self.pairs)))
        self.pair_time = np.full(len(self.pairs), -np.inf)

    def add(self, end: float, rows: np.ndarray) -> None:
        """Count impressions before `end`, by number; each only once."""
        row, entry = self._entries(rows)
        shown = self.log.impressions
        user, item, clicked = shown.user[row], shown.item[entry], shown.clicked[entry]
        self._add_users(end, shown.user[rows], user[clicked], shown.time[row[clicked]])
        np.add.at(self.by_category, (user[clicked], self.log.articles.category[item[clicked]]), 1)
        np.add.at(self.item_views, item, 1)
        np.add.at(self.item_clicks, item[clicked], 1)
        pair = self.pair_of[entry]
        np.add.at(self.pair_shown, pair, 1)
        np.add.at(self.pair_clicks, pair[clicked], 1)
        np.maximum.at(self.pair_time, pair, shown.time[row])

    def rows(self, rows: np.ndarray) -> dict[str, Columns]:
        """The totals of everything that occurs in these impressions, view by view."""
        row, entry = self._entries(rows)
        shown = self.log.impressions
        clickers = shown.user[row[shown.clicked[entry]]]
        return {
            "user": self._users(np.unique(shown.user[rows])),
            "user_category": self._categories(np.unique(clickers)),
            "item": self._items(np.unique(shown.item[entry])),
            "user_item": self._pairs(np.unique(self.pair_of[entry])),
        }

    def _entries(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Impression and position in `item` of each article that these impressions show."""
        start = self.log.impressions.start
        size = start[rows + 1] - start[rows]
        before = np.cumsum(size) - size
        return np.repeat(rows, size), np.repeat(start[rows] - before, size) + np.arange(size.sum())

    def _add_users(
        self, end: float, users: np.ndarray, clickers: np.ndarray, time: np.ndarray
    ) -> None:
        """Users of the impressions, and users and times of the clicks."""
        changed = np.unique(users)
        self.decayed[changed] *= 0.5 ** ((end - self.updated[changed]) / self.half_life)
        np.add.at(self.decayed, clickers, 0.5 ** ((end - time) / self.half_life))
        np.add.at(self.impressions, users, 1)
        np.add.at(self.clicks, clickers, 1)
        self.updated[changed] = end

    def _users(self, changed: np.ndarray) -> Columns:
        return {
            "user_id": _labels(self.log.user_ids, changed),
            "impressions": self.impressions[changed],
            "clicks": self.clicks[changed],
            "decayed_clicks": self.decayed[changed],
        }

    def _categories(self, changed: np.ndarray) -> Columns:
        row, category = np.nonzero(self.by_category[changed])
        clicks = self.by_category[changed[row], category].astype(np.float64)
        return {
            "user_id": _labels(self.log.user_ids, changed[row]),
            "category": _labels(self.log.articles.categories, category),
            "clicks": clicks,
            "fraction": clicks / self.clicks[changed[row]],
        }

    def _items(self, changed: np.ndarray) -> Columns:
        views, clicks = self.item_views[changed], self.item_clicks[changed]
        labels = _labels(self.log.articles.ids, changed)
        return {"item_id": labels, "views": views, "clicks": clicks, "ctr": clicks / views}

    def _pairs(self, changed: np.ndarray) -> Columns:
        user, item = np.divmod(self.pairs[changed], self.log.n_items)
        return {
            "user_id": _labels(self.log.user_ids, user),
            "item_id": _labels(self.log.articles.ids, item),
            "shown": self.pair_shown[changed],
            "clicks": self.pair_clicks[changed],
            "last_shown": self.pair_time[changed],
        }


def _labels(labels: list[str], numbers: np.ndarray) -> list[str]:
    return [labels[number] for number in numbers]
