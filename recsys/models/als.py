r"""Implicit alternating least squares (Hu, Koren and Volinsky 2008).

An interaction is evidence of strength :math:`c_{ui} = 1 + \alpha r_{ui}` that user u likes item
i; its absence is weak evidence (:math:`c_{ui} = 1`) that they do not. With :math:`p_{ui} = 1`
where they met and 0 elsewhere, find the vectors that minimise

.. math::
    \sum_{u,i} c_{ui} (p_{ui} - x_u^\top y_i)^2
    + \sum_u \lambda_u \|x_u\|^2 + \sum_i \lambda_i \|y_i\|^2

With one side fixed, each vector of the other solves a small linear system. The sum over all
items, met or not, is one matrix for everybody, the gramian :math:`Y^\top Y`; only the items met
add to it. A few steps of conjugate gradients from the last solution replace the exact solve
(Takács, Pilászy and Tikk 2011). The penalty :math:`\lambda_u = \lambda (\sum_i c_{ui})^\nu` may
grow with the evidence (Rendle et al. 2021). Left out: user and item biases.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numba import njit, prange
from scipy import sparse

from recsys import _checks
from recsys.interactions import Interactions
from recsys.models.base import FactorRecommender, one_blas_thread, progress_bar

CHUNKS = 64  # pieces of work dealt to the threads; each takes every 64th row
FOLD_IN_STEPS = 10  # a new user starts from zero, so the solver needs a few steps more


@dataclass(eq=False)
class ImplicitALS(FactorRecommender):
    """Matrix factorization of implicit feedback by alternating least squares.

    Parameters
    ----------
    factors : int
        Length of the vectors.
    alpha : float
        How much one interaction adds to the confidence.
    reg, reg_exponent : float
        The penalty and how it grows with the evidence: 0 not at all, 1 in proportion.
    iterations : int
        Sweeps over users and items.
    cg_steps : int
        Conjugate gradient steps a vector and sweep.
    rng : int or numpy.random.Generator
    n_threads : int, optional

    Attributes after `fit`
    ----------------------
    user_factors : array (n_users, factors) float32
    item_factors : array (n_items, factors) float32
    """

    learned: ClassVar[tuple[str, ...]] = ("user_factors", "item_factors")

    factors: int = 64
    alpha: float = 40.0
    reg: float = 0.1
    reg_exponent: float = 0.0
    iterations: int = 15
    cg_steps: int = 3
    rng: int | np.random.Generator = 0
    n_threads: int | None = field(default=None, repr=False)

    def _fit(self, train: Interactions, progress: bool) -> None:
        rng = _checks.random_generator(self.rng)
        by_user = extra_confidence(self.history, self.alpha)
        by_item = by_user.T.tocsr()
        X = rng.normal(0, 0.01, (self.n_users, self.factors)).astype(np.float32)
        Y = rng.normal(0, 0.01, (self.n_items, self.factors)).astype(np.float32)
        with one_blas_thread():  # the loops below bring their own threads
            for _ in progress_bar(range(self.iterations), "ALS", progress):
                self._solve(X, Y, by_user, self.cg_steps)
                self._solve(Y, X, by_item, self.cg_steps)
        self.user_factors, self.item_factors = X, Y

    def _solve(self, X: np.ndarray, Y: np.ndarray, extra: sparse.csr_matrix, steps: int) -> None:
        """Improve the vectors X (n, f) in place, with Y (m, f) fixed."""
        reg = penalties(extra, self.reg, self.reg_exponent)
        gramian = Y.T @ Y  # (f, f)
        als_half_step(X, Y, gramian, extra.indptr, extra.indices, extra.data, reg, steps)

    def loss(self, data: Interactions) -> float:
        """The objective on `data`, in full: every user with every item."""
        self._check_fitted()
        extra = extra_confidence(data.matrix, self.alpha)
        return als_loss(self.user_factors, self.item_factors, extra, self.reg, self.reg_exponent)

    def fold_in(self, histories: Any) -> ImplicitALS:
        """The same items for people the model never saw; their vectors are solved for.

        Parameters
        ----------
        histories : list of item id lists, CSR matrix or Interactions
            One history a new person.

        Returns
        -------
        ImplicitALS
            Its user 0 is the first of the new people; `user_factors` holds their vectors.
        """
        model = self._for_histories(histories)
        extra = extra_confidence(model.history, self.alpha)
        model.user_factors = np.zeros((model.n_users, self.factors), np.float32)
        self._solve(model.user_factors, self.item_factors, extra, FOLD_IN_STEPS)
        return model


def extra_confidence(matrix: sparse.csr_matrix, alpha: float) -> sparse.csr_matrix:
    """CSR matrix of alpha r_ui: what each pair's confidence has above 1."""
    if matrix.nnz and matrix.data.min() < 0:
        raise ValueError(f"value must be at least 0 for ImplicitALS, got {matrix.data.min()!r}")
    return matrix * np.float32(alpha)


def penalties(extra: sparse.csr_matrix, reg: float, reg_exponent: float) -> np.ndarray:
    """Each row's penalty (n,) float32: reg times its total confidence to the exponent."""
    total = extra.shape[1] + np.asarray(extra.sum(axis=1, dtype=np.float64)).ravel()
    return (reg * total**reg_exponent).astype(np.float32)


