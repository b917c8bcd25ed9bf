"""Splits: the past trains, the rest tests, and no row is lost or used twice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys import (
    Interactions,
    evaluate,
    keep_known_items,
    last_fraction,
    leave_last_out,
    temporal_fold_in,
    temporal_split,
)
from recsys.models import EASE, Popularity

LOGS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 9), st.integers(0, 15)), min_size=1, max_size=60
).map(lambda rows: Interactions(*map(np.array, zip(*rows)), n_users=8, n_items=11))
FRACTIONS = st.floats(0.01, 0.99)


def rows(log):
    return sorted(zip(log.user.tolist(), log.item.tolist(), log.time.tolist()))


def assert_partition(log, train, test):
    assert sorted(rows(train) + rows(test)) == rows(log)
    for part in (train, test):
        assert (part.n_users, part.n_items) == (8, 11)


@given(LOGS)
def test_leave_last_out(log):
    train, test = leave_last_out(log)
    assert_partition(log, train, test)
    for user in range(8):
        own = [(t, i) for u, i, t in rows(log) if u == user]
        held = [(t, i) for u, i, t in rows(test) if u == user]
        assert held == ([max(own)] if len(own) > 1 else [])


@given(LOGS, FRACTIONS)
def test_last_fraction(log, fraction):
    train, test = last_fraction(log, fraction)
    assert_partition(log, train, test)
    for user in range(8):
        own = sorted((t, i) for u, i, t in rows(log) if u == user)
        held = sorted((t, i) for u, i, t in rows(test) if u == user)
        n = len(held)
        assert abs(n - len(own) * fraction) < 1 and n <= len(own) * fraction + 1e-9
        assert held == own[len(own) - n :]


@given(LOGS, FRACTIONS)
def test_temporal_split(log, fraction):
    train, test = temporal_split(log, fraction)
    assert_partition(log, train, test)
    assert len(test) >= 1 and max(train.time, default=-1) < min(test.time)
    assert len(test) >= len(log) * fraction - 1
    # Without the rows at the cutoff itself, test would be too small.
    assert (test.time > test.time.min()).sum() < max(len(log) * fraction, 1)


@given(LOGS, FRACTIONS, FRACTIONS)
def test_temporal_fold_in(log, fraction, last):
    train, history, test = temporal_fold_in(log, fraction, last=last)
    before, later = temporal_split(log, fraction)
    assert rows(train) == rows(before)
    assert_partition(log, history, test)
    assert rows(test) == rows(last_fraction(later, last)[1])
    for user in range(8):  # no history goes on after a test interaction
        known = [(t, i) for u, i, t in rows(history) if u == user]
        held = [(t, i) for u, i, t in rows(test) if u == user]
        assert not known or not held or max(known) <= min(held)


def test_new_user_is_evaluated_with_their_history():
    """User 2 is new after the cutoff; user 1 has one interaction then, which stays history."""
    user, item = [0, 0, 1, 1, 1, 2, 2], [0, 1, 0, 1, 2, 0, 1]
    log = Interactions(user, item, time=[1, 2, 3, 4, 8, 9, 10], n_items=3)
    train, history, test = temporal_fold_in(log, at=5, last=0.5)
    assert train.time.tolist() == [1, 2, 3, 4]
    assert history.time.tolist() == [1, 2, 3, 4, 8, 9] and test.time.tolist() == [10]
    for model in (EASE(reg=1.0), Popularity()):
        report = evaluate(model.fit(train).fold_in(history), history, test, k=1)
        assert report.users.tolist() == [2] and report["hit@1"] == 1
    assert temporal_fold_in(log, at=0)[0].time.tolist() == []


def test_only_the_first_log_decides_which_items_are_kept():
    """In train item 1 has two users, item 3 one with two interactions, and item 0 none."""
    info, labels = {"title": list("abcd")}, ["A", "B", "C", "D"]
    more = {"n_users": 4, "item_labels": labels, "item_info": info}
    train = Interactions([0, 1, 2, 2, 0], [1, 1, 3, 3, 2], [5, 6, 7, 8, 9], [1, 2, 3, 4, 5], **more)
    test = Interactions([2, 3, 0, 1], [1, 0, 0, 3], [10, 11, 12, 13], [6, 7, 8, 9], **more)
    kept, held = keep_known_items(train, test, least=2)
    assert (kept.user.tolist(), kept.item.tolist()) == ([0, 1], [0, 0])
    assert (kept.time.tolist(), kept.value.tolist()) == ([5, 6], [1, 2])
    assert (held.user.tolist(), held.item.tolist(), held.value.tolist()) == ([2], [0], [6])
    for log in (kept, held):
        assert (log.n_users, log.n_items, log.item_labels) == (4, 1, ["B"])
        assert log.titles.tolist() == ["b"]
    kept, held = keep_known_items(train, test, least=1)
    assert kept.titles.tolist() == ["b", "c", "d"] and held.item.tolist() == [0, 2]
    assert keep_known_items(train)[0].n_items == 0


@given(LOGS, st.randoms(use_true_random=False), FRACTIONS)
def test_the_order_of_the_rows_does_not_matter(log, random, fraction):
    order = list(range(len(log)))
    random.shuffle(order)
    shuffled = log.select(order)
    for split in (
        leave_last_out,
        lambda data: last_fraction(data, fraction),
        lambda data: temporal_split(data, fraction),
        lambda data: temporal_fold_in(data, fraction, last=fraction),
    ):
        for one, other in zip(split(log), split(shuffled)):
            assert rows(one) == rows(other)


def test_splits_by_hand():
    """Times are not sorted; user 1 has a tie at their last time; user 2 has a single row."""
    log = Interactions([0, 1, 0, 2, 1, 1, 0], [5, 3, 4, 0, 2, 1, 6], [9, 7, 2, 8, 7, 1, 5])
    train, test = leave_last_out(log)
    assert list(zip(test.user, test.item)) == [(0, 5), (1, 3)]
    assert train.item.tolist() == [4, 0, 2, 1, 6]  # the log's own order is kept
    assert sorted(last_fraction(log, 0.67)[1].item) == [2, 3, 5, 6]
    train, test = temporal_split(log, at=7)
    assert test.time.tolist() == [9, 7, 8, 7] and train.time.tolist() == [2, 1, 5]
    assert temporal_split(log, 2 / 7)[1].time.tolist() == [9, 8]
    assert len(temporal_split(log, 0.45)[1]) == 4  # the two rows at time 7 stay together


def test_exact_fractions_are_not_rounded_down():
    """k / n of n rows are k rows, though k / n is rarely exact: 1 - 0.7 is not 0.3."""
    for n in range(2, 60):
        log = Interactions([0] * n, range(n), range(n))
        for k in range(1, n):
            assert len(temporal_split(log, k / n)[1]) == len(last_fraction(log, k / n)[1]) == k


def test_duplicates_are_separate_rows():
    log = Interactions([0, 0, 0], [1, 1, 1], [5, 5, 5])
    train, test = leave_last_out(log)
    assert (len(train), len(test)) == (2, 1)
    train, test = temporal_split(log)
    assert (len(train), len(test)) == (0, 3)


def test_empty_log_splits_into_empty_logs():
    empty = Interactions([], [], [], n_users=2, n_items=3)
    for split in (leave_last_out, last_fraction, temporal_split):
        for part in split(empty):
            assert (len(part), part.n_users, part.n_items) == (0, 2, 3)
    assert [len(part) for part in temporal_fold_in(empty)] == [0, 0, 0]


def test_invalid_input_is_refused():
    log, timeless = Interactions([0, 0], [0, 1], [1, 2]), Interactions([0, 0], [0, 1])
    for split in (leave_last_out, last_fraction, temporal_split, temporal_fold_in):
        with pytest.raises(ValueError, match="^data.time must be given to split by time, got None"):
            split(timeless)
    for fraction in (0, -0.1, 1, 1.5, np.nan, np.inf, "0.2", None, True):
        got = f"got {fraction!r}"
        with pytest.raises(ValueError, match=f"^fraction must .*{got}"):
            last_fraction(log, fraction)
        with pytest.raises(ValueError, match=f"^test_fraction must .*{got}"):
            temporal_split(log, fraction)
        with pytest.raises(ValueError, match=f"^last must .*{got}"):
            temporal_fold_in(log, last=fraction)
    with pytest.raises(ValueError, match=r"^logs must be of the same items, got n_items \[2, 9\]"):
        keep_known_items(log, Interactions([], [], n_items=9))
    with pytest.raises(ValueError, match="^least must .*, got 0"):
        keep_known_items(log, least=0)
    for at in (np.nan, np.inf, "2020"):
        with pytest.raises(ValueError, match=f"^at must .*, got {at!r}"):
            temporal_split(log, at=at)


def test_logs_of_other_items_are_refused():
    train = Interactions([0, 0], [0, 1], item_labels=["x", "y"])
    test = Interactions([0, 0], [0, 1], item_labels=["y", "x"])
    with pytest.raises(ValueError, match="^the first log and another must number the same items"):
        keep_known_items(train, test)
