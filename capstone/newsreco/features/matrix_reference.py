"""The features by definition, each computed from the raw events before a time.

Slow, and short enough to read beside `newsreco.features.matrix`, which must agree with it. It
keeps no counters that could be out of date, and ignores events at the time itself.
"""

from __future__ import annotations

import numpy as np

from newsreco.data import NewsLog
from newsreco.data.times import HOUR
from newsreco.features.counters import HALF_LIVES, RECENT
from newsreco.features.kernels import NEAR, PRIOR, USER_PRIOR
from newsreco.features.matrix import FEATURES

HOURS, DAYS = HALF_LIVES


def features_reference(
    log: NewsLog, vectors: np.ndarray, half_life: float, impression: int
) -> np.ndarray:
    """Features of everything shown in one impression: (n, len(FEATURES)) float64."""
    shown = log.impressions
    user, time = shown.user[impression], shown.time[impression]
    items = shown.item[shown.start[impression] : shown.start[impression + 1]]
    end = log.cut(time)  # impressions before this time
    events = shown.rows(0, end)
    clicks = [(c, t, False) for c, t in _clicks(events, user)]
    earlier = log.history_item[log.history_start[user] : log.history_start[user + 1]]
    history = [(c, shown.time[0], True) for c in earlier] + clicks
    rows = [
        _row(log, events, vectors, half_life, user, history, item, position, time)
        for position, item in enumerate(items)
    ]
    return np.array([[row[name] for name in FEATURES] for row in rows])


def _clicks(events, user):
    """The user's clicks, oldest first, as (item, time)."""
    for r in np.flatnonzero(events.user == user):
        rows = slice(events.start[r], events.start[r + 1])
        for item in events.item[rows][events.clicked[rows]]:
            yield item, events.time[r]


def _row(log, events, vectors, half_life, user, history, item, position, time):
    """All features of one article for a user with this history."""
    recent = history[::-1][:RECENT]
    weights = np.array([0.5 ** ((time - t) / half_life) for _, t, _ in recent])
    ids = np.array([c for c, _, _ in recent], int)
    category, subcategory = log.articles.category, log.articles.subcategory
    cosine = vectors[ids].astype(float) @ vectors[item]
    profile = weights @ vectors[ids].astype(float)
    last = _n_last_clicks(recent)
    times, clicked = _shown_before(events, events.item == item)
    same_category = category[events.item] == category[item]
    overall = (events.clicked.sum() + 1) / (len(events.item) + PRIOR)
    return {
        "profile": profile @ vectors[item] / np.linalg.norm(profile) if profile.any() else 0,
        "last": cosine[:last].max(initial=0),
        "nearest": cosine[:NEAR].max(initial=0),
        "category": weights[category[ids] == category[item]].sum() / (weights.sum() + 1),
        "subcategory": weights[subcategory[ids] == subcategory[item]].sum() / (weights.sum() + 1),
        "follow_up": 0.5 ** ((time - recent[0][1]) / HOURS)
        if (subcategory[ids[:last]] == subcategory[item]).any()
        else 0,
        "own_rate": _own_rate(events, user, subcategory[events.item] == subcategory[item]),
        "trend_hours": np.log1p(_decayed(times[clicked], time, HOURS)),
        "trend_days": np.log1p(_decayed(times[clicked], time, DAYS)),
        "click_rate": _rate(times, clicked, time, overall),
        "category_rate": _rate(*_shown_before(events, same_category), time, overall),
        "age": np.log1p((time - times.min()) / HOUR) if len(times) else 0,
        "is_new": float(len(times) == 0),
        "history": np.log1p(len(history)),
        "position": np.log1p(position),
    }


def _n_last_clicks(recent):
    """How many clicks belong to the last impression; an untimed click stands alone."""
    if not recent:
        return 0
    _, newest, untimed = recent[0]
    return 1 if untimed else sum(t == newest and not u for _, t, u in recent)


def _own_rate(events, user, of_topic):
    mine = of_topic & (events.user[events.impression] == user)
    overall = (events.clicked[of_topic].sum() + 1) / (of_topic.sum() + PRIOR)
    rate = (events.clicked[mine].sum() + USER_PRIOR * overall) / (mine.sum() + USER_PRIOR)
    return np.log(rate / overall)


def _shown_before(events, chosen):
    """Times at which the chosen rows were shown, and which of them were clicked."""
    return events.time[events.impression][chosen], events.clicked[chosen]


def _decayed(times, time, half_life):
    return (0.5 ** ((time - times) / half_life)).sum()


def _rate(times, clicked, time, overall):
    clicks, views = _decayed(times[clicked], time, DAYS), _decayed(times, time, DAYS)
    return np.log((clicks + PRIOR * overall) / ((views + PRIOR) * overall))
