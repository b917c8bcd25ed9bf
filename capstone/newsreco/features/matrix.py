r"""Features of an article for a person at a moment: what a ranker may know before the click.

Whoever counts an article's clicks over the whole log has counted the click to be predicted. So
the log is replayed: features are computed as of each impression, from events before its moment
only, and the impression is counted afterwards. Serving runs the very same compiled function on
the very same counters, so a feature vector online equals the one in training, bit for bit.

A person's profile is the sum of the vectors of their last clicks, each halved every half-life h;
counters of clicks and views decay alike, with half-lives of their own:

.. math:: z_u(t) = \sum_{(i, s) \in u,\, s < t} 2^{-(t - s) / h} \, v_i, \qquad
          c_i(t) = \sum_{\text{clicks } s < t} 2^{-(t - s) / h_c}

Clicks of before the log have no time; they decay from its beginning, the latest moment at which
they can have happened. Left out: how long somebody read, and what was scrolled past.
"""

from __future__ import annotations

import numpy as np

from newsreco.data import NewsLog
from newsreco.features.state import RECENT, Arrays, State, arrive, count, decay
from recsys.compiled import compiled

FEATURES = (
    "profile",  # cosine with the decayed profile
    "last",  # largest cosine with a click of the last visit that had one
    "nearest",  # largest cosine with one of the last NEAR clicks
    "category",  # share of the decayed clicks in the article's category, shrunk
    "subcategory",
    "follow_up",  # if the last visit's clicks hold its subcategory: 1, halved every few hours
    "own_rate",  # log of the person's smoothed click rate in its subcategory, relative to all's
    "trend_hours",  # log(1 + clicks), half-life of hours
    "trend_days",  # the same of days
    "click_rate",  # log of the smoothed click rate, relative to all articles
    "category_rate",
    "age",  # log(1 + hours since first shown)
    "is_new",  # 1 if never shown before
    "history",  # log(1 + clicks known of the person)
    "position",  # log(1 + place on the page, from 0)
)
POSITION = FEATURES.index("position")
NEAR = 10
PRIOR = 10.0  # views at the common rate that every article starts with
OWN_PRIOR = 5.0  # the same for a person's subcategories


def candidate_features(
    state: State,
    vectors: np.ndarray,
    user: int,
    time: float,
    items: np.ndarray,
    positions: np.ndarray | None = None,
) -> np.ndarray:
    """Features of `items` for one person at a moment: (n, len(FEATURES)) float32.

    Parameters
    ----------
    state : State
        Advanced by all events before `time`.
    vectors : array (n_items, d) float32
        Unit rows, or zeros.
    user : int
        -1 for somebody unknown.
    time : float
        Seconds UTC; must not lie before the last event that the state has counted.
    items : array (n,) of int
    positions : array (n,) of int, optional
        Places on the page from 0; by default all stand at the top.
    """
    if time < state.now:
        raise ValueError(f"time must not be before the state's own {state.now}, got {time}")
    items = np.ascontiguousarray(items, np.int32)
    positions = np.zeros(len(items), np.int64) if positions is None else np.asarray(positions)
    X = np.zeros((len(items), len(FEATURES)), np.float32)
    _visit(state.arrays, vectors, user, time, items, positions.astype(np.int64), X)
    return X


def replay(
    log: NewsLog, state: State, vectors: np.ndarray, first: int = 0, last: int | None = None
) -> np.ndarray:
    """Features of everything shown in visits first..last-1, each as of its moment.

    The state must stand just before visit `first`, and is advanced past all of them. Visits of
    one moment do not see each other. Returns (n_shown, len(FEATURES)) float32.
    """
    last = len(log.impressions) if last is None else last
    shown = log.impressions
    state.make_room(log, first, last)
    X = np.zeros((shown.start[last] - shown.start[first], len(FEATURES)), np.float32)
    _replay(
        state.arrays,
        vectors,
        log.history_start,
        log.history_item,
        shown.user,
        shown.time,
        shown.start,
        shown.item,
        shown.clicked,
        first,
        last,
        X,
    )
    return X


@compiled
def _replay(
    arrays, vectors, history_start, history_item, user, time, start, item, clicked, first, last, X
):
    """Moment by moment: people arrive, features are computed, then everything is counted."""
    r = first
    while r < last:
        end = r
        while end < last and time[end] == time[r]:
            arrive(arrays, user[end], history_start, history_item)
            end += 1
        for v in range(r, end):
            shown = slice(start[v], start[v + 1])
            rows = slice(start[v] - start[first], start[v + 1] - start[first])
            positions = np.arange(start[v + 1] - start[v])
            _visit(arrays, vectors, user[v], time[v], item[shown], positions, X[rows])
        for v in range(r, end):
            shown = slice(start[v], start[v + 1])
            count(arrays, user[v], time[v], item[shown], clicked[shown])
        r = end


