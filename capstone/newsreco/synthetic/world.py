"""A synthetic news site whose rules are known: who reads what, and how likely each click was.

It is made in three steps: the articles (`press.py`), the people and their visits (`readers.py`),
and the walk through the visits (`walk.py`), which fills each page and draws the clicks. The walk
goes in pieces, so that a world of any size can be written in bounded memory (`sample.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from newsreco.data.log import Impressions, NewsLog
from newsreco.synthetic import clicks as walk
from newsreco.synthetic.articles import BEGIN, Press, make_press
from newsreco.synthetic.ground_truth import GroundTruth
from newsreco.synthetic.users import Readers, make_readers
from recsys import validation

PIECE = 8_192  # visits whose random numbers are drawn at once
CLICK_RATE = 0.12  # of the coin, and about that of tastes
PILOT = 4_096  # visits by which the rate is set
CLICK_MODELS = ("taste", "coin")


@dataclass(frozen=True, eq=False)
class SyntheticLog:
    """A log, and the truth behind it."""

    log: NewsLog
    truth: GroundTruth


def make_synthetic_log(
    n_articles: int = 300,
    n_impressions: int = 4_000,
    n_users: int = 400,
    seed: int = 0,
    click_model: str = "taste",
    progress: bool = False,
) -> SyntheticLog:
    """Two weeks of a news site that never was; the same seed gives the same world.

    Parameters
    ----------
    n_articles : int, at least 50
    n_impressions, n_users : int
        Where there are too few visits for all people, some never come and are not in the log.
    seed : int
    click_model : {"taste", "coin"}
        "taste" draws each click with the probability that `walk.py` states. "coin" draws it by a
        coin of a fixed rate, whatever is shown to whom: nothing can be learnt from such clicks.
    progress : bool
        Show a progress bar.

    Raises
    ------
    ValueError
        If a number is too small or no whole number, or the click model is unknown.
    """
    plan = make_plan(n_articles, n_impressions, n_users, seed, click_model)
    n_shown = int(plan.start[-1])
    item, clicked = np.empty(n_shown, np.int32), np.empty(n_shown, bool)
    probability, relevance = np.empty(n_shown), np.empty(n_shown)
    for piece in plan.pieces(progress):
        part = slice(plan.start[piece.first], plan.start[piece.last])
        item[part], clicked[part] = piece.item, piece.clicked
        probability[part], relevance[part] = piece.probability, piece.relevance
    readers, ids = plan.readers, [str(row + 1) for row in range(n_impressions)]
    shown = Impressions(ids, readers.user, readers.time, plan.start, item, clicked)
    earlier = readers.history_start, readers.history_item
    return SyntheticLog(
        NewsLog(plan.press.articles, readers.ids, *earlier, shown),
        GroundTruth(probability, relevance),
    )


@dataclass(frozen=True, eq=False)
class Piece:
    """What was shown and clicked in the visits first, ..., last - 1; arrays (n_shown,)."""

    first: int
    last: int
    item: np.ndarray
    clicked: np.ndarray
    probability: np.ndarray
    relevance: np.ndarray


@dataclass(frozen=True, eq=False)
class Plan:
    """All of a world that is settled before the walk: `start` tells how much each page holds."""

    press: Press
    readers: Readers
    start: np.ndarray  # (n_impressions + 1,) int64
    seed: int
    click_model: str
    level: float = 0.0  # the b of `walk.py`

    def pieces(self, progress: bool = False) -> Iterator[Piece]:
        """Walk through the visits, a piece at a time."""
        n = len(self.readers.user)
        state = walk.fresh_state(len(self.readers.ids))
        with tqdm(total=n, disable=not progress, desc="impressions", unit="") as bar:
            for first in range(0, n, PIECE):
                last = min(first + PIECE, n)
                yield self._piece(first, last, state)
                bar.update(last - first)

    def _piece(self, first: int, last: int, state: tuple) -> Piece:
        rng = np.random.default_rng([self.seed, 4, first // PIECE])
        start = self.start[first : last + 1] - self.start[first]
        rate = CLICK_RATE if self.click_model == "coin" else 0.0
        out = self._walk(slice(first, last), start, state, rng, rate)
        return Piece(first, last, self.press.by_age[out[0]], *out[1:])

    def _walk(self, rows: slice, start: np.ndarray, state: tuple, rng, rate: float) -> tuple:
        press, readers = self.press, self.readers
        out = walk.empty_pages(int(start[-1]))
        walk.walk(
            (readers.user[rows], readers.time[rows] - BEGIN, start),
            (press.published, press.topic, press.quality, press.liked),
            (readers.taste, readers.later, readers.turn, readers.after),
            state,
            walk.draw(rng, len(start) - 1),
            self.level,
            rate,
            out,
        )
        return out

    def balanced(self) -> Plan:
        """The same with the level at which visits from all over the log get the rate's clicks."""
        rows = slice(0, len(self.readers.user), 1 + len(self.readers.user) // PILOT)
        size = np.diff(self.start)[rows]
        start, plan = np.concatenate([[0], np.cumsum(size)]), self
        for _ in range(5):
            state = walk.fresh_state(len(self.readers.ids))
            rng = np.random.default_rng([self.seed, 6])
            mean = plan._walk(rows, start, state, rng, 0.0)[2].mean()
            step = np.log(CLICK_RATE / (1 - CLICK_RATE)) - np.log(mean / (1 - mean))
            plan = replace(plan, level=round(plan.level + float(step), 3))
        return plan


def make_plan(
    n_articles: int, n_impressions: int, n_users: int, seed: int, click_model: str
) -> Plan:
    """Everything but the pages; see `make_synthetic_log`."""
    n_articles = validation.whole_number("n_articles", n_articles, low=50)
    n_impressions = validation.whole_number("n_impressions", n_impressions)
    n_users = validation.whole_number("n_users", n_users)
    seed = validation.whole_number("seed", seed, low=0)
    if click_model not in CLICK_MODELS:
        raise ValueError(f"click_model must be one of {CLICK_MODELS}, got {click_model!r}")
    press = make_press(n_articles, seed)
    readers = make_readers(n_impressions, n_users, press, seed)
    rng = np.random.default_rng([seed, 5])
    size = rng.integers(walk.LEAST_SHOWN, walk.MOST_SHOWN + 1, n_impressions)
    start = np.concatenate([[0], np.cumsum(size)])
    return Plan(press, readers, start, seed, click_model).balanced()
