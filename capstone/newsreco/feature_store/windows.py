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
    ends = (np.floor(log.impressions.time / width) + 1) * width
    starts = np.flatnonzero(np.diff(ends, prepend=-np.inf))
    for first, last in zip(starts, [*starts[1:], len(ends)]):
        yield float(ends[first]), int(first), int(last)


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
        self.pair_shown, self.pair_clicks, self.pair_time = np.zeros((3, len(self.pairs)))

    def advance(self, end: float, first: int, last: int) -> dict[str, Columns]:
        """Add the impressions first, ..., last - 1; the rows that changed, view by view."""
        shown = self.log.impressions
        part = slice(shown.start[first], shown.start[last])
        row = np.repeat(np.arange(first, last), np.diff(shown.start[first : last + 1]))
        users, items, clicked = shown.user[row], shown.item[part], shown.clicked[part]
        return {
            "user": self._users(end, shown.user[first:last], users[clicked], row[clicked]),
            "user_category": self._categories(users[clicked], items[clicked]),
            "item": self._items(items, clicked),
            "user_item": self._pairs(self.pair_of[part], clicked, shown.time[row]),
        }

    def _users(
        self, end: float, users: np.ndarray, clickers: np.ndarray, row: np.ndarray
    ) -> Columns:
        """Users of the impressions, and users and impressions of the clicks."""
        age = end - self.log.impressions.time[row]
        changed = np.unique(users)
        self.decayed[changed] *= 0.5 ** ((end - self.updated[changed]) / self.half_life)
        np.add.at(self.decayed, clickers, 0.5 ** (age / self.half_life))
        np.add.at(self.impressions, users, 1)
        np.add.at(self.clicks, clickers, 1)
        self.updated[changed] = end
        return {
            "user_id": _labels(self.log.user_ids, changed),
            "impressions": self.impressions[changed],
            "clicks": self.clicks[changed],
            "decayed_clicks": self.decayed[changed],
        }

    def _categories(self, users: np.ndarray, items: np.ndarray) -> Columns:
        np.add.at(self.by_category, (users, self.log.articles.category[items]), 1)
        changed = np.unique(users)
        row, category = np.nonzero(self.by_category[changed])
        clicks = self.by_category[changed[row], category].astype(np.float64)
        return {
            "user_id": _labels(self.log.user_ids, changed[row]),
            "category": _labels(self.log.articles.categories, category),
            "clicks": clicks,
            "fraction": clicks / self.clicks[changed[row]],
        }

    def _items(self, items: np.ndarray, clicked: np.ndarray) -> Columns:
        np.add.at(self.item_views, items, 1)
        np.add.at(self.item_clicks, items[clicked], 1)
        changed = np.unique(items)
        views, clicks = self.item_views[changed], self.item_clicks[changed]
        labels = _labels(self.log.articles.ids, changed)
        return {"item_id": labels, "views": views, "clicks": clicks, "ctr": clicks / views}

    def _pairs(self, pairs: np.ndarray, clicked: np.ndarray, time: np.ndarray) -> Columns:
        np.add.at(self.pair_shown, pairs, 1)
        np.add.at(self.pair_clicks, pairs[clicked], 1)
        self.pair_time[pairs] = time  # ascending, so the last one stays
        changed = np.unique(pairs)
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