@compiled
def _visit(arrays: Arrays, vectors, user, time, items, positions, X):
    """The one code path: features of `items` for `user` at `time`, written to X."""
    recent = np.empty(RECENT, np.int64)
    weight = np.empty(RECENT)
    n = _recent_clicks(arrays, user, time, recent, weight)
    n_last = _clicks_of_last_visit(arrays, user, recent, n)
    profile = np.zeros(vectors.shape[1], np.float32)
    total = 0.0
    for c in range(n):
        total += weight[c]
        add(profile, np.float32(weight[c]), vectors[recent[c]])
    length = np.sqrt(dot(profile, profile))
    fresh = 0.0
    if n_last > 0:
        fresh = decay(time - arrays.click_time[arrays.user_newest[user]], arrays.half_lives[0])
    common = (arrays.totals[0] + 1.0) / (arrays.totals[1] + PRIOR)
    for i in range(len(items)):
        item = items[i]
        if length > 0:
            X[i, 0] = dot(profile, vectors[item]) / length
        for c in range(min(n, max(n_last, NEAR))):
            likeness = dot(vectors[recent[c]], vectors[item])
            if c < n_last:
                X[i, 1] = max(X[i, 1], likeness)
                if arrays.subcategory[recent[c]] == arrays.subcategory[item]:
                    X[i, 5] = fresh
            if c < NEAR:
                X[i, 2] = max(X[i, 2], likeness)
        in_category = 0.0
        in_subcategory = 0.0
        for c in range(n):
            if arrays.category[recent[c]] == arrays.category[item]:
                in_category += weight[c]
            if arrays.subcategory[recent[c]] == arrays.subcategory[item]:
                in_subcategory += weight[c]
        X[i, 3] = in_category / (total + 1)
        X[i, 4] = in_subcategory / (total + 1)
        if user >= 0:
            topic = arrays.subcategory[item]
            X[i, 6] = _own_rate(arrays.user_topics[user, topic], arrays.topics[topic])
        for h in range(2):
            faded = decay(time - arrays.item_time[item], arrays.half_lives[h])
            X[i, 7 + h] = np.log1p(arrays.item_clicks[item, h] * faded)
        faded = decay(time - arrays.item_time[item], arrays.half_lives[1])
        X[i, 9] = _rate(arrays.item_clicks[item, 1], arrays.item_views[item], faded, common)
        kind = arrays.category[item]
        faded = decay(time - arrays.kind_time[kind], arrays.half_lives[1])
        X[i, 10] = _rate(arrays.kind_clicks[kind], arrays.kind_views[kind], faded, common)
        if arrays.first_shown[item] < time:
            X[i, 11] = np.log1p((time - arrays.first_shown[item]) / 3600.0)
        else:
            X[i, 12] = 1
        X[i, 13] = np.log1p(arrays.user_clicks[user]) if user >= 0 else 0.0
        X[i, 14] = np.log1p(positions[i])


@compiled
def _recent_clicks(arrays, user, time, recent, weight):
    """The person's last clicks, newest first, and their decayed weights; how many there are."""
    n = 0
    click = arrays.user_newest[user] if user >= 0 else -1
    while click >= 0 and n < RECENT:
        recent[n] = arrays.click_item[click]
        weight[n] = decay(time - arrays.click_time[click], arrays.profile_half_life[0])
        click = arrays.click_before[click]
        n += 1
    return n


@compiled
def _clicks_of_last_visit(arrays, user, recent, n):
    """How many of the recent clicks belong to the newest visit; they have no order."""
    if n == 0:
        return 0
    newest = arrays.user_newest[user]
    if arrays.click_untimed[newest]:  # earlier clicks of no known time: the newest alone
        return 1
    n_last = 1
    click = arrays.click_before[newest]
    while n_last < n and click >= 0 and arrays.click_time[click] == arrays.click_time[newest]:
        if arrays.click_untimed[click]:
            break
        n_last += 1
        click = arrays.click_before[click]
    return n_last


@compiled
def _rate(clicks, views, faded, common):
    """Log of the click rate relative to the common one, smoothed by PRIOR views at it."""
    return np.log((clicks * faded + PRIOR * common) / ((views * faded + PRIOR) * common))


@compiled
def _own_rate(own, everybody):
    """Log of a person's click rate in a topic relative to everybody's, smoothed towards it."""
    common = (everybody[0] + 1.0) / (everybody[1] + PRIOR)
    return np.log((own[0] + OWN_PRIOR * common) / ((own[1] + OWN_PRIOR) * common))


@compiled
def add(total, weight, vector):
    """total += weight * vector."""
    for k in range(len(total)):
        total[k] += weight * vector[k]


@compiled
def dot(a, b):
    """The inner product in four strands: quick, and always summed in the same order."""
    s0 = s1 = s2 = s3 = np.float32(0)
    whole = len(a) - len(a) % 4
    for k in range(0, whole, 4):
        s0 += a[k] * b[k]
        s1 += a[k + 1] * b[k + 1]
        s2 += a[k + 2] * b[k + 2]
        s3 += a[k + 3] * b[k + 3]
    for k in range(whole, len(a)):
        s0 += a[k] * b[k]
    return (s0 + s1) + (s2 + s3)
