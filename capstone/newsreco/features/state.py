"""What is known at a moment: counters of articles, and each person's clicks.

Everything a feature rests on is a number that an event changes in place: a counter that halves
every half-life is kept as its value at its last event, and a person's clicks as a linked list,
newest first. So memory grows with clicks, and advancing by one event costs the same on the first
day and on the last. Held as plain arrays: compiled loops read them, and a bundle stores them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from newsreco.data import NewsLog
from recsys.compiled import compiled

RECENT = 50  # a profile looks no further back than so many clicks
DAY = 86_400.0
FULL = np.iinfo(np.uint16).max  # a person's counter of a subcategory stops there
HALF_LIVES = (6 * 3600.0, 2 * DAY)  # of the counters: a trend of hours, a trend of days


class Arrays(NamedTuple):
    """The state as compiled loops see it.

    Counters (n_items,) hold their value as of `item_time`, (n_categories,) as of `kind_time`.
    A click points to the same person's click before it; -1 ends the list.
    """

    profile_half_life: np.ndarray  # (1,) seconds; inf for none
    half_lives: np.ndarray  # (2,) seconds
    begin: np.ndarray  # (1,) the first moment of the log: earlier clicks decay from it
    now: np.ndarray  # (1,) the last event counted
    totals: np.ndarray  # (2,) clicks and views in all
    category: np.ndarray  # (n_items,) int32
    subcategory: np.ndarray
    first_shown: np.ndarray  # (n_items,) inf where never
    last_shown: np.ndarray  # (n_items,) -inf where never
    item_time: np.ndarray
    item_clicks: np.ndarray  # (n_items, 2) decayed with each of half_lives
    item_views: np.ndarray  # (n_items,) decayed with the longer one
    kind_time: np.ndarray
    kind_clicks: np.ndarray
    kind_views: np.ndarray
    user_newest: np.ndarray  # (n_users,) int64: the newest click, -1 for none
    user_clicks: np.ndarray  # (n_users,) int64
    user_topics: np.ndarray  # (n_users, n_subcategories, 2) uint16: clicks and views, not decayed
    topics: np.ndarray  # (n_subcategories, 2) the same of everybody
    arrived: np.ndarray  # (n_users,) bool: the earlier clicks are in
    n_clicks: np.ndarray  # (1,) int64: how many clicks are stored
    click_item: np.ndarray
    click_time: np.ndarray
    click_before: np.ndarray  # int64
    click_untimed: np.ndarray  # bool


@dataclass(eq=False)
class State:
    """Counters and clicks as of a moment; `advance` brings it further."""

    arrays: Arrays

    @classmethod
    def empty(cls, log: NewsLog, half_life: float) -> State:
        """Before the first event of a log; `half_life` of the profiles in seconds."""
        if not half_life > 0:
            raise ValueError(f"half_life must be above 0 seconds, got {half_life!r}")
        items, users, kinds = log.n_items, log.n_users, len(log.articles.categories)
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
                kind_time=np.zeros(kinds),
                kind_clicks=np.zeros(kinds),
                kind_views=np.zeros(kinds),
                user_newest=np.full(users, -1, np.int64),
                user_clicks=np.zeros(users, np.int64),
                user_topics=np.zeros((users, topics, 2), np.uint16),
                topics=np.zeros((topics, 2)),
                arrived=np.zeros(users, bool),
                n_clicks=np.zeros(1, np.int64),
                click_item=np.empty(0, np.int32),
                click_time=np.empty(0),
                click_before=np.empty(0, np.int64),
                click_untimed=np.empty(0, bool),
            )
        )

    @property
    def now(self) -> float:
        """The moment of the last event counted, seconds UTC; -inf before any."""
        return float(self.arrays.now[0])

    @property
    def n_users(self) -> int:
        return len(self.arrays.user_newest)

    def copy(self) -> State:
        """The same state, to be advanced on its own."""
        return State(Arrays(*(array.copy() for array in self.arrays)))

    def compact(self) -> State:
        """A copy without spare room: equal states have equal bytes."""
        n = int(self.arrays.n_clicks[0])
        clicks = {name: getattr(self.arrays, name)[:n].copy() for name in CLICK_COLUMNS}
        return State(self.copy().arrays._replace(**clicks))

    def make_room(self, log: NewsLog, first: int, last: int) -> None:
        """Space for the people and clicks of visits first..last-1."""
        shown = log.impressions
        new_clicks = int(shown.clicked[shown.start[first] : shown.start[last]].sum())
        self._grow_clicks(new_clicks + len(log.history_item))
        self._grow_users(log.n_users)

    def advance(self, log: NewsLog, first: int, last: int) -> None:
        """Count visits first..last-1 of the log, which must follow what was counted."""
        shown = log.impressions
        if last > first and shown.time[first] < self.now:
            raise ValueError(
                f"visit {first} is of {shown.time[first]}, before the state's own {self.now}"
            )
        self.make_room(log, first, last)
        history = log.history_start, log.history_item
        events = shown.user, shown.time, shown.start, shown.item, shown.clicked
        _advance(self.arrays, *history, *events, first, last)

    def arrive(self, user: int, earlier: np.ndarray) -> None:
        """Take in a person's clicks of before the log, oldest first, once."""
        self._grow_users(user + 1)
        self._grow_clicks(len(earlier))
        starts = np.zeros(user + 2, np.int64)
        starts[-1] = len(earlier)
        arrive(self.arrays, user, starts, np.asarray(earlier, np.int32))

    def recent_clicks(self, user: int, n: int = RECENT) -> tuple[np.ndarray, np.ndarray]:
        """The person's last clicks, newest first: items (m,) int32 and times (m,), m <= n."""
        rows = self._recent_rows(user, n)
        return self.arrays.click_item[rows], self.arrays.click_time[rows]

    def last_visit(self, user: int) -> np.ndarray:
        """The clicks of the person's last visit with any, rising: (m,) int32.

        They have no order. A click of before the log belongs to no visit and stands alone.
        """
        rows = self._recent_rows(user, RECENT)
        times, untimed = self.arrays.click_time[rows], self.arrays.click_untimed[rows]
        if not rows or untimed[0]:
            return self.arrays.click_item[rows[:1]]
        return np.unique(self.arrays.click_item[rows][(times == times[0]) & ~untimed])

    def _recent_rows(self, user: int, n: int) -> list[int]:
        """Where the person's last n clicks are stored, newest first."""
        rows: list[int] = []
        click = int(self.arrays.user_newest[user]) if 0 <= user < self.n_users else -1
        while click >= 0 and len(rows) < n:
            rows.append(click)
            click = int(self.arrays.click_before[click])
        return rows

    def profile(self, user: int, time: float, vectors: np.ndarray) -> np.ndarray:
        """The decayed sum of the vectors of the last clicks: (d,) float32."""
        items, times = self.recent_clicks(user)
        weights = 0.5 ** ((time - times) / self.arrays.profile_half_life[0])
        return (weights @ vectors[items]).astype(np.float32)

    def _grow_clicks(self, more: int) -> None:
        spare = len(self.arrays.click_item) - int(self.arrays.n_clicks[0])
        if more > spare:
            room = max(more - spare, len(self.arrays.click_item))
            self._extend(dict.fromkeys(CLICK_COLUMNS, 0), room)

    def _grow_users(self, n_users: int) -> None:
        if n_users > self.n_users:
            blank = {"user_newest": -1, "user_clicks": 0, "user_topics": 0, "arrived": False}
            self._extend(blank, n_users - self.n_users)

    def _extend(self, blanks: dict[str, float], room: int) -> None:
        longer = {}
        for name, blank in blanks.items():
            old = getattr(self.arrays, name)
            more = np.full((room, *old.shape[1:]), blank, old.dtype)
            longer[name] = np.concatenate([old, more])
        self.arrays = self.arrays._replace(**longer)


