"""The readers of the synthetic world: who comes when, with which tastes and which past."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from newsreco.data.articles import numbered
from newsreco.synthetic.articles import BEGIN, DAY, DAYS, Press, moments
from newsreco.synthetic.topics import TOPICS

ACTIVITY = 1.0  # spread of the logarithm of people's activity: a few come very often
PAUSE = 240.0  # mean seconds between the visits of a session
BROAD, NARROW = 1.0, 0.5  # spread of tastes for categories, and for subcategories within one
MOST_TURN = np.pi / 4  # how far the most restless taste turns within the log
NEWCOMERS = 0.08  # share of people who have clicked nothing before
POOL, MOST_EARLIER = 64, 30  # earlier articles that a person looked at, and clicks at most


@dataclass(frozen=True, eq=False)
class Readers:
    """People, numbered by their first visit, and all visits in the order of time.

    Parameters
    ----------
    ids : list of str
    user, time : arrays (n_visits,) int32, float64
        time is in whole seconds UTC.
    taste, later : arrays (n_users, n_topics) float32
        The taste at the beginning, and the one that it turns to.
    turn : array (n_users,) float64
        How fast it turns, in radians a second.
    after : array (n_topics,) int64
        The topic that people like to read after each one.
    history_start, history_item
        As in `NewsLog`.
    """

    ids: list[str]
    user: np.ndarray
    time: np.ndarray
    taste: np.ndarray
    later: np.ndarray
    turn: np.ndarray
    after: np.ndarray
    history_start: np.ndarray
    history_item: np.ndarray


def make_readers(n_visits: int, n_users: int, press: Press, seed: int) -> Readers:
    """Visits of up to n_users people; everybody comes at least once if the visits last."""
    rng = np.random.default_rng([seed, 3])
    user, time = visits(n_visits, n_users, rng)
    n_people = int(user.max()) + 1
    ids = [f"U{number}" for number in 1000 + rng.permutation(9 * n_people)[:n_people]]
    taste, later = tastes(n_people, rng), tastes(n_people, rng)
    turn = rng.uniform(0, MOST_TURN, n_people) / (DAYS * DAY)
    ring = rng.permutation(len(TOPICS))
    after = np.empty(len(TOPICS), np.int64)
    after[ring] = np.roll(ring, -1)
    return Readers(ids, user, time, taste, later, turn, after, *histories(taste, press, rng))


def visits(n: int, n_users: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Who comes when: sessions of a few visits, more by day than by night."""
    length = rng.geometric(0.5, n)
    session = np.repeat(np.arange(n), length)[:n]  # (n,) the session of each visit
    n_sessions = int(session[-1]) + 1
    activity = rng.lognormal(0, ACTIVITY, n_users)
    person = rng.choice(n_users, n_sessions, p=activity / activity.sum())
    once = min(n_sessions, n_users)
    person[rng.permutation(n_sessions)[:once]] = rng.permutation(n_users)[:once]
    clock = np.cumsum(rng.exponential(PAUSE, n))
    first = np.searchsorted(session, np.arange(n_sessions))
    time = moments(n_sessions, 0, DAYS, rng)[session] + clock - clock[first][session]
    time = np.floor(np.minimum(time, DAYS * DAY - 1))
    order = np.argsort(time, kind="stable")
    user, _ = numbered(person[session][order].tolist())
    return user, BEGIN + time[order]


def tastes(n_people: int, rng: np.random.Generator) -> np.ndarray:
    """(n_people, n_topics) float32: a taste for each category, and one for each topic in it."""
    category, _ = numbered([topic.category for topic in TOPICS])
    broad = rng.standard_exponential((n_people, int(category.max()) + 1), np.float32) - 1
    narrow = rng.standard_exponential((n_people, len(TOPICS)), np.float32) - 1
    return np.float32(BROAD) * broad[:, category] + np.float32(NARROW) * narrow


def histories(
    taste: np.ndarray, press: Press, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """What each person had clicked before: of some earlier articles the most to their taste."""
    n_old = int(np.searchsorted(press.published, 0.0))
    size = np.minimum(rng.poisson(rng.lognormal(2.1, 0.8, len(taste))), MOST_EARLIER)
    size[rng.random(len(taste)) < NEWCOMERS] = 0
    chosen, sizes = [], []
    for first in range(0, len(taste), 4096):
        people = np.arange(first, min(first + 4096, len(taste)))
        pool = np.sort(rng.integers(0, n_old, (len(people), POOL)), axis=1)
        again = np.zeros(pool.shape, bool)
        again[:, 1:] = pool[:, 1:] == pool[:, :-1]
        liking = taste[people[:, None], press.topic[pool]] + press.quality[pool]
        liking += rng.gumbel(size=pool.shape)
        rank = np.argsort(np.argsort(-np.where(again, -np.inf, liking), axis=1), axis=1)
        keep = (rank < size[people, None]) & ~again
        chosen.append(press.by_age[pool[keep]])  # a person's clicks in the order of publication
        sizes.append(keep.sum(axis=1))
    start = np.concatenate([[0], np.cumsum(np.concatenate(sizes))]).astype(np.int64)
    return start, np.concatenate(chosen).astype(np.int32)
