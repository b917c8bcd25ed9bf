"""The graph of HNSW as arrays: vectors, links and levels.

A node of level l is in layers 0, ..., l. Most are in layer 0 only, so its links are one
array with a row per node, and those of all other layers are a second array with a row per
node and layer.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from recsys.kernels import aligned


class Graph(NamedTuple):
    """Vectors, and the links of each node: ids of neighbours, padded with -1."""

    vectors: np.ndarray  # (n, d) float32; d is a multiple of LINE
    base: np.ndarray  # (n, 2 m) int32: layer 0
    upper: np.ndarray  # (n_rows, m) int32: one row per node and layer above 0
    first: np.ndarray  # (n,) int64: row of the node's layer 1; layer 2 follows
    levels: np.ndarray  # (n,) int64: the highest layer of each node
    entry: int  # where searches start: the first node of the highest level

    @classmethod
    def of(
        cls, vectors: np.ndarray, base: np.ndarray, upper: np.ndarray, levels: np.ndarray
    ) -> Graph:
        """A graph, with what follows from the levels."""
        entry = int(np.argmax(levels)) if len(levels) else 0
        return cls(aligned(vectors), base, upper, np.cumsum(levels) - levels, levels, entry)


def checked_graph(
    vectors: np.ndarray, base: np.ndarray, upper: np.ndarray, levels: np.ndarray, m: int
) -> Graph:
    """A graph; ValueError if its links lead to no node, or to one that is not in their layer."""
    n, links = len(vectors), (base, upper)
    fits = levels.dtype == np.int64 and levels.shape == (n,) and levels.min(initial=0) >= 0
    fits = fits and base.shape == (n, 2 * m) and upper.shape == (levels.sum(), m)
    for array in links:
        fits = fits and array.dtype == np.int32
        fits = fits and array.min(initial=-1) >= -1 and array.max(initial=-1) < n
    if fits:
        graph = Graph.of(vectors, base, upper, levels)
        layer = np.arange(len(upper)) - np.repeat(graph.first, levels) + 1
        reached = np.append(levels, np.iinfo(np.int64).max)[upper]  # -1 is no link
        fits = (reached >= layer[:, None]).all()
    if not fits:
        raise ValueError("arrays must hold a graph whose links fit its nodes")
    return graph


def empty_graph(dimensions: int, m: int) -> Graph:
    """A graph without nodes."""
    vectors, levels = np.zeros((0, dimensions), np.float32), np.zeros(0, np.int64)
    return Graph.of(vectors, no_links(0, 2 * m), no_links(0, m), levels)


def no_links(n: int, m: int) -> np.ndarray:
    """Rows of -1."""
    return np.full((n, m), -1, np.int32)
