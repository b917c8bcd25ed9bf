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
(Takács, Pilászy and Tikk 2011). Two things make the steps few and cheap: in the basis of the
gramian's eigenvectors it is a diagonal, so it costs nothing to apply and tells how long a step
each direction can bear; and a sweep starts a little ahead of where the last one ended, in the
direction in which the vectors are moving anyway. At the end the users' vectors are solved to
convergence, so that each is what its history says: folding in the history gives the same one, and
a score is a sum over the history (`explain`). The penalty
:math:`\lambda_u = \lambda (\sum_i c_{ui})^\nu` may grow with the evidence (Rendle et al. 2021).
Left out: user and item biases.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numba import njit, prange
from scipy import sparse

from recsys import validation
from recsys.interactions import Interactions, check_log
from recsys.models.base import (
    FactorRecommender,
    _largest_contributions,
    one_blas_thread,
    progress_bar,
)

CHUNKS = 64  # pieces of work dealt to the threads; each takes every 64th row
FUSED = {"contract"}  # multiply and add in one instruction, in the order that is written
MOST_STEPS = 50  # of a solution to convergence; as a rule five to twenty suffice
ONE = np.float32(1)  # a whole number would make the sums float64
SETTLED = np.float32(1e-8)  # scores then differ from the exact solution's by less than 1e-4
TINY = np.float32(1e-20)  # a residual this small is zero


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
        Conjugate gradient steps a vector and sweep. 1 is the fastest, and also leaves out the
        solution to convergence at the end, so that fit and `fold_in` differ in the second digit.
    momentum : float below 1
        How far ahead of the last sweep the next one starts, as a share of the last move;
        0 is plain alternation, which takes about twice the sweeps.
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
    cg_steps: int = 4
    momentum: float = 0.6
    rng: int | np.random.Generator = 0
    n_threads: int | None = field(default=None, repr=False)

    def _fit(self, train: Interactions, progress: bool) -> None:
        rng = validation.random_generator(self.rng)
        by_user = extra_confidence(self.history, self.alpha)
        by_item = by_user.T.tocsr()
        X = rng.normal(0, 0.01, (self.n_users, self.factors)).astype(np.float32)
        Y = rng.normal(0, 0.01, (self.n_items, self.factors)).astype(np.float32)
        before = X, Y
        with one_blas_thread():  # the loops below bring their own threads
            for sweep in progress_bar(range(self.iterations), "ALS", progress):
                start = X, Y
                if sweep > 1:  # the first sweeps have far to go
                    start = [ahead_of(*pair, self.momentum) for pair in zip(start, before)]
                before = X, Y
                X = self._solve(*start, by_user, self.cg_steps)
                Y = self._solve(start[1], X, by_item, self.cg_steps)
            if self.iterations and self.cg_steps > 1:  # single steps are for those in a hurry
                X = self._solve(X, Y, by_user, MOST_STEPS, SETTLED)  # as fold_in would
        self.user_factors, self.item_factors = X, Y

    def _solve(
        self,
        X: np.ndarray,
        Y: np.ndarray,
        extra: sparse.csr_matrix,
        steps: int,
        enough: np.float32 = TINY,
    ) -> np.ndarray:
        """Better vectors than X (n, f), with Y (m, f) fixed."""
        reg = penalties(extra, self.reg, self.reg_exponent)
        gramian, Q = np.linalg.eigh(Y.T @ Y)  # Y'Y = Q diag(gramian) Q'
        gramian = np.maximum(gramian, 1e-7 * gramian[-1])  # what rounding hides is not zero
        X, Y = X @ Q, Y @ Q
        popularity = np.bincount(extra.indices, minlength=len(Y)).astype(np.float32)
        spread = popularity @ Y**2 / max(extra.nnz, 1)  # what an average interaction adds to A
        als_half_step(
            X, Y, gramian, spread, extra.indptr, extra.indices, extra.data, reg, steps, enough
        )  # fmt: skip
        return X @ Q.T

    def loss(self, data: Interactions) -> float:
        """The objective on `data`, in full: every user with every item."""
        self._check_fitted()
        check_log("data", data)
        if data.matrix.shape != self.history.shape:
            raise ValueError(
                f"data must have {self.n_users} users and {self.n_items} items, got {data!r}"
            )
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
        nowhere = np.zeros((model.n_users, self.factors), np.float32)
        with one_blas_thread():
            model.user_factors = self._solve(nowhere, self.item_factors, extra, MOST_STEPS, SETTLED)
        return model

    def explain(self, user: int, item: int, k: int = 5) -> tuple[np.ndarray, np.ndarray]:
        r"""The items of a user's history that speak most for an item.

        With the items fixed, the user's vector is linear in the history, and so is the score
        (Hu, Koren and Volinsky 2008, section 5):

        .. math:: x_u^\top y_i = \sum_j c_{uj} \, y_i^\top A_u^{-1} y_j

        summed over the items j that u met, with A_u the matrix of the user's linear system.

        Parameters
        ----------
        user, item : int
        k : int
            With k at least the length of the history the contributions sum to the score, to
            about 1e-4; after a fit with `cg_steps=1` only to what its sweeps left unsettled.

        Returns
        -------
        items : array (k,) int32
            Largest contribution first, ties to the lower id, padded with -1.
        contributions : array (k,) float32
            Below zero where an item speaks against; padded with 0.
        """
        history = self._history_of(user, item)
        extra = extra_confidence(history, self.alpha)
        Y = self.item_factors.astype(np.float64)
        y = Y[history.indices]
        reg = penalties(extra, self.reg, self.reg_exponent)[0]
        A = Y.T @ Y + (y.T * extra.data) @ y + reg * np.eye(self.factors)
        contributions = (1 + extra.data) * (y @ np.linalg.solve(A, Y[item]))
        return _largest_contributions(history.indices, contributions, k)


