r"""Vector indexes: which items' vectors have the largest inner product with a query.

.. math:: \arg\operatorname{top}_k \; q^\top v_i

One interface, so that an exact search, an approximate one and a server can take each other's
place, and `ExactIndex`, which compares the query with every vector. It keeps the vectors in
blocks of 64 items, coordinate by coordinate: the inner loop then runs over items, which a
processor does several at a time without changing the order in which any one product is summed.
So equal vectors have equal scores to the bit, on every processor, and ties go to the lower id.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numba import njit, prange

from recsys import validation
from recsys.retrieval.exact import FEW, select_row, top_k_reference
from recsys.threads import on_snapshot

BLOCK = 64  # items stored side by side
QUERIES_A_TILE = 8  # queries answered while a block is in the cache
SCORES_IN_MEMORY = 4_000_000


class VectorIndex(Protocol):
    """What every index can do; the score of an item is its inner product with the query."""

    def fit(self, vectors: np.ndarray) -> VectorIndex:
        """Hold the vectors (n, d) of items 0..n-1, in place of any held before."""

    def add(self, vectors: np.ndarray) -> VectorIndex:
        """Hold more vectors (m, d): those of items n..n+m-1."""

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
            Items that may be found; all where not given.

        Returns
        -------
        items : array (m, k) int32
            Best first, ties to the lower id; -1 where fewer than k may be found.
        scores : array (m, k) float32
            -inf where the item is -1.
        """

    def __len__(self) -> int: ...

    def state(self) -> dict[str, np.ndarray]:
        """All that the index holds, as arrays by name."""

    @classmethod
    def from_state(cls, arrays: dict[str, np.ndarray]) -> VectorIndex:
        """The index that had this state."""


