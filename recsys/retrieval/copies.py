"""Equal vectors: found once, so that an index need hold each different vector once."""

from __future__ import annotations

import numpy as np

from recsys.compiled import compiled
from recsys.kernels import mix


def group_equal(vectors: np.ndarray) -> np.ndarray:
    """The number of each row's vector among the different ones: (n,) int32.

    Vectors (n, d) float32 are numbered in the order in which they first occur. Rows are sorted by
    a 64-bit hash and compared with the row before.

    >>> group_equal(np.array([[1, 2], [0, 0], [1, 2], [5, 5]], np.float32))
    array([0, 1, 0, 2], dtype=int32)
    """
    vectors = np.ascontiguousarray(vectors) + np.float32(0)  # -0.0 becomes 0.0
    hashes = hash_rows(vectors.view(np.uint32))
    order = np.argsort(hashes, kind="stable")
    same = np.flatnonzero(hashes[order[1:]] == hashes[order[:-1]])
    equal = (vectors[order[same]] == vectors[order[same + 1]]).all(axis=1)
    starts = np.ones(len(vectors), bool)  # in the sorted order: a vector other than the last
    starts[same[equal] + 1] = False
    first = np.empty(len(vectors), np.int64)
    first[order] = order[starts][np.cumsum(starts) - 1]
    is_first = first == np.arange(len(vectors))
    return (np.cumsum(is_first) - 1)[first].astype(np.int32)


@compiled
def hash_rows(words):
    """A 64-bit hash of each row of 32-bit words: (n,)."""
    hashes = np.zeros(len(words), np.uint64)
    for row in range(len(words)):
        for word in words[row]:
            hashes[row] = mix(hashes[row] + np.uint64(word) + np.uint64(1))
    return hashes
