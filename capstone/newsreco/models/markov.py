r"""What next? An evaluation of models that look at the order of clicks, and at the order alone.

A visit with a click is a question: the person's earlier clicks are known, and the articles
clicked on this visit are the answers. Clicks of one visit have no order among themselves, so a
transition leads from each click of one visit to each click of the next. Counted as of each
moment, from all people, a first-order Markov chain says

.. math:: P(i \mid j) = \frac{n_{ji} + \kappa \, q_i}{\sum_{i'} n_{ji'} + \kappa}

with :math:`n_{ji}` the transitions from j to i so far and :math:`q_i` the share of all answers
so far that were i, which stands in where j is rare. In news, articles are always rare: they live
for a day. So the same chain is also kept over *subcategories*, which stay.

Content of the last clicks alone is the ablation: what it finds needs no order. Left out: the time
between visits, and chains of higher order.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from newsreco.data import NewsLog
from newsreco.features.state import DAY, State
from newsreco.models.retrievers import live_articles

SMOOTHING = 5.0  # kappa: the shares of all answers weigh as much as so many transitions
WINDOW = 3 * DAY


@dataclass(eq=False)
class MarkovChain:
    """Transitions counted so far, in dictionaries: memory grows with what was seen.

    Examples
    --------
    >>> chain = MarkovChain(smoothing=1.0)
    >>> chain.count(["a"], ["b"])
    >>> chain.count(["a"], ["c", "b"])
    >>> chain.chances(["a"], ["a", "b", "c"]).round(3)
    array([0.   , 0.667, 0.333])
    """

    smoothing: float = SMOOTHING
    transitions: dict[Hashable, Counter] = field(default_factory=lambda: defaultdict(Counter))
    answers: Counter = field(default_factory=Counter)
    n_answers: int = 0

    def count(self, before: list, after: list) -> None:
        """One step: each of the clicks before leads to each of the clicks after."""
        for source in before:
            self.transitions[source].update(after)
        self.answers.update(after)
        self.n_answers += len(after)

    def chances(self, before: list, among: list) -> np.ndarray:
        """P of each of `among` after the clicks `before`, averaged over them: (n,) float64."""
        share = np.array([self.answers[i] for i in among], float) / max(self.n_answers, 1)
        if not len(before):
            return share
        rows = []
        for source in before:
            known = self.transitions.get(source, Counter())
            counts = np.array([known[i] for i in among], float)
            rows.append((counts + self.smoothing * share) / (known.total() + self.smoothing))
        return np.mean(rows, axis=0)

    def order_alone(self, before: list, among: list) -> np.ndarray:
        """Log of `chances` over the share of all answers: what the step before adds."""
        share = self.chances([], among)
        return np.log((self.chances(before, among) + 1e-9) / (share + 1e-9))


class Question(NamedTuple):
    """One visit with a click, and everything that may be known before it."""

    visit: int
    user: int
    time: float
    last: np.ndarray  # the clicks of the person's last visit with any, rising ids
    wanted: np.ndarray  # the articles clicked on this visit, rising ids
    live: np.ndarray  # ids of the live articles that the person has not clicked
    shown: np.ndarray  # ids of what the page shows, from the top down


def questions(log: NewsLog, state: State, first: int = 0) -> Iterator[Question]:
    """The visits with a click from `first` on, in the order of time.

    `state` is advanced to just before each visit when its question is given, so counters read
    then are those of the moment. Whoever has clicked nothing before is not asked.
    """
    shown, done = log.impressions, 0
    clicks = np.add.reduceat(shown.clicked, shown.start[:-1], dtype=np.int64)
    for visit in np.flatnonzero(clicks):
        user, time = int(shown.user[visit]), float(shown.time[visit])
        state.advance(log, done, log.cut(time))
        done = max(done, log.cut(time))
        state.arrive(user, log.history_item[slice(*log.history_start[user : user + 2])])
        last = state.last_visit(user)
        if visit < first or not len(last):
            continue
        page = slice(shown.start[visit], shown.start[visit + 1])
        items = shown.item[page]
        wanted = np.unique(items[shown.clicked[page]])
        live = np.flatnonzero(live_articles(state, user, time, WINDOW))
        yield Question(int(visit), user, time, last, wanted, live, items)


def steps(log: NewsLog) -> Iterator[tuple[float, np.ndarray, np.ndarray]]:
    """(moment, clicks before, clicks after) of everybody's consecutive visits, in time."""
    shown, last = log.impressions, {}
    for visit in range(len(shown)):
        page = slice(shown.start[visit], shown.start[visit + 1])
        after = np.unique(shown.item[page][shown.clicked[page]])
        if not len(after):
            continue
        user = int(shown.user[visit])
        yield float(shown.time[visit]), last.get(user, after[:0]), after
        last[user] = after
