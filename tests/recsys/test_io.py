"""Reading logs from data frames and CSV files."""

import datetime as dt
import tracemalloc

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys import Interactions, leave_last_out

COLUMNS = {
    "who": ["bob", "ann", "bob"],
    "what": [30, 10, 20],
    "when": [5, 7, 6],
    "stars": [1.0, 4.5, 3.0],
}
NAMES = {"user": "who", "item": "what", "time": "when", "value": "stars"}


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_from_frame_reads_pandas_and_polars(frame):
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
@pytest.mark.parametrize("source", ["pandas", "polars", "array", "list"])
def test_datetimes_become_seconds_in_utc(source, zone):
    """In summer and in winter; a time without a zone is taken as UTC."""
    naive = pd.to_datetime(pd.Series(["2021-07-01 12:00:00.25", "2021-01-01 00:00:00.00"]))
    times = naive if zone is None else naive.dt.tz_localize(zone)
    expected = (times if zone else naive.dt.tz_localize("UTC")).map(dt.datetime.timestamp)
    if source == "polars":
        column = pl.Series([m.to_pydatetime() for m in naive]).dt.replace_time_zone(zone)
    elif source == "list":
        column = [time.to_pydatetime() for time in times]
    else:
        column = times
    if source in ("array", "list"):
        log = Interactions([0, 1], [0, 1], time=np.asarray(column) if source == "array" else column)
    else:
        frame = pd.DataFrame if source == "pandas" else pl.DataFrame
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
def test_invalid_frames_are_refused(frame, changes, names, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        Interactions.from_frame(frame(COLUMNS | changes), **(NAMES | names))


@pytest.mark.parametrize("separator", [",", "\t", "|"])
def test_from_csv_equals_from_frame(separator, tmp_path):
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
        ("a,b\n1,2\n,3\n", {}, "user labels must not be missing, got None in row 1"),
        ("a,b\nx,2\n,3\n", {}, "user labels must not be missing, got None in row 1"),
        ("a,b\n1,2\n3,x\n", {"value": "b"}, "value must hold numbers"),
        ("a,b\n1,2\n3\n", {"value": "b"}, "item labels must not be missing, got None in row 1"),
    ],
)
def test_invalid_csv_files_are_refused(text, names, message, tmp_path):
    (tmp_path / "log.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        Interactions.from_csv(tmp_path / "log.csv", **({"user": "a", "item": "b"} | names))


def test_error_names_a_missing_csv_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing.csv"):
        Interactions.from_csv(tmp_path / "missing.csv", "a", "b")


@given(st.lists(st.integers(-3, 40), min_size=1), st.integers(-(2**62), 2**62))
@pytest.mark.parametrize("dtype", [np.int64, object])
def test_labels_are_numbered_in_sorted_order(dtype, labels, shift):
    labels = [label + shift for label in labels]
    frame = pd.DataFrame({"who": np.array(labels, dtype), "what": 0})
    log = Interactions.from_frame(frame, "who", "what")
    assert log.user_labels == sorted(set(labels))
    assert [log.user_labels[u] for u in log.user] == labels


@pytest.mark.parametrize(
    "texts, labels",
    [
        (["7", "10", "-3", "0"], [-3, 0, 7, 10]),
        (["007", "7"], ["007", "7"]),
        (["+7", "7"], ["+7", "7"]),
        (["-0", "0"], ["-0", "0"]),
        (["12e3", "12000"], ["12000", "12e3"]),
        (["1.0", "1"], ["1", "1.0"]),
        (['"007"', '"7"'], ["007", "7"]),
        (['"8"', '"7"'], [7, 8]),
        (["9223372036854775807", "5"], [5, 9223372036854775807]),
        (["9223372036854775808", "5"], ["5", "9223372036854775808"]),
        (["18446744073709551616", "5"], ["18446744073709551616", "5"]),
        ([" 7", "7"], [" 7", "7"]),
        (["true", "false"], ["false", "true"]),
    ],
)
def test_csv_ids_are_integers_only_if_all_are_written_as_such(texts, labels, tmp_path):
    rows = "".join(f"{text},1\n" for text in texts)
    (tmp_path / "log.csv").write_text("a,b\n" + rows)
    log = Interactions.from_csv(tmp_path / "log.csv", "a", "b")
    assert log.user_labels == labels and log.item_labels == [1]
    assert [type(x) for x in log.user_labels] == [type(x) for x in labels]
    written = [text.strip('"') for text in texts]
    assert [str(log.user_labels[u]) for u in log.user] == written


def test_one_id_that_is_no_integer_in_a_long_file_makes_all_text(tmp_path):
    """It comes after the rows from which a reader would guess the type."""
    ids = [*map(str, range(5000)), "0042"]
    (tmp_path / "log.csv").write_text("a,b\n" + "".join(f"{i},1\n" for i in ids))
    log = Interactions.from_csv(tmp_path / "log.csv", "a", "b")
    assert log.n_users == 5001 and set(log.user_labels) == set(ids)


def test_csv_times_in_milliseconds(tmp_path):
    (tmp_path / "log.csv").write_text("a,b,t\nx,1,1600000000500\n")
    with pytest.raises(ValueError, match="^time must be in seconds, got 1.6e.12"):
        Interactions.from_csv(tmp_path / "log.csv", "a", "b", "t")
    log = Interactions.from_csv(tmp_path / "log.csv", "a", "b", "t", unit="ms")
    assert log.time.tolist() == [1600000000.5]


@pytest.mark.parametrize("form", ["frame", "series", "index"])
def test_times_with_a_zone_are_not_read_one_object_at_a_time(form):
    """An object takes more than 100 bytes, and 200 times as long."""
    n = 20_000
    times = pd.date_range("2021-01-01", periods=n, freq="h", tz="Asia/Tokyo")
    frame = pd.DataFrame({"who": 1, "what": 1, "when": times})
    column, zeros = frame["when"] if form == "series" else times, np.zeros(n, np.int32)
    tracemalloc.start()
    if form == "frame":
        log = Interactions.from_frame(frame, "who", "what", "when")
    else:
        log = Interactions(zeros, zeros, column)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert log.time.tolist() == (1609426800 + 3600 * np.arange(n)).tolist()
    assert peak < 100 * n


# --- logs numbered like another ---------------------------------------------------------------

TRAIN = Interactions.from_frame(pd.DataFrame(COLUMNS), **NAMES)  # users ann bob, items 10 20 30
LATER = {"who": ["bob", "eve", "ann", "bob"], "what": [20, 10, 99, 10], "when": [8, 9, 10, 11]}
LATER_NAMES = {"user": "who", "item": "what", "time": "when"}


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_a_log_is_numbered_like_another(frame):
    known = frame({name: [column[0], column[3]] for name, column in LATER.items()})
    log = Interactions.from_frame(known, **LATER_NAMES, like=TRAIN)
    assert (log.user.tolist(), log.item.tolist(), log.time.tolist()) == ([1, 1], [1, 0], [8, 11])
    assert (log.n_users, log.n_items, log.n_dropped) == (2, 3, 0)
    assert (log.user_labels, log.item_labels) == (["ann", "bob"], [10, 20, 30])
    alone = Interactions.from_frame(known, **LATER_NAMES)
    assert (alone.user.tolist(), alone.item.tolist()) == ([0, 0], [1, 0])  # what like= prevents


def test_unknown_labels_raise_by_default():
    with pytest.raises(ValueError, match="^user 'eve' must be in like; known are 'ann', 'bob'"):
        Interactions.from_frame(pd.DataFrame(LATER), **LATER_NAMES, like=TRAIN)
    users = pd.DataFrame(LATER).query("who != 'eve'")
    with pytest.raises(ValueError, match="^item 99 must be in like; known are 10, 20, 30"):
        Interactions.from_frame(users, **LATER_NAMES, like=TRAIN)


def test_rows_of_unknown_labels_are_dropped_and_counted(capsys):
    log = Interactions.from_frame(pd.DataFrame(LATER), **LATER_NAMES, like=TRAIN, unknown="drop")
    assert (log.user.tolist(), log.item.tolist(), log.time.tolist()) == ([1, 1], [1, 0], [8, 11])
    assert (log.n_users, log.n_items, log.n_dropped) == (2, 3, 2)
    log.summary()
    assert capsys.readouterr().out.endswith("\n2 rows of unknown users or items were dropped\n")
    assert log.select([0]).n_dropped == 0


def test_unknown_labels_are_added_after_the_known_ones():
    log = Interactions.from_frame(pd.DataFrame(LATER), **LATER_NAMES, like=TRAIN, unknown="add")
    assert log.user_labels == ["ann", "bob", "eve"] and log.item_labels == [10, 20, 30, 99]
    assert (log.user.tolist(), log.item.tolist()) == ([1, 2, 0, 1], [1, 0, 3, 0])
    assert (log.n_users, log.n_items, log.n_dropped) == (3, 4, 0)
    assert TRAIN.user_labels == ["ann", "bob"]  # untouched


def test_a_log_without_labels_is_its_own_numbering():
    like = Interactions([0, 1], [4, 0])
    frame = pd.DataFrame({"u": [1, 7], "i": [4, 2]})
    log = Interactions.from_frame(frame, "u", "i", like=like, unknown="drop")
    assert (log.user.tolist(), log.item.tolist(), log.n_items) == ([1], [4], 5)
    assert log.user_labels is None and log.n_dropped == 1
    more = Interactions.from_frame(frame, "u", "i", like=like, unknown="add")
    assert more.user_labels == [0, 1, 7] and more.user.tolist() == [1, 2]
    assert more.item_labels is None


def test_what_is_known_about_the_items_is_taken_over():
    like = Interactions([0], [1], item_labels=["x", "y"], item_info={"title": ["Xanadu", "Yes"]})
    known = pd.DataFrame({"u": [0], "i": ["y"]})
    assert Interactions.from_frame(known, "u", "i", like=like).titles.tolist() == ["Xanadu", "Yes"]
    new = pd.DataFrame({"u": [0], "i": ["z"]})
    log = Interactions.from_frame(new, "u", "i", like=like, unknown="add")
    assert log.item_info == {} and log.titles.tolist() == ["x", "y", "z"]


@pytest.mark.parametrize(
    "labels, rows, expected",
    [
        ([5, 7], "7,1\n5,1\n", [1, 0]),
        (["5", "7"], "7,1\n5,1\n", [1, 0]),
        (["007", "7"], "7,1\n", [1]),
        ([5, 7], "x,1\n7,1\n007,1\n", [1]),
    ],
)
def test_csv_labels_take_the_type_of_the_known_ones(labels, rows, expected, tmp_path):
    """One row of text must not turn all other labels into text that nobody knows."""
    like = Interactions([0, 1], [0, 0], user_labels=labels, item_labels=[1])
    (tmp_path / "log.csv").write_text("a,b\n" + rows)
    log = Interactions.from_csv(tmp_path / "log.csv", "a", "b", like=like, unknown="drop")
    assert log.user.tolist() == expected
    assert log.n_dropped == rows.count("\n") - len(expected)


def test_the_types_of_labels_in_a_frame_are_taken_as_they_are():
    like = Interactions([0, 1], [0, 0], user_labels=["5", "7"])
    with pytest.raises(ValueError, match="^user 7 must be in like; known are '5', '7'"):
        Interactions.from_frame(pd.DataFrame({"u": [7], "i": [0]}), "u", "i", like=like)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"unknown": "drop"}, "unknown must be 'raise', 'drop' or 'add', .* got 'drop'"),
        ({"like": TRAIN, "unknown": "skip"}, "unknown must be 'raise', .* got 'skip'"),
        ({"like": ["ann"]}, "like must be Interactions, got list"),
    ],
)
def test_wrong_like_and_unknown_are_refused(options, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        Interactions.from_frame(pd.DataFrame(LATER), **LATER_NAMES, **options)


def test_a_lazy_frame_is_refused_by_name():
    with pytest.raises(ValueError, match="^frame must be a pandas or polars .*, got LazyFrame"):
        Interactions.from_frame(pl.LazyFrame({"u": [1], "i": [2]}), "u", "i")
