"""Arrays that hold what is known as of a time, and the compiled loops that count events into them.

A counter that halves every half-life is stored as its value at its last event, so an event changes
a few numbers in place. The clicks of a user are a linked list, newest first. Loops that two others
call are inlined, for the reason in `newsreco.features.kernels`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from newsreco.data.times import DAY, HOUR
from recsys.compiled import compiled

RECENT = 50  # clicks of a user that a profile takes into account, the newest
FULL = np.iinfo(np.uint16).max  # where a user's counter of a subcategory stops
HALF_LIVES = (6 * HOUR, 2 * DAY)  # of the counters: a trend of hours, a trend of days


class Arrays(NamedTuple):
    """State of all counters.

    Counters (n_items,) hold their value as of `item_time`, (n_categories,) as of `category_time`.
    Each click points to the previous click of the same user; -1 ends the list.
    """

    profile_half_life: np.ndarray  # (1,) seconds; inf for none
    half_lives: np.ndarray  # (2,) seconds
    begin: np.ndarray  # (1,) time of the first impression: earlier clicks decay from it
    now: np.ndarray  # (1,) time of the last event counted
    totals: np.ndarray  # (2,) all clicks and views
    category: np.ndarray  # (n_items,) int32
    subcategory: np.ndarray
    first_shown: np.ndarray  # (n_items,) inf if never
    last_shown: np.ndarray  # (n_items,) -inf if never
    item_time: np.ndarray
    item_clicks: np.ndarray  # (n_items, 2) decayed with each of half_lives
    item_views: np.ndarray  # (n_items,) decayed with the longer one
    category_time: np.ndarray
    category_clicks: np.ndarray
    category_views: np.ndarray
    user_newest: np.ndarray  # (n_users,) int64: the newest click, -1 for none
    user_clicks: np.ndarray  # (n_users,) int64
    user_topics: np.ndarray  # (n_users, n_subcategories, 2) uint16: clicks and views, not decayed
    topics: np.ndarray  # (n_subcategories, 2) the same of all users
    history_loaded: np.ndarray  # (n_users,) bool: clicks before the log are counted
    n_clicks: np.ndarray  # (1,) int64: clicks stored
    click_item: np.ndarray
    click_time: np.ndarray
    click_previous: np.ndarray  # int64
    click_untimed: np.ndarray  # bool


@compiled
def decay(age, half_life):
    """Weight of an event `age` seconds ago."""
    return 0.5 ** (age / half_life)


@compiled(inline="always")
def load_history(arrays, user, history_start, history_item):
    """Add the user's clicks before the log, once; they decay from its first impression."""
    if not arrays.history_loaded[user]:
        arrays.history_loaded[user] = True
        for j in range(history_start[user], history_start[user + 1]):
            _add_click(arrays, user, history_item[j], arrays.begin[0], True)


@compiled
def count_impression(arrays, user, time, items, clicked):
    """Count one impression: a view of each article, and a click of some."""
    _count(arrays, user, time, items, clicked, 1)


@compiled
def count_click(arrays, user, time, items):
    """Count a click on articles whose views are counted already."""
    _count(arrays, user, time, items, np.ones(len(items), np.bool_), 0)


@compiled(inline="always")
def _count(arrays, user, time, items, clicked, views):
    arrays.now[0] = time
    _count_items(arrays, time, items, clicked, views)
    _count_topics(arrays, user, items, clicked, views)
    for i in range(len(items)):
        if clicked[i]:
            _add_click(arrays, user, items[i], time, False)


@compiled(inline="always")
def _count_items(arrays, time, items, clicked, views):
    """Decay the counters of each article and its category to `time`, and count views of each."""
    days = arrays.half_lives[1]
    for i in range(len(items)):
        item, category = items[i], arrays.category[items[i]]
        kept = decay(time - arrays.item_time[item], days)
        arrays.item_views[item] = arrays.item_views[item] * kept + views
        for h in range(2):
            kept = decay(time - arrays.item_time[item], arrays.half_lives[h])
            arrays.item_clicks[item, h] = arrays.item_clicks[item, h] * kept + clicked[i]
        arrays.item_time[item] = time
        kept = decay(time - arrays.category_time[category], days)
        arrays.category_views[category] = arrays.category_views[category] * kept + views
        arrays.category_clicks[category] = arrays.category_clicks[category] * kept + clicked[i]
        arrays.category_time[category] = time
        arrays.first_shown[item] = min(arrays.first_shown[item], time)
        arrays.last_shown[item] = time
        arrays.totals[0] += clicked[i]
        arrays.totals[1] += views


@compiled(inline="always")
def _count_topics(arrays, user, items, clicked, views):
    """Count clicks and views of each article's subcategory, for the user and for all users."""
    for i in range(len(items)):
        topic = arrays.subcategory[items[i]]
        for label in range(2):  # clicks, views
            if views if label else clicked[i]:
                arrays.topics[topic, label] += 1
                if arrays.user_topics[user, topic, label] < FULL:
                    arrays.user_topics[user, topic, label] += 1


@compiled(inline="always")
def _add_click(arrays, user, item, time, untimed):
    """Put a click at the head of the user's list."""
    new = arrays.n_clicks[0]
    arrays.click_item[new] = item
    arrays.click_time[new] = time
    arrays.click_untimed[new] = untimed
    arrays.click_previous[new] = arrays.user_newest[user]
    arrays.user_newest[user] = new
    arrays.user_clicks[user] += 1
    arrays.n_clicks[0] = new + 1


@compiled
def count_impressions(
    arrays, history_start, history_item, user, time, start, item, clicked, first, last
):
    """Count impressions first..last-1, each after its user's history."""
    for r in range(first, last):
        shown = slice(start[r], start[r + 1])
        u = np.int64(user[r])  # as in calls from Python: each function is compiled once
        load_history(arrays, u, history_start, history_item)
        count_impression(arrays, u, time[r], item[shown], clicked[shown])
