"""Metadata filters: tiny cases by hand, and conditions that could be misread are refused."""

import numpy as np
import pytest

from recsys.retrieval import ExactIndex
from recsys.retrieval.filters import passing

METADATA = {
    "category": ["hat", "shoe", "shoe", "scarf"],
    "in_stock": [True, False, True, True],
    "year": [1999, 2001, 2000, 1],
    "price": [10.0, 20.0, 30.0, 40.0],
}


@pytest.mark.parametrize(
    "where, expected",
    [
        ({}, [0, 1, 2, 3]),
        ({"category": "shoe"}, [1, 2]),
        ({"category": "shoe", "in_stock": True}, [2]),
        ({"category": ["hat", "scarf"]}, [0, 3]),
        ({"category": []}, []),
        ({"in_stock": False}, [1]),
        ({"year": 1}, [3]),
        ({"year": [2000, 2001, 7]}, [1, 2]),
        ({"year": (1999, 2000)}, [0, 2]),
        ({"price": (20, 30)}, [1, 2]),
        ({"price": (None, 10)}, [0]),
        ({"price": (40.0, None)}, [3]),
        ({"price": (None, None)}, [0, 1, 2, 3]),
        ({"price": (30, 20)}, []),
        ({"category": "glove"}, []),
    ],
)
def test_items_that_satisfy_all_conditions_pass(where, expected):
    mask = passing(METADATA, where)
    assert mask.dtype == bool and np.flatnonzero(mask).tolist() == expected


def test_a_filter_that_nothing_passes_gives_padding():
    mask = passing(METADATA, {"category": "glove"})
    items, scores = ExactIndex().fit(np.eye(4)).search(np.eye(4)[:1], 2, mask)
    assert items.tolist() == [[-1, -1]] and np.isneginf(scores).all()


@pytest.mark.parametrize(
    "where, message",
    [
        ({"color": "red"}, "where must name columns of .*, got 'color'"),
        ({"category": 1}, r"where\['category'\] must be text, got 1"),
        ({"category": ["hat", None]}, r"where\['category'\] must be text, got None"),
        ({"category": ("a", "b")}, r"where\['category'\] must be a pair \(low, high\) of numbers"),
        ({"in_stock": 1}, r"where\['in_stock'\] must be a bool, got 1"),
        ({"in_stock": (0, 1)}, r"where\['in_stock'\] must be a pair"),
        ({"year": True}, r"where\['year'\] must be a whole number, got True"),
        ({"year": "2000"}, r"where\['year'\] must be a whole number, got '2000'"),
        ({"year": (1, 2, 3)}, r"where\['year'\] must be a pair"),
        ({"price": 10.0}, r"where\['price'\] must be a pair \(low, high\) for floats, got 10.0"),
        ({"price": (np.nan, 1)}, r"where\['price'\] must be finite"),
        ("category", "where must map names to conditions, got str"),
    ],
)
def test_unclear_conditions_are_refused(where, message):
    with pytest.raises(ValueError, match=message):
        passing(METADATA, where)


@pytest.mark.parametrize(
    "metadata, message",
    [
        ({}, "metadata must map names to columns"),
        (["a"], "metadata must map names to columns, got list"),
        (
            {"a": [1, 2], "b": [1]},
            r"metadata\['b'\] must have one value per item, got shape \(1,\)",
        ),
        ({"a": [[1, 2]]}, r"metadata\['a'\] must have one value per item"),
        ({"a": [1.0, np.nan]}, r"metadata\['a'\] must be finite, got nan"),
        ({"a": ["x", None]}, r"metadata\['a'\] must hold text, bools or numbers, got object"),
        ({"a.b": [1]}, "metadata must have names such as 'in_stock', got 'a.b'"),
    ],
)
def test_unclear_metadata_is_refused(metadata, message):
    with pytest.raises(ValueError, match=message):
        passing(metadata, {})
