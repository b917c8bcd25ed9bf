"""Interactions: what goes in comes out, and nothing else goes in."""

import datetime as dt
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys import Interactions, leave_last_out

ROWS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 12), st.integers(-5, 2**40), st.integers(-8, 8)),
    max_size=60,
)


@given(rows=ROWS, seed=st.integers(0, 99))
def test_a_log_gives_back_what_it_was_given(rows, seed):
    user, item, time, value = (np.array(c) for c in zip(*rows)) if rows else [np.empty(0)] * 4
    log = Interactions(user, item, time, value, n_users=10, n_items=13)
    assert len(log) == len(rows)
    columns = [log.user, log.item, log.time, log.value]
    for column, given_column in zip(columns, (user, item, time, value)):
        assert column.tolist() == given_column.tolist()
    assert [column.dtype for column in columns] == [np.int32, np.int32, np.float64, np.float32]
    dense = np.zeros((10, 13))
    np.add.at(dense, (log.user, log.item), value)
    assert log.matrix.toarray().tolist() == dense.tolist()
    assert log.matrix.nnz == len(set(zip(user, item)))
    order = np.random.default_rng(seed).permutation(len(rows))
    shuffled = log.select(order)
    assert shuffled.user.tolist() == user[order].tolist()
    assert shuffled.fingerprint == log.fingerprint
    assert shuffled.matrix.toarray().tolist() == dense.tolist()


@given(rows=ROWS.filter(bool), place=st.integers(0, 59), column=st.integers(0, 3))
def test_any_change_changes_the_fingerprint(rows, place, column):
    columns = [np.array(c) for c in zip(*rows)]
    log = Interactions(*columns, n_users=11, n_items=14)
    columns[column][place % len(rows)] += 1
    assert Interactions(*columns, n_users=11, n_items=14).fingerprint != log.fingerprint
    assert Interactions(*columns, n_users=12, n_items=14).fingerprint != log.fingerprint
    shorter = log.select(np.arange(len(rows) - 1))
    assert shorter.fingerprint != log.fingerprint


def test_what_a_log_knows():
    log = Interactions([1, 0, 1, 1], [2, 0, 2, 1])
    assert (log.n_users, log.n_items, log.time, log.value) == (2, 3, None, None)
    assert log.matrix.toarray().tolist() == [[1, 0, 0], [0, 1, 2]]  # duplicates are counted
    assert log.matrix.has_canonical_format and log.matrix.dtype == np.float32
    assert log.titles.tolist() == ["item 0", "item 1", "item 2"]
    assert repr(log) == "Interactions(4 rows, 2 users, 3 items)"
    timed = Interactions([0], [0], [1], [2], item_labels=["x", "y"])
    assert repr(timed) == "Interactions(1 rows, 1 users, 2 items, with time and value)"
    assert timed.titles.tolist() == ["x", "y"]
    titled = Interactions([0], [0], item_labels=["x"], item_info={"title": ["Xanadu"]})
    assert titled.titles.tolist() == ["Xanadu"]
    assert Interactions([0], [0]).fingerprint != Interactions([0], [0], [0]).fingerprint
    assert Interactions([0], [0], [0]).fingerprint != Interactions([0], [0], None, [0]).fingerprint


def test_a_pair_whose_values_sum_to_zero_has_met():
    log = Interactions([0, 0, 1], [0, 0, 1], value=[2, -2, 0])
    assert log.matrix.nnz == 2 and log.matrix.sum() == 0


def test_sums_do_not_depend_on_the_order_of_the_rows():
    """Float sums do, unless they are made in one fixed order."""
    rng = np.random.default_rng(0)
    log = Interactions(rng.integers(5, size=500), rng.integers(5, size=500), None, rng.random(500))
    for seed in range(5):
        shuffled = log.select(np.random.default_rng(seed).permutation(500))
        assert shuffled.matrix.data.tobytes() == log.matrix.data.tobytes()


@pytest.mark.parametrize("rows", [[True, False], [7], [-9], [0.5]])
def test_a_selection_of_rows_that_are_not_there_is_refused(rows):
    with pytest.raises(ValueError, match="^rows must name some of 4 rows"):
        Interactions([0, 0, 1, 2], [0, 1, 1, 3]).select(rows)


def test_a_log_cannot_be_edited():
    log = Interactions([0], [0], [1], [2])
    for column in (log.user, log.item, log.time, log.value):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 5
    part = log.select([0])
    with pytest.raises(ValueError, match="read-only"):
        part.user[0] = 5