class ExactIndex:
    """Every vector is compared with the query; nothing is missed.

    >>> index = ExactIndex().fit(np.array([[1.0, 0.0], [0.6, 0.8], [1.0, 0.0]]))
    >>> items, scores = index.search(np.array([[1.0, 0.0]]), k=2)
    >>> items
    array([[0, 2]], dtype=int32)
    """

    def fit(self, vectors: np.ndarray) -> ExactIndex:
        """Hold the vectors (n, d) of items 0..n-1, in place of any held before."""
        vectors = validation.features("vectors", vectors)
        return self._hold(in_blocks(vectors), len(vectors))

    def add(self, vectors: np.ndarray) -> ExactIndex:
        """Hold more vectors (m, d): those of items n..n+m-1."""
        vectors = check_vectors("vectors", vectors, self._fitted().dimensions)
        whole, rest = divmod(self.n_items, BLOCK)  # blocks that are full, items in the last
        last = self._blocks[whole:].transpose(0, 2, 1).reshape(-1, self.dimensions)[:rest]
        blocks = np.concatenate([self._blocks[:whole], in_blocks(np.vstack([last, vectors]))])
        return self._hold(blocks, self.n_items + len(vectors))

    def _hold(self, blocks: np.ndarray, n_items: int) -> ExactIndex:
        """Take blocks (n_blocks, d, BLOCK), in one step for threads that search meanwhile."""
        held = {"_blocks": blocks, "n_items": n_items, "dimensions": blocks.shape[1]}
        self.__dict__ = self.__dict__ | held
        return self

    @on_snapshot
    def search(
        self, queries: np.ndarray, k: int, allowed: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The k best items (m, k) of each query (m, d) and their scores; see `VectorIndex`."""
        queries = check_vectors("queries", queries, self._fitted().dimensions)
        k = validation.whole_number("k", k)
        allowed = check_allowed(allowed, self.n_items)
        items = np.full((len(queries), k), -1, np.int32)
        scores = np.full((len(queries), k), -np.inf, np.float32)
        if k <= FEW:
            search = search_tile if len(queries) <= QUERIES_A_TILE else search_tiles
            search(self._blocks, queries, allowed, items, scores)
            return items, scores
        size = max(1, SCORES_IN_MEMORY // max(self.n_items, 1))
        for start in range(0, len(queries), size):
            rows = slice(start, start + size)
            products = all_products(self._blocks, queries[rows], self.n_items)
            products[:, ~allowed] = -np.inf
            items[rows], scores[rows] = top_k_reference(products, k)
        return items, scores

    def __len__(self) -> int:
        return self._fitted().n_items

    @on_snapshot
    def state(self) -> dict[str, np.ndarray]:
        """The vectors (n, d) float32, as `vectors`."""
        blocks = self._fitted()._blocks
        flat = blocks.transpose(0, 2, 1).reshape(-1, self.dimensions)
        return {"vectors": np.ascontiguousarray(flat[: self.n_items])}

    @classmethod
    def from_state(cls, arrays: dict[str, np.ndarray]) -> ExactIndex:
        """The index that had this state."""
        return cls().fit(arrays["vectors"])

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


def in_blocks(vectors: np.ndarray) -> np.ndarray:
    """Vectors (n, d) as blocks (n / BLOCK, d, BLOCK) of columns; the last is padded with zeros."""
    n, d = vectors.shape
    n_blocks = -(-n // BLOCK)
    padded = np.zeros((n_blocks * BLOCK, d), np.float32)
    padded[:n] = vectors
    return np.ascontiguousarray(padded.reshape(n_blocks, BLOCK, d).transpose(0, 2, 1))


@njit(cache=True)
def multiply_block(block, query, products):
    """products[j] = the query's inner product with the block's item j."""
    for j in range(BLOCK):
        products[j] = np.float32(0)
    for c in range(len(query)):
        weight = query[c]
        column = block[c]
        for j in range(BLOCK):
            products[j] += weight * column[j]


@njit(cache=True)
def search_tile(blocks, queries, allowed, items, scores):
    """Fill each query's best items, which arrive as -1 and -inf."""
    products = np.empty(BLOCK, np.float32)
    for b in range(len(blocks)):
        first = b * BLOCK
        inside = min(BLOCK, len(allowed) - first)
        some = False
        for j in range(inside):
            some |= allowed[first + j]
        if not some:
            continue
        for r in range(len(queries)):
            multiply_block(blocks[b], queries[r], products)
            for j in range(inside):
                if not allowed[first + j]:
                    products[j] = -np.inf
            select_row(products[:inside], first, items[r], scores[r])


@njit(parallel=True, cache=True)
def search_tiles(blocks, queries, allowed, items, scores):
    """`search_tile` of a few queries at a time, on all threads."""
    for tile in prange((len(queries) + QUERIES_A_TILE - 1) // QUERIES_A_TILE):
        mine = slice(tile * QUERIES_A_TILE, (tile + 1) * QUERIES_A_TILE)
        search_tile(blocks, queries[mine], allowed, items[mine], scores[mine])


@njit(parallel=True, cache=True)
def all_products(blocks, queries, n_items):
    """The inner product of every query with every item: (m, n_items) float32."""
    out = np.empty((len(queries), n_items), np.float32)
    for r in prange(len(queries)):
        products = np.empty(BLOCK, np.float32)
        for b in range(len(blocks)):
            multiply_block(blocks[b], queries[r], products)
            for j in range(min(BLOCK, n_items - b * BLOCK)):
                out[r, b * BLOCK + j] = products[j]
    return out


def search_reference(
    vectors: np.ndarray, queries: np.ndarray, k: int, allowed: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The k best items of each query by a full sort of all products, in plain NumPy."""
    products = np.zeros((len(queries), len(vectors)), np.float32)
    for c in range(vectors.shape[1]):  # coordinate by coordinate, as the index sums them
        products += np.outer(queries[:, c], vectors[:, c]).astype(np.float32)
    if allowed is not None:
        products[:, ~allowed] = -np.inf
    return top_k_reference(products, k)
