"""A synthetic news site whose rules are known: who reads what, and how likely each click was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from newsreco.data import walk, words
from newsreco.data.log import Articles, Impressions, NewsLog
from newsreco.data.truth import Truth
from recsys import _checks

DAY = 86_400.0
BEGIN = 1_740_960_000.0  # Monday 3 March 2025, 00:00 UTC
DAYS_BEFORE, DAYS = 5, 14
PIECE = 8_192  # impressions whose random numbers are drawn at once
CLICK_RATE = 0.12
CLICK_MODELS = ("taste", "coin")


@dataclass(frozen=True, eq=False)
class World:
    """A log and the truth behind it."""

    log: NewsLog
    truth: Truth


def make_world(
    n_articles: int = 300,
    n_impressions: int = 4_000,
    n_users: int = 400,
    seed: int = 0,
    click_model: str = "taste",
    progress: bool = False,
) -> World:
    """Two weeks of a news site that never was; the same seed gives the same bits.

    Parameters
    ----------
    n_articles : int, at least 50
    n_impressions, n_users : int
        Where there are fewer visits than people, some people never come and are not in the log.
    seed : int
    click_model : {"taste", "coin"}
        With "coin", each click is drawn by a coin of one rate, whatever is shown to whom.
    """
    plan = make_plan(n_articles, n_impressions, n_users, seed, click_model)
    n_shown = int(plan.start[-1])
    item, clicked = np.empty(n_shown, np.int32), np.empty(n_shown, bool)
    probability, relevance = np.empty(n_shown), np.empty(n_shown)
    for piece in plan.pieces(progress):
        part = slice(plan.start[piece.first], plan.start[piece.last])
        item[part], clicked[part] = piece.item, piece.clicked
        probability[part], relevance[part] = piece.probability, piece.relevance
    ids = [str(row + 1) for row in range(n_impressions)]
    shown = Impressions(ids, plan.user, plan.time, plan.start, item, clicked)
    log = NewsLog(plan.articles, plan.user_ids, plan.history_start, plan.history_item, shown)
    return World(log, Truth(probability, relevance))


@dataclass(frozen=True, eq=False)
class Piece:
    """What was shown and clicked in the visits first, ..., last - 1."""

    first: int
    last: int
    item: np.ndarray
    clicked: np.ndarray
    probability: np.ndarray
    relevance: np.ndarray


@dataclass(frozen=True, eq=False)
class Plan:
    """All of a world that is known before its pages are drawn."""

    seed: int
    click_model: str
    articles: Articles
    stories: list[words.Story]
    user_ids: list[str]
    history_start: np.ndarray
    history_item: np.ndarray
    user: np.ndarray  # (n,) int32, numbered by first visit
    time: np.ndarray  # (n,) float64, whole seconds, rising
    start: np.ndarray  # (n + 1,) int64
    by_age: np.ndarray  # (m,) the article published first, second, ...
    shelf: tuple[np.ndarray, ...]  # published, subcategory, quality, liked, in that order
    tastes: tuple[np.ndarray, ...]  # taste, later, turn, after

    def title_entities(self, i: int) -> str:
        return words.mentions(self.stories[i], self.articles.title[i])

    def abstract_entities(self, i: int) -> str:
        return words.mentions(self.stories[i], self.articles.abstract[i])

    def pieces(self, progress: bool = False) -> Iterator[Piece]:
        """Walk through the visits; memory is bounded by the size of a piece."""
        n_users = len(self.user_ids)
        state = (np.full(n_users, -1, np.int64), np.zeros(n_users))
        state += (np.full((n_users, walk.MEMORY), -1, np.int32), np.zeros(n_users, np.int64))
        bar = tqdm(total=len(self.user), disable=not progress, desc="impressions", unit="")
        with bar:
            for first in range(0, len(self.user), PIECE):
                last = min(first + PIECE, len(self.user))
                yield self._piece(first, last, state)
                bar.update(last - first)

    def _piece(self, first: int, last: int, state: tuple) -> Piece:
        start = self.start[first : last + 1] - self.start[first]
        n_shown = int(start[-1])
        out = (np.empty(n_shown, np.int32), np.empty(n_shown, bool))
        out += (np.empty(n_shown), np.empty(n_shown))
        visits = (self.user[first:last], self.time[first:last] - BEGIN, start)
        rate = CLICK_RATE if self.click_model == "coin" else 0.0
        draws = draw(self.seed, first // PIECE, last - first)
        walk.walk(visits, self.shelf, self.tastes + state, draws, rate, out)
        return Piece(first, last, self.by_age[out[0]], *out[1:])


def draw(seed: int, number: int, n: int) -> tuple[np.ndarray, ...]:
    """The random numbers of a piece: ages, chances of the editor, his noise, coins."""
    rng = np.random.default_rng([seed, 2, number])
    sizes = (walk.ATTEMPTS, walk.ATTEMPTS, walk.MOST_SHOWN, walk.MOST_SHOWN)
    return tuple(1 - rng.random((n, size)) for size in sizes)


def make_plan(n_articles, n_impressions, n_users, seed, click_model) -> Plan:
    """Everything but the pages; see `make_world`."""
    n_articles = _checks.whole_number("n_articles", n_articles, low=50)
    n_impressions = _checks.whole_number("n_impressions", n_impressions)
    n_users = _checks.whole_number("n_users", n_users)
    seed = _checks.whole_number("seed", seed, low=0)
    if click_model not in CLICK_MODELS:
        raise ValueError(f"click_model must be one of {CLICK_MODELS}, got {click_model!r}")
    rng = np.random.default_rng([seed, 0])
    published = publication_times(n_articles, rng)
    articles, stories = write_articles(published, seed)
    topic = np.array([story.topic for story in stories])
    by_age = np.argsort(published, kind="stable").astype(np.int32)
    quality = rng.normal(0, 0.6, n_articles)
    liked = 0.6 * quality + rng.normal(0, 0.5, n_articles)
    shelf = tuple(
        np.ascontiguousarray(values[by_age]) for values in (published, topic, quality, liked)
    )
    user, time = visits(n_impressions, n_users, rng)
    n_people = int(user.max()) + 1
    tastes = draw_tastes(n_people, rng)
    size = rng.integers(8, walk.MOST_SHOWN + 1, n_impressions)
    start = np.concatenate([[0], np.cumsum(size)])
    history = draw_history(shelf, by_age, tastes[0], rng)
    names = [f"U{number}" for number in 1000 + rng.permutation(9 * n_people)[:n_people]]
    people = (names, *history, user, time, start)
    return Plan(seed, click_model, articles, stories, *people, by_age, shelf, tastes)


def publication_times(n: int, rng: np.random.Generator) -> np.ndarray:
    """Seconds since the log's begin: some before it, the last ones at its very end."""
    days = rng.uniform(-DAYS_BEFORE, DAYS, n)
    days[rng.permutation(n)[:24]] = rng.uniform(-DAYS_BEFORE, 0, 24)  # a page can always be filled
    return days * DAY


