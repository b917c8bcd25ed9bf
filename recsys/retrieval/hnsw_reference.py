"""HNSW in plain Python: what `hnsw_search` and `hnsw_build` compute, step by step."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from recsys.retrieval.hnsw_build import batch_end
from recsys.retrieval.hnsw_graph import Graph


def search_reference(graph: Graph, query: np.ndarray, width: int) -> list[int]:
    """The `width` best nodes that a search for the query (d,) finds, best first."""
    top = int(graph.levels[graph.entry])
    start = descend_reference(graph, query, graph.entry, top, 0)
    return beam_reference(graph, query, start, width, 0)


def descend_reference(graph: Graph, query: np.ndarray, node: int, top: int, bottom: int) -> int:
    """The best node that a greedy walk through the layers top, ..., bottom + 1 ends in."""
    for level in range(top, bottom, -1):
        while True:
            best = best_first(graph, query, [node, *row(graph, node, level)])[0]
            if best == node:
                break
            node = best
    return node


def beam_reference(
    graph: Graph, query: np.ndarray, start: int, width: int, level: int
) -> list[int]:
    """The best nodes that beam search finds in one layer."""
    seen, expanded, beam = {start}, set(), [start]
    while open_nodes := [node for node in beam if node not in expanded]:
        expanded.add(open_nodes[0])
        new = [node for node in row(graph, open_nodes[0], level) if node not in seen]
        seen.update(new)
        beam = best_first(graph, query, beam + new)[:width]
    return beam


def build_reference(empty: Graph, width: int) -> Graph:
    """The graph of nodes that have vectors and levels, and no links yet."""
    graph = empty._replace(base=empty.base.copy(), upper=empty.upper.copy())
    m, n, start = graph.upper.shape[1], len(graph.vectors), 0
    while start < n:
        stop = batch_end(graph, start)
        chosen = [
            links for node in range(start, stop) for links in links_out(graph, node, m, width)
        ]
        back = defaultdict(list)
        for node, level, others in chosen:
            row_of(graph, node, level)[: len(others)] = others
            for other in others:
                back[other, level].append(node)
        for (node, level), others in back.items():
            links = row_of(graph, node, level)
            others = row(graph, node, level) + others
            if len(others) > len(links):
                others = best_first(graph, graph.vectors[node], others)
                others = diverse(graph, node, others, len(links))
            links[:] = others + [-1] * (len(links) - len(others))
        highest = max(range(start, stop), key=lambda node: graph.levels[node])
        if start == 0 or graph.levels[highest] > graph.levels[graph.entry]:
            graph = graph._replace(entry=highest)
        start = stop
    return graph


def links_out(graph: Graph, node: int, m: int, width: int) -> list[tuple[int, int, list[int]]]:
    """The node, a layer and its links there, for each layer that holds other nodes."""
    if node == 0:
        return []
    vector, top, own = graph.vectors[node], graph.levels[graph.entry], graph.levels[node]
    near, links = descend_reference(graph, vector, graph.entry, top, own), []
    for level in range(min(top, own), -1, -1):
        beam = beam_reference(graph, vector, near, width, level)
        near = beam[0]
        links.append((node, level, diverse(graph, node, beam, m)))
    return links


def diverse(graph: Graph, node: int, others: list[int], m: int) -> list[int]:
    """At most m of the others, best first, without those that a chosen one answers better."""
    V, chosen = graph.vectors, []
    for other in others:
        if len(chosen) < m and all(V[other] @ V[c] <= V[other] @ V[node] for c in chosen):
            chosen.append(other)
    return chosen


def best_first(graph: Graph, query: np.ndarray, nodes: list[int]) -> list[int]:
    """Nodes by score, ties to the lower one."""
    return sorted(nodes, key=lambda node: (-(graph.vectors[node] @ query), node))


def row(graph: Graph, node: int, level: int) -> list[int]:
    """The neighbours of a node in a layer."""
    return [int(other) for other in row_of(graph, node, level) if other >= 0]


def row_of(graph: Graph, node: int, level: int) -> np.ndarray:
    """The links of a node in a layer, padded with -1; not a copy."""
    return graph.upper[graph.first[node] + level - 1] if level else graph.base[node]
