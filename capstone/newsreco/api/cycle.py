"""One full cycle on simulated users: serve, log, train on the service's own log, compare.

Users come at the times of a synthetic log. They see the list that the service recommends to them,
and click by the true click model, position bias included. A new model then learns from what they
did, and all models are compared on later visits by the true click probability of their lists,
which no real service knows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from newsreco.api.events import Event, EventStore, NewArticle, ServedList
from newsreco.api.live import LiveModel
from newsreco.data import NewsLog
from newsreco.evaluation.intervals import mean_over_users, paired_difference
from newsreco.features.kernels import Column
from newsreco.features.matrix import replay
from newsreco.features.state import State
from newsreco.models.bundle import NewsModel
from newsreco.models.pipeline import RecommendationPipeline
from newsreco.models.update import update
from newsreco.synthetic.click_model import TrueClickModel
from newsreco.synthetic.clicks import POSITION_BIAS

K = 10  # articles of a list, all of which a user sees


@dataclass(frozen=True, eq=False)
class Visits:
    """Who comes when: the impressions of a log, without what was shown."""

    user_ids: list[str]
    user: np.ndarray
    time: np.ndarray

    @classmethod
    def between(cls, log: NewsLog, start: float, end: float = np.inf) -> Visits:
        """The visits from a time until before another (seconds UTC)."""
        time = log.impressions.time
        rows = (time >= start) & (time < end)
        return cls(log.user_ids, log.impressions.user[rows], time[rows])

    def __len__(self) -> int:
        return len(self.time)


def arrivals(log: NewsLog) -> list[NewArticle]:
    """Each article at the time at which the log first shows it, in order of time."""
    shown, articles = log.impressions, log.articles
    first = np.full(len(articles), np.inf)
    np.minimum.at(first, shown.item, shown.time[shown.impression])
    found = []
    for item in np.argsort(first, kind="stable"):
        if np.isfinite(first[item]):
            category = articles.categories[articles.category[item]]
            subcategory = articles.subcategories[articles.subcategory[item]]
            texts = articles.title[item], articles.abstract[item], articles.url[item]
            row = articles.ids[item], category, subcategory, *texts
            found.append(NewArticle(*row, float(first[item])))
    return found


def serve_visits(
    model: NewsModel,
    visits: Visits,
    arriving: list[NewArticle],
    truth: TrueClickModel,
    store: EventStore,
    explore: float = 0.0,
    rng: int = 0,
) -> LiveModel:
    """Serve each visit a list, let the user click, and store list and events."""
    draw, waiting = np.random.default_rng(rng), list(reversed(arriving))
    live = LiveModel(model, "first", store, explore, np.random.default_rng([rng, 1]))
    for number, (user, time) in enumerate(zip(visits.user.tolist(), visits.time.tolist())):
        rows = []
        while waiting and waiting[-1].time <= time:
            rows.append(waiting.pop())
        store.add(rows)
        live.catch_up()
        user_id = visits.user_ids[user]
        served = live.recommend(user_id, K, time, "a")
        items = np.array([entry.item for entry in served.entries], np.int32)
        if live.user_number.get(user_id, user) != user:
            raise ValueError("users must be numbered as in the log whose clicks are simulated")
        top = truth.probabilities(live.state, user, time, items)
        clicked = draw.random(len(items)) < at_positions(top)
        store.add([served.record, *events_of(number, served.record, clicked)])
    live.catch_up()
    return live


def at_positions(top: np.ndarray) -> np.ndarray:
    """Click probabilities (n,) at positions 0, 1, ..., from those at the top."""
    logit = np.log(top / (1 - top)) - POSITION_BIAS * np.log1p(np.arange(len(top)))
    return 1 / (1 + np.exp(-logit))


def events_of(number: int, record: ServedList, clicked: np.ndarray) -> list[Event]:
    """An impression of each article of a list, and its clicks."""
    events = []
    for position, (news_id, click) in enumerate(zip(record.news_ids, clicked)):
        for kind in ("impression", "click")[: 1 + bool(click)]:
            event_id = f"{number}-{position}-{kind}"
            place = record.list_id, position
            events.append(Event(event_id, record.user_id, news_id, kind, record.time, *place))
    return events


def without_positions(model: NewsModel, log: NewsLog) -> NewsModel:
    """The model with its ranker trained anew, as if everything had been shown at the top."""
    X = replay(log, State.empty(log, model.settings.half_life), model.vectors)
    X[:, Column.POSITION] = 0
    ranker = type(model.ranker)().fit(X, log.impressions.clicked, log.impressions.start)
    return replace(model, ranker=ranker)


def compare(
    models: dict[str, NewsModel],
    log: NewsLog,
    visits: Visits,
    arriving: list[NewArticle],
    truth: TrueClickModel,
    rng: int = 0,
) -> pd.DataFrame:
    """Mean true click probability of the lists of each model at the same visits.

    Parameters
    ----------
    models : dict of str to NewsModel
        The first is compared with. All get the state after `log`, which they know of otherwise.
    log : NewsLog
        Everything until the first visit.

    Returns
    -------
    DataFrame
        One row per model: probability with its interval, and the paired difference from the first
        model with its interval (95 %, over users).
    """
    values = {
        name: _click_probabilities(update(model, log).model, visits, arriving, truth)
        for name, model in models.items()
    }
    first = next(iter(values.values()))
    rows = {
        name: [
            *mean_over_users(value, visits.user, rng),
            *paired_difference(value, first, visits.user, rng),
        ]
        for name, value in values.items()
    }
    columns = ["probability", "low", "high", "difference", "difference_low", "difference_high"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def _click_probabilities(
    model: NewsModel, visits: Visits, arriving: list[NewArticle], truth: TrueClickModel
) -> np.ndarray:
    """Mean true click probability, at the top, of the list for each visit; no event is counted."""
    state, number = model.state.copy(), {a: n for n, a in enumerate(model.articles.ids)}
    pipeline = RecommendationPipeline(model, state)
    waiting, found = list(reversed(arriving)), []
    for user, time in zip(visits.user.tolist(), visits.time.tolist()):
        while waiting and waiting[-1].time <= time:
            article = waiting.pop()
            state.publish(np.array([number[article.news_id]]), article.time)
        items = pipeline.recommend(user, time, K).items
        found.append(truth.probabilities(state, user, time, items).mean())
    return np.array(found)