def write_articles(published: np.ndarray, seed: int) -> tuple[Articles, list[words.Story]]:
    """The articles, and the story that each one tells."""
    rng = np.random.default_rng([seed, 1])
    weight = np.array([topic.weight for topic in words.TOPICS])
    topic = rng.choice(len(weight), len(published), p=weight / weight.sum())
    stories = [words.tell(t, rng) for t in topic]
    topics = [words.TOPICS[t] for t in topic]
    category, categories = numbered([t.category for t in topics])
    subcategory, subcategories = numbered([t.subcategory for t in topics])
    ids = [f"N{number}" for number in 10_000 + rng.permutation(len(topic))]
    articles = Articles(
        ids,
        [story.title for story in stories],
        [story.abstract for story in stories],
        [f"https://news.example/{name}.html" for name in ids],
        category,
        subcategory,
        categories,
        subcategories,
        [words.entities(story) for story in stories],
    )
    return articles, stories


def numbered(labels: list[str]) -> tuple[np.ndarray, list[str]]:
    """Each label's number, and the labels in order of first appearance."""
    number: dict[str, int] = {}
    codes = [number.setdefault(label, len(number)) for label in labels]
    return np.array(codes, np.int32), list(number)


def visits(n: int, n_users: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Who comes when: sessions of a few impressions, more by day than by night."""
    activity = rng.lognormal(0, 1.0, n_users)
    length = rng.geometric(0.5, n)
    session = np.repeat(np.arange(n), length)[:n]
    who = rng.choice(n_users, n, p=activity / activity.sum())
    who[: min(n, n_users)] = rng.permutation(n_users)[:n]  # everybody comes once, if visits last
    begin = rng.uniform(0, DAYS, n) * DAY
    time = begin[session] + np.cumsum(rng.exponential(200, n)) % 1800
    order = np.argsort(np.floor(time), kind="stable")
    user = who[session][order]
    time = np.floor(np.minimum(time[order], DAYS * DAY - 1))
    _, first, inverse = np.unique(user, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    return rank[inverse].astype(np.int32), BEGIN + time


def draw_tastes(n_people: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Taste at the begin, the taste it turns to, how fast (radians a second), what follows what."""
    n = len(words.TOPICS)
    names = [topic.category for topic in words.TOPICS]
    category, _ = numbered(names)
    both = []
    for _ in range(2):
        broad = rng.normal(0, 0.7, (n_people, category.max() + 1))[:, category]
        both.append((broad + rng.normal(0, 1.0, (n_people, n))).astype(np.float32))
    turn = rng.uniform(0, np.pi / 3, n_people) / (DAYS * DAY)
    ring = rng.permutation(n)
    after = np.empty(n, np.int64)
    after[ring] = np.roll(ring, -1)
    return both[0], both[1], turn, after


def draw_history(shelf, by_age, taste, rng) -> tuple[np.ndarray, np.ndarray]:
    """What each person had clicked before: articles of earlier days, by taste."""
    published, topic, _, _ = shelf
    n_old = int(np.searchsorted(published, 0.0))
    n_people = len(taste)
    size = np.minimum(rng.poisson(rng.lognormal(1.6, 0.8, n_people)), min(30, n_old // 2))
    size[rng.random(n_people) < 0.08] = 0
    start = np.concatenate([[0], np.cumsum(size)])
    item = np.empty(start[-1], np.int32)
    for u in range(n_people):
        key = taste[u, topic[:n_old]] + rng.gumbel(size=n_old)
        item[start[u] : start[u + 1]] = by_age[np.argsort(-key, kind="stable")[: size[u]]]
    return start, item
