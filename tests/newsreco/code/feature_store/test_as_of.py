"""Point-in-time reads: the SQL against plain Python, and cases that would leak."""

import math

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsreco.feature_store import ITEM, USER_ITEM, FeatureStore
from newsreco.feature_store.point_in_time import as_of_query, as_of_reference
from newsreco.feature_store.rows import as_table

NOW = 100.0


def row(item="N1", event=10.0, created=20.0, views=1.0, clicks=0.0, ctr=0.0):
    return dict(zip(ITEM.columns, (item, event, created, views, clicks, ctr)))


def columns(rows, view=ITEM):
    return pd.DataFrame(rows, columns=list(view.columns))


def views_at(store, time, item="N1"):
    return store.as_of("item", [item], time).views[0]


def test_latest_known_row_counts(store):
    store.write("item", columns([row(views=1), row(event=30, created=31, views=2)]))
    assert views_at(store, 30.5) == 1
    assert views_at(store, 31) == 2
    assert views_at(store, NOW) == 2


def test_unknown_is_nan(store):
    store.write("item", columns([row()]))
    assert math.isnan(views_at(store, 5.0))
    assert math.isnan(views_at(store, NOW, item="N2"))


def test_event_at_the_time_itself_does_not_count(store):
    store.write("item", columns([row(event=10, created=10)]))
    assert math.isnan(views_at(store, 10.0))
    assert views_at(store, np.nextafter(10.0, 11)) == 1


def test_row_created_at_the_time_itself_counts(store):
    store.write("item", columns([row(event=10, created=20)]))
    assert views_at(store, 20.0) == 1


def test_late_row_never_leaks(store):
    store.write("item", columns([row(event=10, created=11, views=1)]))
    before = [views_at(store, time) for time in (12, 30, 79)]
    store.write("item", columns([row(event=20, created=80, views=99)]))  # late by 60
    assert [views_at(store, time) for time in (12, 30, 79)] == before == [1, 1, 1]
    assert views_at(store, 80) == 99


def test_late_row_of_an_earlier_event_does_not_replace_a_later_one(store):
    store.write("item", columns([row(event=50, created=51, views=5)]))
    store.write("item", columns([row(event=40, created=60, views=4)]))
    assert views_at(store, NOW) == 5


def test_correction_wins_once_it_is_known(store):
    store.write("item", columns([row(created=20, views=1), row(created=40, views=2)]))
    assert views_at(store, 39) == 1
    assert views_at(store, 40) == 2


def test_answers_are_in_the_order_of_the_keys(store):
    store.write("item", columns([row("A", views=1), row("B", views=2)]))
    asked = ["B", "A", "C", "B"]
    found = store.as_of("item", asked, [NOW, NOW, NOW, 1.0])
    np.testing.assert_array_equal(found.views, [2, 1, np.nan, np.nan])
    assert len(store.as_of("item", [], NOW)) == 0


keys = st.sampled_from(["a", "b", "Ü b"])
times = st.integers(0, 6).map(float)
numbers = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def histories(draw, view):
    """Rows that differ in key or times, many of them late or tied, and lookups."""
    stamp = st.tuples(*[keys for _ in view.keys], times, times)
    stamps = draw(st.lists(stamp, unique=True, max_size=25))
    feature = st.tuples(*[numbers for _ in view.features])
    rows = [dict(zip(view.columns, (*s, *draw(feature)))) for s in stamps]
    asked = draw(st.lists(st.tuples(*[keys for _ in view.keys]), max_size=12))
    return rows, asked, draw(st.lists(times, min_size=len(asked), max_size=len(asked)))


@pytest.mark.parametrize("view", [ITEM, USER_ITEM], ids=["one key", "two keys"])
def test_query_equals_reference(store, view):
    table = view.table

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(histories(view))
    def check(history):
        rows, asked, asked_times = history
        with store.transaction() as connection:
            connection.execute(table.delete())
            connection.execute(view.latest.delete())
        store.write(view.name, columns(rows[::2], view))
        store.write(view.name, columns(rows[1::2], view))
        n = len(asked)
        lookups = [key[0] for key in asked] if len(view.keys) == 1 else asked
        found = store.as_of(view.name, lookups, asked_times).to_numpy()
        expected = (
            as_of_reference(rows, view, asked, asked_times) + 0.0
        )  # there is no -0.0 in the store
        assert found.tobytes() == expected.tobytes()
        latest = store.latest(view.name, lookups).to_numpy()
        assert latest.tobytes() == (as_of_reference(rows, view, asked, [1e9] * n) + 0.0).tobytes()

    check()