def test_summary_prints_three_lines(capsys):
    Interactions([0, 0, 1], [0, 0, 1], [1.6e9, 1.5e9, 1.7e9]).summary()
    Interactions([0, 1], [0, 1], [5, 3]).summary()
    Interactions([], []).summary()
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "3 interactions of 2 users with 2 items",
        "2 different pairs: 50.00% of the user-item matrix is filled",
        "from 2017-07-14 to 2023-11-14 (UTC)",
        "2 interactions of 2 users with 2 items",
        "2 different pairs: 50.00% of the user-item matrix is filled",
        "times 3 to 5",
        "0 interactions of 0 users with 0 items",
        "0 different pairs: 0.00% of the user-item matrix is filled",
        "no times",
    ]


def test_a_selection_keeps_sizes_and_labels():
    labels = {"user_labels": ["a", "b", "c"], "item_labels": ["x", "y"]}
    log = Interactions([0, 1, 2], [0, 1, 0], [3, 2, 1], [1, 2, 3], **labels)
    log.matrix, log.fingerprint  # noqa: B018  built, so that a stale copy would show
    for rows in ([2, 0], np.array([True, False, True])):
        part = log.select(rows)
        assert (part.n_users, part.n_items, part.user_labels) == (3, 2, ["a", "b", "c"])
        assert sorted(part.user.tolist()) == [0, 2] and part.item_ids(["y"]).tolist() == [1]
        assert part.matrix.toarray().tolist() == [[1, 0], [0, 0], [3, 0]]
        assert part.fingerprint != log.fingerprint


def test_positives_forget_the_values():
    log = Interactions([0, 1, 2], [0, 1, 0], value=[3.5, 4, 5])
    liked = log.positives(4)
    assert (liked.user.tolist(), liked.value) == ([1, 2], None)
    assert liked.matrix.toarray().tolist() == [[0, 0], [0, 1], [1, 0]]
    with pytest.raises(ValueError, match="^positives needs values, and this log has none"):
        liked.positives(4)
    with pytest.raises(ValueError, match="^min_value must be .*, got nan"):
        log.positives(np.nan)


# --- bad input ------------------------------------------------------------------------------


@pytest.mark.parametrize("argument", ["user", "item"])
@pytest.mark.parametrize(
    "ids, message",
    [
        ([0, -1], "must hold ids between 0 and 2147483647, got -1$"),
        ([0, 2**31], "must hold ids between 0 and 2147483647, got 2147483648$"),
        ([0, 2**63], "must hold .*, got "),
        ([0, 1.5], "must hold whole-number ids, got 1.5$"),
        ([0, np.nan], "must hold whole-number ids, got nan$"),
        ([0, np.inf], "must hold whole-number ids, got inf$"),
        (["a", "b"], "must hold whole-number ids, got values of type <U1; .*from_frame"),
        ([None, 1], "must hold whole-number ids, got values of type object"),
        ([True, False], "must hold whole-number ids, got values of type bool"),
        ([[0, 1]], r"must be one-dimensional, got shape \(1, 2\)"),
        (3, r"must be one-dimensional, got shape \(\)"),
    ],
)
def test_wrong_ids_are_refused(argument, ids, message):
    columns = {"user": [0, 1], "item": [0, 1]} | {argument: ids}
    with pytest.raises(ValueError, match=f"^{argument} {message}"):
        Interactions(**columns)


@pytest.mark.parametrize("argument", ["time", "value"])
@pytest.mark.parametrize(
    "numbers, message",
    [
        ([0, np.nan], "must be finite, got nan in row 1"),
        ([np.inf, 0], "must be finite, got inf in row 0"),
        ([0, -np.inf], "must be finite, got -inf in row 1"),
        ([0], r"must have one entry per row, shape \(2,\), got \(1,\)"),
        ([[0, 1]], r"must have one entry per row, shape \(2,\), got \(1, 2\)"),
        (["a", "b"], "must hold numbers, got values of type <U1"),
        ([None, 1], "must hold numbers, got values of type object"),
        ([1j, 0], "must hold numbers, got values of type complex128"),
    ],
)
def test_wrong_times_and_values_are_refused(argument, numbers, message):
    with pytest.raises(ValueError, match=f"^{argument} {message}"):
        Interactions([0, 1], [0, 1], **{argument: numbers})


