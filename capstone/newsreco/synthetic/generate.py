"""Generating the synthetic log of a news site whose click probabilities are known.

First the articles (`articles.py`), then the users and the times of their impressions (`users.py`),
then the pages and the clicks (`clicks.py`). The last step goes in chunks, so that a log of any size
can be written in bounded memory (`sample.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from newsreco.data.log import Impressions, NewsLog
from newsreco.synthetic import clicks
from newsreco.synthetic.articles import START, SyntheticArticles, make_articles
from newsreco.synthetic.ground_truth import GroundTruth
from newsreco.synthetic.text import Story
from newsreco.synthetic.users import SyntheticUsers, make_users
from recsys import validation

SIZES = {  # the sizes that the notebooks and `make capstone` know by name
    "small": {"n_articles": 100, "n_impressions": 600, "n_users": 80},
    "default": {"n_articles": 300, "n_impressions": 4000, "n_users": 400},
}
CHUNK = 8_192  # impressions whose random numbers are drawn at once
CLICK_RATE = 0.12  # exact with random clicks, approximate with preferences
PILOT = 4_096  # impressions by which the click rate is set
CLICK_MODELS = ("preference", "random")


@dataclass(frozen=True, eq=False)
class SyntheticLog:
    """A log, its click probabilities, and what each article was written from."""

    log: NewsLog
    truth: GroundTruth
    stories: list[Story]


def make_synthetic_log(
    n_articles: int = 300,
    n_impressions: int = 4_000,
    n_users: int = 400,
    seed: int = 0,
    click_model: str = "preference",
    progress: bool = False,
) -> SyntheticLog:
    """Two weeks of an invented news site; the same arguments give the same log.

    Parameters
    ----------
    n_articles : int, at least 50
    n_impressions, n_users : int
        With fewer sessions than users, some users have no impression and are not in the log.
    seed : int
    click_model : {"preference", "random"}
        "preference" draws each click with the probability that `clicks.py` states. "random" draws
        all clicks with one probability, independently of users and articles: nothing can be
        learned from them.
    progress : bool
        Show a progress bar.

    Raises
    ------
    ValueError
        If a number is too small or not a whole number, or the click model is unknown.
    """
    plan = make_plan(n_articles, n_impressions, n_users, seed, click_model)
    n_shown = int(plan.start[-1])
    item, clicked = np.empty(n_shown, np.int32), np.empty(n_shown, bool)
    probability, relevance = np.empty(n_shown), np.empty(n_shown)
    for chunk in plan.chunks(progress):
        part = slice(plan.start[chunk.first], plan.start[chunk.last])
        item[part], clicked[part] = chunk.item, chunk.clicked
        probability[part], relevance[part] = chunk.probability, chunk.relevance
    users, ids = plan.users, [str(row + 1) for row in range(n_impressions)]
    shown = Impressions(ids, users.user, users.time, plan.start, item, clicked)
    history = users.history_start, users.history_item
    log = NewsLog(plan.articles.articles, users.ids, *history, shown)
    return SyntheticLog(log, GroundTruth(probability, relevance), plan.articles.stories)


@dataclass(frozen=True, eq=False)
class Chunk:
    """What the impressions first, ..., last - 1 show, and the clicks; arrays (n_shown,)."""

    first: int
    last: int
    item: np.ndarray
    clicked: np.ndarray
    probability: np.ndarray
    relevance: np.ndarray


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything except the pages and clicks; `start` as in `Impressions`."""

    articles: SyntheticArticles
    users: SyntheticUsers
    start: np.ndarray  # (n_impressions + 1,) int64
    seed: int
    click_model: str
    intercept: float = 0.0  # the b of `clicks.py`

    def chunks(self, progress: bool = False) -> Iterator[Chunk]:
        """Pages and clicks of all impressions, one chunk at a time."""
        n = len(self.users.user)
        state = clicks.initial_state(len(self.users.ids))
        with tqdm(total=n, disable=not progress, desc="impressions", unit="") as bar:
            for first in range(0, n, CHUNK):
                last = min(first + CHUNK, n)
                yield self._chunk(first, last, state)
                bar.update(last - first)

    def _chunk(self, first: int, last: int, state: tuple) -> Chunk:
        rng = np.random.default_rng([self.seed, 4, first // CHUNK])
        start = self.start[first : last + 1] - self.start[first]
        rate = CLICK_RATE if self.click_model == "random" else 0.0
        out = self._simulate(slice(first, last), start, state, rng, rate)
        return Chunk(first, last, self.articles.by_publication[out[0]], *out[1:])

    def _simulate(self, rows: slice, start: np.ndarray, state: tuple, rng, rate: float) -> tuple:
        articles, users = self.articles, self.users
        out = clicks.empty_output(int(start[-1]))
        clicks.simulate(
            (users.user[rows], users.time[rows] - START, start),
            (articles.published, articles.topic, articles.quality, articles.editor_score),
            (users.preference, users.later, users.drift, users.next_topic),
            state,
            clicks.draw_uniforms(rng, len(start) - 1),
            self.intercept,
            rate,
            out,
        )
        return out

    def calibrated(self) -> Plan:
        """The same plan with the intercept that gives a pilot sample the click rate."""
        rows = slice(0, len(self.users.user), 1 + len(self.users.user) // PILOT)
        size = np.diff(self.start)[rows]
        start, plan = np.concatenate([[0], np.cumsum(size)]), self
        for _ in range(5):
            state = clicks.initial_state(len(self.users.ids))
            rng = np.random.default_rng([self.seed, 6])
            mean = plan._simulate(rows, start, state, rng, 0.0)[2].mean()
            step = np.log(CLICK_RATE / (1 - CLICK_RATE)) - np.log(mean / (1 - mean))
            plan = replace(plan, intercept=round(plan.intercept + float(step), 3))
        return plan


def make_plan(
    n_articles: int, n_impressions: int, n_users: int, seed: int, click_model: str
) -> Plan:
    """Everything except the pages and clicks; see `make_synthetic_log`."""
    n_articles = validation.whole_number("n_articles", n_articles, low=50)
    n_impressions = validation.whole_number("n_impressions", n_impressions)
    n_users = validation.whole_number("n_users", n_users)
    seed = validation.whole_number("seed", seed, low=0, high=2**32 - 1)
    if click_model not in CLICK_MODELS:
        raise ValueError(f"click_model must be one of {CLICK_MODELS}, got {click_model!r}")
    articles = make_articles(n_articles, seed)
    users = make_users(n_impressions, n_users, articles, seed)
    rng = np.random.default_rng([seed, 5])
    size = rng.integers(clicks.MIN_SHOWN, clicks.MAX_SHOWN + 1, n_impressions)
    start = np.concatenate([[0], np.cumsum(size)])
    return Plan(articles, users, start, seed, click_model).calibrated()
