"""Validation of rows and lookups before they reach the database."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsreco.feature_store import ITEM, FeatureStore, View
from newsreco.feature_store.rows import as_text


def item(**changed):
    rows = {
        "item_id": ["a", "b"],
        "event_time": [1.0, 2.0],
        "created_time": [1.0, 2.0],
        "views": [4, 8],
        "clicks": [1, 2],
        "ctr": [0.25, 0.25],
    }
    return rows | changed


def count(store):
    return len(store.snapshot("item", 1e9))


BAD_ROWS = {
    "missing column": (lambda: {"item_id": ["a"]}, r"item must be given \['item_id', 'event_time'"),
    "unknown column": (lambda: item(colour=[1, 2]), "got .*'colour'"),
    "lengths": (lambda: item(views=[1]), "equally long"),
    "nan feature": (lambda: item(ctr=[0.1, np.nan]), "ctr must be finite, got nan in row 1"),
    "infinite feature": (lambda: item(views=[np.inf, 1]), "views must be finite"),
    "nan event time": (lambda: item(event_time=[np.nan, 1.0]), "event_time must be finite"),
    "nan created time": (lambda: item(created_time=[1.0, np.nan]), "created_time must be finite"),
    "text for a number": (lambda: item(views=["4", "8"]), "views must hold numbers"),
    "empty key": (lambda: item(item_id=["a", ""]), "item_id must be a text that is not empty"),
    "number as key": (lambda: item(item_id=["a", 3]), "item_id must be a text .* got 3"),
    "zero character": (lambda: item(item_id=["a", "b\0"]), "item_id must be a text"),
    "half a character": (lambda: item(item_id=["a", "\ud800"]), "item_id must be a text"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_bad_rows_are_refused_and_none_is_written(store, case):
    rows, message = BAD_ROWS[case]
    with pytest.raises(ValueError, match=message):
        store.write("item", rows())
    assert count(store) == 0


def test_second_write_adds_nothing(store):
    assert store.write("item", item()) == 2
    assert store.write("item", item()) == 0
    third = pd.concat([pd.DataFrame(item()), pd.DataFrame(item(item_id=["c", "d"]))])
    assert store.write("item", third) == 2
    assert count(store) == 4


def test_stored_rows_never_change(store):
    store.write("item", item())
    with pytest.raises(ValueError, match=r"'b'.* views = 8.0, got 9.0: rows never change"):
        store.write("item", item(item_id=["new", "b"], views=[4, 9]))
    assert count(store) == 2  # the new one was undone too
    assert store.as_of("item", ["b"], 10.0).views[0] == 8


def test_two_different_rows_of_one_key_and_time_are_refused(store):
    same = item(item_id=["a", "a"], event_time=[1, 1], created_time=[1, 1])
    with pytest.raises(ValueError, match="rows never change"):
        store.write("item", same)
    assert count(store) == 0


def test_rows_are_written_in_batches(store, monkeypatch):
    monkeypatch.setattr("newsreco.feature_store.rows.BATCH", 7)
    n = 40
    rows = item(item_id=[f"i{i:02}" for i in range(n)], event_time=np.zeros(n), ctr=np.zeros(n))
    rows |= {"created_time": np.zeros(n), "clicks": np.zeros(n), "views": np.arange(n)}
    assert store.write("item", rows) == n
    assert store.as_of("item", list(rows["item_id"]), 1.0).views.tolist() == list(range(n))


BAD_LOOKUPS = {
    "unknown view": (("films", ["a"], 1.0), r"view must be one of \['user', .*'films'"),
    "nan time": (("item", ["a"], np.nan), "times must be finite"),
    "one nan among the times": (("item", ["a", "b"], [1, np.nan]), "times must be finite"),
    "infinite time": (("item", ["a"], np.inf), "times must be finite"),
    "too few times": (("item", ["a", "b"], [1.0]), "times must have one entry per row"),
    "one text for a list": (("item", "abc", 1.0), "keys must be a list"),
    "one key of two": (("user_item", ["a"], 1.0), "a key of user_item is user_id and item_id"),
    "three keys of two": (("user_item", [("a", "b", "c")], 1.0), "a key of user_item"),
    "a number as key": (("item", [4], 1.0), "item_id must be a text"),
}


@pytest.mark.parametrize("case", BAD_LOOKUPS)
def test_bad_lookups_are_refused(store, case):
    lookup, message = BAD_LOOKUPS[case]
    with pytest.raises(ValueError, match=message):
        store.as_of(*lookup)


def test_snapshot_of_an_unknown_key_column(store):
    with pytest.raises(ValueError, match=r"user_item has the keys .*'colour'"):
        store.snapshot("user_item", 1.0, colour="red")


def test_keys_cannot_carry_sql(store):
    key = "'; DROP TABLE item_features; --\"%s ?:name"
    store.write("item", item(item_id=[key, "b"]))
    assert store.as_of("item", [key], 10.0).views[0] == 4
    assert store.snapshot("item", 10.0, item_id=key).item_id.tolist() == [key]


@settings(deadline=None)
@given(st.text())
def test_valid_text_can_be_stored(text):
    try:
        as_text("key", [text])
    except ValueError:
        return
    store = FeatureStore("sqlite://")
    store.write("item", item(item_id=[text, text + "x"]))
    assert store.as_of("item", [text], 10.0).views[0] == 4
    store.close()


def test_the_store_keeps_no_negative_zero(store):
    store.write("item", item(ctr=[-0.0, 0.5]))
    assert not np.signbit(store.as_of("item", ["a"], 10.0).ctr[0])


@pytest.mark.parametrize(
    "given_",
    [
        ("a b", ("k",), ("f",)),
        ("v", (), ("f",)),
        ("v", ("k",), ("k",)),
        ("v", ("id",), ("f",)),
    ],
)
def test_view_names_are_validated(given_):
    with pytest.raises(ValueError, match="a view must have"):
        View(*given_)


def test_custom_view(database):
    weather = View("weather", ("city",), ("degrees",))
    store = FeatureStore(database, views=[weather])
    store.write(
        "weather", {"city": ["Ulm"], "event_time": [1], "created_time": [2], "degrees": [-3]}
    )
    assert store.as_of("weather", ["Ulm"], 3.0).degrees[0] == -3
    with pytest.raises(ValueError, match=r"view must be one of \['weather'\], got 'item'"):
        store.as_of(ITEM.name, ["a"], 1.0)
    store.close()
