"""Team-draft interleaving: against the paper's loop, and fair to both teams."""

import numpy as np
import pytest

from recsys.interleaving import credit, interleave

N = 4000


def draft_by_the_paper(a, b, coins, k):
    """Radlinski, Kurup and Joachims (2008), algorithm 2, with the coins given."""
    shown, team_a, team_b = [], [], []
    while len(shown) < k and set(a) - set(shown) and set(b) - set(shown):
        b_first = coins[len(shown)]
        if len(team_a) < len(team_b) or (len(team_a) == len(team_b) and not b_first):
            pick = next(item for item in a if item not in shown)
            team_a.append(pick)
        else:
            pick = next(item for item in b if item not in shown)
            team_b.append(pick)
        shown.append(pick)
    return shown, [int(item in team_b) for item in shown]


def rankings(rng, n=N, m=8, n_items=12):
    return rng.random((n, n_items)).argsort(axis=1)[:, :m]


def test_agrees_with_the_paper():
    rng = np.random.default_rng(0)
    a, b = rankings(rng, n=300, m=5), rankings(rng, n=300, m=7)
    items, team = interleave(a, b, rng=7, k=6)
    coins = np.random.default_rng(7).random((300, 6)) < 0.5
    for row in range(300):
        shown, teams = draft_by_the_paper(a[row].tolist(), b[row].tolist(), coins[row], 6)
        padding = [-1] * (6 - len(shown))
        assert items[row].tolist() == shown + padding
        assert team[row].tolist() == teams + padding


def test_teams_are_equally_frequent_at_each_position_and_of_equal_size():
    rng = np.random.default_rng(1)
    items, team = interleave(rankings(rng), rankings(rng), rng)
    assert np.abs(team.mean(axis=0) - 0.5).max() < 4 * 0.5 / np.sqrt(N)
    sizes = (team == 1).cumsum(axis=1) - (team == 0).cumsum(axis=1)
    assert np.abs(sizes).max() == 1
    assert all(len(set(row)) == 8 for row in items.tolist())


def test_clicks_that_look_only_at_positions_favour_nobody():
    """Model b ranks other items; users click on the first positions whatever stands there."""
    rng = np.random.default_rng(2)
    _, team = interleave(rankings(rng), rankings(rng), rng)
    clicked = rng.random(team.shape) < 0.6 / np.arange(1, 9)
    wins = credit(team, clicked)
    assert abs(wins.mean()) < 4 * wins.std() / np.sqrt(N)
    assert wins.std() > 0.5


def test_the_team_whose_items_are_clicked_wins():
    rng = np.random.default_rng(3)
    a, b = np.tile(np.arange(5), (N, 1)), np.tile(np.arange(5, 10), (N, 1))
    items, team = interleave(a, b, rng)
    assert (credit(team, items >= 5) == 1).all()
    assert (credit(team, items < 5) == -1).all()
    first = np.zeros_like(team, bool)
    first[np.arange(N), (team == 1).argmax(axis=1)] = True
    assert (credit(team, first) == 1).all()
    assert (credit(1 - team, first) == -1).all()


def test_more_clicks_win():
    team = [[0, 1, 1, 0], [1, 0, 0, 1], [1, 0, 0, 1]]
    clicked = [[1, 1, 1, 0], [1, 1, 1, 0], [1, 1, 0, 0]]
    assert credit(team, clicked).tolist() == [1, -1, 0]


def test_equal_rankings_stay_as_they_are():
    items, _ = interleave([3, 1, 2], [3, 1, 2], rng=0)
    assert items.tolist() == [3, 1, 2]


def test_ends_where_one_ranking_has_nothing_left():
    items, team = interleave([4, -1, -1], [4, 5, 6], rng=0)
    assert items.tolist() == [4, -1, -1]
    assert team[1:].tolist() == [-1, -1]
    items, team = interleave([[-1, -1]], [[1, 2]], rng=0)
    assert (items == -1).all()
    assert (team == -1).all()


def test_k_cuts_and_pads():
    assert interleave([1, 2, 3], [4, 5, 6], rng=0, k=2)[0].shape == (2,)
    items, _ = interleave([1, 2], [1, 2], rng=0, k=4)
    assert items.tolist() == [1, 2, -1, -1]
    assert interleave([1, 2, 3], [4, 5], rng=0)[0].shape == (2,)


def test_the_seed_decides():
    rng = np.random.default_rng(4)
    a, b = rankings(rng), rankings(rng)
    first, again, other = (interleave(a, b, seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first[1], other[1])


def test_no_impressions():
    items, team = interleave(np.empty((0, 3), int), np.empty((0, 3), int), rng=0)
    assert items.shape == team.shape == (0, 3)
    assert credit(team, np.empty((0, 3), bool)).shape == (0,)


@pytest.mark.parametrize("a, b, message", [
    ([1, 2, 1], [1, 2, 3], "a must have no item twice in a ranking, got 1 in row 0"),
    ([[1, 2]], [1, 2], "b must have the dimensions of a, 2, got 1"),
    ([[1, 2]], [[1, 2], [3, 4]], "b must have the rows of a, 1, got 2"),
    ([1.0, np.nan], [1, 2], "a must hold item ids"),
    ([1, -2], [1, 2], "a must hold ids from 0"),
])  # fmt: skip
def test_bad_rankings(a, b, message):
    with pytest.raises(ValueError, match=message):
        interleave(a, b, rng=0)


def test_bad_k_and_rng():
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        interleave([1], [2], rng=0, k=0)
    with pytest.raises(ValueError, match="rng must be"):
        interleave([1], [2], rng=None)


@pytest.mark.parametrize("team, clicked, message", [
    ([[0, 1]], [[1]], "clicked must have the shape of team"),
    ([[0, 2]], [[1, 0]], "team must hold ids from 0 to 1, or -1"),
    ([[0, 1]], [[2, 0]], "clicked must hold True and False"),
    ([[0, 1]], [[np.nan, 0]], "clicked must hold True and False"),
    ([[0, -1]], [[0, 1]], "clicked must be False where team is -1"),
])  # fmt: skip
def test_bad_credit(team, clicked, message):
    with pytest.raises(ValueError, match=message):
        credit(team, clicked)
