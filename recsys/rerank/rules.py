"""Business rules: no duplicates, at most so many of one group, no long runs of one group.

A group is whatever the rule is about: a provider, a category, an author, a desk. The rules take
the items in ranked order and keep the best that obey, so that the order by score stays. Left out:
rules that conflict with each other, which need a solver and somebody to say which of them yields.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from recsys import validation


def drop_duplicates(items: Any, keys: Any) -> np.ndarray:
    """Indices of the items to keep: the first of each key.

    >>> drop_duplicates([31, 12, 5, 8], keys=[7, 2, 7, 2])
    array([0, 1], dtype=int32)
    """
    items, keys = np.asarray(items), np.asarray(keys)
    if items.shape != keys.shape or items.ndim != 1:
        raise ValueError(f"keys must have one entry per item, {items.shape}, got {keys.shape}")
    _, first = np.unique(keys, return_index=True)
    return np.sort(first).astype(np.int32)


def number_texts(texts: Sequence[str], normalize: Any = str.casefold) -> np.ndarray:
    """Keys (n,) int32 for `drop_duplicates`: one number per text, the same if equal normalised.

    >>> number_texts(["Goal!", "GOAL!", "Own goal"])
    array([0, 0, 1], dtype=int32)
    """
    numbers: dict[str, int] = {}
    keys = [numbers.setdefault(normalize(text), len(numbers)) for text in texts]
    return np.array(keys, np.int32)


def limit_per_group(groups: Any, at_most: int, k: int) -> np.ndarray:
    """Indices of the first k items of which at most `at_most` are of one group.

    Parameters
    ----------
    groups : array (n,) of int
        The group of each item, in ranked order, best first.
    at_most, k : int
        `k` may exceed n.

    Returns
    -------
    array (min(k, ...),) int32
        Indices in ascending order; fewer than k where the rule leaves fewer.

    Examples
    --------
    Provider 7 may fill two of the four positions, so its third item is passed over:

    >>> limit_per_group([7, 7, 7, 3, 5], at_most=2, k=4)
    array([0, 1, 3, 4], dtype=int32)
    """
    groups, at_most, k = _check(groups, at_most, k)
    taken: dict[int, int] = {}
    kept: list[int] = []
    for index, group in enumerate(groups.tolist()):
        if len(kept) == k:
            break
        taken[group] = taken.get(group, 0) + 1
        if taken[group] <= at_most:
            kept.append(index)
    return np.array(kept, np.int32)


def limit_in_a_row(groups: Any, at_most: int, k: int) -> np.ndarray:
    """Indices of k items, reordered so that at most `at_most` in a row are of one group.

    Each position takes the best item left that does not make a run too long. The list ends where
    all that are left would: an order that avoids it may exist, but shows worse items first.

    Parameters
    ----------
    groups : array (n,) of int
        The group of each item, in ranked order, best first.
    at_most, k : int
        `k` may exceed n.

    Returns
    -------
    array (min(k, ...),) int32
        Indices in the order of the new list.

    Examples
    --------
    Never three of group 7 in a row: its third item waits for one of group 3.

    >>> limit_in_a_row([7, 7, 7, 3, 5], at_most=2, k=5)
    array([0, 1, 3, 2, 4], dtype=int32)
    """
    groups, at_most, k = _check(groups, at_most, k)
    left = dict(enumerate(groups.tolist()))
    order: list[int] = []
    last, run = None, 0
    while len(order) < k:
        allowed = (i for i, group in left.items() if group != last or run < at_most)
        index = next(allowed, None)
        if index is None:
            break
        group = left.pop(index)
        run = run + 1 if group == last else 1
        last = group
        order.append(index)
    return np.array(order, np.int32)


def _check(groups: Any, at_most: int, k: int) -> tuple[np.ndarray, int, int]:
    at_most = validation.whole_number("at_most", at_most)
    return validation.ids("groups", groups), at_most, validation.whole_number("k", k)
