"""Compiled loops that several models share: sums of rows, random numbers, cells of pairs."""

from __future__ import annotations

import numpy as np

from recsys.compiled import compiled, prange

CHUNKS = 64  # pieces of work dealt to the threads; each takes every 64th row
FILTER_BITS = 32  # bits of the filter per pair
FUSED = {"contract"}  # multiply and add in one instruction, in the order that is written
LINE = 16  # float32 numbers per cache line, which two threads should not both write
ONE = np.float32(1)  # a Python integer would make the sums float64
PIECES = 16  # into which a sort is cut for the threads


@compiled(fastmath=True)
def dot(a, b):
    """The inner product of two vectors."""
    total = np.float32(0)
    for k in range(len(a)):
        total += a[k] * b[k]
    return total


@compiled(fastmath=FUSED)
def add_scaled(out, a, row):
    """out += a row."""
    for k in range(len(out)):
        out[k] += a * row[k]


@compiled(fastmath=FUSED)
def add_rows(Y, rows, s, out):
    """out += sum_i s_i y_i over the rows y_i of Y; four at a time write `out` once."""
    n = len(rows)
    for i in range(0, n - n % 4, 4):
        y0, y1, y2, y3 = Y[rows[i]], Y[rows[i + 1]], Y[rows[i + 2]], Y[rows[i + 3]]
        a, b, c, d = s[i], s[i + 1], s[i + 2], s[i + 3]
        for k in range(len(out)):
            out[k] += a * y0[k] + b * y1[k] + c * y2[k] + d * y3[k]
    for i in range(n - n % 4, n):
        add_scaled(out, s[i], Y[rows[i]])


@compiled(parallel=True)
def hide_seen(scores, indptr, indices, users):
    """Set the items in each user's history (CSR) to -inf, in place."""
    for row in prange(len(users)):
        for position in range(indptr[users[row]], indptr[users[row] + 1]):
            scores[row, indices[position]] = -np.inf


def aligned(array: np.ndarray) -> np.ndarray:
    """A float32 copy (n, f) that begins at a cache line.

    Its rows then share as few lines as possible. Threads that write to one line, even to
    different numbers in it, wait for each other.
    """
    buffer = np.empty(array.size + LINE, np.float32)
    start = -(buffer.ctypes.data // buffer.itemsize) % LINE
    copy = buffer[start : start + array.size].reshape(array.shape)
    copy[:] = array
    return copy


@compiled
def mix(x):
    """Scramble a 64-bit word (the finaliser of SplitMix64, Steele et al. 2014)."""
    x = np.uint64(x)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@compiled
def draw(state, n):
    """The next state and a number from 0 to n - 1 (SplitMix64, n below 2^32)."""
    state = np.uint64(state) + np.uint64(0x9E3779B97F4A7C15)
    high = mix(state) >> np.uint64(32)
    return state, np.int64((high * np.uint64(n)) >> np.uint64(32))


@compiled(parallel=True)
def sort_into_cells(users, items, user_block, item_block, n_blocks):
    """Pairs sorted by (block of the user, block of the item): starts, users, items.

    A counting sort in pieces: each piece first counts its pairs per cell, so that it knows where
    to write them, and the order is that of a sort in one piece.
    """
    n, n_cells = len(users), n_blocks * n_blocks
    position = np.zeros((PIECES, n_cells), np.int64)
    for piece in prange(PIECES):
        for p in range(piece * n // PIECES, (piece + 1) * n // PIECES):
            position[piece, user_block[users[p]] * n_blocks + item_block[items[p]]] += 1
    starts = np.zeros(n_cells + 1, np.int64)
    for cell in range(n_cells):
        starts[cell + 1] = starts[cell]
        for piece in range(PIECES):
            counted = position[piece, cell]
            position[piece, cell] = starts[cell + 1]
            starts[cell + 1] += counted
    sorted_users = np.empty_like(users)
    sorted_items = np.empty_like(items)
    for piece in prange(PIECES):
        for p in range(piece * n // PIECES, (piece + 1) * n // PIECES):
            cell = user_block[users[p]] * n_blocks + item_block[items[p]]
            sorted_users[position[piece, cell]] = users[p]
            sorted_items[position[piece, cell]] = items[p]
            position[piece, cell] += 1
    return starts, sorted_users, sorted_items


@compiled
def pair_filter(users, items):
    """A set of pairs as bits, without false negatives (a Bloom filter with one hash function).

    Each pair sets one bit out of at least FILTER_BITS per pair, so the false positive rate is
    below 1 / FILTER_BITS.
    """
    size = 64
    while size < FILTER_BITS * len(users):
        size *= 2
    bits = np.zeros(size // 64, np.uint64)
    for p in range(len(users)):
        word, bit = locate(users[p], items[p], size)
        bits[word] |= bit
    return bits


@compiled
def may_contain(bits, user, item):
    """Whether a pair may be in the set; False is certain."""
    word, bit = locate(user, item, 64 * len(bits))
    return bits[word] & bit != 0


@compiled
def locate(user, item, size):
    """The word and the bit of a pair in a filter of `size` bits, a power of two."""
    key = (np.uint64(user) << np.uint64(32)) | np.uint64(item)
    position = mix(key) & np.uint64(size - 1)
    return np.int64(position >> np.uint64(6)), np.uint64(1) << (position & np.uint64(63))


@compiled
def contains(history, item):
    """Whether an item is in a history, whose ids rise."""
    position = np.searchsorted(history, item)
    return position < len(history) and history[position] == item