def ahead_of(now: np.ndarray, before: np.ndarray, share: float) -> np.ndarray:
    """now + share (now - before), written over `before`."""
    np.subtract(now, before, out=before)
    before *= share
    before += now
    return before


def extra_confidence(matrix: sparse.csr_matrix, alpha: float) -> sparse.csr_matrix:
    """CSR matrix of alpha r_ui: what each pair's confidence has above 1."""
    if matrix.nnz and matrix.data.min() < 0:
        raise ValueError(f"value must be at least 0 for ImplicitALS, got {matrix.data.min()}")
    with np.errstate(over="ignore"):
        data = matrix.data * np.float32(alpha)
    if not np.isfinite(data).all():
        raise ValueError(
            f"alpha must be smaller for values up to {matrix.data.max():g}, got {alpha!r}"
        )
    return sparse.csr_matrix((data, matrix.indices, matrix.indptr), matrix.shape)


def penalties(extra: sparse.csr_matrix, reg: float, reg_exponent: float) -> np.ndarray:
    """Each row's penalty (n,) float32: reg times its total confidence to the exponent."""
    total = extra.shape[1] + np.asarray(extra.sum(axis=1, dtype=np.float64)).ravel()
    return (reg * total**reg_exponent).astype(np.float32)


@njit(parallel=True, error_model="numpy", cache=True)
def als_half_step(X, Y, gramian, spread, ptr, cols, extra, reg, steps, enough):
    """Improve each row x of X: at most `steps` conjugate gradient steps towards A x = b.

    A = diag(gramian) + reg I + sum_i extra_i y_i y_i'   and   b = sum_i (1 + extra_i) y_i,
    summed over the columns i that the row met. The diagonal of A, with the sum replaced by
    its average, scales the steps (Jacobi's preconditioner).

    Only `dot` and `times` let the compiler reorder their arithmetic, which a sum needs to be
    fast. Their loops multiply two numbers and write nothing, so that there is one way to do it,
    and the bits are the same in the process that compiles and in those that load its code.
    """
    n, f = X.shape
    for chunk in prange(CHUNKS):
        scale, residual = np.empty(f, np.float32), np.empty(f, np.float32)
        direction, image = np.empty(f, np.float32), np.empty(f, np.float32)
        for u in range(chunk, n, CHUNKS):
            x, weight = X[u], extra[ptr[u] : ptr[u + 1]]
            if len(weight) == 0:  # no evidence: the penalty alone, so zero
                for k in range(f):
                    x[k] = 0
                continue
            met = cols[ptr[u] : ptr[u + 1]]
            s = np.empty(len(met), np.float32)  # one number for each y_i
            weighted = np.empty(len(met), np.float32)
            times(Y, met, x, s)
            evidence = np.float32(0)
            for i in range(len(s)):
                evidence += weight[i]
            for i in range(len(s)):
                weighted[i] = ONE + weight[i] * (ONE - s[i])
            for k in range(f):
                scale[k] = ONE / (gramian[k] + reg[u] + evidence * spread[k])
                residual[k] = -(gramian[k] + reg[u]) * x[k]
                direction[k] = 0
            add_rows(Y, met, weighted, residual)  # now b - A x
            size = turn(direction, residual, scale, image, ONE)
            for step in range(steps):
                if size < enough:
                    break
                times(Y, met, direction, s)
                for i in range(len(s)):
                    weighted[i] = weight[i] * s[i]
                for k in range(f):
                    image[k] = (gramian[k] + reg[u]) * direction[k]
                bend = dot(image, direction) + dot(weighted, s)  # direction' A direction
                add_scaled(x, size / bend, direction)
                if step < steps - 1:  # another step needs to know what is left
                    add_rows(Y, met, weighted, image)  # now A times the direction
                    add_scaled(residual, -size / bend, image)
                    size = turn(direction, residual, scale, image, size)