@pytest.mark.parametrize(
    "options, message",
    [
        ({"item": [0]}, "user and item must be equally long, got 2 and 1"),
        ({"n_users": 1}, "user must hold ids between 0 and 0, got 1$"),
        ({"n_items": 1}, "item must hold ids between 0 and 0, got 1$"),
        ({"n_users": -1}, "n_users must be between 0 and 2147483647, got -1"),
        ({"n_users": 2.0}, "n_users must be a whole number, got 2.0"),
        ({"n_items": 2**31}, "n_items must be between 0 and 2147483647, got 2147483648"),
        ({"user_labels": ["a"]}, "user must hold ids between 0 and 0, got 1$"),
        ({"user_labels": [["a"], "b"]}, "user_labels must be hashable, got ['a']"),
        ({"value": [0, 1e39]}, "value must be finite, got 1e+39 in row 1"),
        ({"user_labels": ["a", "a"]}, "user_labels must all be different, got 'a' twice"),
        ({"item_labels": ["a", "b", "a"]}, "item_labels must all be different, got 'a' twice"),
        ({"item_labels": ["a"], "n_items": 2}, "item_labels must hold n_items = 2 labels, got 1"),
        (
            {"item_info": {"title": ["a"]}},
            "item_info['title'] must have n_items = 2 entries, got 1",
        ),
        (
            {"time": np.array(["2020-01-01", "NaT"], "datetime64[s]")},
            "time must be finite, got NaT",
        ),
    ],
)
def test_sizes_and_labels_that_disagree_are_refused(options, message):
    message = re.sub(r"([\[\]+])", r"\\\1", message)
    with pytest.raises(ValueError, match=f"^{message}"):
        Interactions(**{"user": [0, 1], "item": [0, 1]} | options)


def test_whole_floats_are_ids_and_an_empty_log_is_a_log():
    assert Interactions([0.0, 2.0], [1, 0]).user.tolist() == [0, 2]
    empty = Interactions([], [])
    assert (len(empty), empty.n_users, empty.n_items, empty.matrix.shape) == (0, 0, 0, (0, 0))
    assert Interactions([], [], n_users=3, n_items=2).matrix.shape == (3, 2)


def test_labels_lead_to_ids_and_back():
    log = Interactions([0, 1], [1, 0], user_labels=["ann", "bob"], item_labels=np.array([70, 50]))
    assert log.user_ids(["bob", "ann", "bob"]).tolist() == [1, 0, 1]
    assert log.item_ids([50]).tolist() == [1] and log.item_ids([50]).dtype == np.int32
    assert log.item_labels == [70, 50] and type(log.item_labels[0]) is int
    unlabelled = Interactions([0, 1], [1, 0])
    assert unlabelled.user_ids([1, 0]).tolist() == [1, 0]
    for call, message in [
        (lambda: log.user_ids(["ann", "eve"]), "unknown user 'eve'; known are 'ann', 'bob'"),
        (lambda: log.item_ids([51]), "unknown item 51; known are 70, 50"),
        (lambda: log.item_ids([[50]]), r"unknown item \[50\]; known are 70, 50"),
        (lambda: unlabelled.user_ids([2]), "unknown user 2; known are 0, 1"),
    ]:
        with pytest.raises(ValueError, match=f"^{message}"):
            call()


# --- data frames ----------------------------------------------------------------------------

COLUMNS = {
    "who": ["bob", "ann", "bob"],
    "what": [30, 10, 20],
    "when": [5, 7, 6],
    "stars": [1.0, 4.5, 3.0],
}
NAMES = {"user": "who", "item": "what", "time": "when", "value": "stars"}


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_a_frame_becomes_a_log(frame):
    log = Interactions.from_frame(frame(COLUMNS), **NAMES)
    assert (log.user.tolist(), log.item.tolist()) == ([1, 0, 1], [2, 0, 1])
    assert (log.time.tolist(), log.value.tolist()) == ([5, 7, 6], [1, 4.5, 3])
    assert (log.user_labels, log.item_labels) == (["ann", "bob"], [10, 20, 30])
    assert log.user_ids(COLUMNS["who"]).tolist() == log.user.tolist()
    bare = Interactions.from_frame(frame(COLUMNS), "who", "what")
    assert bare.time is None and bare.value is None
    train, test = leave_last_out(log)
    assert (test.user.tolist(), test.item.tolist()) == ([1], [1])


