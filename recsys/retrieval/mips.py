"""Maximum inner product search, exact: the best items for many users at once.

A users x items array of scores would not fit into memory, and writing it would take longer than
computing it. So the product is computed in tiles that fit into a core's cache, and the best items
of each tile are selected before the next tile overwrites it.
"""

from __future__ import annotations

import numpy as np

from recsys.compiled import compiled, prange
from recsys.retrieval.exact import select_row, sort_best

USERS_PER_TILE = 48
ITEMS_PER_TILE = 1024


@compiled(parallel=True)
def best_products(
    X, Y, biases, seen_ptr, seen_items, seen_rows, users, rows, best_items, best_scores
):
    """For each position r in `rows`: user users[r]'s best items by x'y + bias.

    X (n_users, f), Y (n_items, f) and biases (n_items,) are float32; `best_items` and
    `best_scores` (n, k) arrive as -1 and -inf. The items in row seen_rows[r] of the CSR
    matrix `seen_items`, which are sorted, are left out.
    """
    for tile in prange((len(rows) + USERS_PER_TILE - 1) // USERS_PER_TILE):
        own = rows[tile * USERS_PER_TILE : (tile + 1) * USERS_PER_TILE]
        vectors = np.zeros((USERS_PER_TILE, X.shape[1]), np.float32)
        next_seen = np.empty(len(own), np.int64)
        for r in range(len(own)):
            for k in range(X.shape[1]):
                vectors[r, k] = X[users[own[r]], k]
            next_seen[r] = seen_ptr[seen_rows[own[r]]]
        for start in range(0, len(Y), ITEMS_PER_TILE):
            stop = min(start + ITEMS_PER_TILE, len(Y))
            scores = np.dot(vectors, Y[start:stop].T)
            for r in range(len(own)):
                row = scores[r]
                for i in range(stop - start):
                    row[i] += biases[start + i]
                end = seen_ptr[seen_rows[own[r]] + 1]
                next_seen[r] = hide(row, seen_items, next_seen[r], end, start)
                select_row(row, start, best_items[own[r]], best_scores[own[r]])
        for r in own:
            sort_best(best_items[r], best_scores[r])


@compiled
def hide(scores, seen_items, position, end, start):
    """Set the seen items among start..start+len(scores) to -inf; return the next position."""
    while position < end and seen_items[position] < start + len(scores):
        scores[seen_items[position] - start] = -np.inf
        position += 1
    return position
