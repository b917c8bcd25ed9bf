"""Interactions: the log holds its input unchanged, and invalid input is refused."""

import copy
import pickle
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys import Interactions

ROWS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 12), st.integers(-5, 2**36), st.integers(-8, 8)),
    max_size=60,
)


@given(rows=ROWS, seed=st.integers(0, 99))
def test_log_holds_the_given_columns(rows, seed):
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


@given(rows=ROWS.filter(bool), row=st.integers(0, 59), column=st.integers(0, 3))
def test_any_change_changes_the_fingerprint(rows, row, column):
    columns = [np.array(c) for c in zip(*rows)]
    log = Interactions(*columns, n_users=11, n_items=14)
    columns[column][row % len(rows)] += 1
    assert Interactions(*columns, n_users=11, n_items=14).fingerprint != log.fingerprint
    assert Interactions(*columns, n_users=12, n_items=14).fingerprint != log.fingerprint
    shorter = log.select(np.arange(len(rows) - 1))
    assert shorter.fingerprint != log.fingerprint


def test_sizes_matrix_titles_and_repr():
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


def test_pair_whose_values_sum_to_zero_is_stored():
    log = Interactions([0, 0, 1], [0, 0, 1], value=[2, -2, 0])
    assert log.matrix.nnz == 2 and log.matrix.sum() == 0


def test_sums_do_not_depend_on_the_order_of_the_rows():
    """Sums of floats do, unless they are computed in a fixed order."""
    rng = np.random.default_rng(0)
    log = Interactions(rng.integers(5, size=500), rng.integers(5, size=500), None, rng.random(500))
    for seed in range(5):
        shuffled = log.select(np.random.default_rng(seed).permutation(500))
        assert shuffled.matrix.data.tobytes() == log.matrix.data.tobytes()


@pytest.mark.parametrize("rows", [[True, False], [7], [-9], [0.5]])
def test_selection_of_missing_rows_is_refused(rows):
    with pytest.raises(ValueError, match="^rows must name some of 4 rows"):
        Interactions([0, 0, 1, 2], [0, 1, 1, 3]).select(rows)


def test_log_is_read_only():
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


def test_selection_keeps_sizes_and_labels():
    labels = {"user_labels": ["a", "b", "c"], "item_labels": ["x", "y"]}
    log = Interactions([0, 1, 2], [0, 1, 0], [3, 2, 1], [1, 2, 3], **labels)
    log.matrix, log.fingerprint  # noqa: B018  built, so that a stale copy would show
    for rows in ([2, 0], np.array([True, False, True])):
        part = log.select(rows)
        assert (part.n_users, part.n_items, part.user_labels) == (3, 2, ["a", "b", "c"])
        assert sorted(part.user.tolist()) == [0, 2] and part.item_ids(["y"]).tolist() == [1]
        assert part.matrix.toarray().tolist() == [[1, 0], [0, 0], [3, 0]]
        assert part.fingerprint != log.fingerprint


def test_positives_have_no_values():
    log = Interactions([0, 1, 2], [0, 1, 0], value=[3.5, 4, 5])
    liked = log.positives(4)
    assert (liked.user.tolist(), liked.value) == ([1, 2], None)
    assert liked.matrix.toarray().tolist() == [[0, 0], [0, 1], [1, 0]]
    with pytest.raises(ValueError, match="^positives needs values, and this log has none"):
        liked.positives(4)
    with pytest.raises(ValueError, match="^min_value must be .*, got nan"):
        log.positives(np.nan)


# --- invalid input ------------------------------------------------------------------------------


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
def test_invalid_ids_are_refused(argument, ids, message):
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
def test_invalid_times_and_values_are_refused(argument, numbers, message):
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
        ({"user_labels": "ab"}, "user_labels must be a sequence of labels, got 'ab'"),
        ({"user_labels": {"a": 0, "b": 1}}, "user_labels must be a sequence of labels, got {'a'"),
        ({"item_labels": {"a"}}, "item_labels must be a sequence of labels, got {'a'}"),
        ({"user_labels": ["a", np.nan]}, "user_labels must not be missing, got nan"),
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
def test_inconsistent_sizes_and_labels_are_refused(options, message):
    message = re.sub(r"([\[\]+])", r"\\\1", message)
    with pytest.raises(ValueError, match=f"^{message}"):
        Interactions(**{"user": [0, 1], "item": [0, 1]} | options)


