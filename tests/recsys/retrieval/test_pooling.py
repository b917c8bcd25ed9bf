"""Pooling: lists of retrievers merged in turn."""

import numpy as np
import pytest

from recsys.retrieval.pooling import pool


def test_pool_merges_round_robin_and_records_who_found_what():
    lists = [np.array([3, 1, 0]), np.array([], int), np.array([3, 5, 1])]
    items, found_by = pool(lists, 6, 3)
    assert items.tolist() == [3, 1, 5]
    assert found_by.tolist() == [[True, False, True], [True, False, True], [False, False, True]]
    assert pool(lists, 6, 100)[0].tolist() == [3, 1, 5, 0]
    assert pool([np.array([], int)], 6, 5)[0].tolist() == []


def test_nothing_to_pool_gives_an_empty_pool():
    for found, n in (([], 0), ([[], []], 2)):
        items, found_by = pool([np.array(each, int) for each in found], 5, 3)
        assert items.dtype == np.int32 and items.shape == (0,) and found_by.shape == (0, n)


def test_an_item_twice_in_one_list_is_pooled_once():
    items, found_by = pool([np.array([2, 2, 4])], 5, 3)
    assert items.tolist() == [2, 4] and found_by.tolist() == [[True], [True]]


def test_a_size_below_one_is_refused():
    with pytest.raises(ValueError, match="^size must be at least 1, got 0"):
        pool([np.array([1])], 5, 0)