def test_latest_row_is_the_last_true_one_and_of_equals_the_last_created(store):
    later, earlier = row(event=30, created=31, views=3), row(event=10, created=90, views=1)
    store.write("item", columns([row(event=20, created=21, views=2), later, earlier]))
    assert store.latest("item", ["N1", "N2"]).views.tolist()[0] == 3
    store.write("item", columns([row(event=29, created=99, views=4)]))
    assert store.latest("item", ["N1"]).views[0] == 3
    store.write("item", columns([row(event=30, created=32, views=5)]))
    store.write("item", columns([row(event=30, created=30, views=6)]))
    assert store.latest("item", ["N1"]).views[0] == 5


@pytest.fixture
def history(store):
    """Four hundred random rows, many late, as the store holds them."""
    rng = np.random.default_rng(0)
    event = rng.integers(0, 60, 400).astype(float)
    table = pd.DataFrame(
        {
            "user_id": rng.choice(["u1", "u2", "u3"], 400),
            "item_id": rng.choice(["i1", "i2", "i3", "i4", "i5"], 400),
            "event_time": event,
            "created_time": event + rng.integers(0, 30, 400),
            "shown": rng.random(400),
            "clicks": rng.random(400) * 1e-310,  # subnormal
            "last_shown": rng.random(400) * 1e300,
        }
    ).drop_duplicates(["user_id", "item_id", "event_time", "created_time"])
    store.write("user_item", table)
    return table


def test_single_lookup_equals_batch_bit_for_bit(store, history):
    pairs = list(zip(history.user_id, history.item_id))
    times = np.random.default_rng(1).uniform(0, 90, len(pairs))
    together = store.as_of("user_item", pairs, times)
    for i in range(0, len(pairs), 37):
        alone = store.as_of("user_item", [pairs[i]], float(times[i]))
        assert alone.to_numpy().tobytes() == together.iloc[[i]].to_numpy().tobytes()
    assert together.shown.notna().mean() > 0.5


def test_snapshot_equals_lookup_of_every_key(store, history):
    for time in (7.0, 33.5, 200.0):
        snapshot = store.snapshot("user_item", time)
        every = list(history.groupby(["user_id", "item_id"]).groups)
        found = store.as_of("user_item", every, time).dropna()
        pd.testing.assert_frame_equal(
            snapshot[found.columns], found.reset_index(drop=True), check_exact=True
        )
        part = store.snapshot("user_item", time, user_id="u2")
        assert part.equals(snapshot[snapshot.user_id == "u2"].reset_index(drop=True))
    assert len(snapshot) == 15


def test_databases_agree_bit_for_bit(store, history):
    memory = FeatureStore("sqlite://")
    memory.write("user_item", history)
    pairs = list(zip(history.user_id, history.item_id))
    times = history.created_time.to_numpy()
    here, there = (s.as_of("user_item", pairs, times).to_numpy() for s in (store, memory))
    assert here.tobytes() == there.tobytes()
    memory.close()


def test_history_holds_every_row(store, history):
    asked = [("u2", "i1"), ("u1", "i3"), ("u2", "i1"), ("u9", "i1")]
    found = store.history("user_item", asked)
    wanted = history[history[["user_id", "item_id"]].apply(tuple, axis=1).isin(asked)]
    wanted = wanted.sort_values(list(found.columns[:4]), ignore_index=True)
    pd.testing.assert_frame_equal(found, wanted[found.columns], check_exact=True)
    assert len(found) > 10


def test_many_keys_are_one_query(store, history):
    statements = []
    sa.event.listen(
        store.engine, "before_cursor_execute", lambda *a: statements.append(a[2]), named=False
    )
    store.as_of("user_item", [("u1", "i1")], 50.0)
    few = len(statements)
    store.as_of("user_item", [("u1", "i1")] * 3_000, 50.0)
    assert len(statements) == 2 * few


def test_lookup_uses_the_index():
    store = FeatureStore("sqlite://")
    asked = pd.DataFrame({"item_id": ["a"], "time": [1.0], "position": [0.0]})
    with store.transaction() as connection, as_table(connection, "asked", asked) as table:
        query = str(as_of_query(ITEM, table).compile(store.engine))
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", (1, 0)).all()
    steps = " / ".join(step[-1] for step in plan)
    assert "SCAN item_features" not in steps and "SCAN past" not in steps, steps
    assert "item_id=? AND event_time<?" in steps, steps
    store.close()
