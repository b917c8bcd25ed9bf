"""Compiled helpers of the sampling trainers: random numbers, cells and a filter of pairs."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

LINE = 16  # float32 numbers in a line of memory, which two threads should not both write
PIECES = 16  # into which a sort is cut for the threads
FILTER_BITS = 32  # bits of the filter for each pair it holds


def aligned(array: np.ndarray) -> np.ndarray:
    """A float32 copy (n, f) that begins where a line of memory does.

    Its rows then share as few lines as they can. Threads that write to one line, even to
    different numbers in it, wait for each other.
    """
    room = np.empty(array.size + LINE, np.float32)
    start = -(room.ctypes.data // room.itemsize) % LINE
    copy = room[start : start + array.size].reshape(array.shape)
    copy[:] = array
    return copy


@njit(cache=True)
def mix(x):
    """Scramble a 64-bit word (the finaliser of SplitMix64, Steele et al. 2014)."""
    x = np.uint64(x)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@njit(cache=True)
def draw(state, n):
    """The next state and a number from 0 to n - 1 (SplitMix64, n below 2^32)."""
    state = np.uint64(state) + np.uint64(0x9E3779B97F4A7C15)
    high = mix(state) >> np.uint64(32)
    return state, np.int64((high * np.uint64(n)) >> np.uint64(32))


@njit(parallel=True, cache=True)
def sort_into_cells(users, items, user_block, item_block, n_blocks):
    """Pairs sorted by (block of the user, block of the item): starts, users, items.

    A counting sort in pieces: each piece first counts its pairs a cell, so that it knows where
    to put them, and the order comes out as if there were one piece.
    """
    n, n_cells = len(users), n_blocks * n_blocks
    place = np.zeros((PIECES, n_cells), np.int64)
    for piece in prange(PIECES):
        for p in range(piece * n // PIECES, (piece + 1) * n // PIECES):
            place[piece, user_block[users[p]] * n_blocks + item_block[items[p]]] += 1
    starts = np.zeros(n_cells + 1, np.int64)
    for cell in range(n_cells):
        starts[cell + 1] = starts[cell]
        for piece in range(PIECES):
            counted = place[piece, cell]
            place[piece, cell] = starts[cell + 1]
            starts[cell + 1] += counted
    sorted_users = np.empty_like(users)
    sorted_items = np.empty_like(items)
    for piece in prange(PIECES):
        for p in range(piece * n // PIECES, (piece + 1) * n // PIECES):
            cell = user_block[users[p]] * n_blocks + item_block[items[p]]
            sorted_users[place[piece, cell]] = users[p]
            sorted_items[place[piece, cell]] = items[p]
            place[piece, cell] += 1
    return starts, sorted_users, sorted_items


@njit(cache=True)
def pair_filter(users, items):
    """A set of pairs as bits: it knows every pair it holds, and takes few others for one.

    A pair sets one of at least FILTER_BITS bits for each pair; so a pair that is not in the
    set is taken for one with probability below 1 / FILTER_BITS. Memory follows the pairs.
    """
    size = 64
    while size < FILTER_BITS * len(users):
        size *= 2
    bits = np.zeros(size // 64, np.uint64)
    for p in range(len(users)):
        word, bit = locate(users[p], items[p], size)
        bits[word] |= bit
    return bits


@njit(cache=True)
def may_contain(bits, user, item):
    """Whether a pair may be in the set; False is certain."""
    word, bit = locate(user, item, 64 * len(bits))
    return bits[word] & bit != 0


@njit(cache=True)
def locate(user, item, size):
    """The word and the bit of a pair in a filter of `size` bits, a power of two."""
    key = (np.uint64(user) << np.uint64(32)) | np.uint64(item)
    place = mix(key) & np.uint64(size - 1)
    return np.int64(place >> np.uint64(6)), np.uint64(1) << (place & np.uint64(63))
