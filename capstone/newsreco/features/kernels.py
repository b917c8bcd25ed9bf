"""Compiled functions that compute features from the counters, a group of columns each.

Those that take all counters are inlined: a call would pass some thirty arrays, and compiling it
would take longer than compiling the loop itself.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from newsreco.data.times import HOUR
from newsreco.features.counters import RECENT, decay
from recsys.compiled import compiled

NEAR = 10  # clicks that "nearest" compares with
PRIOR = 10.0  # views at the overall click rate that every article starts with
USER_PRIOR = 5.0  # the same for each subcategory of a user


class Column(IntEnum):
    """Columns of the feature matrix."""

    PROFILE = 0  # cosine with the decayed profile
    LAST = 1  # largest cosine with a click of the last impression that had one
    NEAREST = 2  # largest cosine with one of the last NEAR clicks
    CATEGORY = 3  # fraction of the decayed clicks in the article's category, shrunk
    SUBCATEGORY = 4
    FOLLOW_UP = 5  # if the last impression's clicks hold its subcategory: 1, halved over hours
    OWN_RATE = 6  # log of the user's smoothed click rate in its subcategory, relative to all users
    TREND_HOURS = 7  # log(1 + clicks), half-life of hours
    TREND_DAYS = 8  # the same, half-life of days
    CLICK_RATE = 9  # log of the smoothed click rate, relative to all articles
    CATEGORY_RATE = 10
    AGE = 11  # log(1 + hours since first shown)
    IS_NEW = 12  # 1 if never shown before
    HISTORY = 13  # log(1 + number of the user's clicks)
    POSITION = 14  # log(1 + position in the impression, from 0)


@compiled
def compute_features(arrays, vectors, user, time, items, positions, X):
    """Write the features of `items` for `user` at `time` to X (n, len(Column)), which holds 0."""
    recent = np.empty(RECENT, np.int64)
    weight = np.empty(RECENT)
    n = recent_clicks(arrays, user, time, recent, weight)
    n_last = count_last_clicks(arrays, user, n)
    recent, weight = recent[:n], weight[:n]
    similarities(vectors, recent, weight, n_last, items, X)
    topic_fractions(arrays, recent, weight, items, X)
    follow_ups(arrays, user, time, recent[:n_last], items, X)
    popularity(arrays, time, items, X)
    for i in range(len(items)):
        if user >= 0:
            topic = arrays.subcategory[items[i]]
            own, overall = arrays.user_topics[user, topic], arrays.topics[topic]
            X[i, Column.OWN_RATE] = own_rate(own, overall)
            X[i, Column.HISTORY] = np.log1p(arrays.user_clicks[user])
        X[i, Column.POSITION] = np.log1p(positions[i])


@compiled(inline="always")
def recent_clicks(arrays, user, time, recent, weight):
    """Fill in the user's last clicks, newest first, and their decayed weights; return how many."""
    n = 0
    click = arrays.user_newest[user] if user >= 0 else -1
    while click >= 0 and n < RECENT:
        recent[n] = arrays.click_item[click]
        weight[n] = decay(time - arrays.click_time[click], arrays.profile_half_life[0])
        click = arrays.click_previous[click]
        n += 1
    return n


@compiled(inline="always")
def count_last_clicks(arrays, user, n):
    """How many of the n recent clicks belong to the last impression with a click."""
    if n == 0:
        return 0
    newest = arrays.user_newest[user]
    if arrays.click_untimed[newest]:  # clicks before the log have no time: the newest alone
        return 1
    n_last = 1
    click = arrays.click_previous[newest]
    while n_last < n and click >= 0 and arrays.click_time[click] == arrays.click_time[newest]:
        if arrays.click_untimed[click]:
            break
        n_last += 1
        click = arrays.click_previous[click]
    return n_last


