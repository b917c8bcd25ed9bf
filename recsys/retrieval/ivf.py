r"""Inverted file: compare a query with the items of a few lists only.

k-means groups the vectors, and each group is a *list*. A query is compared with the centroids
first, then with the vectors in the `n_probe` lists whose centroids have the largest inner products
with it (Sivic and Zisserman 2003; Jégou, Douze, Schmid 2011):

.. math:: q^\top v = q^\top c + q^\top (v - c)

The first term is the mean of a list, so the lists with the best means are read. The best item may
lie in another list, and is then not found: more probes raise the recall, and the time. Lists are
made by distance and probed by inner product, which needs no transformation of either.

The scores are exact, bit for bit those of `ExactIndex`. Left out: centroids that follow the items
added later; after many, fit anew.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np

from recsys import validation
from recsys.compiled import compiled, prange
from recsys.retrieval.exact import ORDERED, replace_worst, sort_best
from recsys.retrieval.index import (
    BLOCK,
    FEW,
    ExactIndex,
    check_allowed,
    check_vectors,
    multiply_block,
    removed_ids,
    without,
)
from recsys.retrieval.kmeans import assign, kmeans
from recsys.threads import on_snapshot

TRAINED_ON = 256  # vectors per list that k-means sees, at most


class IVFIndex:
    """Search in the lists nearest to the query, with exact scores; see `VectorIndex`.

    It takes 4 d + 4 bytes per vector of d numbers, and up to 63 empty positions per list.

    Parameters
    ----------
    n_lists : int, optional
        Lists; twice the square root of the number of vectors by default.
    n_probe : int
        Lists read per query; may be changed at any time. With all lists the search is exact.
    iterations : int
        Of k-means.
    rng : int or numpy.random.Generator
        Starts k-means.

    Attributes
    ----------
    centroids : array (n_lists, d) float32

    Examples
    --------
    >>> vectors = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]])
    >>> index = IVFIndex(n_lists=2, n_probe=1).fit(vectors)
    >>> index.search(np.array([[1.0, 0.2]]), k=2)[0]  # the other list is not read
    array([[0, 1]], dtype=int32)
    """

    _payload = "vectors"  # what the lists hold, and its name in the state
    _settings = ("n_lists", "n_probe", "iterations")

    def __init__(
        self,
        n_lists: int | None = None,
        n_probe: int = 8,
        iterations: int = 10,
        rng: int | np.random.Generator = 0,
    ):
        self.n_lists = n_lists if n_lists is None else validation.whole_number("n_lists", n_lists)
        self.n_probe = validation.whole_number("n_probe", n_probe)
        self.iterations = validation.whole_number("iterations", iterations, low=0)
        validation.random_generator(rng)
        self.rng = rng

    def fit(self, vectors: np.ndarray) -> IVFIndex:
        """Learn the lists from the vectors (n, d) of items 0..n-1, and index them."""
        vectors = validation.features("vectors", vectors)
        new = copy.copy(self)
        new._learn(vectors, validation.random_generator(self.rng))
        new._lists = ExactIndex().fit(new.centroids)
        new._alive = np.zeros(0, np.bool_)
        new._append(vectors)
        self.__dict__ = new.__dict__  # in one step, for threads that search meanwhile
        return self

    def add(self, vectors: np.ndarray) -> IVFIndex:
        """Add the vectors (m, d) of items n..n+m-1 to the lists that `fit` learned.

        This copies all lists, and leaves removed items out: add many at once.
        """
        vectors = check_vectors("vectors", vectors, self._fitted().centroids.shape[1])
        if len(self) == 0:
            return self.fit(vectors)
        new = copy.copy(self)
        new._append(vectors)
        self.__dict__ = new.__dict__
        return self

    def remove(self, items: np.ndarray) -> IVFIndex:
        """Never return these items (m,) again; see `VectorIndex`. The next `add` drops them."""
        alive = without(self._fitted()._alive, items)
        self.__dict__ = self.__dict__ | {"_alive": alive}
        return self

    @on_snapshot
    def search(
        self, queries: np.ndarray, k: int, allowed: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The k best items (m, k) in the lists read for each query (m, d); see `VectorIndex`.

        Where they hold fewer than k allowed items, twice as many lists are read, and so on.
        """
        queries = check_vectors("queries", queries, self._fitted().centroids.shape[1])
        k = validation.whole_number("k", k)
        n_probe = validation.whole_number("n_probe", self.n_probe)
        if allowed is None:
            allowed = self._alive
        else:
            allowed = check_allowed(allowed, len(self)) & self._alive
        n_probe = min(n_probe, max(1, len(self.centroids)))
        items, scores = self._best(queries, *self._lists.search(queries, n_probe), allowed, k)
        if (items[:, -1] < 0).any():
            wanted = min(k, np.count_nonzero(allowed))
            short = np.flatnonzero(np.count_nonzero(items >= 0, axis=1) < wanted)
            while len(short) and n_probe < len(self.centroids):
                n_probe = min(2 * n_probe, len(self.centroids))
                own = queries[short]
                found = self._best(own, *self._lists.search(own, n_probe), allowed, k)
                items[short], scores[short] = found
                short = short[np.count_nonzero(found[0] >= 0, axis=1) < wanted]
        return items, scores

    def __len__(self) -> int:
        return len(self._fitted()._alive)

    @on_snapshot
    def state(self) -> dict[str, np.ndarray]:
        """Centroids, contents of the lists, ids `removed` and settings, all but `rng`."""
        rows, lists, items = self._fitted()._contents()
        settings = [getattr(self, name) for name in self._settings]
        return {
            "centroids": self.centroids,
            self._payload: rows,
            "lists": lists.astype(np.int32),
            "items": items,
            "removed": removed_ids(self._alive),
            "settings": np.array([-1 if x is None else x for x in settings]),
        }

    @classmethod
    def from_state(cls, arrays: dict[str, np.ndarray]) -> IVFIndex:
        """The index that had this state."""
        values = [None if x < 0 else int(x) for x in arrays["settings"]]
        index = cls(**dict(zip(cls._settings, values)))
        index._restore(arrays)
        return index

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        self.centroids = arrays["centroids"]
        self._lists = ExactIndex().fit(self.centroids)
        self._alive = np.ones(len(arrays["items"]) + len(arrays["removed"]), np.bool_)
        self._alive[arrays["removed"]] = False
        self._arrange(arrays[self._payload], arrays["lists"], arrays["items"])

    def _learn(self, vectors: np.ndarray, rng: np.random.Generator) -> None:
        n_lists = self.n_lists or max(1, round(2 * len(vectors) ** 0.5))
        sample = sampled(vectors, TRAINED_ON * n_lists, rng)
        self.centroids = kmeans(sample, n_lists, self.iterations, rng)

    def _append(self, vectors: np.ndarray) -> None:
        n, m = len(self._alive), len(vectors)
        lists, _ = assign(vectors, self.centroids)
        new = self._encode(vectors, lists), lists, np.arange(n, n + m, dtype=np.int32)
        if n:
            new = tuple(np.concatenate(both) for both in zip(self._contents(), new))
        self._alive = np.append(self._alive, np.ones(m, np.bool_))
        self._arrange(*new)

    def _arrange(self, rows: np.ndarray, lists: np.ndarray, items: np.ndarray) -> None:
        """Put the rows (n, w), list by list, into blocks (n_blocks, w, BLOCK)."""
        order = np.lexsort((items, lists))
        sizes = np.bincount(lists, minlength=len(self.centroids))
        self._starts = np.append(0, np.cumsum(-(-sizes // BLOCK)))  # first block of each list
        shift = BLOCK * self._starts[:-1] - (np.cumsum(sizes) - sizes)
        positions = np.arange(len(rows)) + np.repeat(shift, sizes)
        flat = np.zeros((BLOCK * self._starts[-1], rows.shape[1]), rows.dtype)
        flat[positions] = rows[order]
        ids = np.full(len(flat), -1, np.int32)
        ids[positions] = items[order]
        self._ids = ids.reshape(-1, BLOCK)
        self._blocks = flat.reshape(-1, BLOCK, rows.shape[1]).transpose(0, 2, 1).copy()

    def _contents(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows (n, w), lists (n,) and ids (n,) of the items not removed."""
        kept = (self._ids >= 0) & self._alive[self._ids]
        lists = np.repeat(np.arange(len(self.centroids)), np.diff(self._starts))
        lists = np.broadcast_to(lists[:, None], kept.shape)
        return self._blocks.transpose(0, 2, 1)[kept], lists[kept], self._ids[kept]

    def _encode(self, vectors: np.ndarray, lists: np.ndarray) -> np.ndarray:
        """What the lists hold of vectors (n, d): themselves."""
        return vectors

    def _best(
        self, queries: np.ndarray, lists: np.ndarray, means: np.ndarray, allowed: np.ndarray, k: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """The k best items in the lists (m, n_probe) of each query; means (m, n_probe) are q'c."""
        items, scores = nothing(len(queries), k)
        shared = self._blocks, self._ids, self._starts, allowed
        for_each_query(scan_vectors, scan_all_vectors, shared, queries, lists, items, scores)
        return items, scores

    def _fitted(self) -> IVFIndex:
        if not hasattr(self, "_alive"):
            raise ValueError(f"{type(self).__name__} must be fitted first: call fit(vectors)")
        return self


def sampled(vectors: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """At most n of the vectors, chosen at random, in their order."""
    if len(vectors) <= n:
        return vectors
    return vectors[np.sort(rng.choice(len(vectors), n, replace=False))]


def nothing(n_queries: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Items -1 and scores -inf (n_queries, k), for `offer` to replace."""
    items = np.full((n_queries, k), -1, np.int32)
    return items, np.full((n_queries, k), -np.inf, np.float32)


def for_each_query(one: Callable, each: Callable, shared: tuple, *rows: np.ndarray) -> None:
    """Call `each` with all queries, or `one` with one after the other where they are few."""
    if len(rows[0]) > FEW:
        each(*shared, *rows)
        return
    for own in zip(*rows):
        one(*shared, *own)


@compiled
def scan_vectors(blocks, ids, starts, allowed, query, lists, items, best):
    """Merge the lists into `items` and `best`, which start as -1 and -inf."""
    products = np.empty(BLOCK, np.float32)
    for chosen in lists[lists >= 0]:
        for b in range(starts[chosen], starts[chosen + 1]):
            multiply_block(blocks[b], query, products)
            offer_block(products, ids[b], allowed, items, best)
    sort_best(items, best)


@compiled(parallel=True)
def scan_all_vectors(blocks, ids, starts, allowed, queries, lists, items, best):
    """`scan_vectors` for each query, on all threads."""
    for r in prange(len(queries)):
        scan_vectors(blocks, ids, starts, allowed, queries[r], lists[r], items[r], best[r])


@compiled
def offer_block(products, ids, allowed, items, best):
    """`offer` the allowed items of a block; an id of -1 is an empty position."""
    worst = 0 if len(items) > ORDERED else len(items) - 1
    threshold = best[worst]
    reached = False
    for j in range(BLOCK):
        reached |= products[j] >= threshold
    if not reached:  # the usual case
        return
    for j in range(BLOCK):
        if products[j] >= best[worst] and ids[j] >= 0 and allowed[ids[j]]:
            offer(items, best, ids[j], products[j])


@compiled
def offer(items, best, item, score):
    """Merge one item into the best so far; unlike for `select_row`, ids come in any order."""
    k = len(items)
    worst = 0 if k > ORDERED else k - 1
    if not (score > best[worst] or (score == best[worst] and item < items[worst])):
        return
    if k > ORDERED:
        replace_worst(items, best, k, item, score)
        return
    position = k - 1
    while position > 0 and (
        score > best[position - 1] or (score == best[position - 1] and item < items[position - 1])
    ):
        best[position] = best[position - 1]
        items[position] = items[position - 1]
        position -= 1
    best[position] = score
    items[position] = item
