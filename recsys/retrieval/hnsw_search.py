r"""Beam search in a layered graph: how HNSW answers a query (Malkov & Yashunin 2018, alg. 2 and 5).

Every vector is a node. Layer 0 links all of them, layer 1 a fraction 1 / m of them, and so on. A
query starts at the top, in a node that it shares with all others, and moves to the best neighbour
until none is better; that node is the start in the layer below. In layer 0 the search keeps a
**beam**: the `width` best nodes seen so far, in order. It expands the best one that it has not yet
expanded, which offers its neighbours to the beam, and ends when all of the beam are expanded.

An entry of the beam is one whole number, so that one comparison decides:

    order of -score (32 bits) | node (31 bits) | expanded (1 bit)

Lower is better, and on a tie so is the lower node.
"""

from __future__ import annotations

import numpy as np

from recsys.compiled import compiled, prange
from recsys.kernels import dot

CHUNKS = 16  # pieces of work dealt to the threads; each has its own marks of visited nodes
MASK = np.int64(0xFFFFFFFF)
POSITIVE = np.int32(0x7FFFFFFF)


@compiled
def pack(score, node):
    """A node that is not yet expanded, as an entry of the beam."""
    bits = np.float32(np.float32(0) - score).view(
        np.int32
    )  # 0 - score, since -0.0 would precede 0.0
    order = np.int64(bits ^ POSITIVE if bits < 0 else bits)
    return (order << 32) | (np.int64(node) << 1)


@compiled
def node_of(entry):
    """The node of an entry of the beam."""
    return (entry & MASK) >> 1


@compiled
def score_of(entry):
    """The score of an entry of the beam."""
    order = np.int32(entry >> 32)
    bits = np.int32(order ^ POSITIVE if order < 0 else order)
    return np.float32(0) - bits.view(np.float32)


@compiled
def push(beam, size, entry):
    """Put an entry in its position; of a full beam the last one drops out. Its position."""
    position = size if size < len(beam) else size - 1
    while position > 0 and entry < beam[position - 1]:
        beam[position] = beam[position - 1]
        position -= 1
    beam[position] = entry
    return position


@compiled
def descend(graph, query, node, top, bottom):
    """Move to the best neighbour until none is better, in layers top to bottom + 1."""
    best = pack(dot(query, graph.vectors[node]), node)
    for level in range(top, bottom, -1):
        moved = True
        while moved:
            moved = False
            row = graph.first[node_of(best)] + level - 1
            for j in range(graph.upper.shape[1]):
                other = graph.upper[row, j]
                if other < 0:
                    break
                entry = pack(dot(query, graph.vectors[other]), other)
                if entry < best:
                    best, moved = entry, True
    return node_of(best)


@compiled
def beam_search(graph, links, offset, query, start, beam, visited, seen):
    """Fill `beam` with the best nodes near `start` in one layer; the number found.

    Row `graph.first[node] + offset` of `links` holds the neighbours of a node, or row
    `node` if offset is -1. `visited` (a bit per node) arrives and leaves as zeros;
    `seen` (n,) is scratch.
    """
    beam[0] = pack(dot(query, graph.vectors[start]), start)
    visited[start >> 6] |= np.uint64(1) << np.uint64(start & 63)
    seen[0] = start
    size, n_seen, position = 1, 1, 0
    while position < size:
        node = node_of(beam[position])
        beam[position] |= 1
        row = node if offset < 0 else graph.first[node] + offset
        first_new = n_seen
        for j in range(links.shape[1]):
            other = links[row, j]
            if other < 0:
                break
            word, bit = other >> 6, np.uint64(1) << np.uint64(other & 63)
            seen[n_seen] = other
            n_seen += (visited[word] & bit) == 0  # without a branch, hard to predict
            visited[word] |= bit
        for i in range(first_new, n_seen):
            entry = pack(dot(query, graph.vectors[seen[i]]), seen[i])
            if size < len(beam) or entry < beam[size - 1]:
                position = min(position, push(beam, size, entry))
                size = min(size + 1, len(beam))
        while position < size and beam[position] & 1:
            position += 1
    for i in range(n_seen):
        visited[seen[i] >> 6] = 0
    return size


@compiled
def place(items, scores, item, score):
    """Put an item in its position, ties to the lower id; the last one drops out."""
    position = len(items)
    while position > 0 and (
        score > scores[position - 1]
        or (score == scores[position - 1] and item < items[position - 1])
    ):
        position -= 1
    for p in range(len(items) - 1, position, -1):
        items[p], scores[p] = items[p - 1], scores[p - 1]
    if position < len(items):
        items[position], scores[position] = item, score


@compiled
def answer(graph, query, dimensions, beam, starts, copies, allowed, items, scores):
    """Fill in the best allowed items of a beam; node j is items copies[starts[j] : starts[j + 1]].

    The products are summed as in `ExactIndex`, coordinate by coordinate.
    """
    found = 0
    for entry in beam:
        node, score = node_of(entry), np.float32(0)
        for c in range(dimensions):
            score += query[c] * graph.vectors[node, c]
        for p in range(starts[node], starts[node + 1]):
            if allowed[copies[p]]:
                place(items, scores, copies[p], score)
                found += 1
        if found >= len(items):
            break


@compiled(parallel=True)
def search_graph(graph, queries, width, dimensions, starts, copies, allowed, items, scores):
    """Fill in the best items and scores of each query, initialised with -1 and -inf."""
    n, n_chunks = len(queries), min(CHUNKS, len(queries))
    for chunk in prange(n_chunks):
        rows = slice(chunk * n // n_chunks, (chunk + 1) * n // n_chunks)
        search_rows(
            graph,
            queries[rows],
            width,
            dimensions,
            starts,
            copies,
            allowed,
            items[rows],
            scores[rows],
        )


@compiled
def search_rows(graph, queries, width, dimensions, starts, copies, allowed, items, scores):
    """`search_graph` on one thread."""
    n = len(graph.vectors)
    beam, seen = np.empty(width, np.int64), np.empty(n + 1, np.int32)
    visited = np.zeros((n >> 6) + 1, np.uint64)
    for q in range(len(queries)):
        query = queries[q]
        start = descend(graph, query, graph.entry, graph.levels[graph.entry], 0)
        size = beam_search(graph, graph.base, -1, query, start, beam, visited, seen)
        found = beam[:size]
        answer(graph, query, dimensions, found, starts, copies, allowed, items[q], scores[q])
