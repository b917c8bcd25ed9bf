"""Open windows, late impressions and the latest rows, against a recomputation event by event."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsreco.data import Articles, Impressions, NewsLog
from newsreco.feature_store import FeatureStore
from newsreco.feature_store.build import Built, Schedule, build
from newsreco.feature_store.ledger import LEDGER
from newsreco.feature_store.versions import Version

WIDTH, DELAY, HALF_LIFE = 60.0, 30.0, 90.0
SCHEDULE = Schedule(WIDTH, DELAY, HALF_LIFE)
START = 6_000.0
ITEMS, CATEGORIES = ["N1", "N2", "N3"], ["sport", "food"]
CATEGORY = [0, 1, 0]


@dataclass(frozen=True)
class Event:
    """One impression, and the number of the build whose log has it first."""

    number: int
    user: str
    time: float
    items: tuple[int, ...]
    clicked: tuple[bool, ...]
    arrival: int = 0

    @property
    def end(self):
        return (self.time // WIDTH + 1) * WIDTH


def log_of(events):
    """The events as a log, in order of time."""
    events = sorted(events, key=lambda event: (event.time, event.number))
    users = list(dict.fromkeys(event.user for event in events))
    n = len(ITEMS)
    groups = np.array(CATEGORY, np.int32), np.zeros(n, np.int32), CATEGORIES, ["x"]
    articles = Articles(ITEMS, [""] * n, [""] * n, [""] * n, *groups, [()] * n)
    shown = Impressions(
        [str(event.number) for event in events],
        np.array([users.index(event.user) for event in events], np.int32),
        np.array([event.time for event in events]),
        np.cumsum([0, *(len(event.items) for event in events)]),
        np.array([i for event in events for i in event.items], np.int32),
        np.array([c for event in events for c in event.clicked], bool),
    )
    nothing = np.zeros(len(users) + 1, np.int64), np.empty(0, np.int32)
    return NewsLog(articles, users, *nothing, shown)


class Naive:
    """When each event became known, by the definition; features are counted anew each time."""

    def __init__(self):
        self.known, self.built_until, self.last = {}, -np.inf, -np.inf

    def build(self, events, until, known_at):
        late = [e for e in events if e not in self.known and e.end <= self.built_until]
        self.known |= dict.fromkeys(late, known_at)
        self.last = known_at if late else self.last
        new = [e for e in events if e not in self.known and e.end <= until]
        self.known |= {e: e.end + DELAY for e in new}
        ends = [until // WIDTH * WIDTH, *(e.end for e in new)]
        self.built_until = max(self.built_until, *ends)
        self.last = max(self.last, self.built_until + DELAY)
        return len(late)

    def features(self, time):
        """All features of all views at a time: {view: {key: (event_time, *features)}}."""
        events = [e for e, known in self.known.items() if known <= time and e.end < time]
        groups = defaultdict(list)
        for event in events:
            groups["user", event.user].append(event)
            for i, clicked in zip(event.items, event.clicked):
                shown = SimpleNamespace(end=event.end, time=event.time, clicks=int(clicked))
                groups["item", ITEMS[i]].append(shown)
                groups["user_item", (event.user, ITEMS[i])].append(shown)
        found = {name: {} for name in ("user", "user_category", "item", "user_item")}
        for (name, key), group in groups.items():
            end = max(event.end for event in group)
            if name == "user":
                clicks = [e for e in group for c in e.clicked if c]
                decayed = sum(0.5 ** ((end - e.time) / HALF_LIFE) for e in clicks)
                found[name][key] = end, len(group), len(clicks), decayed
                found["user_category"] |= self.categories(key, group)
            else:
                n, clicks = len(group), sum(event.clicks for event in group)
                last = clicks / n if name == "item" else max(event.time for event in group)
                found[name][key] = end, n, clicks, last
        return found

    def categories(self, user, group):
        """Of one user: at the end of the last window with a click of theirs."""
        count = Counter(
            CATEGORIES[CATEGORY[i]]
            for e in group for i, clicked in zip(e.items, e.clicked) if clicked
        )  # fmt: skip
        ends = [event.end for event in group if any(event.clicked)]
        total = count.total()
        return {(user, name): (max(ends), n, n / total) for name, n in count.items()}


def assert_equal(found, expected, name):
    """Features of a view by key, equal but for rounding."""
    assert set(found) == set(expected), name
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, rtol=1e-9, err_msg=f"{name} {key}")


def stored(store, name):
    """All rows of a view, each as (key, event_time, created_time, features)."""
    view = store.view(name)
    with store.transaction() as connection:
        rows = connection.execute(sa.select(*[view.table.c[c] for c in view.columns])).all()
    n = len(view.keys)
    return [(row[:n] if n > 1 else row[0], row[n], row[n + 1], row[n + 2 :]) for row in rows]


def as_of(rows, time):
    """Event time and features of every key at a time, as the store's queries define it."""
    rows = sorted(rows, key=lambda row: row[1:3])
    return {
        key: (event, *features)
        for key, event, created, features in rows
        if event < time and created <= time
    }