CLICK_COLUMNS = ("click_item", "click_time", "click_before", "click_untimed")


@compiled
def decay(age, half_life):
    """What is left of 1 after so many seconds."""
    return 0.5 ** (age / half_life)


@compiled
def arrive(arrays, user, history_start, history_item):
    """The person's clicks of before the log, once; they count from its first moment."""
    if not arrays.arrived[user]:
        arrays.arrived[user] = True
        for j in range(history_start[user], history_start[user + 1]):
            _click(arrays, user, history_item[j], arrays.begin[0], True)


@compiled
def count(arrays, user, time, items, clicked):
    """One visit: every article shown is a view, some of them are clicks."""
    arrays.now[0] = time
    for i in range(len(items)):
        item = items[i]
        kind = arrays.category[item]
        days = arrays.half_lives[1]
        kept = decay(time - arrays.item_time[item], days)
        arrays.item_views[item] = arrays.item_views[item] * kept + 1
        for h in range(2):
            kept = decay(time - arrays.item_time[item], arrays.half_lives[h])
            arrays.item_clicks[item, h] = arrays.item_clicks[item, h] * kept + clicked[i]
        arrays.item_time[item] = time
        kept = decay(time - arrays.kind_time[kind], days)
        arrays.kind_views[kind] = arrays.kind_views[kind] * kept + 1
        arrays.kind_clicks[kind] = arrays.kind_clicks[kind] * kept + clicked[i]
        arrays.kind_time[kind] = time
        arrays.first_shown[item] = min(arrays.first_shown[item], time)
        arrays.last_shown[item] = time
        arrays.totals[1] += 1
        topic = arrays.subcategory[item]
        for label in range(2):  # clicks, views
            if label or clicked[i]:
                arrays.topics[topic, label] += 1
                if arrays.user_topics[user, topic, label] < FULL:
                    arrays.user_topics[user, topic, label] += 1
        if clicked[i]:
            arrays.totals[0] += 1
            _click(arrays, user, item, time, False)


@compiled
def _click(arrays, user, item, time, untimed):
    """Put a click at the head of the person's list."""
    new = arrays.n_clicks[0]
    arrays.click_item[new] = item
    arrays.click_time[new] = time
    arrays.click_untimed[new] = untimed
    arrays.click_before[new] = arrays.user_newest[user]
    arrays.user_newest[user] = new
    arrays.user_clicks[user] += 1
    arrays.n_clicks[0] = new + 1


@compiled
def _advance(arrays, history_start, history_item, user, time, start, item, clicked, first, last):
    for v in range(first, last):
        shown = slice(start[v], start[v + 1])
        arrive(arrays, user[v], history_start, history_item)
        count(arrays, user[v], time[v], item[shown], clicked[shown])
