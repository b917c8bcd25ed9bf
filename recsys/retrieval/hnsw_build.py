from __future__ import annotations

import numpy as np

from recsys.compiled import compiled, prange
from recsys.kernels import dot
from recsys.retrieval.hnsw_search import (
    CHUNKS,
    Graph,
    beam_search,
    descend,
    node_of,
    pack,
    push,
    score_of,
)

GROWTH = 64  # a batch is at most 1 / GROWTH of the graph,
MAX_BATCH = 4096  # and at most this many nodes


def insert(graph: Graph, start: int, m: int, width: int) -> Graph:
    stop, n = start, len(graph.vectors)
    while stop < n:
        start, stop = stop, batch_end(graph, stop)
        if start > 0:
            top = graph.levels[graph.entry]
            link_out(graph, start, stop, m, width)
            for level in range(top + 1):
                link_back(graph, start, stop, level)
        best = start + int(np.argmax(graph.levels[start:stop]))
        if start == 0 or graph.levels[best] > graph.levels[graph.entry]:
            graph = graph._replace(entry=best)
    return graph


def batch_end(graph: Graph, start: int) -> int:
    stop = min(start + min(1 + start // GROWTH, MAX_BATCH), len(graph.levels))
    higher = np.flatnonzero(graph.levels[start:stop] > graph.levels[graph.entry])
    return start + int(higher[0]) + 1 if len(higher) else stop


@compiled(parallel=True)
def link_out(graph, start, stop, m, width):
    n = len(graph.vectors)
    for chunk in prange(min(CHUNKS, stop - start)):
        beam, seen = np.empty(width, np.int64), np.empty(n + 1, np.int32)
        visited = np.zeros((n >> 6) + 1, np.uint64)
        for node in range(start + chunk, stop, CHUNKS):
            link_node(graph, node, m, beam, visited, seen)


@compiled
def link_node(graph, node, m, beam, visited, seen):
    vector, top = graph.vectors[node], graph.levels[graph.entry]
    near = descend(graph, vector, graph.entry, top, graph.levels[node])
    for level in range(min(top, graph.levels[node]), -1, -1):
        links = graph.upper if level > 0 else graph.base
        size = beam_search(graph, links, level - 1, vector, near, beam, visited, seen)
        near = node_of(beam[0])
        row = graph.first[node] + level - 1 if level > 0 else node
        select(graph.vectors, beam[:size], m, links[row])


@compiled
def select(vectors, entries, m, chosen):
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
    for chunk in prange(CHUNKS):
        for i in range(chunk, len(nodes), CHUNKS):
            add_links_to(vectors, links[rows[i]], nodes[i], sources[starts[i] : starts[i + 1]])


@compiled
def add_links_to(vectors, row, node, sources):
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
