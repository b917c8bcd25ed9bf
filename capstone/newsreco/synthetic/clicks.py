r"""The click model: which articles each impression shows, and which of them are clicked.

The probability that user u clicks article i, shown at time t at position j = 0, 1, ..., is

.. math:: \sigma\bigl(b + \text{preference}_{u s}(t) + \text{quality}_i + f\, 2^{-\text{age}_i/h_f}
          + \text{follow-up}_{us}(t) - p \ln(1 + j)\bigr)

with s the topic of i. A user's preferences drift in the course of the log. The follow-up is a bonus
for the topic of the user's last click, and another for the topic that is preferred after it; both
decay with the time since. Of several clicks in one impression, the lowest on the page is the last.
A page leaves out the user's latest clicks.
"""

from __future__ import annotations

import numpy as np

from newsreco.data.times import HOUR
from recsys.compiled import compiled

MIN_SHOWN, MAX_SHOWN = 8, 16  # articles per impression
ATTEMPTS = 64  # articles drawn for a page before it is filled up with the newest
MEMORY = 32  # latest clicks of a user that the page leaves out
SHOWN_LIFE = 26 * HOUR  # mean age of the articles that the editor draws
FRESHNESS, FRESHNESS_HALF_LIFE = 1.2, 12 * HOUR
SAME_TOPIC, NEXT_TOPIC, FOLLOW_UP_HALF_LIFE = 2.2, 2.2, 24 * HOUR
POSITION_BIAS = 0.3
ORDER_FRESHNESS, ORDER_SCORE, ORDER_NOISE = 0.5, 0.2, 2.0


def draw_uniforms(rng: np.random.Generator, n: int) -> tuple[np.ndarray, ...]:
    """Random numbers in (0, 1] for n impressions: ages, acceptance, order, clicks."""
    sizes = (ATTEMPTS, ATTEMPTS, MAX_SHOWN, MAX_SHOWN)
    return tuple(1 - rng.random((n, size)) for size in sizes)


def initial_state(n_users: int) -> tuple[np.ndarray, ...]:
    """No clicks: topic and time of each user's last click, latest clicks, number of clicks."""
    latest = np.full((n_users, MEMORY), -1, np.int32)
    return np.full(n_users, -1, np.int32), np.zeros(n_users), latest, np.zeros(n_users, np.int64)


def empty_output(n_shown: int) -> tuple[np.ndarray, ...]:
    """Arrays for what `simulate` returns: item, clicked, probability, relevance."""
    return np.empty(n_shown, np.int32), np.empty(n_shown, bool), *np.empty((2, n_shown))


@compiled
def simulate(impressions, articles, users, state, uniforms, intercept, fixed_rate, out):
    """Fill the pages of some impressions, draw the clicks, and advance the users' state.

    Parameters
    ----------
    impressions : (user (n,), time (n,) in seconds since the log began, start (n + 1,))
    articles : (published, topic, quality, editor_score), each (m,), in order of publication
    users : (preference (n_users, n_topics), later (n_users, n_topics), drift (n_users,),
        next_topic (n_topics,))
    state : see `initial_state`
    uniforms : see `draw_uniforms`
    intercept : float
        The b of the formula.
    fixed_rate : float
        Above 0, every click has this probability and the formula is not used.
    out : see `empty_output`
    """
    user, time, start = impressions
    ages, acceptance, order, clicks = uniforms
    topic_of_last, time_of_last, latest, n_clicks = state
    item, clicked, probability, relevance = out
    page, score = np.empty(MAX_SHOWN, np.int64), np.empty(MAX_SHOWN)
    for r in range(len(user)):
        u, now, first, n_shown = user[r], time[r], start[r], start[r + 1] - start[r]
        select_page(page, n_shown, now, articles, latest[u], ages[r], acceptance[r])
        order_page(page, score, n_shown, now, articles, order[r])
        for j in range(n_shown):
            logit = intercept + relevance_logit(
                u, page[j], now, articles, users, topic_of_last[u], time_of_last[u]
            )
            item[first + j] = page[j]
            relevance[first + j] = click_probability(logit, fixed_rate)
            logit -= POSITION_BIAS * np.log(1.0 + j)
            probability[first + j] = click_probability(logit, fixed_rate)
            clicked[first + j] = clicks[r, j] <= probability[first + j]
        for j in range(n_shown):
            if clicked[first + j]:
                topic_of_last[u], time_of_last[u] = articles[1][page[j]], now
                latest[u, n_clicks[u] % MEMORY] = page[j]
                n_clicks[u] += 1


@compiled
def click_probability(logit, fixed_rate):
    """The sigmoid, rounded to six digits so that a file holds it exactly."""
    return fixed_rate if fixed_rate > 0 else np.round(1e6 / (1 + np.exp(-logit))) / 1e6


@compiled
def relevance_logit(u, i, now, articles, users, last_topic, last_time):
    """The logit of a click by user u on article i at the top of the page, without b."""
    published, topic, quality, _ = articles
    preference, later, drift, next_topic = users
    s, angle = topic[i], drift[u] * now
    logit = np.cos(angle) * preference[u, s] + np.sin(angle) * later[u, s] + quality[i]
    logit += FRESHNESS * freshness(published[i], now)
    if last_topic >= 0:
        decay = 0.5 ** ((now - last_time) / FOLLOW_UP_HALF_LIFE)
        if s == last_topic:
            logit += SAME_TOPIC * decay
        elif s == next_topic[last_topic]:
            logit += NEXT_TOPIC * decay
    return logit


@compiled
def freshness(published, now):
    """1 at publication, 1/2 after one half-life, and so on."""
    return 0.5 ** ((now - published) / FRESHNESS_HALF_LIFE)


@compiled
def select_page(page, n_shown, now, articles, recent, ages, acceptance):
    """Put different articles on a page: mostly fresh ones of high score, no recent clicks."""
    published, editor_score = articles[0], articles[3]
    n_published = np.searchsorted(published, now, side="right")
    filled = 0
    for attempt in range(ATTEMPTS):
        drawn = now + SHOWN_LIFE * np.log(ages[attempt])  # ages are exponentially distributed
        i = np.searchsorted(published[:n_published], drawn, side="right") - 1
        if i < 0 or contains(page[:filled], i) or contains(recent, i):
            continue
        if acceptance[attempt] <= 1 / (1 + np.exp(-editor_score[i])):
            page[filled] = i
            filled += 1
            if filled == n_shown:
                return
    for recent_too in (False, True):  # fill up with the newest, at last with recent clicks
        for i in range(n_published - 1, -1, -1):
            if filled == n_shown:
                return
            if not contains(page[:filled], i) and (recent_too or not contains(recent, i)):
                page[filled] = i
                filled += 1


@compiled
def order_page(page, score, n_shown, now, articles, noise):
    """The editor's order: fresh articles of high score first, with noise."""
    published, editor_score = articles[0], articles[3]
    for j in range(n_shown):
        i = page[j]
        value = ORDER_FRESHNESS * freshness(published[i], now) + ORDER_SCORE * editor_score[i]
        value += ORDER_NOISE * noise[j]
        k = j  # insert it below all that score at least as much
        while k > 0 and score[k - 1] < value:
            score[k], page[k] = score[k - 1], page[k - 1]
            k -= 1
        score[k], page[k] = value, i


@compiled
def contains(values, i):
    """Whether i is one of the values."""
    return np.any(values == i)