@njit(error_model="numpy", cache=True)
def turn(direction, residual, scale, scaled, size):
    """The next conjugate direction, in place; the residual's new scaled square, returned.

    `scaled` (f,) is room for the scaled residual.
    """
    for k in range(len(scale)):
        scaled[k] = scale[k] * residual[k]
    new_size = dot(residual, scaled)
    for k in range(len(scale)):
        direction[k] = scaled[k] + new_size / size * direction[k]
    return new_size


@njit(fastmath=True, cache=True)
def times(Y, met, x, out):
    """out_i = y_i'x for the rows y_i of Y that `met` names; four at a time read x once."""
    n = len(met)
    for i in range(0, n - n % 4, 4):
        y0, y1, y2, y3 = Y[met[i]], Y[met[i + 1]], Y[met[i + 2]], Y[met[i + 3]]
        a = b = c = d = np.float32(0)
        for k in range(len(x)):
            a += y0[k] * x[k]
            b += y1[k] * x[k]
            c += y2[k] * x[k]
            d += y3[k] * x[k]
        out[i], out[i + 1], out[i + 2], out[i + 3] = a, b, c, d
    for i in range(n - n % 4, n):
        out[i] = dot(Y[met[i]], x)


@njit(fastmath=FUSED, cache=True)
def add_rows(Y, met, s, out):
    """out += sum_i s_i y_i; four at a time write `out` once."""
    n = len(met)
    for i in range(0, n - n % 4, 4):
        y0, y1, y2, y3 = Y[met[i]], Y[met[i + 1]], Y[met[i + 2]], Y[met[i + 3]]
        a, b, c, d = s[i], s[i + 1], s[i + 2], s[i + 3]
        for k in range(len(out)):
            out[k] += a * y0[k] + b * y1[k] + c * y2[k] + d * y3[k]
    for i in range(n - n % 4, n):
        add_scaled(out, s[i], Y[met[i]])


@njit(fastmath=FUSED, cache=True)
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
