"""A vector database behind the interface of an index: Qdrant (package `qdrant-client`).

A database keeps metadata with each vector, filters by it during the search, and serves many
programs. Without a `url`, the client's own Qdrant runs in this process and compares the query with
every vector; with one, a server is asked over HTTP, which searches by HNSW unless `exact`. Qdrant
does not define which of several equal products comes first. So a few more than k candidates are
fetched, with their vectors; if the last of them lies within rounding of the k-th best, more are
fetched. They are scored and sorted as in `ExactIndex`, and an exact search is bit-identical to it.

An index owns its collection on the server, which is deleted when nobody uses the index any more.
Left out: collections that outlive the index (see `save_index`) or that several processes share, and
the client's own folder on disk, which is read by pickle.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np

from recsys import validation
from recsys.retrieval.faiss_index import product_of_each
from recsys.retrieval.filters import check_metadata, conditions
from recsys.retrieval.index import check_allowed, check_vectors, removed_ids, without
from recsys.retrieval.qdrant_collection import QdrantCollection
from recsys.threads import on_snapshot

SPARE = 16  # candidates beyond k
METADATA = "metadata-"  # of the names of columns in the state


class QdrantIndex:
    """`ExactIndex` on Qdrant, in process or on a server.

    A search in process waits while the index changes. A server applies a change while others
    search: items that are being added are not returned before all of them are stored, but a search
    that began before a removal may miss some of the removed items.

    On a server the index owns a new collection, which is deleted with it. A process that is killed
    leaves its collection behind, until somebody deletes it.

    Parameters
    ----------
    url : str, optional
        Of a server, such as "http://localhost:6333"; in process by default.
    api_key : str, optional
    exact : bool
        Whether a server compares the query with every vector; in process it always does.
    name : str
        First part of the name of the server's collection; the rest is random.
    timeout : int
        Seconds in which the server must answer a request.

    Examples
    --------
    >>> index = QdrantIndex().fit([[1.0, 0.0], [0.6, 0.8]], {"in_stock": [False, True]})
    >>> index.search([[1.0, 0.0]], k=2, where={"in_stock": True})[0]
    array([[ 1, -1]], dtype=int32)
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        exact: bool = False,
        name: str = "recsys",
        timeout: int = 60,
    ) -> None:
        if url is not None and not str(url).startswith(("http://", "https://")):
            raise ValueError(f"url must begin with http:// or https://, got {url!r}")
        self._place = {"url": url, "api_key": api_key, "name": name}
        self._place["exact"] = validation.true_or_false("exact", exact)
        self._place["timeout"] = validation.whole_number("timeout", timeout)
        # The client in process cannot search while it changes; a server can.
        self._lock = threading.RLock() if url is None else contextlib.nullcontext()

    def fit(self, vectors: np.ndarray, metadata: Mapping[str, Any] | None = None) -> QdrantIndex:
        """Index the vectors (n, d) of items 0..n-1, replacing any earlier ones.

        `metadata` maps names to columns (n,) that `search` can filter by; see `filters.passing`.
        ConnectionError if the server does not answer; so in all methods.
        """
        vectors = validation.features("vectors", vectors)
        columns = {} if metadata is None else check_metadata(metadata, len(vectors))
        collection = QdrantCollection(vectors.shape[1], columns, **self._place)
        empty = {name: column[:0] for name, column in columns.items()}
        before = {"_alive": np.empty(0, np.bool_), "_max_norm": 0.0, "_metadata": empty}
        return self._store(collection, vectors, columns, before)

    def add(self, vectors: np.ndarray, metadata: Mapping[str, Any] | None = None) -> QdrantIndex:
        """Add the vectors (m, d) of items n..n+m-1, with the same columns of metadata as `fit`."""
        vectors = check_vectors("vectors", vectors, self._fitted().dimensions)
        columns = {} if metadata is None else check_metadata(metadata, len(vectors))
        expected, kinds = (
            {name: column.dtype.kind for name, column in some.items()}
            for some in (self._metadata, columns)
        )
        if kinds != expected:
            raise ValueError(f"metadata must have the columns {expected} of fit, got {kinds}")
        return self._store(self._collection, vectors, columns, self.__dict__)

    def remove(self, items: np.ndarray) -> QdrantIndex:
        """Delete these items (m,) from the database; see `VectorIndex`."""
        collection, alive = self._fitted(), self._alive
        left = without(alive, items)
        with self._lock:
            self.__dict__ = self.__dict__ | {"_alive": left}
            collection.delete(np.flatnonzero(alive & ~left))
        return self

    def _store(
        self, collection: QdrantCollection, vectors: np.ndarray, columns: dict, before: dict
    ) -> QdrantIndex:
        """Store items after those of `before`; then, in one step, let searches return them."""
        new = {"_collection": collection}
        new["_alive"] = np.append(before["_alive"], np.ones(len(vectors), np.bool_))
        new["_max_norm"] = np.linalg.norm(vectors, axis=1).max(initial=before["_max_norm"])
        new["_metadata"] = {
            name: np.append(before["_metadata"][name], column) for name, column in columns.items()
        }
        with self._lock:
            collection.insert(len(before["_alive"]), vectors, columns)
            self.__dict__ = self.__dict__ | new
        return self

    def search(
        self,
        queries: np.ndarray,
        k: int,
        allowed: np.ndarray | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The k best items (m, k) of each query (m, d) and their scores; see `VectorIndex`.

        `where` are conditions on the metadata that Qdrant filters by; see `filters.passing`.
        """
        with self._lock:
            return self._search(queries, k, allowed, where or {})

    @on_snapshot
    def _search(
        self, queries: Any, k: int, allowed: Any, where: Mapping[str, Any]
    ) -> tuple[np.ndarray, np.ndarray]:
        collection = self._fitted()
        queries = check_vectors("queries", queries, collection.dimensions)
        k = validation.whole_number("k", k)
        allowed = check_allowed(allowed, len(self))
        chosen = collection.filter(allowed, conditions(self._metadata, where))
        allowed = allowed & self._alive
        items = np.full((len(queries), k), -1, np.int32)
        scores = np.full((len(queries), k), -np.inf, np.float32)
        pending, limit = np.arange(len(queries) if allowed.any() else 0), k + SPARE
        while len(pending):
            found = collection.query(queries[pending], limit, chosen)
            done = [
                self._take(queries[row], *candidates, allowed, items[row], scores[row])
                or len(candidates[0]) < limit
                for row, candidates in zip(pending, found)
            ]
            pending, limit = pending[~np.array(done)], 4 * limit
        return items, scores

    def _take(
        self,
        query: np.ndarray,
        ids: np.ndarray,
        vectors: np.ndarray,
        allowed: np.ndarray,
        items: np.ndarray,
        scores: np.ndarray,
    ) -> bool:
        """Fill in the best of the candidates; whether no other item can be as good."""
        kept = ids < len(allowed)  # more may have been added meanwhile
        kept[kept] = allowed[ids[kept]]
        found, products = ids[kept], product_of_each(vectors[kept], query)
        best = np.lexsort((found, -products))[: len(items)]
        items[: len(best)], scores[: len(best)] = found[best], products[best]
        if len(best) < len(items):
            return False
        last = product_of_each(vectors[-1:], query)[0]
        rounding = 4 * len(query) * np.finfo(np.float32).eps  # times both norms
        return bool(last < scores[-1] - 2 * rounding * np.linalg.norm(query) * self._max_norm)

    def __len__(self) -> int:
        self._fitted()
        return len(self._alive)

    def state(self) -> dict[str, np.ndarray]:
        """The `vectors` (n, d) float32, zeros for the `removed` ids, and the metadata."""
        with self._lock:
            return self._state()

    @on_snapshot
    def _state(self) -> dict[str, np.ndarray]:
        collection, left = self._fitted(), np.flatnonzero(self._alive)
        vectors = np.zeros((len(self), collection.dimensions), np.float32)
        vectors[left] = collection.vectors(left)
        columns = {METADATA + name: column for name, column in self._metadata.items()}
        return {"vectors": vectors, "removed": removed_ids(self._alive)} | columns

    @classmethod
    def from_state(cls, arrays: dict[str, np.ndarray]) -> QdrantIndex:
        """The index that had this state, in process."""
        columns = {
            name.removeprefix(METADATA): column
            for name, column in arrays.items()
            if name.startswith(METADATA)
        }
        return cls().fit(arrays["vectors"], columns or None).remove(arrays["removed"])

    def _fitted(self) -> QdrantCollection:
        if not hasattr(self, "_collection"):
            raise ValueError("QdrantIndex must be fitted first: call fit(vectors)")
        return self._collection
