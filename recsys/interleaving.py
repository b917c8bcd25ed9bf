r"""Team-draft interleaving: two rankings in one list, compared within users, not between them.

Two teams pick a list in turns (Radlinski, Kurup and Joachims 2008). In each round a coin says who
picks first; each picks the best item of its ranking that is not yet in the list. A click counts for
the team that picked the item. Both teams are equally likely at each position, so neither gains from
its positions. The preference is the mean of

.. math:: c = sign(\text{clicks on team b} - \text{clicks on team a})

over impressions. Users are compared with themselves, which removes the variance between users, and
far fewer impressions are needed than in an A/B test (Chapelle, Joachims, Radlinski and Yue 2012).
It says which ranking is preferred, not by how many clicks. Left out: multileaving.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys import validation
from recsys.compiled import compiled


def interleave(a: Any, b: Any, rng: Any, k: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Lists that mix two rankings, and the team of each of their items.

    Parameters
    ----------
    a, b : array (n, m) or (m,) of int
        Ranked items of the two models, the best first, padded with -1: rows of the same
        impressions, or one ranking each. No item twice in a row.
    rng : int or numpy.random.Generator
    k : int, optional
        Length of the lists, from 1; by default that of the shorter ranking.

    Returns
    -------
    items, team : array (n, k) or (k,) of int32
        Team 0 is `a`, 1 is `b`. Both are -1 from the position on at which one ranking has no item
        left that is not shown.

    Raises
    ------
    ValueError
        For rankings of other impressions, an item twice in a ranking, and ids that are none.

    Examples
    --------
    Both rank item 7 first: whichever team the coin favours gets it.

    >>> items, team = interleave([7, 1, 2], [7, 3, 4], rng=0)
    >>> int(items[0]), sorted(team[:2].tolist())
    (7, [0, 1])
    """
    single = np.ndim(a) == 1
    if np.ndim(a) != np.ndim(b):
        raise ValueError(f"b must have the dimensions of a, {np.ndim(a)}, got {np.ndim(b)}")
    a, b = _rankings("a", a), _rankings("b", b)
    if len(a) != len(b):
        raise ValueError(f"b must have the rows of a, {len(a)}, got {len(b)}")
    k = min(a.shape[1], b.shape[1]) if k is None else validation.whole_number("k", k)
    coins = validation.random_generator(rng).random((len(a), k)) < 0.5
    items = np.full((len(a), k), -1, np.int32)
    team = np.full_like(items, -1)
    _draft(a, b, coins, items, team)
    return (items[0], team[0]) if single else (items, team)


def credit(team: Any, clicked: Any) -> np.ndarray:
    """Winner of each impression: 1 if team 1 has more clicks, -1 if team 0 has, else 0.

    Parameters
    ----------
    team : array (n, k) of int
        From `interleave`.
    clicked : array (n, k) of bool
        Whether each position was clicked; none where `team` is -1.

    Returns
    -------
    array (n,) of int8

    Raises
    ------
    ValueError
        For arrays of different shapes, teams other than -1, 0 and 1, and clicks on padding.

    >>> credit([[0, 1, 1, 0], [1, 0, -1, -1]], [[1, 1, 1, 0], [0, 0, 0, 0]])
    array([1, 0], dtype=int8)
    """
    team = validation.lists("team", team, n_items=2)
    clicked = validation.matrix("clicked", clicked)
    if team.shape != clicked.shape:
        raise ValueError(f"clicked must have the shape of team, {team.shape}, got {clicked.shape}")
    if not np.isin(clicked, (0, 1)).all():
        raise ValueError("clicked must hold True and False, got other values")
    clicked = clicked.astype(bool)
    if (clicked & (team == -1)).any():
        raise ValueError("clicked must be False where team is -1, got a click on padding")
    margin = (clicked & (team == 1)).sum(axis=1) - (clicked & (team == 0)).sum(axis=1)
    return np.sign(margin).astype(np.int8)


def _rankings(name: str, values: Any) -> np.ndarray:
    """Rows of distinct ids, padded with -1."""
    if np.ndim(values) == 1:
        values = [values]
    table = validation.lists(name, values)
    ordered = np.sort(table, axis=1)
    twice = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)
    if twice.any():
        row, column = np.argwhere(twice)[0]
        raise ValueError(
            f"{name} must have no item twice in a ranking, got {ordered[row, column]} in row {row}"
        )
    return np.ascontiguousarray(table)


@compiled
def _draft(a, b, coins, items, team):
    """Fill `items` and `team`, row by row."""
    for row in range(len(items)):
        counts = [0, 0]  # picks of each team
        for position in range(items.shape[1]):
            first = _next(a[row], items[row, :position])
            second = _next(b[row], items[row, :position])
            if first < 0 or second < 0:
                break
            turn = counts[0] - counts[1]
            picks = int(coins[row, position]) if turn == 0 else int(turn > 0)
            items[row, position] = second if picks else first
            team[row, position] = picks
            counts[picks] += 1


@compiled
def _next(ranking, shown):
    """The best item of a ranking that is not yet shown, or -1."""
    for item in ranking:
        if item < 0 or item not in shown:
            return item
    return -1
