r"""Vector indexes: the items whose vectors have the largest inner product with a query.

.. math:: \arg\operatorname{top}_k \; q^\top v_i

`VectorIndex` is the interface of all of them, exact, approximate or a server. `ExactIndex` compares
the query with every vector. It stores them in blocks of 64 items, coordinate by coordinate: the
inner loop then runs over items, which the processor vectorises without changing the order of
summation in any one product. So equal vectors have bit-identical scores on every processor, and
ties go to the lower id.

Many queries at once are one product of matrices, which the linear algebra library computes faster,
in an order of its own. Its results only select: an item that is within rounding of a query's k-th
best score or above it is scored again in the fixed order. Both orders of a sum of d products differ
from the true value by at most d u |q| |v| to first order, u = 2^-24 (Higham 2002, section 3.1); the
margin is twice the sum of the two bounds. So the results are those of single queries, bit for bit.
"""

from __future__ import annotations

from typing import Any, Protocol

import numba
import numpy as np

from recsys import validation
from recsys.compiled import compiled, prange
from recsys.retrieval.exact import ORDERED, select_row, sort_best
from recsys.threads import on_snapshot, one_blas_thread

BLOCK = 64  # items per block
FEW = 8  # queries that are answered one by one
QUERIES_PER_TILE = 64  # at most; of more queries, multiplied with a block at once


