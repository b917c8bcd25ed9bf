"""Results recorded by a notebook: read back as they were, or refused."""

import json
import math

import numpy as np
import pytest

from newsreco.reports.results import read, record


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "results.jsonl"
    monkeypatch.setenv("NEWSRECO_RESULTS", str(path))
    return path


def test_results_are_read_by_name_and_the_later_one_counts(file):
    record("auc", 0.5)
    record("größe", "klein ☃")
    record("auc", 0.625)
    assert read(file) == {"auc": 0.625, "größe": "klein ☃"}


def test_numpy_and_nested_values_become_json_types(file):
    record("all", {"f": np.float32(0.5), "i": np.int32(3), "b": np.True_, "a": np.arange(2)})
    record("pair", (1, np.float64(2.5)))
    assert read(file) == {"all": {"f": 0.5, "i": 3, "b": True, "a": [0, 1]}, "pair": [1, 2.5]}


def test_non_finite_numbers_become_null(file):
    record("x", [math.nan, np.inf, np.float32("nan"), 1.0])
    assert read(file) == {"x": [None, None, None, 1.0]}
    assert json.loads(file.read_text(), parse_constant=pytest.fail)


def test_nothing_is_written_without_the_setting(tmp_path, monkeypatch):
    monkeypatch.delenv("NEWSRECO_RESULTS", raising=False)
    monkeypatch.chdir(tmp_path)
    record("auc", 0.5)
    assert list(tmp_path.iterdir()) == [] and read(tmp_path / "none.jsonl") == {}


@pytest.mark.parametrize(("name", "value"), [("", 1), (3, 1), ("x", object()), ("x", [{1, 2}])])
def test_non_json_values_are_refused_even_without_the_setting(name, value, monkeypatch):
    monkeypatch.delenv("NEWSRECO_RESULTS", raising=False)
    with pytest.raises(ValueError, match="name|x must be"):
        record(name, value)
