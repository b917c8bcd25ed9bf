"""The users of the synthetic log: their impressions, preferences and click histories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from newsreco.data.articles import numbered
from newsreco.data.times import DAY
from newsreco.synthetic.articles import DAYS, START, SyntheticArticles, random_times
from newsreco.synthetic.topics import TOPICS

ACTIVITY_SD = 1.0  # of the logarithm: a few users are very active
PAUSE = 240.0  # mean seconds between the impressions of a session
CATEGORY_SCALE, SUBCATEGORY_SCALE = 1.0, 0.5  # standard deviations of preferences
MAX_TURN = np.pi / 4  # largest angle by which a preference turns within the log
NEW_USERS = 0.08  # fraction of users without a click history
POOL, MAX_HISTORY = 64, 30  # earlier articles considered, and clicked at most, per user


@dataclass(frozen=True, eq=False)
class SyntheticUsers:
    """Users, numbered by their first impression, and all impressions in order of time.

    Parameters
    ----------
    ids : list of str
    user, time : arrays (n_impressions,) int32, float64
        time is in whole seconds UTC.
    preference, later : arrays (n_users, n_topics) float32
        Preferences at the beginning, and those that they drift towards.
    drift : array (n_users,) float64
        Angular speed of the drift, in radians per second.
    next_topic : array (n_topics,) int64
        The topic that users prefer after each one.
    history_start, history_item
        As in `NewsLog`.
    """

    ids: list[str]
    user: np.ndarray
    time: np.ndarray
    preference: np.ndarray
    later: np.ndarray
    drift: np.ndarray
    next_topic: np.ndarray
    history_start: np.ndarray
    history_item: np.ndarray


def make_users(
    n_impressions: int, n_users: int, articles: SyntheticArticles, seed: int
) -> SyntheticUsers:
    """Impressions of up to n_users users, at least one of each if there are enough."""
    rng = np.random.default_rng([seed, 3])
    user, time = impression_times(n_impressions, n_users, rng)
    n = int(user.max()) + 1
    ids = [f"U{number}" for number in 1000 + rng.permutation(9 * n)[:n]]
    preference, later = draw_preferences(n, rng), draw_preferences(n, rng)
    drift = rng.uniform(0, MAX_TURN, n) / (DAYS * DAY)
    ring = rng.permutation(len(TOPICS))
    next_topic = np.empty(len(TOPICS), np.int64)
    next_topic[ring] = np.roll(ring, -1)
    history = draw_histories(preference, articles, rng)
    return SyntheticUsers(ids, user, time, preference, later, drift, next_topic, *history)


def impression_times(
    n: int, n_users: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """User and time of each impression: sessions of a few, more by day than by night."""
    length = rng.geometric(0.5, n)
    session = np.repeat(np.arange(n), length)[:n]  # (n,) the session of each impression
    n_sessions = int(session[-1]) + 1
    activity = rng.lognormal(0, ACTIVITY_SD, n_users)
    user = rng.choice(n_users, n_sessions, p=activity / activity.sum())
    once = min(n_sessions, n_users)
    user[rng.permutation(n_sessions)[:once]] = rng.permutation(n_users)[:once]
    elapsed = np.cumsum(rng.exponential(PAUSE, n))
    first = np.searchsorted(session, np.arange(n_sessions))
    start = random_times(n_sessions, 0, DAYS, rng)
    time = start[session] + elapsed - elapsed[first][session]
    time = np.floor(np.minimum(time, DAYS * DAY - 1))
    order = np.argsort(time, kind="stable")
    by_first_impression, _ = numbered(user[session][order].tolist())
    return by_first_impression, START + time[order]


def draw_preferences(n_users: int, rng: np.random.Generator) -> np.ndarray:
    """(n_users, n_topics) float32: one term per category plus one per topic in it."""
    category, _ = numbered([topic.category for topic in TOPICS])
    broad = rng.standard_exponential((n_users, int(category.max()) + 1), np.float32) - 1
    narrow = rng.standard_exponential((n_users, len(TOPICS)), np.float32) - 1
    return np.float32(CATEGORY_SCALE) * broad[:, category] + np.float32(SUBCATEGORY_SCALE) * narrow


def draw_histories(
    preference: np.ndarray, articles: SyntheticArticles, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Earlier clicks of each user: the preferred ones of a random pool of earlier articles."""
    n_users = len(preference)
    n_old = int(np.searchsorted(articles.published, 0.0))
    size = np.minimum(rng.poisson(rng.lognormal(2.1, 0.8, n_users)), MAX_HISTORY)
    size[rng.random(n_users) < NEW_USERS] = 0
    chosen, sizes = [], []
    for first in range(0, n_users, 4096):
        rows = np.arange(first, min(first + 4096, n_users))
        pool = np.sort(rng.integers(0, n_old, (len(rows), POOL)), axis=1)
        again = np.zeros(pool.shape, bool)
        again[:, 1:] = pool[:, 1:] == pool[:, :-1]
        score = preference[rows[:, None], articles.topic[pool]] + articles.quality[pool]
        score += rng.gumbel(size=pool.shape)
        rank = np.argsort(np.argsort(-np.where(again, -np.inf, score), axis=1), axis=1)
        keep = (rank < size[rows, None]) & ~again
        chosen.append(articles.by_publication[pool[keep]])  # each user's in order of publication
        sizes.append(keep.sum(axis=1))
    start = np.concatenate([[0], np.cumsum(np.concatenate(sizes))]).astype(np.int64)
    return start, np.concatenate(chosen).astype(np.int32)
