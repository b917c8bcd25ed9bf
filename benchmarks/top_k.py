"""Time of the best k items for many users, relative to the bare product of the matrices.

The bare product is computed in the same tiles and thrown away: nobody can select faster than that.
Prints one row per k and filter; `rows()` returns them.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from recsys import Interactions
from recsys.compiled import compiled, prange
from recsys.models import ImplicitALS
from recsys.retrieval import ExactIndex
from recsys.retrieval.mips import ITEMS_PER_TILE, USERS_PER_TILE
from recsys.threads import one_blas_thread

USERS, ITEMS, FACTORS = 960, 50_000, 64
SEEN = 100  # items in each user's history
SIZES = (1, 10, 32, 33, 100, 256, 257, 1000, 1001)  # of the list


@compiled(parallel=True)
def multiply_tiles(X, Y, out):
    """The products X Y', tile by tile; one number of each tile is kept."""
    for tile in prange(len(out)):
        vectors = X[tile * USERS_PER_TILE : (tile + 1) * USERS_PER_TILE]
        for start in range(0, len(Y), ITEMS_PER_TILE):
            out[tile] += np.dot(vectors, Y[start : start + ITEMS_PER_TILE].T)[0, 0]


def multiply(X: np.ndarray, Y: np.ndarray) -> None:
    """The bare product that all else is compared with."""
    with one_blas_thread():
        multiply_tiles(X, Y, np.zeros(-(-len(X) // USERS_PER_TILE), np.float32))


def random_model(rng: np.random.Generator) -> ImplicitALS:
    """A model of random vectors, whose users have random histories."""
    users = np.repeat(np.arange(USERS), SEEN)
    items = rng.integers(0, ITEMS, len(users))
    items[:ITEMS] = np.arange(ITEMS)  # no item is cold
    log = Interactions(users, items, n_users=USERS, n_items=ITEMS)
    model = ImplicitALS(FACTORS, iterations=0).fit(log, progress=False)
    model.user_factors = rng.normal(size=(USERS, FACTORS)).astype(np.float32)
    model.item_factors = rng.normal(size=(ITEMS, FACTORS)).astype(np.float32)
    return model


def fastest(call: Callable[[], object], repeats: int) -> float:
    """The least seconds of several calls, after one that may compile."""
    call()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def rows(sizes: tuple[int, ...] = SIZES, repeats: int = 5) -> list[dict[str, float | str]]:
    """One row per method and k: its time divided by that of the bare product."""
    rng = np.random.default_rng(0)
    model = random_model(rng)
    index = ExactIndex().fit(model.item_factors)
    users, X = np.arange(USERS), model.user_factors
    allowed = rng.random(ITEMS) < 0.5
    methods = {
        "recommend": lambda k: model.recommend(users, k, exclude_seen=False),
        "recommend, unseen": lambda k: model.recommend(users, k),
        "index": lambda k: index.search(X, k),
        "index, half allowed": lambda k: index.search(X, k, allowed),
    }
    table = []
    for name, method in methods.items():
        for k in sizes:
            bare = fastest(lambda: multiply(X, model.item_factors), repeats)
            times = fastest(lambda k=k, method=method: method(k), repeats) / bare
            table.append({"method": name, "k": k, "times the product": times})
    return table


def line(row: dict[str, float | str]) -> str:
    return f"{row['method']:20} {row['k']:5} {row['times the product']:6.2f}"


if __name__ == "__main__":
    for row in rows():
        print(line(row))
