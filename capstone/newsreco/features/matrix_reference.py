"""The features by their definitions: every one counted anew from the raw events before a moment.

Slow, and short enough to read beside `newsreco.features.matrix`, which must agree with it. It keeps no
counters, so nothing in it can be out of date, and it never looks at an event of the moment itself.
"""

from __future__ import annotations

import numpy as np

from newsreco.data import NewsLog
from newsreco.features.matrix import FEATURES, NEAR, OWN_PRIOR, PRIOR
from newsreco.features.state import HALF_LIVES, RECENT

HOURS, DAYS = HALF_LIVES


def features_reference(
    log: NewsLog, vectors: np.ndarray, half_life: float, visit: int
) -> np.ndarray:
    """Features of everything shown in one visit: (n, len(FEATURES)) float64."""
    shown = log.impressions
    user, time = shown.user[visit], shown.time[visit]
    items = shown.item[shown.start[visit] : shown.start[visit + 1]]
    end = log.cut(time)  # the visits before this moment
    events = shown.rows(0, end)
    clicks = [(c, t, False) for c, t in _clicks(events, user)]
    earlier = log.history_item[log.history_start[user] : log.history_start[user + 1]]
    met = [(c, shown.time[0], True) for c in earlier] + clicks
    rows = [
        _row(log, events, vectors, half_life, user, met, item, place, time)
        for place, item in enumerate(items)
    ]
    return np.array([[row[name] for name in FEATURES] for row in rows])


def _clicks(events, user):
    """The person's clicks, oldest first, as (item, time)."""
    for v in np.flatnonzero(events.user == user):
        row = slice(events.start[v], events.start[v + 1])
        for item in events.item[row][events.clicked[row]]:
            yield item, events.time[v]


def _row(log, events, vectors, half_life, user, met, item, place, time):
    """All features of one article for the person who has met `met`."""
    recent = met[::-1][:RECENT]
    weights = np.array([0.5 ** ((time - t) / half_life) for _, t, _ in recent])
    ids = np.array([c for c, _, _ in recent], int)
    category, subcategory = log.articles.category, log.articles.subcategory
    likeness = vectors[ids].astype(float) @ vectors[item]
    profile = weights @ vectors[ids].astype(float)
    last = _last_visit(recent)
    times, clicked = _shown_before(events, events.item == item)
    kind = category[events.item] == category[item]
    common = (events.clicked.sum() + 1) / (len(events.item) + PRIOR)
    return {
        "profile": profile @ vectors[item] / np.linalg.norm(profile) if profile.any() else 0,
        "last": likeness[:last].max(initial=0),
        "nearest": likeness[:NEAR].max(initial=0),
        "category": weights[category[ids] == category[item]].sum() / (weights.sum() + 1),
        "subcategory": weights[subcategory[ids] == subcategory[item]].sum() / (weights.sum() + 1),
        "follow_up": 0.5 ** ((time - recent[0][1]) / HOURS)
        if (subcategory[ids[:last]] == subcategory[item]).any()
        else 0,
        "own_rate": _own_rate(events, user, subcategory[events.item] == subcategory[item]),
        "trend_hours": np.log1p(_decayed(times[clicked], time, HOURS)),
        "trend_days": np.log1p(_decayed(times[clicked], time, DAYS)),
        "click_rate": _rate(times, clicked, time, common),
        "category_rate": _rate(*_shown_before(events, kind), time, common),
        "age": np.log1p((time - times.min()) / 3600) if len(times) else 0,
        "is_new": float(len(times) == 0),
        "history": np.log1p(len(met)),
        "position": np.log1p(place),
    }


def _last_visit(recent):
    """How many clicks belong to the newest visit; an untimed click stands alone."""
    if not recent:
        return 0
    _, newest, untimed = recent[0]
    return 1 if untimed else sum(t == newest and not u for _, t, u in recent)


def _own_rate(events, user, of_topic):
    mine = of_topic & (events.user[events.impression] == user)
    common = (events.clicked[of_topic].sum() + 1) / (of_topic.sum() + PRIOR)
    rate = (events.clicked[mine].sum() + OWN_PRIOR * common) / (mine.sum() + OWN_PRIOR)
    return np.log(rate / common)


def _shown_before(events, chosen):
    """When the chosen rows were shown, and which of them were clicked."""
    return events.time[events.impression][chosen], events.clicked[chosen]


def _decayed(times, time, half_life):
    return (0.5 ** ((time - times) / half_life)).sum()


def _rate(times, clicked, time, common):
    clicks, views = _decayed(times[clicked], time, DAYS), _decayed(times, time, DAYS)
    return np.log((clicks + PRIOR * common) / ((views + PRIOR) * common))
