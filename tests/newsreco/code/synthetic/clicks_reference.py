"""The walk of `walk.py` once more, in plain NumPy: slow, and read off the formula."""

from __future__ import annotations

import numpy as np

from newsreco.synthetic.clicks import (
    FOLLOW,
    FOLLOW_HALF_LIFE,
    FRESH,
    FRESH_HALF_LIFE,
    LEAD,
    MEMORY,
    ORDER_FRESH,
    ORDER_LIKED,
    ORDER_NOISE,
    POSITION,
    SHOWN_LIFE,
)


def walk_reference(visits, articles, people, draws, level):
    """(item, clicked, probability, relevance) of visits by people who have not clicked yet."""
    published, topic, quality, liked = articles
    taste, later, turn, after = people
    clicks = {}  # person -> [(article, time), ...]
    pages = []
    for r, (u, now) in enumerate(zip(*visits[:2])):
        past = clicks.setdefault(u, [])
        known = [i for i, _ in past[-MEMORY:]]
        n_shown = visits[2][r + 1] - visits[2][r]
        page = _choose(n_shown, now, published, liked, known, draws[0][r], draws[1][r])
        fresh = 0.5 ** ((now - published[page]) / FRESH_HALF_LIFE)
        value = (
            ORDER_FRESH * fresh + ORDER_LIKED * liked[page] + ORDER_NOISE * draws[2][r, :n_shown]
        )
        order = np.argsort(-value, kind="stable")
        page, fresh, s = page[order], fresh[order], topic[page[order]]
        angle = turn[u] * now
        logit = level + np.cos(angle) * taste[u, s] + np.sin(angle) * later[u, s] + quality[page]
        logit = logit + FRESH * fresh
        if past:
            last, time = topic[past[-1][0]], past[-1][1]
            bonus = np.where(s == last, FOLLOW, np.where(s == after[last], LEAD, 0))
            logit = logit + bonus * 0.5 ** ((now - time) / FOLLOW_HALF_LIFE)
        chance = _sigmoid(logit - POSITION * np.log(1 + np.arange(n_shown)))
        clicked = draws[3][r, :n_shown] <= chance
        past += [(i, now) for i in page[clicked]]
        pages.append((page, clicked, chance, _sigmoid(logit)))
    return tuple(np.concatenate(columns) for columns in zip(*pages))


def _sigmoid(logit):
    return np.round(1 / (1 + np.exp(-logit)), 6)


def _choose(n_shown, now, published, liked, known, age, whim):
    """The articles of a page, in the order in which they were taken."""
    page = []
    for a, w in zip(age, whim):
        earlier = np.flatnonzero(published <= now + SHOWN_LIFE * np.log(a))
        if len(earlier) and len(page) < n_shown:
            i = earlier[-1]
            if i not in page and i not in known and w <= 1 / (1 + np.exp(-liked[i])):
                page.append(i)
    out = np.flatnonzero(published <= now)[::-1]
    page += [i for i in out if i not in page and i not in known]
    page += [i for i in out if i not in page]
    return np.array(page[:n_shown])
