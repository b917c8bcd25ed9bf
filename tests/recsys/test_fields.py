"""Fields: ids by hand, learned on training data only, and clear errors."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

import recsys
from recsys.fields import FieldEncoder

TABLE = {
    "city": ["Rome", "Oslo", "Rome", "Bonn"],
    "genres": [["drama", "war"], ["war"], [], ["drama"]],
    "age": [10.0, 20.0, 30.0, 40.0],
}


def encoder(**settings):
    return FieldEncoder(["city"], ["genres"], ["age"], **settings)


def test_features_by_hand():
    fields = encoder(n_bins=2).fit(TABLE).transform(TABLE)
    assert fields.names == ("city", "genres", "age") and len(fields) == 4
    # unknown Bonn Oslo Rome | unknown drama war | unknown, below and above the median
    assert fields.starts.tolist() == [0, 4, 7, 10]
    assert fields.matrix.toarray().tolist() == [
        [0, 0, 0, 1, 0, 0.5, 0.5, 0, 1, 0],
        [0, 0, 1, 0, 0, 0, 1, 0, 1, 0],
        [0, 0, 0, 1, 1, 0, 0, 0, 0, 1],
        [0, 1, 0, 0, 0, 1, 0, 0, 0, 1],
    ]
    assert fields.matrix.dtype == np.float32


def test_unseen_and_missing_values_are_unknown_and_nothing_is_learned_from_them():
    fitted = encoder(n_bins=2).fit(TABLE)
    new = {
        "city": ["Paris", None, float("nan")],
        "genres": [["drama", "new", "newer", "drama"], None, [None]],
        "age": [None, 25.0, -5.0],
    }
    assert fitted.transform(new).matrix.toarray().tolist() == [
        [1, 0, 0, 0, 0.5, 0.5, 0, 1, 0, 0],
        [1, 0, 0, 0, 1, 0, 0, 0, 0, 1],  # 25 is the median, the lower end of the second bin
        [1, 0, 0, 0, 1, 0, 0, 0, 1, 0],
    ]
    assert fitted.starts[-1] == 10


def test_too_rare_values_are_unknown_and_a_row_counts_once():
    table = {"city": ["Rome", "Oslo", "Rome"], "genres": [["a", "a"], ["b"], ["b"]]}
    fitted = FieldEncoder(["city"], ["genres"], min_count=2).fit(table)
    assert fitted.values == {"city": ["Rome"], "genres": ["b"]}
    assert fitted.transform(table).matrix.toarray()[0].tolist() == [0, 1, 1, 0]


def test_whole_numbers_keep_their_order_and_stand_before_text():
    fitted = FieldEncoder(["x"]).fit({"x": [10, 9, "10", np.int64(9)]})
    assert fitted.values["x"] == [9, 10, "10"]


def test_numeric_bins_hold_equally_many_training_rows():
    numbers = np.random.default_rng(0).normal(size=1000) ** 3
    fitted = FieldEncoder(numeric=["x"], n_bins=8).fit({"x": numbers})
    fields = fitted.transform({"x": numbers})
    assert np.asarray(fields.matrix.sum(axis=0)).ravel().tolist() == [0, *[125] * 8]


def test_few_distinct_numbers_give_fewer_bins():
    fitted = FieldEncoder(numeric=["x"], n_bins=10).fit({"x": [1, 1, 1, 1, 1, 1, 2]})
    assert fitted.edges["x"] == pytest.approx([1, 1.4])  # of nine quantiles


def test_a_column_without_numbers_is_all_unknown():
    fitted = FieldEncoder(numeric=["x"]).fit({"x": [None, np.nan]})
    assert fitted.transform({"x": [None, 3.0]}).matrix.toarray().tolist() == [[1, 0], [0, 1]]


def test_data_frames_and_mappings_agree():
    expected = encoder().fit(TABLE).transform(TABLE)
    for table in (pd.DataFrame(TABLE), pl.DataFrame(TABLE, strict=False)):
        found = encoder().fit(table).transform(table)
        assert found.fingerprint == expected.fingerprint


def test_fingerprints_depend_on_every_entry():
    fields = encoder().fit(TABLE).transform(TABLE)
    other = encoder().fit(TABLE).transform(TABLE | {"age": [10.0, 20.0, 40.0, 30.0]})
    assert fields.fingerprint != other.fingerprint
    assert fields.select([0, 1]).fingerprint == other.select([0, 1]).fingerprint


def test_a_saved_encoder_encodes_alike(tmp_path):
    fitted = encoder(min_count=1, n_bins=3).fit(TABLE)
    fitted.save(tmp_path / "encoder")
    loaded = recsys.load(tmp_path / "encoder")
    new = TABLE | {"city": ["Rome", "Paris", "Bonn", None]}
    assert loaded.transform(new).fingerprint == fitted.transform(new).fingerprint


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"city": None}, "table must have the column 'city', got \\['genres', 'age'\\]"),
        ({"city": ["Rome"]}, "table must have columns of one length"),
        ({"city": [1.5] * 4}, "column 'city' must hold text or whole numbers, got 1.5"),
        ({"city": [True] * 4}, "column 'city' must hold text or whole numbers, got True"),
        ({"genres": ["a|b"] * 4}, "column 'genres' must hold lists of labels, got 'a|b'"),
        ({"age": ["x"] * 4}, "column 'age' must hold numbers"),
        ({"age": [1, 2, 3, np.inf]}, "column 'age' must be finite or missing, got inf"),
    ],
)
def test_tables_are_checked_in_fit_and_transform(changed, message):
    table = {name: column for name, column in (TABLE | changed).items() if column is not None}
    for call in (encoder().fit, encoder().fit(TABLE).transform):
        with pytest.raises(ValueError, match=message):
            call(table)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "columns must be at least one"),
        ({"categorical": ["a"], "numeric": ["a"]}, "columns must be at least one, each given once"),
        ({"categorical": "ab"}, "categorical must be a sequence of texts"),
        ({"categorical": ["a"], "min_count": 0}, "min_count must be at least 1"),
        ({"categorical": ["a"], "n_bins": 1}, "n_bins must be at least 2"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(ValueError, match=message):
        FieldEncoder(**settings)


def test_an_encoder_must_be_fitted_and_given_a_table():
    with pytest.raises(ValueError, match="FieldEncoder must be fitted first"):
        encoder().transform(TABLE)
    with pytest.raises(ValueError, match="table must be a mapping of columns"):
        encoder().fit([1, 2])
