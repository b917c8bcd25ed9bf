r"""HNSW: approximate search in a hierarchical navigable small world graph.

.. math:: \arg\operatorname{top}_k \; q^\top v_i

Each vector is linked to a few others that it would be a good answer for: a search walks from vector
to vector, always on to the best neighbour, and compares the query with a small fraction of all
(Malkov and Yashunin 2020, IEEE TPAMI 42(4)). `hnsw_search` holds the walk, `hnsw_build` the
construction.

The graph is built on the inner product itself (Morozov and Babenko 2018, NeurIPS), not on the
distances of `transform`. Norms of item factors have a long tail: with M the norm of the most
popular item, the coordinate added to all others is close to M, they lie in one small spot, and a
query, whose added coordinate is 0, lies far from all of them. A graph of neighbours in that spot
leads nowhere in particular. Under the inner product long vectors become hubs, which is where most
answers are.

Equal vectors share one node (`copies`): a group of copies larger than a node's links would else be
linked to itself only. A removed item leaves its node in the graph as a way to others. Where few
items are allowed, all of them are compared, exactly. Left out: repair of the graph after many
removals, for which `fit` serves.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from recsys import validation
from recsys.kernels import LINE
from recsys.retrieval.copies import group_equal
from recsys.retrieval.hnsw_build import grow
from recsys.retrieval.hnsw_graph import Graph, checked_graph, empty_graph
from recsys.retrieval.hnsw_search import search_graph, search_rows
from recsys.retrieval.index import (
    ExactIndex,
    check_allowed,
    check_vectors,
    removed_ids,
    without,
)
from recsys.threads import limit_threads, on_snapshot

SCAN = 20  # a comparison in the graph takes about as long as this many in a row


@dataclass(eq=False)
class HNSWIndex:
    """Approximate search in a layered graph.

    Parameters
    ----------
    m : int
        Links of a new node per layer; layer 0 has room for twice as many. More links find
        more, and take more time and 8 m bytes per vector.
    ef_construction : int
        Width of the beam that looks for the links of a new node.
    ef : int
        Width of the beam of a search, at least k: recall against speed.
    rng : int or numpy.random.Generator
        Draws the layers of the nodes.
    n_threads : int, optional
        Changes the time, never the result.

    Examples
    --------
    >>> index = HNSWIndex().fit(np.array([[1.0, 0.0], [0.6, 0.8], [1.0, 0.0]]))
    >>> items, scores = index.search(np.array([[1.0, 0.0]]), k=2)
    >>> items
    array([[0, 2]], dtype=int32)
    """

    m: int = 16
    ef_construction: int = 200
    ef: int = 64
    rng: int | np.random.Generator = 0
    n_threads: int | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        validation.whole_number("m", self.m, 2, 1024)
        validation.whole_number("ef_construction", self.ef_construction)
        validation.whole_number("ef", self.ef)
        if self.n_threads is not None:
            validation.whole_number("n_threads", self.n_threads)

    def fit(self, vectors: np.ndarray) -> HNSWIndex:
        """Index the vectors (n, d) of items 0..n-1, replacing any earlier ones."""
        vectors = validation.features("vectors", vectors)
        seed = int(validation.random_generator(self.rng).integers(2**63))
        padded = in_lines(vectors)
        graph, nodes = self._grown(empty_graph(padded.shape[1], self.m), padded, seed)
        alive = np.ones(len(nodes), np.bool_)
        return self._hold(graph, nodes, alive, seed, vectors.shape[1])

    def add(self, vectors: np.ndarray) -> HNSWIndex:
        """Add the vectors (m, d) of items n..n+m-1.

        The graph is copied first, for those who search meanwhile: add many at a time.
        """
        vectors = check_vectors("vectors", vectors, self._fitted().dimensions)
        graph, nodes = self._grown(self._graph, in_lines(vectors), self._seed)
        alive = np.append(self._alive, np.ones(len(nodes), np.bool_))
        nodes = np.append(self._nodes, nodes)
        return self._hold(graph, nodes, alive, self._seed, self.dimensions)

    def remove(self, items: np.ndarray) -> HNSWIndex:
        """Never return these items (m,) again; see `VectorIndex`."""
        self._fitted()
        self.__dict__ = self.__dict__ | {"_alive": without(self._alive, items)}
        return self

    @on_snapshot
    def search(
        self, queries: np.ndarray, k: int, allowed: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """About the k best items (m, k) of each query (m, d) and their scores.

        See `VectorIndex`. Scores are those of `ExactIndex`, bit by bit, and k items are
        returned wherever k are allowed. Where a fraction f of all is allowed, the beam is
        ef / f wide; if to compare all of them takes less time, that is done.
        """
        queries = check_vectors("queries", queries, self._fitted().dimensions)
        k = validation.whole_number("k", k)
        alive = self._alive
        allowed = alive if allowed is None else alive & check_allowed(allowed, self.n_items)
        n_allowed = np.count_nonzero(allowed)
        width = max(self.ef, k) * self.n_items / max(n_allowed, 1)
        if k >= n_allowed or (n_allowed < self.n_items and n_allowed <= SCAN * width):
            return self._scan(queries, k, allowed)
        items = np.full((len(queries), k), -1, np.int32)
        scores = np.full((len(queries), k), -np.inf, np.float32)
        search = search_rows if len(queries) == 1 else search_graph
        with limit_threads(self.n_threads):
            search(
                self._graph, in_lines(queries), int(np.ceil(width)), self.dimensions,
                self._starts, self._copies, allowed, items, scores,
            )  # fmt: skip
        short = items[:, -1] < 0
        if short.any():  # too few were within reach
            items[short], scores[short] = self._scan(queries[short], k, allowed)
        return items, scores

    def __len__(self) -> int:
        return self._fitted().n_items

    @on_snapshot
    def state(self) -> dict[str, np.ndarray]:
        """The vectors (n, d) float32, the ids `removed`, the links and the settings."""
        self._fitted()
        return {
            "vectors": self._vectors(np.arange(self.n_items)),
            "removed": removed_ids(self._alive),
            "base": self._graph.base,
            "upper": self._graph.upper,
            "levels": self._graph.levels,
            "settings": np.array([self.m, self.ef_construction, self.ef, self._seed]),
        }

    @classmethod
    def from_state(cls, arrays: dict[str, np.ndarray]) -> HNSWIndex:
        """The index that had this state; ValueError if its links lead nowhere."""
        m, ef_construction, ef, seed = (int(value) for value in arrays["settings"])
        index = cls(m, ef_construction, ef)
        vectors = validation.features("vectors", arrays["vectors"])
        nodes = group_equal(vectors)
        _, first = np.unique(nodes, return_index=True)
        links = (arrays[name] for name in ("base", "upper", "levels"))
        graph = checked_graph(in_lines(vectors[first]), *links, m)
        alive = without(np.ones(len(nodes), np.bool_), arrays["removed"])
        return index._hold(graph, nodes, alive, seed, vectors.shape[1])

    def _grown(self, graph: Graph, vectors: np.ndarray, seed: int) -> tuple[Graph, np.ndarray]:
        """A copy of the graph with vectors (m, d) added, and the node (m,) of each."""
        n = len(graph.vectors)
        nodes = group_equal(np.vstack([graph.vectors, vectors]))[n:]
        numbers, first = np.unique(nodes, return_index=True)
        with limit_threads(self.n_threads):
            new = vectors[first[numbers >= n]]
            return grow(graph, new, seed, self.ef_construction), nodes

    def _hold(
        self, graph: Graph, nodes: np.ndarray, alive: np.ndarray, seed: int, dimensions: int
    ) -> HNSWIndex:
        """Take all that was learned, in one step for threads that search meanwhile."""
        starts = np.searchsorted(np.sort(nodes), np.arange(len(graph.vectors) + 1))
        copies = np.argsort(nodes, kind="stable").astype(np.int32)  # by node, ids rising
        held = {"_graph": graph, "_nodes": nodes, "_alive": alive, "_seed": seed}
        held |= {"_starts": starts, "_copies": copies}
        held |= {"n_items": len(nodes), "dimensions": dimensions}
        self.__dict__ = self.__dict__ | held
        return self

    def _scan(
        self, queries: np.ndarray, k: int, allowed: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The k best of the allowed items, by comparison with each of them."""
        chosen = np.flatnonzero(allowed)
        with limit_threads(self.n_threads):
            found, scores = ExactIndex().fit(self._vectors(chosen)).search(queries, k)
        return np.append(chosen, -1)[found].astype(np.int32), scores

    def _vectors(self, items: np.ndarray) -> np.ndarray:
        """The vectors (m, d) of some items."""
        vectors = self._graph.vectors[self._nodes[items], : self.dimensions]
        return np.ascontiguousarray(vectors)

    def _fitted(self) -> HNSWIndex:
        if not hasattr(self, "_graph"):
            raise ValueError("HNSWIndex must be fitted first: call fit(vectors)")
        return self


def in_lines(vectors: np.ndarray) -> np.ndarray:
    """Vectors padded with zeros to whole cache lines: (n, a multiple of LINE)."""
    rest = -vectors.shape[1] % LINE
    return np.pad(vectors, ((0, 0), (0, rest))) if rest else vectors