def clear(store):
    """Remove all rows."""
    with store.transaction(writes=True) as connection:
        LEDGER.create(connection, checkfirst=True)
        for table in [LEDGER, *(t for v in store.views.values() for t in (v.table, v.latest))]:
            connection.execute(sa.delete(table))


@st.composite
def events(draw, n_builds):
    items = tuple(draw(st.sets(st.integers(0, 2), min_size=1)))
    clicked = tuple(draw(st.booleans()) for _ in items)
    time = START + draw(st.integers(0, 5)) * WIDTH + draw(st.sampled_from([0.0, 7.5, 59.0]))
    number, arrival = draw(st.integers(0, 10**6)), draw(st.integers(0, n_builds - 1))
    return Event(number, draw(st.sampled_from("ABC")), time, items, clicked, arrival)


@st.composite
def histories(draw):
    """Events with their arrivals, and builds: (until, seconds to known_at)."""
    n = draw(st.integers(1, 4))
    untils = sorted(draw(st.lists(st.integers(0, 400), min_size=n, max_size=n)))
    waits = draw(st.lists(st.sampled_from([0.5, 30.0, 100.0, 1000.0]), min_size=n, max_size=n))
    first = Event(-1, "A", START, (0,), (True,))
    found = draw(st.lists(events(n), max_size=12, unique_by=lambda event: event.number))
    return [first, *found], [(START + until, wait) for until, wait in zip(untils, waits)]


def test_as_of_equals_what_was_known_then_and_latest_is_the_last_of_it(store):
    examples = 60 if store.engine.dialect.name == "sqlite" else 12

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(histories())
    def check(history):
        happened, builds = history
        clear(store)
        naive, times = Naive(), set()
        for number, (until, wait) in enumerate(builds):
            arrived = [event for event in happened if event.arrival <= number]
            known_at = max(naive.last, until) + wait
            late = naive.build(arrived, until, known_at)
            built = build(store, log_of(arrived), SCHEDULE, until, known_at, progress=False)
            assert built.late == late
            assert built.waiting == len(arrived) - sum(event in naive.known for event in arrived)
            times |= {known_at, until, until + DELAY}
        times |= {e.end for e in happened} | set(naive.known.values())
        rows = {name: stored(store, name) for name in store.views}
        for time in sorted(times | {t - 0.25 for t in times} | {t + 0.25 for t in times}):
            for name, expected in naive.features(time).items():
                assert_equal(as_of(rows[name], time), expected, f"{name} at {time}")
        check_latest(store, naive)

    check()


def check_latest(store, naive):
    """The table of latest rows holds each key once, as of the end of all times."""
    for name, expected in naive.features(1e12).items():
        keys = [*expected, ("Z", "Z") if len(store.view(name).keys) > 1 else "Z"]
        found = store.latest(name, keys)
        assert found.iloc[-1].isna().all()
        rows = found.drop(columns="created_time").to_numpy()[:-1]
        assert_equal(dict(zip(expected, rows)), expected, f"latest {name}")
        if expected:
            now = store.as_of(name, keys, store.now(name))
            assert found.to_numpy().tobytes() == now.to_numpy().tobytes()
        with store.transaction() as connection:
            count = sa.select(sa.func.count()).select_from(store.view(name).latest)
            assert connection.execute(count).scalar() == len(expected)


A = Event(1, "A", START + 10, (0, 1), (True, False))
B = Event(2, "A", START + 130, (1,), (True,))
LATE = Event(3, "A", START + 20, (0,), (False,))


def views_at(store, time, item="N1"):
    return store.as_of("item", [item], time).views[0]


def test_open_window_is_left_out_and_does_not_block_the_next_build(store):
    built = build(store, log_of([A, B]), SCHEDULE, progress=False)
    assert built == Built(1, 0, built.rows, waiting=1)
    later = Event(4, "A", START + 150, (1,), (True,))
    built = build(store, log_of([A, B, later]), SCHEDULE, START + 180, progress=False)
    assert (built.windows, built.skipped, built.late, built.waiting) == (1, 1, 0, 0)
    assert views_at(store, START + 500, "N2") == 3


def test_late_impression_counts_from_the_time_on_at_which_it_is_known(store):
    build(store, log_of([A, B]), SCHEDULE, np.inf, progress=False)
    before = [views_at(store, START + t) for t in (91, 300, 999)]
    built = build(store, log_of([A, B, LATE]), SCHEDULE, np.inf, START + 1000, progress=False)
    assert (built.late, built.windows) == (1, 0)
    assert [views_at(store, START + t) for t in (91, 300, 999)] == before == [1, 1, 1]
    assert views_at(store, START + 1000) == 2
    assert store.as_of("user", ["A"], START + 1000).impressions[0] == 3
    again = build(store, log_of([A, B, LATE]), SCHEDULE, np.inf, START + 1000, progress=False)
    assert again == Built(0, 2, 0)


