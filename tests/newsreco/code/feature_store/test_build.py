"""The job that fills the store: correct values, written once, in complete windows."""

import math
import threading
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from newsreco.data.times import DAY, HOUR
from newsreco.feature_store import FeatureStore
from newsreco.feature_store.build import Built, Schedule, build
from newsreco.feature_store.ledger import LEDGER, Ledger
from newsreco.feature_store.windows import windows
from newsreco.synthetic import make_synthetic_log

DAILY = Schedule(width=DAY, delay=900.0, half_life=2 * DAY)


def contents(store):
    """Every row of every view and of the ledger, without the row ids."""
    with store.transaction() as connection:
        tables = [view.table for view in store.views.values()] + [LEDGER]
        found = []
        for table in tables:
            columns = [c for c in table.c if c.name != "id"]
            rows = connection.execute(table.select().with_only_columns(*columns)).all()
            found.append(sorted(map(tuple, rows)))
    return found


@pytest.fixture(scope="module")
def expected(log):
    """The result of an undisturbed job."""
    store = FeatureStore("sqlite://")
    built = build(store, log, DAILY, until=np.inf, progress=False)
    yield contents(store), built
    store.close()


def reference(log, end):
    """All four views at the end of a window, from all earlier events, one by one."""
    users, pairs, items, categories = {}, {}, {}, {}
    shown = log.impressions
    for r in range(len(shown)):
        if shown.time[r] >= end:
            break
        user = users.setdefault(log.user_ids[shown.user[r]], Counter())
        user["impressions"] += 1
        for i in range(shown.start[r], shown.start[r + 1]):
            number, clicked = shown.item[i], bool(shown.clicked[i])
            name = log.articles.ids[number]
            category = log.articles.categories[log.articles.category[number]]
            label = log.user_ids[shown.user[r]]
            item = items.setdefault(name, Counter())
            pair = pairs.setdefault((label, name), Counter())
            item["views"] += 1
            pair["shown"] += 1
            pair["last_shown"] = shown.time[r]
            if clicked:
                user["clicks"] += 1
                user["decayed_clicks"] += 0.5 ** ((end - shown.time[r]) / DAILY.half_life)
                item["clicks"] += 1
                pair["clicks"] += 1
                categories.setdefault((label, category), Counter())["clicks"] += 1
    for name in items:
        items[name]["ctr"] = items[name]["clicks"] / items[name]["views"]
    for (label, _), count in categories.items():
        count["fraction"] = count["clicks"] / users[label]["clicks"]
    return {"user": users, "user_item": pairs, "item": items, "user_category": categories}


@pytest.mark.parametrize("window", [0, 3, -1])
def test_values_equal_the_reference(store, log, window):
    build(store, log, DAILY, until=np.inf, progress=False)
    end = [end for end, _, _ in windows(log, DAY)][window]
    for name, wanted in reference(log, end).items():
        view = store.view(name)
        found = store.snapshot(name, end + DAILY.delay).set_index(list(view.keys))
        assert set(found.index) == set(wanted)
        for key, counts in wanted.items():
            for feature in view.features:
                value = found.loc[key][feature]
                if feature == "decayed_clicks":  # as of the user's last row
                    value *= 0.5 ** ((end - found.loc[key].event_time) / DAILY.half_life)
                assert math.isclose(value, counts[feature], rel_tol=1e-12), (name, key, feature)


def test_windows_cover_the_log(log):
    last = 0
    for end, first, stop in windows(log, 6 * HOUR):
        assert first == last and stop > first and end % (6 * HOUR) == 0
        times = log.impressions.time[first:stop]
        assert (times < end).all() and (times >= end - 6 * HOUR).all()
        last = stop
    assert last == len(log.impressions)


def test_event_at_the_end_of_a_window_belongs_to_the_next():
    log = make_synthetic_log(n_articles=60, n_impressions=20, n_users=10).log
    time = log.impressions.time.copy()
    time[:10], time[10:] = 5 * DAY - 1, 5 * DAY
    log = replace(log, impressions=replace(log.impressions, time=time))
    assert list(windows(log, DAY)) == [(5 * DAY, 0, 10), (6 * DAY, 10, 20)]


def test_rows_are_known_after_the_delay_and_not_before(store, log):
    build(store, log, DAILY, until=np.inf, progress=False)
    end = next(iter(windows(log, DAY)))[0]
    assert store.snapshot("item", end + 899).empty
    assert len(store.snapshot("item", end + 900)) > 0


def test_second_run_writes_nothing(store, log, expected):
    first = build(store, log, DAILY, until=np.inf, progress=False)
    assert first == expected[1]
    assert build(store, log, DAILY, until=np.inf, progress=False) == Built(0, first.windows, 0)
    assert contents(store) == expected[0]


def test_log_that_grows(store, log, expected):
    ends = [end for end, _, _ in windows(log, DAY)]
    build(store, log.before(ends[4]), DAILY, until=np.inf, progress=False)
    assert build(store, log, DAILY, until=ends[8], progress=False) == Built(
        4,
        5,
        sum(n for end, _, n, *_ in expected[0][-1] if ends[4] < end <= ends[8]),
        waiting=int((log.impressions.time >= ends[8]).sum()),
    )
    build(store, log, DAILY, until=np.inf, progress=False)
    assert contents(store) == expected[0]


def test_another_log_is_refused(store, log, expected):
    build(store, log, DAILY, until=np.inf, progress=False)
    clicked = log.impressions.clicked.copy()
    clicked[-1] = ~clicked[-1]
    other = replace(log, impressions=replace(log.impressions, clicked=clicked))
    with pytest.raises(ValueError, match="built from this log by this schedule"):
        build(store, other, DAILY, until=np.inf, progress=False)
    assert contents(store) == expected[0]


