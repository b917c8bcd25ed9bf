"""Search for the largest inner products: seen items at the edges of the tiles."""

import numpy as np
import pytest

from recsys.retrieval.mips import ITEMS_PER_TILE, USERS_PER_TILE, best_products

N_ITEMS = 2 * ITEMS_PER_TILE + 3
EDGES = sorted(
    {0, N_ITEMS - 1} | {tile * ITEMS_PER_TILE + d for tile in (1, 2) for d in (-1, 0, 1)}
)


def search(seen, n_users, k=12):
    """The best items of users whose products favour the items at the edges of the tiles."""
    X = np.ones((n_users, 1), np.float32)
    Y = np.zeros((N_ITEMS, 1), np.float32)
    Y[EDGES, 0] = np.arange(len(EDGES), 0, -1)
    items, scores = np.full((n_users, k), -1, np.int32), np.full((n_users, k), -np.inf, np.float32)
    users = np.arange(n_users, dtype=np.int32)
    starts = np.cumsum([0, *map(len, seen)])
    flat = np.array([item for row in seen for item in row], np.int32)
    biases = np.zeros(N_ITEMS, np.float32)
    best_products(X, Y, biases, starts, flat, users, users, users.astype(int), items, scores)
    return items, scores


@pytest.mark.parametrize("edge", EDGES)
def test_a_seen_item_at_the_edge_of_a_tile_is_not_found(edge):
    n_users = USERS_PER_TILE + 1
    items, scores = search([[edge]] * n_users, n_users)
    left = [item for item in EDGES if item != edge]
    for user in (0, USERS_PER_TILE - 1, USERS_PER_TILE):
        assert items[user].tolist()[: len(left)] == left
        assert edge not in items[user]
        assert (np.diff(scores[user]) <= 0).all() and scores[user, len(left)] == 0


def test_each_user_has_their_own_seen_items():
    """User u has seen the first u edges; the last has seen all of them."""
    n_users = len(EDGES) + 1
    items, _ = search([EDGES[:user] for user in range(n_users)], n_users, k=3)
    for user in range(len(EDGES) - 2):
        assert items[user].tolist() == EDGES[user : user + 3]
    assert items[-1].tolist() == [1, 2, 3]