def test_late_impression_is_not_in_windows_written_with_it_but_known_before(store):
    """A window that ends at 180 is written at 210; the late impression was known at 1000 only."""
    build(store, log_of([A]), SCHEDULE, START + 60, progress=False)
    build(store, log_of([A, B, LATE]), SCHEDULE, np.inf, START + 1000, progress=False)
    found = store.as_of("user", ["A"] * 2, [START + 999, START + 1000])
    assert found.impressions.tolist() == [2, 3]
    assert found.event_time.tolist() == [START + 180] * 2


def test_late_impression_in_a_window_that_was_empty_is_late(store):
    build(store, log_of([A]), SCHEDULE, START + 120, progress=False)
    between = Event(5, "B", START + 70, (2,), (True,))
    built = build(store, log_of([A, between]), SCHEDULE, known_at=START + 500, progress=False)
    assert built.late == 1
    assert store.as_of("user", ["B"], START + 499).impressions.isna()[0]
    assert store.as_of("user", ["B"], START + 500).impressions[0] == 1


def test_known_at_must_be_later_than_the_store(store):
    build(store, log_of([A, B]), SCHEDULE, np.inf, progress=False)
    for early in (START, START + 180 + DELAY):
        with pytest.raises(ValueError, match="known_at must be later than all that the store"):
            build(store, log_of([A, B, LATE]), SCHEDULE, np.inf, early, progress=False)
    assert views_at(store, START + 1e6) == 1  # nothing was half-written
    build(store, log_of([A, B]), SCHEDULE, np.inf, START, progress=False)  # there is nothing late


def test_known_at_is_now_by_default(store, monkeypatch):
    monkeypatch.setattr("time.time", lambda: START + 777.0)
    build(store, log_of([A, B]), SCHEDULE, np.inf, progress=False)
    build(store, log_of([A, B, LATE]), SCHEDULE, np.inf, progress=False)
    assert store.as_of("item", ["N1"], START + 778).created_time[0] == START + 777


def test_late_impressions_are_all_or_nothing(store, monkeypatch):
    build(store, log_of([A, B]), SCHEDULE, np.inf, progress=False)
    add, calls = FeatureStore.add, iter(range(100))

    def fragile(self, connection, view, columns):
        if next(calls) == 5:
            raise KeyboardInterrupt
        return add(self, connection, view, columns)

    with monkeypatch.context() as patch:
        patch.setattr(FeatureStore, "add", fragile)
        with pytest.raises(KeyboardInterrupt):
            build(store, log_of([A, B, LATE]), SCHEDULE, np.inf, START + 1000, progress=False)
    assert views_at(store, START + 2000) == 1 == store.latest("item", ["N1"]).views[0]
    built = build(store, log_of([A, B, LATE]), SCHEDULE, np.inf, START + 1000, progress=False)
    assert built.late == 1 and store.latest("item", ["N1"]).views[0] == 2


def test_job_that_does_not_know_the_late_impressions_of_another_stops(store, monkeypatch):
    """Between reading the ledger and writing a window, another job adds late impressions."""
    build(store, log_of([A]), SCHEDULE, START + 60, progress=False)
    calls = iter(range(100))

    def slow_version(*arguments):
        if next(calls) == 0:
            build(store, log_of([A, LATE]), SCHEDULE, START + 60, START + 1000, progress=False)
        return Version(*arguments)

    monkeypatch.setattr("newsreco.feature_store.build.Version", slow_version)
    with pytest.raises(ValueError, match="another job added late impressions meanwhile"):
        build(store, log_of([A, B]), SCHEDULE, np.inf, progress=False)
    assert views_at(store, START + 1e6) == 2


def test_log_that_lost_an_impression_is_refused(store):
    build(store, log_of([A, B, LATE]), SCHEDULE, np.inf, progress=False)
    with pytest.raises(ValueError, match="1 of its impressions are missing, from the window until"):
        build(store, log_of([A, B]), SCHEDULE, np.inf, progress=False)


def test_latest_rows_of_a_database_without_the_table_are_filled_in(database):
    with FeatureStore(database) as store:
        build(store, log_of([A, B, LATE]), SCHEDULE, np.inf, progress=False)
        before = store.latest("item", ITEMS)
        with store.transaction(writes=True) as connection:
            store.view("item").latest.drop(connection)
    with FeatureStore(database) as store:
        assert store.latest("item", ITEMS).equals(before) and before.views.notna().sum() == 2


def test_latest_lookup_uses_the_key():
    store = FeatureStore("sqlite://")
    with store.transaction() as connection:
        query = "EXPLAIN QUERY PLAN SELECT views FROM item_latest WHERE item_id = 'N1'"
        (step,) = connection.exec_driver_sql(query).all()
    assert "SEARCH item_latest USING INDEX" in step[-1]
    store.close()