@pytest.mark.parametrize("change", [{"width": HOUR}, {"delay": 901.0}, {"half_life": DAY}])
def test_another_schedule_is_refused(store, log, expected, change):
    build(store, log, DAILY, until=np.inf, progress=False)
    with pytest.raises(ValueError, match="built from this log by this schedule"):
        build(store, log, replace(DAILY, **change), until=np.inf, progress=False)
    assert contents(store)[:4] == expected[0][:4] or change == {"width": HOUR}


@pytest.mark.parametrize(
    "bad", [{"width": 1}, {"delay": -1}, {"half_life": 0}, {"width": math.nan}]
)
def test_bad_schedule(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        Schedule(**bad)


def fail_at(monkeypatch, n, action):
    """Let the n-th batch of rows be the one at which something happens."""
    add, calls = FeatureStore.add, iter(range(10_000))

    def fragile(self, connection, view, columns):
        if next(calls) == n:
            action()
        return add(self, connection, view, columns)

    monkeypatch.setattr(FeatureStore, "add", fragile)


@pytest.mark.parametrize("n", [0, 2, 4 * 5 + 3])
def test_interrupted_in_the_middle(store, log, expected, monkeypatch, n):
    def stop():
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        fail_at(patch, n, stop)
        with pytest.raises(KeyboardInterrupt):
            build(store, log, DAILY, until=np.inf, progress=False)
    done = contents(store)[-1]
    assert len(done) == n // 4  # whole windows, and none of the one it stopped in
    assert sum(map(len, contents(store)[:4])) == sum(rows for _, _, rows, *_ in done)
    again = build(store, log, DAILY, until=np.inf, progress=False)
    assert (again.skipped, again.windows) == (n // 4, expected[1].windows - n // 4)
    assert contents(store) == expected[0]


def test_server_that_crashes_in_the_middle(own_server, log, expected, monkeypatch):
    import os
    import signal

    import psutil

    store = FeatureStore(own_server.get_uri())

    def kill():
        process = psutil.Process(own_server.get_pid())
        os.kill(process.pid, signal.SIGQUIT)  # at once, as in a crash
        process.wait(20)

    with monkeypatch.context() as patch:
        fail_at(patch, 4 * 3 + 2, kill)
        with pytest.raises(ConnectionError, match=r"database postgresql.*nothing was half-written"):
            build(store, log, DAILY, until=np.inf, progress=False)
    with pytest.raises(ConnectionError):
        store.as_of("item", ["a"], 1.0)
    own_server.ensure_postgres_running()
    assert len(contents(store)[-1]) == 3
    assert sum(map(len, contents(store)[:4])) == sum(rows for _, _, rows, *_ in contents(store)[-1])
    build(store, log, DAILY, until=np.inf, progress=False)
    assert contents(store) == expected[0]
    store.close()


def test_disk_full_in_the_middle(tmp_path, log, monkeypatch):
    store = FeatureStore(f"sqlite:///{tmp_path / 'f.db'}")

    with store.engine.connect() as connection:  # a full disk: the file may not grow further
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 40}")
    with pytest.raises(ConnectionError, match="database or disk is full; nothing was half-written"):
        build(store, log, DAILY, until=np.inf, progress=False)
    done = contents(store)[-1]
    assert 0 < len(done) < 14
    assert sum(map(len, contents(store)[:4])) == sum(rows for _, _, rows, *_ in done)
    store.close()


def test_two_jobs_at_once_share_the_work(database, log, expected):
    results, problems = [], []

    def work():
        store = FeatureStore(database)
        try:
            results.append(build(store, log, DAILY, until=np.inf, progress=False))
        except Exception as error:
            problems.append(error)
        finally:
            store.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert sum(r.windows for r in results) == expected[1].windows
    store = FeatureStore(database)
    assert contents(store) == expected[0]
    store.close()


def test_window_written_by_another_job_is_skipped(store, log, expected, monkeypatch):
    build(store, log, DAILY, until=np.inf, progress=False)
    nothing = Ledger({}, [], -np.inf, -np.inf)
    monkeypatch.setattr(Ledger, "read", lambda *arguments: nothing)  # looked too early
    n = expected[1].windows
    assert build(store, log, DAILY, until=np.inf, progress=False) == Built(0, n, 0)
    user = log.impressions.user.copy()
    user[0] += 1
    other = replace(log, impressions=replace(log.impressions, user=user))
    with pytest.raises(ValueError, match="another job wrote the window until .* from other impres"):
        build(store, other, DAILY, until=np.inf, progress=False)
    assert contents(store) == expected[0]


def test_log_that_begins_later_is_refused(store, log, expected):
    build(store, log, DAILY, until=np.inf, progress=False)
    _, _, last = next(iter(windows(log, DAY)))
    rest = log.impressions.rows(last, len(log.impressions))
    with pytest.raises(ValueError, match="built from this log by this schedule"):
        build(store, replace(log, impressions=rest), DAILY, until=np.inf, progress=False)


def test_later_events_change_nothing_known_before(store, log):
    build(store, log, DAILY, until=np.inf, progress=False)
    time = [end for end, _, _ in windows(log, DAY)][6] + DAILY.delay
    shown = log.impressions
    later = np.repeat(shown.time >= time - DAILY.delay, np.diff(shown.start))
    changed = replace(log, impressions=replace(shown, clicked=shown.clicked ^ later))
    other = FeatureStore("sqlite://")
    build(other, changed, DAILY, until=np.inf, progress=False)
    for view in store.views:
        pd.testing.assert_frame_equal(
            store.snapshot(view, time), other.snapshot(view, time), check_exact=True
        )
    assert not store.snapshot("item", time + DAY).equals(other.snapshot("item", time + DAY))
    other.close()