@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("kind", ["pandas", "polars", "array", "list"])
def test_moments_become_seconds_in_utc(kind, zone):
    """A summer and a winter moment; one without a zone is taken as UTC."""
    naive = pd.to_datetime(pd.Series(["2021-07-01 12:00:00.25", "2021-01-01 00:00:00.00"]))
    moments = naive if zone is None else naive.dt.tz_localize(zone)
    expected = (moments if zone else naive.dt.tz_localize("UTC")).map(dt.datetime.timestamp)
    if kind == "polars":
        column = pl.Series([m.to_pydatetime() for m in naive]).dt.replace_time_zone(zone)
    elif kind == "list":
        column = [moment.to_pydatetime() for moment in moments]
    else:
        column = moments
    if kind in ("array", "list"):
        log = Interactions([0, 1], [0, 1], time=np.asarray(column) if kind == "array" else column)
    else:
        frame = pd.DataFrame if kind == "pandas" else pl.DataFrame
        table = frame({"who": ["a", "b"], "what": [1, 2], "when": column})
        log = Interactions.from_frame(table, "who", "what", "when")
    assert log.time.tolist() == expected.tolist()
    if zone is None:
        assert log.time.tolist() == [1625140800.25, 1609459200.0]


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize(
    "changes, names, message",
    [
        ({}, {"user": "name"}, r"user must be one of \['who', 'what', .*\], got 'name'"),
        ({}, {"value": "rating"}, "value must be one of .*, got 'rating'"),
        ({"who": ["bob", None, "ann"]}, {}, "user labels must not be missing, got None in row 1"),
        ({"what": [1.0, 2.0, None]}, {}, "item labels must not be missing, got .*nan.* in row 2"),
        ({"when": [1.0, None, 2.0]}, {}, "time must be finite, got nan in row 1"),
        ({"stars": [1.0, None, 2.0]}, {}, "value must be finite, got nan in row 1"),
        ({"stars": [1.0, float("inf"), 2.0]}, {}, "value must be finite, got .*inf.* in row 1"),
        ({"when": ["1", "2", "3"]}, {}, "time must hold numbers, got values of type"),
        ({"when": [dt.datetime(2020, 1, 1), None, None]}, {}, "time must be finite, got NaT"),
    ],
)
def test_a_frame_with_gaps_is_refused(frame, changes, names, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        Interactions.from_frame(frame(COLUMNS | changes), **(NAMES | names))


@pytest.mark.parametrize("separator", [",", "\t", "|"])
def test_a_csv_file_reads_as_its_frame_does(separator, tmp_path):
    frame = pd.DataFrame(COLUMNS)
    frame.to_csv(tmp_path / "log.csv", sep=separator, index=False)
    frame = pd.read_csv(tmp_path / "log.csv", sep=separator)
    names = {name: column for name, column in NAMES.items() if name != "time"}
    log = Interactions.from_csv(tmp_path / "log.csv", **names, separator=separator)
    expected = Interactions.from_frame(frame, **names)
    assert (log.user_labels, log.item_labels) == (expected.user_labels, expected.item_labels)
    assert log.fingerprint == expected.fingerprint and len(log) == len(frame)


@pytest.mark.parametrize(
    "text, names, message",
    [
        ("", {}, "log.csv must be a CSV file with a header"),
        ("a,b\n1,2\n", {"item": "c"}, r"item must be one of \['a', 'b'\], got 'c'"),
        ("a,b\n1,2\n,3\n", {}, "user labels must not be missing, got .*nan.* in row 1"),
        ("a,b\nx,2\n,3\n", {}, "user labels must not be missing, got None in row 1"),
        ("a,b\n1,2\n3,x\n", {"value": "b"}, "value must hold numbers"),
        ("a,b\n1,2\n3\n", {"value": "b"}, "item labels must not be missing, got .*nan.* in row 1"),
    ],
)
def test_a_csv_file_with_gaps_is_refused(text, names, message, tmp_path):
    (tmp_path / "log.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        Interactions.from_csv(tmp_path / "log.csv", **({"user": "a", "item": "b"} | names))


def test_a_csv_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.csv"):
        Interactions.from_csv(tmp_path / "nowhere.csv", "a", "b")


@given(st.lists(st.integers(-3, 40), min_size=1), st.integers(-(2**62), 2**62))
@pytest.mark.parametrize("kind", [np.int64, object])
def test_labels_are_numbered_in_sorted_order(kind, labels, shift):
    labels = [label + shift for label in labels]
    frame = pd.DataFrame({"who": np.array(labels, kind), "what": 0})
    log = Interactions.from_frame(frame, "who", "what")
    assert log.user_labels == sorted(set(labels))
    assert [log.user_labels[u] for u in log.user] == labels
