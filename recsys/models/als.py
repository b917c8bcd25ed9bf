r"""Implicit alternating least squares (Hu, Koren and Volinsky 2008).

An interaction is evidence of strength :math:`c_{ui} = 1 + \alpha r_{ui}` that user u likes item
i; its absence is weak evidence (:math:`c_{ui} = 1`) that they do not. With :math:`p_{ui} = 1`
for the observed pairs and 0 elsewhere, find the vectors that minimise

.. math::
    \sum_{u,i} c_{ui} (p_{ui} - x_u^\top y_i)^2
    + \sum_u \lambda_u \|x_u\|^2 + \sum_i \lambda_i \|y_i\|^2

With one side fixed, each vector of the other solves a small linear system. The sum over all
items is one matrix for all users, the gramian :math:`Y^\top Y`; only the items in a user's
history add to it. A few steps of conjugate gradients from the last solution replace the exact
solve (Takács, Pilászy and Tikk 2011; `als_solver`). Two things make the steps few and cheap: in
the basis of its eigenvectors the gramian is diagonal, so it is cheap to apply and scales each
direction (a preconditioner); and a sweep starts from an extrapolation of the last two (momentum).
At the end the users' vectors are solved to convergence, so that folding in the same history gives
the same vector, and a score is a sum over the history (`explain`). The penalty
:math:`\lambda_u = \lambda (\sum_i c_{ui})^\nu` may grow with the evidence (Rendle et al. 2021).
Left out: user and item biases.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np
from scipy import sparse

from recsys import validation
from recsys.interactions import Interactions, check_log
from recsys.models.als_solver import als_half_step
from recsys.models.base import largest_contributions
from recsys.models.factor import FactorRecommender
from recsys.models.partial import UpdatableRecommender
from recsys.progress import progress_bar
from recsys.threads import on_snapshot, one_blas_thread

MAX_STEPS = 50  # of a solution to convergence; usually five to twenty suffice
CONVERGED = np.float32(1e-8)  # scores then differ from the exact solution's by less than 1e-4
TINY = np.float32(1e-20)  # a residual this small is zero


@dataclass(eq=False)
class ImplicitALS(UpdatableRecommender, FactorRecommender):
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
        Conjugate gradient steps per vector and sweep. 1 is the fastest, and also leaves out the
        solution to convergence at the end, so that fit and `fold_in` differ in the second digit.
    momentum : float below 1
        How far beyond the last sweep the next one starts, as a fraction of the last change;
        0 is standard ALS, which takes about twice the sweeps.
    rng : int or numpy.random.Generator
    n_threads : int, optional

    Attributes after `fit`
    ----------------------
    user_factors : array (n_users, factors) float32
    item_factors : array (n_items, factors) float32
    """

    learned: ClassVar[tuple[str, ...]] = ("user_factors", "item_factors")

    factors: int = 64
    alpha: float = 1.0
    reg: float = 10.0
    reg_exponent: float = 0.0
    iterations: int = 15
    cg_steps: int = 4
    momentum: float = 0.6
    rng: int | np.random.Generator = 0
    n_threads: int | None = field(default=None, repr=False)

    def _fit(self, train: Interactions, progress: bool) -> None:
        rng = validation.random_generator(self.rng)
        X, Y = (small_vectors(rng, n, self.factors) for n in (self.n_users, self.n_items))
        self._sweep(X, Y, self.iterations, progress)

    def _update(self, new_log: Interactions, progress: bool) -> None:
        """A third of the sweeps, from the factors so far; new users and items start small."""
        rng = validation.random_generator(self.rng)
        X, Y = (
            np.vstack([old, small_vectors(rng, n - len(old), self.factors)])
            for old, n in ((self.user_factors, self.n_users), (self.item_factors, self.n_items))
        )
        self._sweep(X, Y, -(-self.iterations // 3), progress)

    def _sweep(self, X: np.ndarray, Y: np.ndarray, iterations: int, progress: bool) -> None:
        """Learn the factors in a number of sweeps from X (n_users, f) and Y (n_items, f)."""
        by_user = self._side(self.history)
        by_item = self._side(transposed(self.history))
        before = X, Y
        with one_blas_thread():  # the loops below bring their own threads
            for sweep in progress_bar(range(iterations), "ALS", progress):
                start = X, Y
                if sweep > 1:  # the first sweeps change too much
                    start = [extrapolate(*pair, self.momentum) for pair in zip(start, before)]
                before = X, Y
                X = self._solve(*start, by_user, self.cg_steps)
                Y = self._solve(start[1], X, by_item, self.cg_steps)
            if iterations and self.cg_steps > 1:
                X = self._solve(X, Y, by_user, MAX_STEPS, CONVERGED)  # as fold_in would
        self.user_factors, self.item_factors = X, Y

    def _side(self, matrix: sparse.csr_matrix) -> Side:
        """What stays the same from sweep to sweep for the vectors of the matrix's rows."""
        check_confidence(matrix, self.alpha)
        return Side(matrix, self._penalties(matrix), column_counts(matrix))

    def _penalties(self, matrix: sparse.csr_matrix) -> np.ndarray:
        """Each row's penalty (n,) float32, for the interactions (n, m)."""
        extra = extra_confidence(matrix, self.alpha) if self.reg_exponent else matrix
        return penalties(extra, self.reg, self.reg_exponent)

    def _solve(
        self,
        X: np.ndarray,
        Y: np.ndarray,
        side: Side,
        max_steps: int,
        tolerance: np.float32 = TINY,
    ) -> np.ndarray:
        """Better vectors than X (n, f), with Y (m, f) fixed."""
        R = side.matrix  # (n, m)
        gramian, Q = np.linalg.eigh(Y.T @ Y)  # Y'Y = Q diag(gramian) Q'
        gramian = np.maximum(gramian, 1e-7 * gramian[-1])  # none below the rounding error
        X, Y = X @ Q, Y @ Q
        mean_squares = side.counts @ Y**2 / max(R.nnz, 1)  # (f,), of an average interaction
        als_half_step(
            X, Y, gramian, mean_squares, R.indptr, R.indices, R.data,
            np.float32(self.alpha), side.reg, max_steps, tolerance,
        )  # fmt: skip
        return X @ Q.T

    @on_snapshot
    def loss(self, data: Interactions) -> float:
        """The objective on `data`, in full: every user with every item."""
        self._check_fitted()
        check_log("data", data)
        if data.matrix.shape != self.history.shape:
            raise ValueError(
                f"data must have {self.n_users} users and {self.n_items} items, got {data!r}"
            )
        extra = extra_confidence(data.matrix, self.alpha)
        both = [self._penalties(matrix) for matrix in (data.matrix, data.matrix.T.tocsr())]
        return penalised_loss(self.user_factors, self.item_factors, extra, *both)

    @on_snapshot
    def fold_in(self, histories: Any) -> ImplicitALS:
        """The model for new users, with the same items; the users' vectors are solved for.

        Parameters
        ----------
        histories : list of item id lists, CSR matrix or Interactions
            One history per new user.

        Returns
        -------
        ImplicitALS
            Its users are the new users, numbered from 0; `user_factors` holds their vectors.
        """
        model = self.with_histories(histories)
        side = self._side(model.history)
        zeros = np.zeros((model.n_users, self.factors), np.float32)
        with one_blas_thread():
            model.user_factors = self._solve(zeros, self.item_factors, side, MAX_STEPS, CONVERGED)
        return model

    @on_snapshot
    def explain(self, user: int, item: int, k: int = 5) -> tuple[np.ndarray, np.ndarray]:
        r"""The items of a user's history that contribute most to an item's score.

        With the items fixed, the user's vector is linear in the history, and so is the score
        (Hu, Koren and Volinsky 2008, section 5):

        .. math:: x_u^\top y_i = \sum_j c_{uj} \, y_i^\top A_u^{-1} y_j

        summed over the items j in u's history, with A_u the matrix of the user's linear system.

        Parameters
        ----------
        user, item : int
        k : int
            With k at least the length of the history the contributions sum to the score, to
            about 1e-4; after a fit with `cg_steps=1` only approximately.

        Returns
        -------
        items : array (k,) int32
            Largest contribution first, ties to the lower id, padded with -1.
        contributions : array (k,) float32
            Negative where an item lowers the score; padded with 0.
        """
        history = self._history_of(user, item)
        extra = extra_confidence(history, self.alpha)
        Y = self.item_factors.astype(np.float64)
        y = Y[history.indices]
        reg = self._penalties(history)[0]
        A = Y.T @ Y + (y.T * extra.data) @ y + reg * np.eye(self.factors)
        contributions = (1 + extra.data) * (y @ np.linalg.solve(A, Y[item]))
        return largest_contributions(history.indices, contributions, k)


def small_vectors(rng: np.random.Generator, n: int, factors: int) -> np.ndarray:
    """Random vectors (n, factors) float32 to start from."""
    return rng.normal(0, 0.01, (n, factors)).astype(np.float32)


def extrapolate(now: np.ndarray, before: np.ndarray, momentum: float) -> np.ndarray:
    """now + momentum (now - before), written over `before`."""
    np.subtract(now, before, out=before)
    before *= momentum
    before += now
    return before


class Side(NamedTuple):
    """The interactions of one side's rows, with their penalties and the columns' sizes."""

    matrix: sparse.csr_matrix  # (n, m), r
    reg: np.ndarray  # (n,) float32
    counts: np.ndarray  # (m,) float32


def transposed(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """The CSR matrix of the columns; equal values are stored once for both."""
    if not matrix.nnz or matrix.data.min() < matrix.data.max():
        return matrix.T.tocsr()
    flags = np.ones(matrix.nnz, np.int8)
    T = sparse.csr_matrix((flags, matrix.indices, matrix.indptr), matrix.shape).T.tocsr()
    return sparse.csr_matrix((matrix.data, T.indices, T.indptr), T.shape)


def column_counts(matrix: sparse.csr_matrix) -> np.ndarray:
    """Stored entries per column (m,) float32, counted in parts: `bincount` copies what it reads."""
    parts = np.array_split(matrix.indices, 1 + matrix.nnz // 1_000_000)
    return sum(np.bincount(part, minlength=matrix.shape[1]) for part in parts).astype(np.float32)


def check_confidence(matrix: sparse.csr_matrix, alpha: float) -> None:
    """Refuse values below zero, and confidences above the largest float32."""
    if not matrix.nnz:
        return
    if matrix.data.min() < 0:
        raise ValueError(f"value must be at least 0 for ImplicitALS, got {matrix.data.min()}")
    with np.errstate(over="ignore"):
        largest = matrix.data.max() * np.float32(alpha)
    if not np.isfinite(largest):
        raise ValueError(
            f"alpha must be smaller for values up to {matrix.data.max():g}, got {alpha!r}"
        )


def extra_confidence(matrix: sparse.csr_matrix, alpha: float) -> sparse.csr_matrix:
    """CSR matrix of alpha r_ui: each pair's confidence, less 1."""
    check_confidence(matrix, alpha)
    data = matrix.data * np.float32(alpha)
    return sparse.csr_matrix((data, matrix.indices, matrix.indptr), matrix.shape)


def penalties(extra: sparse.csr_matrix, reg: float, reg_exponent: float) -> np.ndarray:
    """Each row's penalty (n,) float32: reg times its total confidence to the exponent."""
    if reg_exponent == 0:
        return np.full(extra.shape[0], reg, np.float32)
    total = extra.shape[1] + np.asarray(extra.sum(axis=1, dtype=np.float64)).ravel()
    return (reg * total**reg_exponent).astype(np.float32)


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
    """The objective, with the penalties that `reg` and `reg_exponent` give."""
    both = [penalties(matrix, reg, reg_exponent) for matrix in (extra, extra.T.tocsr())]
    return penalised_loss(X, Y, extra, *both)


def penalised_loss(
    X: np.ndarray,
    Y: np.ndarray,
    extra: sparse.csr_matrix,
    user_reg: np.ndarray,
    item_reg: np.ndarray,
) -> float:
    """The objective for penalties (n_users,) and (n_items,), without a users x items array.

    All pairs taken as unobserved cost sum((x_u'y_i)^2), the inner product of the two gramians;
    the observed pairs are then corrected.
    """
    X64, Y64 = X.astype(np.float64), Y.astype(np.float64)
    pairs = extra.tocoo()
    predicted = np.zeros(pairs.nnz)
    for part in np.array_split(np.arange(pairs.nnz), 1 + pairs.nnz // 100_000):
        predicted[part] = np.einsum("nf,nf->n", X64[pairs.row[part]], Y64[pairs.col[part]])
    loss = np.sum((X64.T @ X64) * (Y64.T @ Y64))
    loss += np.sum((1 + pairs.data) * (1 - predicted) ** 2 - predicted**2)
    loss += user_reg @ np.sum(X64**2, axis=1)
    loss += item_reg @ np.sum(Y64**2, axis=1)
    return float(loss)
