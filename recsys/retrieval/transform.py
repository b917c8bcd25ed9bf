r"""From the largest inner product to the nearest neighbour, by one more coordinate.

With :math:`M \ge \max_i \|v_i\|` let

.. math:: \tilde v_i = \Big( v_i, \sqrt{M^2 - \|v_i\|^2} \Big), \qquad \tilde q = (q, 0).

Every :math:`\tilde v_i` has norm :math:`M`, and the new coordinate adds nothing to the product, so

.. math:: \|\tilde q - \tilde v_i\|^2
    = \|q\|^2 - 2 \tilde q^\top \tilde v_i + \|\tilde v_i\|^2
    = \|q\|^2 + M^2 - 2 q^\top v_i .

Only the last term depends on i: the nearest augmented item is the one with the largest
inner product (Bachrach et al. 2014; Neyshabur and Srebro 2015). Any index for Euclidean
distances then serves. :math:`M` is part of that index: an item added later must not be
longer, unless all are augmented again. Left out: scaling the queries, which changes no
order.
"""

from __future__ import annotations

import numpy as np

from recsys import validation


def augment_items(vectors: np.ndarray, max_norm: float | None = None) -> np.ndarray:
    """Items of equal norm, whose distances order as the inner products do.

    Parameters
    ----------
    vectors : array (n, d)
    max_norm : float, optional
        M, at least the longest norm, which is the default. A larger one leaves room for items
        to come; but all distances then differ relatively less.

    Returns
    -------
    array (n, d + 1) float64
        In float32 the rounding of the last coordinate would exchange items whose products
        differ by less than about 1e-7 M^2.

    Raises
    ------
    ValueError
        If a vector is longer than `max_norm`.

    Examples
    --------
    >>> augment_items([[3.0, 0.0], [0.0, 5.0]])
    array([[3., 0., 4.],
           [0., 5., 0.]])
    """
    vectors = _finite("vectors", vectors)
    norms = np.sqrt((vectors**2).sum(axis=1))
    longest = float(norms.max(initial=0.0))
    M = longest if max_norm is None else validation.real_number("max_norm", max_norm)
    if longest > M:
        raise ValueError(
            f"max_norm must be at least the longest norm, {longest:g}, got {M:g}: "
            "augment all items again with a larger max_norm"
        )
    return np.column_stack([vectors, np.sqrt((M - norms) * (M + norms))])


def augment_queries(queries: np.ndarray) -> np.ndarray:
    """Queries (m, d) with a zero as last coordinate: (m, d + 1) float64.

    >>> augment_queries([[1.0, 2.0]])
    array([[1., 2., 0.]])
    """
    queries = _finite("queries", queries)
    return np.column_stack([queries, np.zeros(len(queries))])


def _finite(name: str, values: np.ndarray) -> np.ndarray:
    """A dense matrix of finite float64."""
    return validation.all_finite(name, np.asarray(validation.matrix(name, values), np.float64))