@compiled(inline="always")
def similarities(vectors, recent, weight, n_last, items, X):
    """Cosines with the profile, the last impression's clicks and the nearest recent click."""
    profile = np.zeros(vectors.shape[1], np.float32)
    for c in range(len(recent)):
        add_scaled(profile, np.float32(weight[c]), vectors[recent[c]])
    length = np.sqrt(dot(profile, profile))
    compared = min(len(recent), max(n_last, NEAR))
    for i in range(len(items)):
        if length > 0:
            X[i, Column.PROFILE] = dot(profile, vectors[items[i]]) / length
        for c in range(compared):
            cosine = dot(vectors[recent[c]], vectors[items[i]])
            if c < n_last:
                X[i, Column.LAST] = max(X[i, Column.LAST], cosine)
            if c < NEAR:
                X[i, Column.NEAREST] = max(X[i, Column.NEAREST], cosine)


@compiled(inline="always")
def topic_fractions(arrays, recent, weight, items, X):
    """Fractions of the decayed clicks in each article's category and subcategory."""
    total = 0.0
    for c in range(len(recent)):
        total += weight[c]
    for i in range(len(items)):
        in_category = 0.0
        in_subcategory = 0.0
        for c in range(len(recent)):
            if arrays.category[recent[c]] == arrays.category[items[i]]:
                in_category += weight[c]
            if arrays.subcategory[recent[c]] == arrays.subcategory[items[i]]:
                in_subcategory += weight[c]
        X[i, Column.CATEGORY] = in_category / (total + 1)
        X[i, Column.SUBCATEGORY] = in_subcategory / (total + 1)


@compiled(inline="always")
def follow_ups(arrays, user, time, last, items, X):
    """How recent the last impression's clicks are, for articles of their subcategories."""
    if len(last) == 0:
        return
    recency = decay(time - arrays.click_time[arrays.user_newest[user]], arrays.half_lives[0])
    for i in range(len(items)):
        for c in range(len(last)):
            if arrays.subcategory[last[c]] == arrays.subcategory[items[i]]:
                X[i, Column.FOLLOW_UP] = recency


@compiled(inline="always")
def popularity(arrays, time, items, X):
    """Clicks, click rates and age of each article."""
    hours, days = arrays.half_lives[0], arrays.half_lives[1]
    overall = (arrays.totals[0] + 1.0) / (arrays.totals[1] + PRIOR)
    for i in range(len(items)):
        item, category = items[i], arrays.category[items[i]]
        age = time - arrays.item_time[item]
        clicks, kept = arrays.item_clicks[item], decay(age, days)
        X[i, Column.TREND_HOURS] = np.log1p(clicks[0] * decay(age, hours))
        X[i, Column.TREND_DAYS] = np.log1p(clicks[1] * kept)
        X[i, Column.CLICK_RATE] = relative_rate(clicks[1], arrays.item_views[item], kept, overall)
        kept = decay(time - arrays.category_time[category], days)
        clicked, views = arrays.category_clicks[category], arrays.category_views[category]
        X[i, Column.CATEGORY_RATE] = relative_rate(clicked, views, kept, overall)
        if arrays.first_shown[item] < time:
            X[i, Column.AGE] = np.log1p((time - arrays.first_shown[item]) / HOUR)
        else:
            X[i, Column.IS_NEW] = 1


@compiled
def relative_rate(clicks, views, kept, overall):
    """Log of the click rate relative to the overall one, smoothed by PRIOR views at it."""
    return np.log((clicks * kept + PRIOR * overall) / ((views * kept + PRIOR) * overall))


@compiled
def own_rate(own, overall):
    """Log of a user's click rate in a topic relative to all users', smoothed towards it."""
    rate = (overall[0] + 1.0) / (overall[1] + PRIOR)
    return np.log((own[0] + USER_PRIOR * rate) / ((own[1] + USER_PRIOR) * rate))


# `recsys.kernels` has faster versions of these two that let the compiler reorder a sum. Here the
# order is fixed: serving and training, compiled apart, must compute the same bits.


@compiled
def add_scaled(total, weight, vector):
    """total += weight * vector."""
    for k in range(len(total)):
        total[k] += weight * vector[k]


@compiled
def dot(a, b):
    """Inner product, summed in four strands."""
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