class VectorIndex(Protocol):
    """Interface of an index; the score of an item is its inner product with the query.

    Any number of threads may search while one thread changes the index: each search sees the
    whole index as it was before a change, or after it.
    """

    def fit(self, vectors: np.ndarray) -> VectorIndex:
        """Index the vectors (n, d) of items 0..n-1, replacing any earlier ones."""

    def add(self, vectors: np.ndarray) -> VectorIndex:
        """Add the vectors (m, d) of items n..n+m-1."""

    def remove(self, items: np.ndarray) -> VectorIndex:
        """Never return these items (m,) again; their ids stay taken, until `fit`.

        Raises
        ------
        ValueError
            If an item is unknown, has been removed before, or is named twice.
        """

    def search(
        self, queries: np.ndarray, k: int, allowed: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The k best items of each query.

        Parameters
        ----------
        queries : array (m, d)
        k : int
            May exceed the number of items.
        allowed : array (n,) of bool, optional
            Items that may be returned; all by default, and never a removed one.

        Returns
        -------
        items : array (m, k) int32
            Best first, ties to the lower id; -1 if fewer than k may be returned.
        scores : array (m, k) float32
            -inf if the item is -1.
        """

    def __len__(self) -> int:
        """Number of ids n, those of removed items included."""

    def state(self) -> dict[str, np.ndarray]:
        """The contents of the index, as arrays by name."""

    @classmethod
    def from_state(cls, arrays: dict[str, np.ndarray]) -> VectorIndex:
        """The index that had this state."""


class ExactIndex:
    """Exhaustive search: every vector is compared with the query.

    >>> index = ExactIndex().fit(np.array([[1.0, 0.0], [0.6, 0.8], [1.0, 0.0]]))
    >>> items, scores = index.search(np.array([[1.0, 0.0]]), k=2)
    >>> items
    array([[0, 2]], dtype=int32)
    >>> index.remove([0]).search(np.array([[1.0, 0.0]]), k=2)[0]
    array([[2, 1]], dtype=int32)
    """

    def fit(self, vectors: np.ndarray) -> ExactIndex:
        """Index the vectors (n, d) of items 0..n-1, replacing any earlier ones."""
        vectors = validation.features("vectors", vectors)
        alive = np.ones(len(vectors), np.bool_)
        return self._hold(in_blocks(vectors), alive, longest(vectors))

    def add(self, vectors: np.ndarray) -> ExactIndex:
        """Add the vectors (m, d) of items n..n+m-1."""
        vectors = check_vectors("vectors", vectors, self._fitted().dimensions)
        whole, rest = divmod(self.n_items, BLOCK)  # full blocks, items in the last one
        last = self._blocks[whole:].transpose(0, 2, 1).reshape(-1, self.dimensions)[:rest]
        blocks = np.concatenate([self._blocks[:whole], in_blocks(np.vstack([last, vectors]))])
        alive = np.append(self._alive, np.ones(len(vectors), np.bool_))
        return self._hold(blocks, alive, max(self._longest, longest(vectors)))

    def remove(self, items: np.ndarray) -> ExactIndex:
        """Never return these items (m,) again; see `VectorIndex`."""
        self._fitted()
        return self._hold(self._blocks, without(self._alive, items), self._longest)

    def _hold(self, blocks: np.ndarray, alive: np.ndarray, longest: float) -> ExactIndex:
        """Take blocks (n_blocks, d, BLOCK) and the mask of items left (n,), in one step."""
        held = {"_blocks": blocks, "_alive": alive, "_longest": longest}
        held |= {"n_items": len(alive), "dimensions": blocks.shape[1]}
        self.__dict__ = self.__dict__ | held
        return self

    @on_snapshot
    def search(
        self, queries: np.ndarray, k: int, allowed: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The k best items (m, k) of each query (m, d) and their scores; see `VectorIndex`."""
        queries = check_vectors("queries", queries, self._fitted().dimensions)
        k = validation.whole_number("k", k)
        allowed = check_allowed(allowed, self.n_items) & self._alive
        items = np.full((len(queries), k), -1, np.int32)
        scores = np.full((len(queries), k), -np.inf, np.float32)
        if len(queries) <= FEW:
            search_tile(self._blocks, queries, allowed, items, scores)
        else:
            margins = rounding(queries, self._longest)
            n_tiles = max(-(-len(queries) // QUERIES_PER_TILE), numba.get_num_threads())
            with one_blas_thread():
                search_tiles(self._blocks, queries, margins, n_tiles, allowed, items, scores)
        return items, scores

    def __len__(self) -> int:
        return self._fitted().n_items

    @on_snapshot
    def state(self) -> dict[str, np.ndarray]:
        """The vectors (n, d) float32, as `vectors`, and the ids `removed` (m,) int32."""
        self._fitted()
        flat = self._blocks.transpose(0, 2, 1).reshape(-1, self.dimensions)
        vectors = np.ascontiguousarray(flat[: self.n_items])
        return {"vectors": vectors, "removed": removed_ids(self._alive)}

    @classmethod
    def from_state(cls, arrays: dict[str, np.ndarray]) -> ExactIndex:
        """The index that had this state."""
        return cls().fit(arrays["vectors"]).remove(arrays.get("removed", []))

    def _fitted(self) -> ExactIndex:
        if not hasattr(self, "_blocks"):
            raise ValueError("ExactIndex must be fitted first: call fit(vectors)")
        return self


def check_vectors(name: str, vectors: Any, dimensions: int) -> np.ndarray:
    """`vectors` as finite, contiguous float32 (m, dimensions)."""
    vectors = validation.features(name, vectors)
    if vectors.shape[1] != dimensions:
        raise ValueError(f"{name} must have {dimensions} columns, got shape {vectors.shape}")
    return vectors


def check_allowed(allowed: Any, n_items: int) -> np.ndarray:
    """`allowed` as a mask (n_items,) of bool; None allows all."""
    if allowed is None:
        return np.ones(n_items, np.bool_)
    allowed = np.asarray(allowed)
    if allowed.dtype != bool or allowed.shape != (n_items,):
        raise ValueError(
            f"allowed must be a mask of {n_items} bools, got {allowed.dtype} of shape "
            f"{allowed.shape}"
        )
    return np.ascontiguousarray(allowed)


def without(alive: np.ndarray, items: Any) -> np.ndarray:
    """A copy of the mask `alive` (n,) of items not removed, without `items`; see `VectorIndex`.

    >>> without(np.array([True, True, False]), [0])
    array([False,  True, False])
    """
    items = validation.ids("items", items, len(alive))
    if not alive[items].all():
        gone = items[~alive[items]][0]
        raise ValueError(f"items must not have been removed before, got {gone}")
    if len(np.unique(items)) < len(items):
        twice = np.flatnonzero(np.bincount(items) > 1)[0]
        raise ValueError(f"items must be named once each, got {twice} twice")
    alive = alive.copy()
    alive[items] = False
    return alive


def removed_ids(alive: np.ndarray) -> np.ndarray:
    """The ids (m,) int32 of the items that were removed, for `VectorIndex.state`."""
    return np.flatnonzero(~alive).astype(np.int32)


def longest(vectors: np.ndarray) -> float:
    """The largest length of vectors (n, d); 0 if there are none."""
    return np.linalg.norm(vectors.astype(float), axis=1).max(initial=0.0)


def rounding(queries: np.ndarray, length: float) -> np.ndarray:
    """How far two ways to sum a query's products with vectors up to this length are apart: (m,).

    Twice the bound, which is about 2 d u |q| |v|, and a little for products near zero.
    """
    u = np.finfo(np.float32).eps / 2
    norms = np.linalg.norm(queries.astype(float), axis=1)
    with np.errstate(over="ignore"):  # infinite: all items are scored again
        return (4 * queries.shape[1] * u * norms * length + 1e-30).astype(np.float32)


def in_blocks(vectors: np.ndarray) -> np.ndarray:
    """Vectors (n, d) as blocks (n / BLOCK, d, BLOCK); the last one is padded with zeros."""
    n, d = vectors.shape
    n_blocks = -(-n // BLOCK)
    padded = np.zeros((n_blocks * BLOCK, d), np.float32)
    padded[:n] = vectors
    return np.ascontiguousarray(padded.reshape(n_blocks, BLOCK, d).transpose(0, 2, 1))


@compiled
def multiply_block(block, query, products):
    """products[j] = inner product of the query with item j of the block."""
    for j in range(BLOCK):
        products[j] = np.float32(0)
    for c in range(len(query)):
        weight = query[c]
        column = block[c]
        for j in range(BLOCK):
            products[j] += weight * column[j]


@compiled
def product_of(block, j, query):
    """The inner product with item j of the block, summed as in `multiply_block`."""
    total = np.float32(0)
    for c in range(len(query)):
        total += query[c] * block[c, j]
    return total


@compiled
def search_tile(blocks, queries, allowed, items, scores):
    """Fill in the best items and scores of each query, initialised with -1 and -inf."""
    products = np.empty(BLOCK, np.float32)
    for b in range(len(blocks)):
        first = b * BLOCK
        n = min(BLOCK, len(allowed) - first)
        any_allowed = False
        for j in range(n):
            any_allowed |= allowed[first + j]
        if not any_allowed:
            continue
        for r in range(len(queries)):
            multiply_block(blocks[b], queries[r], products)
            for j in range(n):
                if not allowed[first + j]:
                    products[j] = -np.inf
            select_row(products[:n], first, items[r], scores[r])
    for r in range(len(queries)):
        sort_best(items[r], scores[r])


@compiled(parallel=True)
def search_tiles(blocks, queries, margins, n_tiles, allowed, items, scores):
    """`search_tile`, with products of matrices that are off by less than margins (m,)."""
    m = len(queries)
    for tile in prange(n_tiles):
        rows = slice(tile * m // n_tiles, (tile + 1) * m // n_tiles)
        own, margin, item, score = queries[rows], margins[rows], items[rows], scores[rows]
        products = np.empty((len(own), BLOCK), np.float32)
        for b in range(len(blocks)):
            mask = allowed[b * BLOCK : (b + 1) * BLOCK]
            if not mask.any():
                continue
            np.dot(own, blocks[b], products)
            for r in range(len(own)):
                select_near(products[r], margin[r], blocks[b], own[r], mask, b * BLOCK,
                            item[r], score[r])  # fmt: skip
        for r in range(len(own)):
            sort_best(item[r], score[r])


@compiled
def select_near(products, margin, block, query, mask, first, items, best):
    """Score again what may be among the best, and merge it into `items` and `best`.

    Comparisons are negated, so that the overflow of a product, NaN, passes them.
    """
    worst = 0 if len(items) > ORDERED else len(items) - 1
    threshold = best[worst] - margin
    near = False
    for j in range(BLOCK):
        near |= not (products[j] < threshold)
    if not near:  # the usual case
        return
    exact = np.empty(1, np.float32)
    for j in range(len(mask)):
        if mask[j] and not (products[j] < best[worst] - margin):
            exact[0] = product_of(block, j, query)
            select_row(exact, first + j, items, best)