def test_integral_floats_are_ids_and_a_log_may_be_empty():
    assert Interactions([0.0, 2.0], [1, 0]).user.tolist() == [0, 2]
    empty = Interactions([], [])
    assert (len(empty), empty.n_users, empty.n_items, empty.matrix.shape) == (0, 0, 0, (0, 0))
    assert Interactions([], [], n_users=3, n_items=2).matrix.shape == (3, 2)


def test_labels_map_to_ids():
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


@pytest.mark.parametrize("labels", ["ann", b"ann", {"ann", "bob"}, {"ann": 1}])
def test_only_a_sequence_of_labels_is_looked_up(labels):
    log = Interactions([0, 1], [1, 0], user_labels=["a", "n"])
    with pytest.raises(ValueError, match="^labels must be a sequence of labels, got "):
        log.user_ids(labels)


# --- ownership ------------------------------------------------------------------------------


def read_only_view(array):
    view = array.view()
    view.setflags(write=False)
    return view


@pytest.mark.parametrize("given", [np.asarray, read_only_view, pd.Series])
def test_writing_to_the_given_arrays_does_not_change_the_log(given):
    """The arrays have the types that a log stores, so that nothing forces a copy."""
    columns = [np.array([0, 1], dtype) for dtype in (np.int32, np.int32, np.float64, np.float32)]
    features = np.array([[1.0], [2.0]])
    log = Interactions(*map(given, columns), item_info={"size": read_only_view(features)})
    for array in (*columns, features):
        array[:] = 9
    assert [column.tolist() for column in (log.user, log.item, log.time, log.value)] == [[0, 1]] * 4
    assert log.item_info["size"].tolist() == [[1.0], [2.0]]


@pytest.mark.parametrize("copy_on_write", [False, True])
def test_writing_to_a_pandas_frame_does_not_change_the_log(copy_on_write):
    types = {"user": np.int32, "item": np.int32, "time": np.float64, "value": np.float32}
    with pd.option_context("mode.copy_on_write", copy_on_write):
        columns = {name: np.array([0, 1], dtype) for name, dtype in types.items()}
        frame = pd.DataFrame(columns, copy=False)
        log = Interactions.from_frame(frame, *types)
        direct = Interactions(*(frame[name] for name in types))
        for name, array in columns.items():
            array[:] = 9  # the memory that the frame shows, or its copy
            frame.loc[0, name] = 8
    for one in (log, direct):
        assert [c.tolist() for c in (one.user, one.item, one.time, one.value)] == [[0, 1]] * 4


def test_writing_to_the_memory_of_a_polars_frame_does_not_change_the_log():
    time = np.array([3.0, 4.0])
    frame = pl.DataFrame({"user": [0, 1], "item": [0, 1], "time": time})
    log = Interactions.from_frame(frame, "user", "item", "time")
    assert not np.shares_memory(log.time, frame["time"].to_numpy())
    time[:] = 9
    assert log.time.tolist() == [3, 4]


def arrays_of(log):
    yield from (log.user, log.item, log.time, log.value, log.titles, *log.item_info.values())
    yield from (log.matrix.data, log.matrix.indices, log.matrix.indptr)


@pytest.mark.parametrize("way", ["made", "selected", "pickled", "copied", "deep copied"])
def test_nothing_in_a_log_can_be_written_to(way):
    log = Interactions([0, 1], [1, 0], [1, 2], [3, 4], item_info={"size": [1, 2]})
    assert log.matrix.sum() == 7 and log.titles[0] == "item 0"  # built before
    log = {
        "made": lambda: log,
        "selected": lambda: log.select([1, 0]),
        "pickled": lambda: pickle.loads(pickle.dumps(log)),
        "copied": lambda: copy.copy(log),
        "deep copied": lambda: copy.deepcopy(log),
    }[way]()
    for array in arrays_of(log):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        log.matrix[0, 1] = 5
    with pytest.raises(ValueError, match="read-only"):
        log.matrix.data *= 2
    assert log.matrix.toarray().tolist() == [[0, 3], [4, 0]]


@pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")
def test_a_new_cell_cannot_be_written_into_the_matrix():
    log = Interactions([0, 1], [1, 0])
    with pytest.raises(ValueError, match="read-only"):
        log.matrix[0, 0] = 5
    assert log.matrix.toarray().tolist() == [[0, 1], [1, 0]]


def test_scipy_computes_with_the_read_only_matrix():
    log = Interactions([0, 0, 1], [1, 2, 0], value=[2, 3, 4])
    dense = np.array([[0, 2, 3], [4, 0, 0]])
    m = log.matrix
    assert (m @ m.T).toarray().tolist() == (dense @ dense.T).tolist()
    assert m[[1, 0]].toarray().tolist() == dense[[1, 0]].tolist()
    assert m.T.tocsr().toarray().tolist() == dense.T.tolist()
    assert m.sum(axis=0).tolist() == [[4, 2, 3]] and m.max() == 4
    assert m.multiply(m).toarray().tolist() == (dense**2).tolist()
    assert (m.tocsc() + m).tocoo().toarray().tolist() == (2 * dense).tolist()
    changed = m.copy()
    changed.data[:] = 1
    assert changed.sum() == 3 and m.sum() == 9


# --- sizes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("argument", ["user", "item"])
def test_ids_with_large_gaps_need_a_size(argument):
    columns = {"user": [0, 5], "item": [0, 5]} | {argument: [150_000_000, 5]}
    message = f"{argument} must hold ids 0, 1, 2, ... with few gaps, got 150000000 in 2 rows"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        Interactions(**columns)
    log = Interactions(**columns, **{f"n_{argument}s": 150_000_001})
    assert getattr(log, f"n_{argument}s") == 150_000_001
    columns[argument] = [10_000_000, 5]
    assert getattr(Interactions(**columns), f"n_{argument}s") == 10_000_001


def test_many_rows_allow_large_ids():
    user = np.zeros(100_001, np.int32)
    user[0] = 10_000_100
    assert Interactions(user, np.zeros(100_001, np.int32)).n_users == 10_000_101
    with pytest.raises(ValueError, match="few gaps, got 10000100 in 100000 rows"):
        Interactions(user[:-1], np.zeros(100_000, np.int32))


# --- times ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unit, time", [("s", 1.5e9), ("ms", 1.5e12), ("us", 1.5e15), ("ns", 1.5e18), ("ms", 1)]
)
def test_times_are_read_in_their_unit(unit, time):
    expected = {1.5e9: 1.5e9, 1.5e12: 1.5e9, 1.5e15: 1.5e9, 1.5e18: 1.5e9, 1: 0.001}[time]
    for kind in (np.int64, np.float64):
        assert Interactions([0], [0], np.array([time], kind), unit=unit).time.tolist() == [expected]
    frame = pd.DataFrame({"u": [1], "i": [1], "t": [time]})
    assert Interactions.from_frame(frame, "u", "i", "t", unit=unit).time.tolist() == [expected]


@pytest.mark.parametrize("time", [1e11, 1.5e12, -1e11])
def test_large_times_without_a_unit_are_refused(time):
    with pytest.raises(ValueError, match=r"^time must be in seconds, got -?1.*e\+1.*unit='ms'"):
        Interactions([0, 1], [0, 1], [0, time])
    assert Interactions([0], [0], [time], unit="s").time.tolist() == [time]
    assert Interactions([0], [0], [9.9e10]).time.tolist() == [9.9e10]


def test_a_wrong_unit_is_refused():
    with pytest.raises(ValueError, match="^unit must be one of .*, got 'minutes'"):
        Interactions([0], [0], [1], unit="minutes")
    with pytest.raises(ValueError, match="^unit must be None for datetimes.*, got 'ms'"):
        Interactions([0], [0], np.array(["2020-01-01"], "datetime64[s]"), unit="ms")


# --- append ------------------------------------------------------------------------------------

LABELLED = {"user_labels": ["ann", "bob"], "item_labels": [70, 50, 60]}


