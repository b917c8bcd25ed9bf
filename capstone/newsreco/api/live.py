"""A model that follows the events of the service: the very next list knows of each of them.

Every worker holds one. It replays what the event store got since the model was trained, and before
each list the rows that arrived since the last one, its own and those of other workers. Views and
clicks are counted by the same compiled functions as in training.
"""

from __future__ import annotations

import uuid
from collections import OrderedDict
from dataclasses import dataclass, field, replace

import numpy as np

from newsreco.api.events import Event, EventStore, NewArticle, ServedList
from newsreco.api.events.log import as_articles
from newsreco.data.renumber import merge_articles
from newsreco.models.bundle import NewsModel
from newsreco.models.matching import take_on
from newsreco.models.pipeline import Recommendation, RecommendationPipeline, nearest_click

MIN_LIVE = 100  # articles among which a list is chosen, however old the news is
VIEWS_KNOWN = 200_000  # views that a later click is matched with


@dataclass(frozen=True)
class Entry:
    """One article of a list: the reason names a clicked article that is similar, or trending."""

    item: int
    score: float
    reason: str


@dataclass(frozen=True)
class Served:
    """A list, and what is stored of it."""

    record: ServedList
    entries: list[Entry]
    cold_start: bool
    seconds: dict[str, float]


@dataclass(eq=False)
class LiveModel:
    """A model and its state, brought up to date from the event store.

    Parameters
    ----------
    model : NewsModel
    version : str
        What served lists and health call it.
    store : EventStore
    explore : float
        Probability with which one position is filled at random.
    rng : Generator
    index : str
        Of candidate generation by content, made anew for each batch of new articles.
    """

    model: NewsModel
    version: str
    store: EventStore
    explore: float = 0.0
    rng: np.random.Generator = field(default_factory=np.random.default_rng)
    index: str = "exact"

    def __post_init__(self) -> None:
        self.trained_until = self.model.state.now
        self.user_number = {user: number for number, user in enumerate(self.model.user_ids)}
        self.n_users = self.n_trained = len(self.model.user_ids)
        self.dismissed: dict[int, dict[int, None]] = {}
        self.views: OrderedDict[tuple, None] = OrderedDict()
        self.seen: tuple = ()
        self.read = {Event: 0, NewArticle: 0, "deleted": 0}
        self._adopt(replace(self.model, state=self.model.state.copy()))
        self.catch_up()

    def _adopt(self, model: NewsModel) -> None:
        self.model, self.state = model, model.state
        self.item_number = {article: number for number, article in enumerate(model.articles.ids)}
        self.pipeline = RecommendationPipeline(model, min_live=MIN_LIVE, index=self.index)

    def catch_up(self) -> None:
        """Count what the store got since the last call."""
        version = self.store.version()  # first: what comes meanwhile is read next time
        if version == self.seen:
            return
        while articles := self.store.after(NewArticle, self.read[NewArticle]):
            self.read[NewArticle] = articles[-1].number
            self._add_articles(articles)
        while events := self.store.after(Event, self.read[Event]):
            self.read[Event] = events[-1].number
            for event in events:
                if event.time > self.trained_until:
                    self._count(event)
        for number, user in self.store.deleted_users(self.read["deleted"]):
            self.read["deleted"] = number
            self._forget(user)
        self.seen = version

    def _add_articles(self, arrived: list[NewArticle]) -> None:
        """Embed new articles with the model's vocabulary; they may be recommended at once."""
        new = [article for article in arrived if article.news_id not in self.item_number]
        if new:
            self._adopt(take_on(self.model, merge_articles(self.model.articles, as_articles(new))))
        for article in arrived:
            item = np.array([self.item_number[article.news_id]])
            self.state.publish(item, article.time)

    def _count(self, event: Event) -> None:
        item = self.item_number.get(event.news_id)
        if item is None:
            return
        user = self._number(event.user_id)
        if event.event == "dismiss":
            self.dismissed.setdefault(user, {})[item] = None
        elif event.event == "like":  # a sign of interest, such as a click, but no visit
            if item not in self.state.recent_clicks(user)[0]:
                self.state.count_event(user, event.time, item, False, True)
        elif event.event in ("impression", "click"):
            first = self._is_first_view((event.list_id, user, item))
            self.state.count_event(user, event.time, item, first, event.event == "click")

    def _number(self, user_id: str) -> int:
        if user_id not in self.user_number:
            self.user_number[user_id] = self.n_users
            self.n_users += 1
        return self.user_number[user_id]

    def _is_first_view(self, view: tuple) -> bool:
        """Whether this article of this list was not seen before; a click sees it too."""
        first = view not in self.views
        self.views[view] = None
        if len(self.views) > VIEWS_KNOWN:
            self.views.popitem(last=False)
        return first

    def _forget(self, user_id: str) -> None:
        """Remove a user; the same id would be a new user."""
        user = self.user_number.pop(user_id, -1)
        if user >= 0:
            self.state.forget(user)
            self.dismissed.pop(user, None)

    def warm_up(self) -> None:
        """Load, or compile, what events and lists need, so that no request waits for it.

        Nothing is counted: the events go to a copy of the state.
        """
        state, now = self.state.copy(), self.state.now
        for viewed, clicked in ((True, False), (False, True)):
            state.count_event(0, now, 0, viewed, clicked)
        busiest = int(np.argmax(self.state.arrays.user_clicks)) if self.state.n_users else -1
        for user in (busiest, -1):
            self.pipeline.recommend(user, now)
        self.model.score(self.state, busiest, now, np.array([0], np.int32))

    def recommend(self, user_id: str, k: int, time: float, bucket: str) -> Served:
        """A list of at most k articles at a time (seconds UTC)."""
        user = self.user_number.get(user_id, -1)
        hidden = np.fromiter(self.dismissed.get(user, ()), np.int32)
        time = max(time, self.state.now)
        found = self.pipeline.recommend(user, time, k, hidden)
        explored, propensity, found = self._explore(user, time, found)
        ids, titles = self.model.articles.ids, self.model.articles.title
        record = ServedList(
            list_id=uuid.uuid4().hex,
            user_id=user_id,
            time=time,
            model=self.version,
            bucket=bucket,
            news_ids=tuple(ids[item] for item in found.items),
            explored=explored,
            propensity=propensity,
        )
        columns = found.items.tolist(), found.scores.tolist(), found.reasons(titles)
        entries = [Entry(*row) for row in zip(*columns)]
        return Served(record, entries, not self.has_history(user), found.seconds)

    def in_training_data(self, user_id: str) -> bool:
        """Whether the model learned from this user."""
        return self.user_number.get(user_id, self.n_trained) < self.n_trained

    def has_history(self, user: int) -> bool:
        """Whether a user has clicked anything."""
        return 0 <= user < self.state.n_users and bool(self.state.arrays.user_clicks[user])

    def _explore(
        self, user: int, time: float, found: Recommendation
    ) -> tuple[int, float, Recommendation]:
        r"""Epsilon-greedy at the last position: with probability epsilon, any live article.

        All m articles that are live and not above it are equally probable then, so the propensity
        of the greedy choice is :math:`1 - \epsilon + \epsilon / m`, of others :math:`\epsilon / m`.
        """
        last = len(found.items) - 1
        if self.explore == 0 or last < 0:
            return -1, 1.0, found
        allowed = found.allowed.copy()
        allowed[found.items[:last]] = False
        choices = np.flatnonzero(allowed)
        greedy = found.items[last]
        if len(choices) < 2 or not allowed[greedy]:
            return -1, 1.0, found
        uniform = self.explore / len(choices)
        if self.rng.random() >= self.explore:
            return last, 1 - self.explore + uniform, found
        drawn = int(self.rng.choice(choices))
        propensity = uniform + (1 - self.explore) * (drawn == greedy)
        return last, propensity, self._replaced(user, time, found, last, drawn)

    def _replaced(
        self, user: int, time: float, found: Recommendation, position: int, item: int
    ) -> Recommendation:
        """The list with another article at a position."""
        items, scores, because = (a.copy() for a in (found.items, found.scores, found.because))
        items[position] = item
        chosen = items[position : position + 1]
        scores[position] = self.model.score(self.state, user, time, chosen)[0]
        clicks, _ = self.state.recent_clicks(user)
        because[position] = nearest_click(self.model.vectors, chosen, clicks)[0]
        found_by = [*found.found_by[:position], ("exploration",), *found.found_by[position + 1 :]]
        return replace(found, items=items, scores=scores, because=because, found_by=found_by)
