r"""The walk through the visits of the synthetic world, in the order of time.

The chance that person u clicks article i, shown at time t in place j = 0, 1, ... of the page, is

.. math:: \sigma\bigl(b + \text{taste}_{u s}(t) + \text{quality}_i + f\, 2^{-\text{age}_i/h_f}
          + \text{follow-up}_{us}(t) - p \ln(1 + j)\bigr)

with s the topic of i. A person's taste turns from one towards another in the course of the log.
The follow-up is a bonus for the topic of the person's last click, and another for the topic that
is read after it; both fade with the time since. Where a page got several clicks, the last one is
the lowest on the page. The page leaves out what the person clicked lately.
"""

from __future__ import annotations

import numpy as np
from numba import njit

HOUR = 3_600.0
LEAST_SHOWN, MOST_SHOWN = 8, 16  # articles on a page
ATTEMPTS = 64  # articles drawn for a page before it is filled up with the newest
MEMORY = 32  # latest clicks of a person that the page leaves out
SHOWN_LIFE = 26 * HOUR  # mean age of what the editor takes
FRESH, FRESH_HALF_LIFE = 1.2, 12 * HOUR
FOLLOW, LEAD, FOLLOW_HALF_LIFE = 2.2, 2.2, 24 * HOUR
POSITION = 0.3
ORDER_FRESH, ORDER_LIKED, ORDER_NOISE = 0.5, 0.2, 2.0


def draw(rng: np.random.Generator, n: int) -> tuple[np.ndarray, ...]:
    """The random numbers in (0, 1] of n visits: age, editor's whim, order, coin."""
    sizes = (ATTEMPTS, ATTEMPTS, MOST_SHOWN, MOST_SHOWN)
    return tuple(1 - rng.random((n, size)) for size in sizes)


def fresh_state(n_users: int) -> tuple[np.ndarray, ...]:
    """Nobody has clicked: topic and time of the last click, latest clicks, number of clicks."""
    latest = np.full((n_users, MEMORY), -1, np.int32)
    return np.full(n_users, -1, np.int32), np.zeros(n_users), latest, np.zeros(n_users, np.int64)


def empty_pages(n_shown: int) -> tuple[np.ndarray, ...]:
    """Room for what the walk tells: item, clicked, probability, relevance."""
    return np.empty(n_shown, np.int32), np.empty(n_shown, bool), *np.empty((2, n_shown))


@njit(cache=True)
def walk(visits, articles, people, state, draws, level, rate, out):
    """Fill and click the pages of some visits, and move the people's state on.

    Parameters
    ----------
    visits : (user (n,), time (n,) in seconds since the log began, start (n + 1,))
    articles : (published, topic, quality, liked), each (m,), in the order of publication
    people : (taste (n_users, n_topics), later (n_users, n_topics), turn (n_users,),
        after (n_topics,))
    state : see `fresh_state`
    draws : see `draw`
    level : float
        The b of the formula.
    rate : float
        Above 0, each click is drawn by a coin of this rate, and nothing else matters.
    out : see `empty_pages`
    """
    user, time, start = visits
    age, whim, order, coin = draws
    topic_of_last, time_of_last, latest, n_clicks = state
    item, clicked, probability, relevance = out
    page, score = np.empty(MOST_SHOWN, np.int64), np.empty(MOST_SHOWN)
    for r in range(len(user)):
        u, now, first, n_shown = user[r], time[r], start[r], start[r + 1] - start[r]
        choose(page, n_shown, now, articles, latest[u], age[r], whim[r])
        arrange(page, score, n_shown, now, articles, order[r])
        for j in range(n_shown):
            logit = level + appeal(
                u, page[j], now, articles, people, topic_of_last[u], time_of_last[u]
            )
            item[first + j] = page[j]
            relevance[first + j] = chance(logit, rate)
            probability[first + j] = chance(logit - POSITION * np.log(1.0 + j), rate)
            clicked[first + j] = coin[r, j] <= probability[first + j]
        for j in range(n_shown):
            if clicked[first + j]:
                topic_of_last[u], time_of_last[u] = articles[1][page[j]], now
                latest[u, n_clicks[u] % MEMORY] = page[j]
                n_clicks[u] += 1


@njit(cache=True)
def chance(logit, rate):
    """The sigmoid in whole millionths, so that six digits in a file tell all of it."""
    return rate if rate > 0 else np.round(1e6 / (1 + np.exp(-logit))) / 1e6


@njit(cache=True)
def appeal(u, i, now, articles, people, last_topic, last_time):
    """What makes person u click article i at the top of the page, as a logit less b."""
    published, topic, quality, _ = articles
    taste, later, turn, after = people
    s, angle = topic[i], turn[u] * now
    logit = np.cos(angle) * taste[u, s] + np.sin(angle) * later[u, s] + quality[i]
    logit += FRESH * freshness(published[i], now)
    if last_topic >= 0:
        fading = 0.5 ** ((now - last_time) / FOLLOW_HALF_LIFE)
        if s == last_topic:
            logit += FOLLOW * fading
        elif s == after[last_topic]:
            logit += LEAD * fading
    return logit


@njit(cache=True)
def freshness(published, now):
    """1 when an article comes out, 1/2 after a half-life, and so on."""
    return 0.5 ** ((now - published) / FRESH_HALF_LIFE)


@njit(cache=True)
def choose(page, n_shown, now, articles, known, age, whim):
    """Put different articles on a page: mostly fresh and liked, and not clicked lately."""
    published, liked = articles[0], articles[3]
    n_out = np.searchsorted(published, now, side="right")  # so many have come out
    filled = 0
    for attempt in range(ATTEMPTS):
        moment = now + SHOWN_LIFE * np.log(age[attempt])  # ages are exponentially distributed
        i = np.searchsorted(published[:n_out], moment, side="right") - 1
        if i < 0 or among(i, page[:filled]) or among(i, known):
            continue
        if whim[attempt] <= 1 / (1 + np.exp(-liked[i])):
            page[filled] = i
            filled += 1
            if filled == n_shown:
                return
    for known_too in (False, True):  # still room: the newest, at last even what is known
        for i in range(n_out - 1, -1, -1):
            if filled == n_shown:
                return
            if not among(i, page[:filled]) and (known_too or not among(i, known)):
                page[filled] = i
                filled += 1


@njit(cache=True)
def arrange(page, score, n_shown, now, articles, noise):
    """The editor's order: fresh and liked first, with a noisy hand."""
    published, liked = articles[0], articles[3]
    for j in range(n_shown):
        i = page[j]
        value = ORDER_FRESH * freshness(published[i], now) + ORDER_LIKED * liked[i]
        value += ORDER_NOISE * noise[j]
        k = j  # insert it below all that score at least as much
        while k > 0 and score[k - 1] < value:
            score[k], page[k] = score[k - 1], page[k - 1]
            k -= 1
        score[k], page[k] = value, i


@njit(cache=True)
def among(i, values):
    """Whether i is one of the values."""
    return np.any(values == i)
