"""One collection of Qdrant: the calls of package `qdrant-client` that an index needs.

In process, the client's own Qdrant compares the query with every vector. On a server, the same
calls are HTTP requests: PUT /collections/NAME to create the collection, PUT .../index for each
column that is filtered by, PUT .../points to insert, POST .../points/query/batch to search, POST
.../points/delete, POST .../points to read vectors, and DELETE /collections/NAME at the end.
"""

from __future__ import annotations

import contextlib
import os
import uuid
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from recsys.retrieval.filters import EQUALS, ONE_OF, Condition

FLOATS_PER_REQUEST = 250_000  # about 5 MB of JSON; a server takes 32 MB by default
QUERIES_PER_REQUEST = 100
IDS_PER_REQUEST = 1_000_000  # of masks, about 8 MB; each query repeats its own
PAYLOAD_TYPES = {"U": "keyword", "b": "bool", "i": "integer", "u": "integer", "f": "float"}


class QdrantCollection:
    """A new collection of vectors, compared by inner product.

    Parameters
    ----------
    dimensions : int
    columns : mapping of str to array
        Columns of metadata; only their types are read.
    url, api_key, exact, name, timeout
        As of `recsys.retrieval.qdrant_index.QdrantIndex`.
    """

    def __init__(
        self,
        dimensions: int,
        columns: Mapping[str, np.ndarray],
        url: str | None,
        api_key: str | None,
        exact: bool,
        name: str,
        timeout: int,
    ) -> None:
        qdrant = _qdrant()
        self.dimensions, self.url, self.exact, self.models = dimensions, url, exact, qdrant.models
        self.name = f"{name}-{uuid.uuid4().hex}"
        place = {"location": ":memory:"} if url is None else {"url": url, "api_key": api_key}
        # The check would run in a thread that may outlive the index, and only warns.
        self.client = qdrant.QdrantClient(**place, timeout=timeout, check_compatibility=False)
        vectors = self.models.VectorParams(size=dimensions, distance=self.models.Distance.DOT)
        with self._server():
            self.client.create_collection(self.name, vectors_config=vectors)
            if url is not None:
                weakref.finalize(self, _delete, self.client, self.name, os.getpid())
                for column, values in columns.items():
                    schema = self.models.PayloadSchemaType(PAYLOAD_TYPES[values.dtype.kind])
                    self.client.create_payload_index(self.name, column, schema, wait=True)

    def insert(self, first: int, vectors: np.ndarray, columns: Mapping[str, np.ndarray]) -> None:
        """Store the vectors (m, d) of items first..first+m-1, with their metadata."""
        values = {name: column.tolist() for name, column in columns.items()}
        payloads = [dict(zip(values, row)) for row in zip(*values.values())]
        step = max(1, FLOATS_PER_REQUEST // self.dimensions)
        with self._server():
            for start in range(0, len(vectors), step):
                part = slice(start, start + step)
                ids = range(first + start, first + min(start + step, len(vectors)))
                points = self.models.Batch(
                    ids=list(ids),
                    vectors=vectors[part].tolist(),
                    payloads=payloads[part] or None,
                )
                self.client.upsert(self.name, points=points, wait=True)

    def delete(self, items: np.ndarray) -> None:
        """Delete items (m,) with all that is stored of them."""
        if len(items):
            selector = self.models.PointIdsList(points=items.tolist())
            with self._server():
                self.client.delete(self.name, points_selector=selector, wait=True)

    def filter(self, allowed: np.ndarray, found: Sequence[Condition]) -> Any:
        """Filter of a query: the conditions and, on a server, the mask `allowed` (n,); or None."""
        must = [self._condition(*one) for one in found]
        must_not = []
        if self.url is not None and not allowed.all():  # in process it is slower than no filter
            few = allowed.mean() <= 0.5
            ids = np.flatnonzero(allowed if few else ~allowed).tolist()
            (must if few else must_not).append(self.models.HasIdCondition(has_id=ids))
        if not must and not must_not:
            return None
        return self.models.Filter(must=must or None, must_not=must_not or None)

    def _condition(self, name: str, kind: str, value: Any) -> Any:
        m = self.models
        if kind == EQUALS:
            return m.FieldCondition(key=name, match=m.MatchValue(value=value))
        if kind == ONE_OF and any(isinstance(one, bool) for one in value):  # no list of bools
            either = [self._condition(name, EQUALS, one) for one in value]
            return m.Filter(should=either)
        if kind == ONE_OF:
            return m.FieldCondition(key=name, match=m.MatchAny(any=value))
        return m.FieldCondition(key=name, range=m.Range(gte=value[0], lte=value[1]))

    def query(
        self, queries: np.ndarray, limit: int, where: Any
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """For each query (d,), ids (m,) and vectors (m, d) of at most `limit` nearest points."""
        m, params = self.models, self.models.SearchParams(exact=self.exact)
        step = max(1, min(QUERIES_PER_REQUEST, IDS_PER_REQUEST // max(1, _ids_in(where))))
        for start in range(0, len(queries), step):
            requests = [
                m.QueryRequest(
                    query=query, filter=where, limit=limit, params=params, with_vector=True
                )
                for query in queries[start : start + step].tolist()
            ]
            with self._server():
                responses = self.client.query_batch_points(self.name, requests=requests)
            for response in responses:
                ids = np.array([point.id for point in response.points], np.int64)
                yield ids, self._matrix([point.vector for point in response.points])

    def vectors(self, items: np.ndarray) -> np.ndarray:
        """The stored vectors (m, d) of items (m,)."""
        step = max(1, FLOATS_PER_REQUEST // self.dimensions)
        vectors = np.empty((len(items), self.dimensions), np.float32)
        for start in range(0, len(items), step):
            ids = items[start : start + step].tolist()
            with self._server():
                points = self.client.retrieve(
                    self.name, ids=ids, with_payload=False, with_vectors=True
                )
            row = {point.id: point.vector for point in points}
            vectors[start : start + step] = self._matrix([row[i] for i in ids])
        return vectors

    def _matrix(self, rows: list[list[float]]) -> np.ndarray:
        return np.array(rows, np.float32).reshape(-1, self.dimensions)

    @contextlib.contextmanager
    def _server(self) -> Iterator[None]:
        """ConnectionError that names the server if it does not answer, or refuses."""
        from qdrant_client.common.client_exceptions import QdrantException
        from qdrant_client.http.exceptions import ApiException

        try:
            yield
        except (ApiException, QdrantException) as error:
            raise ConnectionError(f"Qdrant server at {self.url}: {error}") from error


def _ids_in(where: Any) -> int:
    """Number of ids that a filter lists."""
    parts = [] if where is None else [*(where.must or []), *(where.must_not or [])]
    return sum(len(getattr(part, "has_id", [])) for part in parts)


def _delete(client: Any, name: str, process: int) -> None:
    """Delete the collection of an index that is gone; a forked process leaves it to its parent."""
    if os.getpid() == process:
        with contextlib.suppress(Exception):  # a server that is gone has nothing to delete
            client.delete_collection(name)
        client.close()


def _qdrant() -> Any:
    """The package, imported on first use."""
    try:
        import qdrant_client
    except ImportError:
        raise ValueError(
            "QdrantIndex needs the package qdrant-client: install it, or use ExactIndex"
        ) from None
    return qdrant_client
