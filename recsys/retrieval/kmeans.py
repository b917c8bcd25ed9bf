r"""k-means: centroids that are near to all vectors, each the mean of the vectors nearest to it.

.. math:: \min_{c, a} \sum_i \lVert v_i - c_{a(i)} \rVert^2

Lloyd's algorithm (1982) repeats two steps, and neither raises this sum: every vector is assigned to
the nearest centroid, and every centroid moves to the mean of its vectors. Since
|v - c|^2 = |v|^2 - 2 (v.c - |c|^2 / 2), the nearest centroid is the best product with the bias
-|c|^2 / 2, and `best_products`, which recommends, also assigns.

A centroid without vectors moves to the vector that is farthest from its own. It starts from random
vectors; the better start of k-means++ (Arthur and Vassilvitskii 2007) is left out, for it reads all
vectors once per centroid.
"""

from __future__ import annotations

import numpy as np

from recsys import validation
from recsys.compiled import compiled, prange
from recsys.retrieval.mips import best_products
from recsys.threads import one_blas_thread


def kmeans(
    vectors: np.ndarray, n_clusters: int, iterations: int = 10, rng: int | np.random.Generator = 0
) -> np.ndarray:
    """Centroids of vectors (n, d), by Lloyd's algorithm (1982).

    Parameters
    ----------
    vectors : array (n, d) of float
    n_clusters : int
        Where there are fewer vectors, each is a centroid.
    iterations : int
        Times that vectors are assigned and centroids move.
    rng : int or numpy.random.Generator
        Chooses the vectors to start from.

    Returns
    -------
    array (min(n_clusters, n), d) float32

    Raises
    ------
    ValueError
        If a vector is not finite.

    Examples
    --------
    >>> np.sort(kmeans(np.array([[0.0], [2.0], [10.0], [14.0]]), n_clusters=2), axis=0)
    array([[ 1.],
           [12.]], dtype=float32)
    """
    V = validation.features("vectors", vectors)  # (n, d)
    n_clusters = min(validation.whole_number("n_clusters", n_clusters), len(V))
    rng = validation.random_generator(rng)
    C = V[np.sort(rng.choice(len(V), n_clusters, replace=False))]  # (n_clusters, d)
    for _ in range(validation.whole_number("iterations", iterations, low=0) if len(V) else 0):
        nearest, squares = assign(V, C)
        order, starts = by_group(nearest, n_clusters)
        C = np.empty_like(C)
        _means(V, order, starts, C)
        empty = np.flatnonzero(np.diff(starts) == 0)
        C[empty] = V[np.argsort(-squares, kind="stable")[: len(empty)]]
    return C


def kmeans_reference(V: np.ndarray, C: np.ndarray, iterations: int) -> np.ndarray:
    """`kmeans` from the centroids C on, in plain NumPy."""
    for _ in range(iterations):
        squares = ((V[:, None, :] - C[None]) ** 2).sum(axis=2)  # (n, n_clusters)
        nearest, farthest = squares.argmin(axis=1), list(np.argsort(squares.min(axis=1)))
        groups = [V[nearest == c] for c in range(len(C))]
        C = np.array([g.mean(axis=0) if len(g) else V[farthest.pop()] for g in groups])
    return C


def assign(V: np.ndarray, C: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest centroid (n,) int32 of each vector, and the squared distance to it (n,)."""
    nearest = np.full((len(V), 1), -1, np.int32)
    best = np.full((len(V), 1), -np.inf, np.float32)
    biases = -np.einsum("cd,cd->c", C, C) / 2
    none = np.zeros(2, np.int64)  # every vector has the same history, without an item
    rows = np.arange(len(V))
    with one_blas_thread():
        best_products(
            V,
            C,
            biases,
            none,
            np.empty(0, np.int32),
            np.zeros_like(rows),
            rows,
            rows,
            nearest,
            best,
        )
    return nearest[:, 0], np.einsum("nd,nd->n", V, V) - 2 * best[:, 0]


def by_group(group: np.ndarray, n_groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions (n,) sorted by group, and where each group starts: (n_groups + 1,)."""
    sizes = np.bincount(group, minlength=n_groups)
    return np.argsort(group, kind="stable"), np.append(0, np.cumsum(sizes))


@compiled(parallel=True)
def _means(V, order, starts, C):
    """C[c] = the mean of the vectors order[starts[c]:starts[c + 1]], added in this order."""
    for c in prange(len(C)):
        total = np.zeros(V.shape[1], np.float64)
        for i in order[starts[c] : starts[c + 1]]:
            for k in range(len(total)):
                total[k] += V[i, k]
        for k in range(len(total)):
            C[c, k] = total[k] / max(1, starts[c + 1] - starts[c])
