"""Reading logs from data frames and CSV files."""

import datetime as dt

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
        ("a,b\n1,2\n,3\n", {}, "user labels must not be missing, got .*nan.* in row 1"),
        ("a,b\nx,2\n,3\n", {}, "user labels must not be missing, got None in row 1"),
        ("a,b\n1,2\n3,x\n", {"value": "b"}, "value must hold numbers"),
        ("a,b\n1,2\n3\n", {"value": "b"}, "item labels must not be missing, got .*nan.* in row 1"),
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
