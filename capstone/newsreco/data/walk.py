r"""The walk through the impressions of the synthetic world, in the order of time.

The chance that person u clicks article i, shown in position j at time t, is

.. math:: \sigma\bigl(b + \text{taste}_{u s(i)}(t) + \text{quality}_i
          + f\, 2^{-\text{age}/h_f} + \text{follow-up}_u(s(i), t) - p \ln(1 + j)\bigr)

where s(i) is the subcategory of i. A person's taste turns from one towards another in the course
of the log. The follow-up is a bonus for the subcategory of the person's last click and a smaller
one for the subcategory that is read after it; both fade with the time since that click.
"""

from __future__ import annotations

import numpy as np
from numba import njit

HOUR = 3600.0
ATTEMPTS = 64  # articles drawn for a page before it is filled up with the newest
MOST_SHOWN = 16
MEMORY = 32  # the page leaves out a person's latest clicks, so many
SHOWN_LIFE = 26 * HOUR  # mean age of what the editor takes
INTERCEPT = -2.75
FRESH, FRESH_HALF_LIFE = 0.9, 10 * HOUR
FOLLOW, LEAD, FOLLOW_HALF_LIFE = 1.3, 1.0, 12 * HOUR
POSITION = 0.22
ORDER_FRESH, ORDER_LIKED, ORDER_NOISE = 0.5, 0.4, 1.0


@njit(cache=True)
def walk(visits, articles, people, draws, rate, out):
    """Fill and click the pages of some impressions, and move the people's state on.

    Parameters
    ----------
    visits : (user (n,), time (n,), start (n + 1,))
    articles : (published (m,) rising, subcategory, quality, liked (m,))
        liked is the editor's guess of the quality.
    people : (taste (users, s), later (users, s), turn (users,), after (s,), last, last_time,
        clicked (users, MEMORY), n_clicked)
        The last four are the state.
    draws : (age (n, ATTEMPTS), keep (n, ATTEMPTS), noise (n, MOST_SHOWN), coin (n, MOST_SHOWN))
    rate : float
        Above 0, each click is drawn by a coin of this rate, and nothing else matters.
    out : (item, clicked, probability, relevance), each (start[-1],)
    """
    user, time, start = visits
    _, _, _, _, last, last_time, recent, n_clicked = people
    item, clicked, probability, relevance = out
    page = np.empty(MOST_SHOWN, np.int64)
    for r in range(len(user)):
        u, n_shown, first = user[r], start[r + 1] - start[r], start[r]
        draw_page(page, n_shown, time[r], articles[0], articles[3], recent[u], r, draws)
        order_page(page, n_shown, time[r], articles[0], articles[3], draws[2][r])
        chosen = -1
        for j in range(n_shown):
            i = page[j]
            logit = appeal(u, i, time[r], articles, people)
            p = chance(logit - POSITION * np.log(1.0 + j), rate)
            item[first + j] = i
            probability[first + j] = p
            relevance[first + j] = chance(logit, rate)
            clicked[first + j] = draws[3][r, j] < p
            if clicked[first + j]:
                chosen = i
                recent[u, n_clicked[u] % MEMORY] = i
                n_clicked[u] += 1
        if chosen >= 0:
            last[u], last_time[u] = articles[1][chosen], time[r]


@njit(cache=True)
def chance(logit, rate):
    """The sigmoid, in whole millionths, so that six digits in a file tell all of it."""
    return rate if rate > 0 else np.round(1e6 / (1 + np.exp(-logit))) / 1e6


@njit(cache=True)
def appeal(u, i, now, articles, people):
    """The logit of a click on article i at the top of the page."""
    published, subcategory, quality, _ = articles
    taste, later, turn, after, last, last_time, _, _ = people
    s = subcategory[i]
    angle = turn[u] * now
    logit = INTERCEPT + np.cos(angle) * taste[u, s] + np.sin(angle) * later[u, s] + quality[i]
    logit += FRESH * 0.5 ** ((now - published[i]) / FRESH_HALF_LIFE)
    if last[u] >= 0:
        fading = 0.5 ** ((now - last_time[u]) / FOLLOW_HALF_LIFE)
        if s == last[u]:
            logit += FOLLOW * fading
        elif s == after[last[u]]:
            logit += LEAD * fading
    return logit


@njit(cache=True)
def draw_page(page, n_shown, now, published, liked, recent, r, draws):
    """Choose different articles, mostly fresh and liked ones that the person has not clicked."""
    filled = 0
    for attempt in range(ATTEMPTS):
        moment = now + SHOWN_LIFE * np.log(draws[0][r, attempt])
        i = np.searchsorted(published, moment, side="right") - 1
        if i < 0 or among(i, page, filled) or among(i, recent, MEMORY):
            continue
        if draws[1][r, attempt] < 1 / (1 + np.exp(-liked[i])):
            page[filled] = i
            filled += 1
            if filled == n_shown:
                return
    for again in range(2):  # what the person knows is taken only where nothing else is left
        i = np.searchsorted(published, now, side="right") - 1
        while i >= 0 and filled < n_shown:
            if not among(i, page, filled) and (again == 1 or not among(i, recent, MEMORY)):
                page[filled] = i
                filled += 1
            i -= 1


@njit(cache=True)
def order_page(page, n_shown, now, published, liked, noise):
    """The editor's order: fresh and liked first, by a noisy hand."""
    score = np.empty(n_shown)
    for j in range(n_shown):
        i = page[j]
        fresh = 0.5 ** ((now - published[i]) / FRESH_HALF_LIFE)
        value = ORDER_FRESH * fresh + ORDER_LIKED * liked[i] + ORDER_NOISE * noise[j]
        k = j
        while k > 0 and score[k - 1] < value:
            score[k], page[k] = score[k - 1], page[k - 1]
            k -= 1
        score[k], page[k] = value, i


@njit(cache=True)
def among(i, values, n):
    """Whether i is one of the first n values."""
    for k in range(n):
        if values[k] == i:
            return True
    return False
