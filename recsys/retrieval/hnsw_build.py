r"""Building the graph of HNSW in batches: the same bits on any number of threads.

A node's links in a layer are chosen from the `width` best nodes that a search for its own
vector finds there. Taken best first, a candidate c is linked to the new node q unless a node
s chosen before is a better answer for c than q is:

.. math:: v_s^\top v_c > v_q^\top v_c

since whoever is at s finds c from there. So links go in different directions (algorithm 4
of Malkov and Yashunin 2020). The chosen nodes get a link back, and choose anew, by the same
rule, when their row is full.

The paper inserts one node at a time, and threads that do so at once build another graph on
each run. Here nodes come in **batches**. First each node of a batch searches the graph as
it was before the batch, in parallel, and writes its own row. Then the links back are sorted
by the node that they go to, and each such node takes all of its own at once, in parallel
again. No row is written by two threads, and none is read while it is written. Nodes of a
batch are not linked with each other; a batch is 1 / GROWTH of the graph at most, so few
links are lost.
"""

from __future__ import annotations

import numpy as np

from recsys.compiled import compiled, prange
from recsys.kernels import dot, mix
from recsys.retrieval.hnsw_graph import Graph, no_links
from recsys.retrieval.hnsw_search import (
    CHUNKS,
    beam_search,
    descend,
    node_of,
    pack,
    push,
    score_of,
)

GROWTH = 64  # a batch is at most 1 / GROWTH of the graph,
MAX_BATCH = 4096  # and at most this many nodes


def grow(graph: Graph, vectors: np.ndarray, seed: int, width: int) -> Graph:
    """A copy of the graph with the vectors (n, d) added, none of which it may hold."""
    start, m = len(graph.vectors), graph.upper.shape[1]
    new = draw_levels(np.uint64(seed), start, len(vectors), m)
    graph = Graph.of(
        np.vstack([graph.vectors, vectors]),
        np.vstack([graph.base, no_links(len(new), 2 * m)]),
        np.vstack([graph.upper, no_links(new.sum(), m)]),
        np.append(graph.levels, new),
    )._replace(entry=graph.entry)
    while start < len(graph.vectors):
        stop = batch_end(graph, start)
        graph = insert(graph, start, stop, width)
        start = stop
    return graph


@compiled
def draw_levels(seed, start, n, m):
    """The highest layer of nodes start, ..., start + n - 1: l or above with probability m^-l."""
    levels = np.empty(n, np.int64)
    for i in range(n):
        uniform = (mix(seed + mix(start + i)) >> np.uint64(11)) * 2.0**-53
        levels[i] = int(-np.log(1 - uniform) / np.log(m))
    return levels


def insert(graph: Graph, start: int, stop: int, width: int) -> Graph:
    """Link the nodes start, ..., stop - 1 with those before them, in place."""
    if start > 0:
        link_out(graph, start, stop, width)
        for level in range(graph.levels[graph.entry] + 1):
            link_back(graph, start, stop, level)
    highest = start + int(np.argmax(graph.levels[start:stop]))
    if start == 0 or graph.levels[highest] > graph.levels[graph.entry]:
        graph = graph._replace(entry=highest)
    return graph


def batch_end(graph: Graph, start: int) -> int:
    """Where the batch of `start` ends: at the latest after a node higher than all before.

    That node is where searches start from then on, so the later ones are linked to it.
    """
    if start == 0:
        return 1
    stop = min(start + min(1 + start // GROWTH, MAX_BATCH), len(graph.levels))
    higher = np.flatnonzero(graph.levels[start:stop] > graph.levels[graph.entry])
    return start + int(higher[0]) + 1 if len(higher) else stop


@compiled(parallel=True)
def link_out(graph, start, stop, width):
    """Choose the links of nodes start, ..., stop - 1, which no search meets yet."""
    n = len(graph.vectors)
    for chunk in prange(min(CHUNKS, stop - start)):
        beam, seen = np.empty(width, np.int64), np.empty(n + 1, np.int32)
        visited = np.zeros((n >> 6) + 1, np.uint64)
        for node in range(start + chunk, stop, CHUNKS):
            link_node(graph, node, beam, visited, seen)


@compiled
def link_node(graph, node, beam, visited, seen):
    """Choose the links of a new node, layer by layer from its highest."""
    vector, top = graph.vectors[node], graph.levels[graph.entry]
    near = descend(graph, vector, graph.entry, top, graph.levels[node])
    for level in range(min(top, graph.levels[node]), -1, -1):
        links = graph.upper if level > 0 else graph.base
        size = beam_search(graph, links, level - 1, vector, near, beam, visited, seen)
        near = node_of(beam[0])
        row = graph.first[node] + level - 1 if level > 0 else node
        select(graph.vectors, beam[:size], graph.upper.shape[1], links[row])


@compiled
def select(vectors, entries, m, chosen):
    """Write at most m of the entries, which come best first, to the row `chosen`."""
    count = 0
    for entry in entries:
        node, score, diverse = node_of(entry), score_of(entry), True
        for i in range(count):
            if dot(vectors[node], vectors[chosen[i]]) > score:
                diverse = False
                break
        if diverse:
            chosen[count] = node
            count += 1
            if count == m:
                break
    chosen[count:] = -1


def link_back(graph: Graph, start: int, stop: int, level: int) -> None:
    """Answer the new links of one layer, sorted by the node that they go to."""
    nodes = np.flatnonzero(graph.levels[start:stop] >= level) + start
    links = graph.upper if level else graph.base
    out = links[graph.first[nodes] + level - 1 if level else nodes]
    sources, targets = np.repeat(nodes, out.shape[1]), out.ravel()
    sources, targets = sources[targets >= 0], targets[targets >= 0]
    order = np.argsort(targets, kind="stable")
    sources, targets = sources[order], targets[order]
    starts = np.flatnonzero(np.diff(targets, prepend=-1, append=-1))
    nodes = targets[starts[:-1]]
    rows = graph.first[nodes] + level - 1 if level else nodes
    add_links(graph.vectors, links, rows, nodes, starts, sources)


@compiled(parallel=True)
def add_links(vectors, links, rows, nodes, starts, sources):
    """Links from nodes[i], in row rows[i], to sources[starts[i] : starts[i + 1]]."""
    for chunk in prange(CHUNKS):
        for i in range(chunk, len(nodes), CHUNKS):
            add_links_to(vectors, links[rows[i]], nodes[i], sources[starts[i] : starts[i + 1]])


@compiled
def add_links_to(vectors, row, node, sources):
    """Append the sources to a node's row; where there is no room, choose from all."""
    size = 0
    while size < len(row) and row[size] >= 0:
        size += 1
    if size + len(sources) <= len(row):
        row[size : size + len(sources)] = sources
        return
    entries = np.empty(size + len(sources), np.int64)
    for i in range(len(entries)):
        other = row[i] if i < size else sources[i - size]
        push(entries, i, pack(dot(vectors[node], vectors[other]), other))
    select(vectors, entries, len(row), row)