@njit(parallel=True, fastmath=True, cache=True)
def als_half_step(X, Y, gramian, ptr, cols, extra, reg, steps):
    """Improve each row x of X: `steps` conjugate gradient steps towards A x = b.

    A = Y'Y + reg I + sum_i extra_i y_i y_i'   and   b = sum_i (1 + extra_i) y_i,
    summed over the columns i that the row met.
    """
    n, f = X.shape
    for chunk in prange(CHUNKS):
        residual = np.empty(f, np.float32)
        direction = np.empty(f, np.float32)
        image = np.empty(f, np.float32)
        for u in range(chunk, n, CHUNKS):
            x, weight = X[u], extra[ptr[u] : ptr[u + 1]]
            if len(weight) == 0:  # no evidence: the penalty alone, so zero
                for k in range(f):
                    x[k] = 0
                continue
            rows = gather(Y, cols[ptr[u] : ptr[u + 1]])  # the y_i, side by side
            times_a(rows, weight, gramian, reg[u], x, image)
            for k in range(f):
                residual[k] = -image[k]
            for i in range(len(rows)):
                add_scaled(residual, np.float32(1) + weight[i], rows[i])  # now b - A x
            for k in range(f):
                direction[k] = residual[k]
            size = dot(residual, residual)
            for _ in range(steps):
                if size < 1e-20:
                    break
                times_a(rows, weight, gramian, reg[u], direction, image)
                length = size / dot(direction, image)
                add_scaled(x, length, direction)
                add_scaled(residual, -length, image)
                previous, size = size, dot(residual, residual)
                for k in range(f):
                    direction[k] = residual[k] + size / previous * direction[k]


@njit(fastmath=True, cache=True)
def times_a(rows, weight, gramian, reg, x, out):
    """out = (Y'Y + reg I + sum_i weight_i y_i y_i') x, in two passes over the rows y_i."""
    f, n = len(x), len(rows)
    for k in range(f):
        out[k] = reg * x[k]
    for k in range(0, f - f % 4, 4):  # four rows at a time halve the traffic to and from `out`
        add_four(out, gramian, k, x[k], x[k + 1], x[k + 2], x[k + 3])
    for k in range(f - f % 4, f):
        add_scaled(out, x[k], gramian[k])
    for i in range(0, n - n % 4, 4):
        a = b = c = d = np.float32(0)
        for k in range(f):
            a += rows[i, k] * x[k]
            b += rows[i + 1, k] * x[k]
            c += rows[i + 2, k] * x[k]
            d += rows[i + 3, k] * x[k]
        w = weight[i : i + 4]
        add_four(out, rows, i, w[0] * a, w[1] * b, w[2] * c, w[3] * d)
    for i in range(n - n % 4, n):
        add_scaled(out, weight[i] * dot(rows[i], x), rows[i])


@njit(fastmath=True, cache=True)
def add_four(out, rows, i, a, b, c, d):
    """out += a rows[i] + b rows[i + 1] + c rows[i + 2] + d rows[i + 3]."""
    for k in range(len(out)):
        out[k] += a * rows[i, k] + b * rows[i + 1, k] + c * rows[i + 2, k] + d * rows[i + 3, k]


@njit(fastmath=True, cache=True)
def add_scaled(out, a, row):
    """out += a row."""
    for k in range(len(out)):
        out[k] += a * row[k]


@njit(fastmath=True, cache=True)
def dot(a, b):
    """The inner product of two vectors."""
    total = np.float32(0)
    for k in range(len(a)):
        total += a[k] * b[k]
    return total


@njit(cache=True)
def gather(Y, cols):
    """The rows of Y that `cols` names, (len(cols), f)."""
    rows = np.empty((len(cols), Y.shape[1]), np.float32)
    for i in range(len(cols)):
        for k in range(Y.shape[1]):
            rows[i, k] = Y[cols[i], k]
    return rows


def als_reference(
    Y: np.ndarray, extra: sparse.csr_matrix, reg: float, reg_exponent: float = 0.0
) -> np.ndarray:
    """The exact minimiser X (n, f) for fixed Y (m, f), row by row, in plain NumPy."""
    X = np.zeros((extra.shape[0], Y.shape[1]))
    gramian = Y.T @ Y
    penalty = penalties(extra, reg, reg_exponent)
    for u in range(len(X)):
        row = extra[u]
        y, weight = Y[row.indices], row.data
        A = gramian + (y.T * weight) @ y + penalty[u] * np.eye(Y.shape[1])
        X[u] = np.linalg.solve(A, (1 + weight) @ y)
    return X.astype(np.float32)


def als_loss(
    X: np.ndarray, Y: np.ndarray, extra: sparse.csr_matrix, reg: float, reg_exponent: float
) -> float:
    """The objective, without a users x items array.

    All pairs as if unmet cost sum((x_u'y_i)^2), the inner product of the two gramians; the pairs
    that met are then corrected.
    """
    X64, Y64 = X.astype(np.float64), Y.astype(np.float64)
    pairs = extra.tocoo()
    met = np.zeros(pairs.nnz)
    for part in np.array_split(np.arange(pairs.nnz), 1 + pairs.nnz // 100_000):
        met[part] = np.einsum("nf,nf->n", X64[pairs.row[part]], Y64[pairs.col[part]])
    loss = np.sum((X64.T @ X64) * (Y64.T @ Y64))
    loss += np.sum((1 + pairs.data) * (1 - met) ** 2 - met**2)
    loss += penalties(extra, reg, reg_exponent) @ np.sum(X64**2, axis=1)
    loss += penalties(extra.T.tocsr(), reg, reg_exponent) @ np.sum(Y64**2, axis=1)
    return float(loss)
