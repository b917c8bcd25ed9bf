"""Exact search with faiss (Douze et al. 2024).

faiss does not define which of several equal products comes first, and sums products in its own
order. So it retrieves the candidates, a few more than k; if the last of them lies within rounding
of the k-th best, a range search adds all others that near. They are then scored and sorted as in
`ExactIndex`, and the results are bit-identical.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys import validation
from recsys.compiled import compiled
from recsys.retrieval.index import check_allowed, check_vectors, removed_ids, without
from recsys.threads import on_snapshot

SPARE = 16  # candidates beyond k


class FaissIndex:
    """`ExactIndex` on faiss (package `faiss-cpu`)."""

    def fit(self, vectors: np.ndarray) -> FaissIndex:
        """Index the vectors (n, d) of items 0..n-1, replacing any earlier ones."""
        vectors = validation.features("vectors", vectors)
        index = _faiss().IndexFlatIP(vectors.shape[1])
        return self._hold(index, vectors, np.empty(0, np.bool_), 0.0)

    def add(self, vectors: np.ndarray) -> FaissIndex:
        """Add the vectors (m, d) of items n..n+m-1."""
        vectors = check_vectors("vectors", vectors, self._fitted().d)
        index = _faiss().clone_index(self._index)  # faiss forbids a search while it adds
        return self._hold(index, vectors, self._alive, self._max_norm)

    def remove(self, items: np.ndarray) -> FaissIndex:
        """Never return these items (m,) again; see `VectorIndex`."""
        self._fitted()
        self.__dict__ = self.__dict__ | {"_alive": without(self._alive, items)}
        return self

    def _hold(self, index: Any, added: np.ndarray, alive: np.ndarray, norm: float) -> FaissIndex:
        """Take a copy of the index so far and add vectors, in one step for those who search."""
        index.add(added)
        held = {"_index": index, "_alive": np.append(alive, np.ones(len(added), np.bool_))}
        held["_max_norm"] = np.linalg.norm(added, axis=1).max(initial=norm)
        self.__dict__ = self.__dict__ | held
        return self

    @on_snapshot
    def search(
        self, queries: np.ndarray, k: int, allowed: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The k best items (m, k) of each query (m, d) and their scores; see `VectorIndex`."""
        queries = check_vectors("queries", queries, self._fitted().d)
        k = validation.whole_number("k", k)
        allowed = check_allowed(allowed, len(self)) & self._alive
        items = np.full((len(queries), k), -1, np.int32)
        scores = np.full((len(queries), k), -np.inf, np.float32)
        for row, query in enumerate(queries):
            found = self._candidates(query, k, allowed)
            products = product_of_each(self._index.reconstruct_batch(found), query)
            best = np.lexsort((found, -products))[:k]
            items[row, : len(best)], scores[row, : len(best)] = found[best], products[best]
        return items, scores

    def __len__(self) -> int:
        return self._fitted().ntotal

    @on_snapshot
    def state(self) -> dict[str, np.ndarray]:
        """The vectors (n, d) float32, as `vectors`, and the ids `removed` (m,) int32."""
        vectors = self._fitted().reconstruct_n(0, len(self))
        return {"vectors": vectors, "removed": removed_ids(self._alive)}

    @classmethod
    def from_state(cls, arrays: dict[str, np.ndarray]) -> FaissIndex:
        """The index that had this state."""
        return cls().fit(arrays["vectors"]).remove(arrays.get("removed", []))

    def _candidates(self, query: np.ndarray, k: int, allowed: np.ndarray) -> np.ndarray:
        """Ids of the k best, of all tied with the last of them, and of some others."""
        bits = np.packbits(allowed, bitorder="little")
        parameters = _faiss().SearchParameters(sel=_faiss().IDSelectorBitmap(bits))
        n_found = min(k + SPARE, int(allowed.sum()))
        if n_found == 0:
            return np.empty(0, np.int64)
        products, found = self._index.search(query[None], n_found, params=parameters)
        rounding = 4 * len(query) * np.finfo(np.float32).eps  # times both norms
        error = float(rounding * np.linalg.norm(query) * self._max_norm)
        if n_found == k + SPARE and products[0, -1] >= products[0, k - 1] - error:
            near = float(products[0, k - 1] - 2 * error) - 1e-30  # exclusive, so less than zero too
            _, _, found = self._index.range_search(query[None], near, params=parameters)
        return found.ravel()

    def _fitted(self) -> Any:
        if not hasattr(self, "_index"):
            raise ValueError("FaissIndex must be fitted first: call fit(vectors)")
        return self._index


def _faiss() -> Any:
    """The package, imported on first use."""
    try:
        import faiss
    except ImportError:
        raise ValueError(
            "FaissIndex needs the package faiss-cpu: install it, or use ExactIndex"
        ) from None
    return faiss


@compiled
def product_of_each(vectors, query):
    """Inner product of each row with the query, summed as in `ExactIndex`: (n,)."""
    products = np.zeros(len(vectors), np.float32)
    for row in range(len(vectors)):
        for c in range(len(query)):
            products[row] += vectors[row, c] * query[c]
    return products
