"""State: what is known of articles and users as of a time.

Every feature is computed from counters and lists of clicks that each event updates in place. So
memory grows with clicks, and counting one event costs the same at any time. Compiled loops read
the arrays (`newsreco.features.counters`), and a bundle stores them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from newsreco.data import Articles, NewsLog
from newsreco.features.counters import (
    HALF_LIVES,
    RECENT,
    Arrays,
    count_click,
    count_impression,
    count_impressions,
    load_history,
)

CATEGORY_COLUMNS = ("category_time", "category_clicks", "category_views")
CLICK_COLUMNS = ("click_item", "click_time", "click_previous", "click_untimed")


@dataclass(eq=False)
class State:
    """Counters and clicks as of a time; `advance` counts further impressions."""

    arrays: Arrays

    @classmethod
    def empty(cls, log: NewsLog, half_life: float) -> State:
        """State before the first event of a log; `half_life` of the profiles in seconds."""
        if not half_life > 0:
            raise ValueError(f"half_life must be above 0 seconds, got {half_life!r}")
        items, users, categories = log.n_items, log.n_users, len(log.articles.categories)
        topics = len(log.articles.subcategories)
        begin = log.impressions.time[0] if len(log.impressions) else 0.0
        return cls(
            Arrays(
                profile_half_life=np.array([half_life], float),
                half_lives=np.array(HALF_LIVES),
                begin=np.array([begin]),
                now=np.array([-np.inf]),
                totals=np.zeros(2),
                category=log.articles.category,
                subcategory=log.articles.subcategory,
                first_shown=np.full(items, np.inf),
                last_shown=np.full(items, -np.inf),
                item_time=np.zeros(items),
                item_clicks=np.zeros((items, 2)),
                item_views=np.zeros(items),
                category_time=np.zeros(categories),
                category_clicks=np.zeros(categories),
                category_views=np.zeros(categories),
                user_newest=np.full(users, -1, np.int64),
                user_clicks=np.zeros(users, np.int64),
                user_topics=np.zeros((users, topics, 2), np.uint16),
                topics=np.zeros((topics, 2)),
                history_loaded=np.zeros(users, bool),
                n_clicks=np.zeros(1, np.int64),
                click_item=np.empty(0, np.int32),
                click_time=np.empty(0),
                click_previous=np.empty(0, np.int64),
                click_untimed=np.empty(0, bool),
            )
        )

    @property
    def now(self) -> float:
        """Time of the last event counted, seconds UTC; -inf before any."""
        return float(self.arrays.now[0])

    @property
    def n_users(self) -> int:
        return len(self.arrays.user_newest)

    @property
    def n_items(self) -> int:
        return len(self.arrays.first_shown)

    def copy(self) -> State:
        """A copy that can be advanced independently."""
        return State(Arrays(*(array.copy() for array in self.arrays)))

    def with_articles(self, articles: Articles) -> State:
        """A copy for a catalogue that begins with the articles counted so far."""
        larger = self.copy()
        items = len(articles) - self.n_items
        larger._extend({"first_shown": np.inf, "last_shown": -np.inf}, items)
        larger._extend(dict.fromkeys(("item_time", "item_clicks", "item_views"), 0), items)
        categories = len(articles.categories) - len(self.arrays.category_time)
        larger._extend(dict.fromkeys(CATEGORY_COLUMNS, 0), categories)
        topics = len(articles.subcategories) - len(self.arrays.topics)
        larger._extend({"topics": 0}, topics)
        larger.arrays = larger.arrays._replace(
            category=articles.category,
            subcategory=articles.subcategory,
            user_topics=np.pad(larger.arrays.user_topics, ((0, 0), (0, topics), (0, 0))),
        )
        return larger

    def compact(self) -> State:
        """A copy without spare room: equal states have equal bytes."""
        n = int(self.arrays.n_clicks[0])
        clicks = {name: getattr(self.arrays, name)[:n].copy() for name in CLICK_COLUMNS}
        return State(self.copy().arrays._replace(**clicks))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """All arrays by name, without spare room."""
        return self.compact().arrays._asdict()

    @classmethod
    def from_arrays(cls, parameters: dict, arrays: dict[str, np.ndarray]) -> State:
        """The state that `to_arrays` gave; it has no parameters."""
        return cls(Arrays(**arrays))

    def make_room(self, log: NewsLog, first: int, last: int) -> None:
        """Allocate for the users and clicks of impressions first..last-1.

        The log's articles must be numbered as the state's: see `newsreco.models.matching`.
        """
        if log.n_items != self.n_items:
            raise ValueError(
                f"log must hold the state's {self.n_items} articles, got {log.n_items}: match "
                "the model and the log by id first (newsreco.models.matching.match)"
            )
        shown = log.impressions
        new_clicks = int(shown.clicked[shown.start[first] : shown.start[last]].sum())
        self._grow_clicks(new_clicks + len(log.history_item))
        self._grow_users(log.n_users)

    def advance(self, log: NewsLog, first: int, last: int) -> None:
        """Count impressions first..last-1 of the log, none earlier than what was counted."""
        shown = log.impressions
        if last > first and shown.time[first] < self.now:
            raise ValueError(
                f"impression {first} has time {shown.time[first]}, before the state's {self.now}"
            )
        self.make_room(log, first, last)
        history = log.history_start, log.history_item
        events = shown.user, shown.time, shown.start, shown.item, shown.clicked
        count_impressions(self.arrays, *history, *events, first, last)

    def count_event(self, user: int, time: float, item: int, viewed: bool, clicked: bool) -> None:
        """Count one event of a live service: a view of one article, a click on it, or both.

        An event that comes late, after one of a later time, counts as of that time.
        """
        items, time = np.array([item], np.int32), max(time, self.now)
        self._grow_users(user + 1, spare=max(64, self.n_users // 8))
        self._grow_clicks(1)
        if viewed:
            count_impression(self.arrays, user, time, items, np.array([clicked]))
        elif clicked:
            count_click(self.arrays, user, time, items)

    def publish(self, items: np.ndarray, time: float) -> None:
        """Let articles that were never shown count as shown at a time, without a view."""
        new = items[np.isinf(self.arrays.first_shown[items])]
        self.arrays.first_shown[new] = self.arrays.last_shown[new] = time

    def forget(self, user: int) -> None:
        """Remove a user's clicks and counts; what they added to the articles' counters stays."""
        if 0 <= user < self.n_users:
            self.arrays.user_newest[user] = -1
            self.arrays.user_clicks[user] = 0
            self.arrays.user_topics[user] = 0

    def load_history(self, user: int, items: np.ndarray) -> None:
        """Add a user's clicks before the log, oldest first, once."""
        self._grow_users(user + 1)
        self._grow_clicks(len(items))
        starts = np.zeros(user + 2, np.int64)
        starts[-1] = len(items)
        load_history(self.arrays, user, starts, np.asarray(items, np.int32))

    def recent_clicks(self, user: int, n: int = RECENT) -> tuple[np.ndarray, np.ndarray]:
        """The user's last clicks, newest first: items (m,) int32 and times (m,), m <= n."""
        rows = self._recent_rows(user, n)
        return self.arrays.click_item[rows], self.arrays.click_time[rows]

    def last_clicks(self, user: int) -> np.ndarray:
        """Clicks of the user's last impression with any, ascending ids: (m,) int32.

        They have no order. A click before the log belongs to no impression and stands alone.
        """
        rows = self._recent_rows(user, RECENT)
        times, untimed = self.arrays.click_time[rows], self.arrays.click_untimed[rows]
        if not rows or untimed[0]:
            return self.arrays.click_item[rows[:1]]
        return np.unique(self.arrays.click_item[rows][(times == times[0]) & ~untimed])

    def _recent_rows(self, user: int, n: int) -> list[int]:
        """Rows of the user's last n clicks, newest first."""
        rows: list[int] = []
        click = int(self.arrays.user_newest[user]) if 0 <= user < self.n_users else -1
        while click >= 0 and len(rows) < n:
            rows.append(click)
            click = int(self.arrays.click_previous[click])
        return rows

    def profile(self, user: int, time: float, vectors: np.ndarray) -> np.ndarray:
        """Decayed sum of the vectors of the last clicks: (d,) float32."""
        items, times = self.recent_clicks(user)
        weights = 0.5 ** ((time - times) / self.arrays.profile_half_life[0])
        return (weights @ vectors[items]).astype(np.float32)

    def _grow_clicks(self, more: int) -> None:
        spare = len(self.arrays.click_item) - int(self.arrays.n_clicks[0])
        if more > spare:
            room = max(more - spare, len(self.arrays.click_item))
            self._extend(dict.fromkeys(CLICK_COLUMNS, 0), room)

    def _grow_users(self, n_users: int, spare: int = 0) -> None:
        if n_users > self.n_users:
            blank = {"user_newest": -1, "user_clicks": 0, "user_topics": 0, "history_loaded": False}
            self._extend(blank, n_users - self.n_users + spare)

    def _extend(self, blanks: dict[str, float], room: int) -> None:
        longer = {}
        for name, blank in blanks.items():
            old = getattr(self.arrays, name)
            more = np.full((room, *old.shape[1:]), blank, old.dtype)
            longer[name] = np.concatenate([old, more])
        self.arrays = self.arrays._replace(**longer)


def replay_impressions(
    state: State, log: NewsLog, impressions: Iterable[int]
) -> Iterator[tuple[int, float, slice]]:
    """Advance a state to just before each impression, its user's history included.

    Parameters
    ----------
    state : State
        Has counted the log up to `state.now`; it is changed.
    impressions : iterable of int
        Ascending, all later than `state.now`.

    Yields
    ------
    user : int
    time : float
        Seconds UTC.
    rows : slice
        Of the impression's articles, in `log.impressions.item`.
    """
    shown = log.impressions
    done = int(np.searchsorted(shown.time, state.now, side="right"))
    for impression in impressions:
        user, time = int(shown.user[impression]), float(shown.time[impression])
        state.advance(log, done, log.cut(time))
        done = max(done, log.cut(time))
        state.load_history(user, log.history_item[slice(*log.history_start[user : user + 2])])
        yield user, time, slice(shown.start[impression], shown.start[impression + 1])
