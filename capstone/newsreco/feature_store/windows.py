r"""Features of the log, window by window: running totals, and who moved.

At the end e of a window (an hour, a day) everybody and everything that appeared in it gets a new
row. Clicks decay as in `recsys.models.Trending`,

.. math:: s_u(e) = \sum_{t < e} 2^{-(e - t) / h},

kept as one number a person: shrink the old sum by the time gone by, then add the new clicks. Only
windows with visits have rows. A row answers for its own moment e: to have a decayed sum at a later
moment, shrink it by the time since its event_time.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from newsreco.data.log import NewsLog

Columns = dict[str, np.ndarray]


def windows(log: NewsLog, width: float) -> Iterator[tuple[float, int, int]]:
    """(end, first, last): the visits first, ..., last - 1 lie in [end - width, end).

    Ends are whole multiples of the width since 1970, so that two jobs agree on them.
    """
    ends = (np.floor(log.impressions.time / width) + 1) * width
    starts = np.flatnonzero(np.diff(ends, prepend=-np.inf))
    for first, last in zip(starts, [*starts[1:], len(ends)]):
        yield float(ends[first]), int(first), int(last)


class Totals:
    """What a log has come to at the end of a window; memory for people and pairs that met.

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
        self.visits, self.clicks, self.decayed, self.touched = np.zeros((4, log.n_users))
        self.by_category = np.zeros((log.n_users, n_categories), np.int32)
        self.item_views, self.item_clicks = np.zeros((2, log.n_items))
        self.pair_shown, self.pair_clicks, self.pair_time = np.zeros((3, len(self.pairs)))

    def advance(self, end: float, first: int, last: int) -> dict[str, Columns]:
        """Count the visits first, ..., last - 1; the rows of those that moved, view by view."""
        shown = self.log.impressions
        here = slice(shown.start[first], shown.start[last])
        visit = np.repeat(np.arange(first, last), np.diff(shown.start[first : last + 1]))
        users, items, clicked = shown.user[visit], shown.item[here], shown.clicked[here]
        return {
            "user": self._users(end, shown.user[first:last], users[clicked], visit[clicked]),
            "user_category": self._categories(users[clicked], items[clicked]),
            "item": self._items(items, clicked),
            "user_item": self._pairs(self.pair_of[here], clicked, shown.time[visit]),
        }

    def _users(self, end: float, came: np.ndarray, users: np.ndarray, visit: np.ndarray) -> Columns:
        age = end - self.log.impressions.time[visit]
        moved = np.unique(came)
        self.decayed[moved] *= 0.5 ** ((end - self.touched[moved]) / self.half_life)
        np.add.at(self.decayed, users, 0.5 ** (age / self.half_life))
        np.add.at(self.visits, came, 1)
        np.add.at(self.clicks, users, 1)
        self.touched[moved] = end
        names = _named(self.log.user_ids, moved)
        sums = {"visits": self.visits, "clicks": self.clicks, "decayed_clicks": self.decayed}
        return {"user_id": names} | {name: column[moved] for name, column in sums.items()}

    def _categories(self, users: np.ndarray, items: np.ndarray) -> Columns:
        np.add.at(self.by_category, (users, self.log.articles.category[items]), 1)
        moved = np.unique(users)
        row, category = np.nonzero(self.by_category[moved])
        clicks = self.by_category[moved[row], category].astype(np.float64)
        return {
            "user_id": _named(self.log.user_ids, moved[row]),
            "category": _named(self.log.articles.categories, category),
            "clicks": clicks,
            "share": clicks / self.clicks[moved[row]],
        }

    def _items(self, items: np.ndarray, clicked: np.ndarray) -> Columns:
        np.add.at(self.item_views, items, 1)
        np.add.at(self.item_clicks, items[clicked], 1)
        moved = np.unique(items)
        views, clicks = self.item_views[moved], self.item_clicks[moved]
        names = _named(self.log.articles.ids, moved)
        return {"item_id": names, "views": views, "clicks": clicks, "ctr": clicks / views}

    def _pairs(self, pairs: np.ndarray, clicked: np.ndarray, time: np.ndarray) -> Columns:
        np.add.at(self.pair_shown, pairs, 1)
        np.add.at(self.pair_clicks, pairs[clicked], 1)
        self.pair_time[pairs] = time  # rising, so the last one stays
        moved = np.unique(pairs)
        user, item = np.divmod(self.pairs[moved], self.log.n_items)
        return {
            "user_id": _named(self.log.user_ids, user),
            "item_id": _named(self.log.articles.ids, item),
            "shown": self.pair_shown[moved],
            "clicks": self.pair_clicks[moved],
            "last_shown": self.pair_time[moved],
        }


def _named(names: list[str], numbers: np.ndarray) -> list[str]:
    return [names[number] for number in numbers]