def test_a_log_appended_keeps_the_old_numbers():
    log = Interactions([1, 0], [0, 2], [5, 6], [1, 2], **LABELLED)
    other = Interactions(
        [0, 1, 1], [0, 1, 0], [1, 7, 8], [3, 4, 5], user_labels=["eve", "ann"], item_labels=[99, 50]
    )
    both = log.append(other)
    assert both.user_labels == ["ann", "bob", "eve"] and both.item_labels == [70, 50, 60, 99]
    assert both.user.tolist() == [1, 0, 2, 0, 0] and both.item.tolist() == [0, 2, 3, 1, 3]
    assert both.time.tolist() == [5, 6, 1, 7, 8] and both.value.tolist() == [1, 2, 3, 4, 5]
    assert (both.n_users, both.n_items) == (3, 4)
    frames = pd.concat([log.to_frame(), other.to_frame()], ignore_index=True)
    assert both.to_frame().equals(frames)
    assert log.user_labels == ["ann", "bob"] and len(log) == 2
    assert not both.user.flags.writeable and not both.time.flags.writeable


def test_appended_logs_without_labels_share_their_ids():
    both = Interactions([0, 1], [0, 1], n_items=6).append(Interactions([4], [2]))
    assert (both.user.tolist(), both.item.tolist()) == ([0, 1, 4], [0, 1, 2])
    assert (both.n_users, both.n_items, both.user_labels) == (5, 6, None)
    like = Interactions([0, 1], [0, 1])
    new = pd.DataFrame({"u": [1, 7], "i": [0, 1]})
    added = Interactions.from_frame(new, "u", "i", like=like, unknown="add")
    both = like.append(added)
    assert both.user_labels == [0, 1, 7] and both.user.tolist() == [0, 1, 1, 2]
    assert both.item_labels is None


@pytest.mark.parametrize("kind", ["user", "item"])
@pytest.mark.parametrize("labelled", [False, True])
def test_append_keeps_the_size_where_the_last_ids_have_no_rows(kind, labelled):
    names = {f"{kind}_labels": list("abcde")} if labelled else {f"n_{kind}s": 5}
    fewer = {f"{kind}_labels": ["b"]} if labelled else {}
    both = Interactions([0], [0], **names).append(Interactions([0], [0], **fewer))
    assert getattr(both, f"n_{kind}s") == 5 and both.matrix.shape[kind == "item"] == 5
    assert getattr(both, kind).tolist() == [0, 1 if labelled else 0]
    back = Interactions([0], [0], **fewer).append(Interactions([0], [0], **names))
    assert getattr(back, f"n_{kind}s") == 5


@pytest.mark.parametrize("items, known", [(["x", "y"], True), (["x", "z"], False)])
def test_new_users_leave_the_columns_about_items(items, known):
    like = Interactions(
        [0, 0], [0, 1], user_labels=["ann"], item_labels=["x", "y"], item_info={"year": [1, 2]}
    )
    frame = pd.DataFrame({"u": ["bob", "ann"], "i": items})
    added = Interactions.from_frame(frame, "u", "i", like=like, unknown="add")
    assert added.user_labels == ["ann", "bob"]
    assert [column.tolist() for column in added.item_info.values()] == [[1, 2]] * known
    dropped = Interactions.from_frame(frame, "u", "i", like=like, unknown="drop")
    assert dropped.item_info["year"].tolist() == [1, 2] and dropped.n_users == 1


def test_item_columns_are_appended_where_all_items_have_them():
    log = Interactions([0], [0], item_labels=["x"], item_info={"title": ["X"], "year": [1]})
    new = Interactions([0, 0], [0, 1], item_labels=["y", "x"], item_info={"title": ["Y", "other"]})
    both = log.append(new)
    assert both.titles.tolist() == ["X", "Y"] and list(both.item_info) == ["title"]
    same = log.append(Interactions([0], [0], item_labels=["x"]))
    assert same.titles.tolist() == ["X"] and same.item_info["year"].tolist() == [1]


@pytest.mark.parametrize(
    "other, message",
    [
        (Interactions([0], [0], value=[1]), "other must have a time if and only if the log has"),
        (Interactions([0], [0], [1]), "other must have a value if and only if the log has"),
        (Interactions([0], [0], [1], [1]), "both logs must have user_labels or neither"),
        ([0], "other must be Interactions, got list"),
    ],
)
def test_logs_that_do_not_match_are_not_appended(other, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        Interactions([0], [0], [1], [1], user_labels=["ann"]).append(other)
