r"""PureSVD: truncated SVD of the user-item matrix (Cremonesi et al. 2010).

Fill the unobserved entries of the user-item matrix :math:`R` with zeros and truncate its singular
value decomposition: of all matrices of rank f,

.. math:: \hat R = U_f \Sigma_f V_f^\top = R V_f V_f^\top

is the one nearest to R in the sum of :math:`(r_{ui} - \hat r_{ui})^2` over all entries. Its
values at the zeros are the recommendations. :math:`V_f` holds the eigenvectors of
:math:`R^\top R` with the largest eigenvalues, which are the squares of the singular values.

They are found by a block Lanczos method with restarts (Golub and Underwood 1977; Wu and Simon
2000): multiply a block of random vectors by :math:`R^\top R` again and again and orthogonalise;
the best approximations within the subspace spanned so far converge quickly. R stays sparse. Left
out: biases, and weights of the zeros relative to the other entries.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from recsys import validation
from recsys.compiled import compiled, prange
from recsys.interactions import Interactions
from recsys.kernels import CHUNKS, add_rows
from recsys.models.factor import FactorRecommender
from recsys.threads import on_snapshot, one_blas_thread

BLOCK = 16  # vectors multiplied at once: of each row that is read, two cache lines
TOLERANCE = 1e-6  # of a residual, relative to the last eigenvalue kept
ROUNDING = 1e-13  # rounding error of a residual, relative to the first eigenvalue
RANK = 1e-7  # singular values below this fraction of the first are rounding errors, so zero


@dataclass(eq=False)
class PureSVD(FactorRecommender):
    """Truncated singular value decomposition of the user-item matrix.

    Parameters
    ----------
    factors : int
        Length of the vectors: number of singular vectors kept. Columns beyond the rank of the
        matrix are zero.
    rng : int or numpy.random.Generator
        Start of the iteration; it changes the result by rounding errors only.
    n_threads : int, optional

    Attributes after `fit`
    ----------------------
    singular_values : array (factors,) float32
        Largest first.
    user_factors : array (n_users, factors) float32
        The histories projected onto the singular vectors, R V.
    item_factors : array (n_items, factors) float32
        The right singular vectors V: orthonormal columns, each with its largest entry positive.
    """

    learned: ClassVar[tuple[str, ...]] = ("singular_values", "user_factors", "item_factors")

    factors: int = 16
    rng: int | np.random.Generator = 0
    n_threads: int | None = field(default=None, repr=False)

    def _fit(self, train: Interactions, progress: bool) -> None:
        rng = validation.random_generator(self.rng)
        with one_blas_thread():  # the same bits on any number of threads
            sigma, V = singular_vectors(self.history, self.factors, rng)
        self.singular_values = sigma.astype(np.float32)
        self.item_factors = np.ascontiguousarray(V, np.float32)
        self.user_factors = product(self.history, self.item_factors)

    @on_snapshot
    def fold_in(self, histories: Any) -> PureSVD:
        """The model for new users, numbered from 0.

        `histories` is a list of item id lists, a CSR matrix or Interactions. Each is projected
        onto the singular vectors, as the training histories were.
        """
        model = self.with_histories(histories)
        model.user_factors = product(model.history, self.item_factors)
        return model


def singular_vectors(
    matrix: sparse.csr_matrix, factors: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The largest singular values (factors,) and right singular vectors V (m, factors).

    Both are float64, and zero beyond the rank of the matrix.
    """
    transposed = matrix.shape[0] < matrix.shape[1]
    A = (matrix.T if transposed else matrix).tocsr().astype(np.float64)  # the shorter side last
    At, n, f = A.T.tocsr(), A.shape[1], min(factors, *A.shape)
    if n <= most_columns(f) + BLOCK:  # no larger than the basis of the search
        squares, W = np.linalg.eigh((At @ A).toarray())
        squares, W = squares[::-1][:f], W[:, ::-1][:, :f]
    else:
        squares, W = leading_eigenvectors(lambda W: product(At, product(A, W)), n, f, rng)
    sigma = np.sqrt(np.maximum(squares, 0))
    kept = sigma > RANK * sigma[0]
    sigma, W = sigma[kept], W[:, kept]
    V = product(A, W) / sigma if transposed else W
    V *= np.sign(V[np.abs(V).argmax(axis=0), np.arange(len(sigma))])
    missing = factors - len(sigma)
    return np.pad(sigma, (0, missing)), np.pad(V, ((0, 0), (0, missing)))


def most_columns(f: int) -> int:
    """Size of the basis at which the search for f eigenvectors restarts."""
    return 3 * f + 4 * BLOCK


def leading_eigenvectors(
    matvec: Callable[[np.ndarray], np.ndarray], n: int, f: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The f largest eigenvalues, falling, and eigenvectors (n, f) of a symmetric matrix A (n, n).

    `matvec(Q)` is A @ Q. The basis Q (n, size) grows block by block; T = Q'AQ is the projection
    of A, and the part of AQ outside of Q is the next block times R.
    """
    most = most_columns(f)
    Q, T = np.zeros((n, most + BLOCK)), np.zeros((most + BLOCK, most + BLOCK))
    block, _ = np.linalg.qr(rng.normal(size=(n, BLOCK)))
    size = 0
    while True:
        here = slice(size, size + BLOCK)
        Q[:, here], size = block, size + BLOCK
        basis = Q[:, :size]
        image = matvec(block)
        T[:size, here] = basis.T @ image
        T[here, :size] = T[:size, here].T
        block, R = new_directions(image - basis @ T[:size, here], basis, 1e-12 * T.max(), rng)
        if size < f + BLOCK or (size // BLOCK) % 3 and size < most:
            continue  # the check costs as much as one more block
        values, Z = np.linalg.eigh(T[:size, :size])
        values, Z = values[::-1], Z[:, ::-1]
        residuals = np.linalg.norm(R @ Z[here, :f], axis=0)  # |A q - value q| of each q = Q z
        if residuals.max() <= max(TOLERANCE * values[f - 1], ROUNDING * values[0]):
            return values[:f], basis @ Z[:, :f]
        if size >= most:  # restart from the best so far
            size = f + 2 * BLOCK
            Q[:, :size] = basis @ Z[:, :size]
            T[:size, :size] = np.diag(values[:size])


def new_directions(
    beyond: np.ndarray, basis: np.ndarray, tiny: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """`beyond`, already orthogonal to `basis`, as orthonormal columns times R.

    Columns that hold only rounding errors are replaced by random directions.
    """
    block, R = np.linalg.qr(beyond)
    empty = np.abs(np.diag(R)) <= tiny
    block[:, empty] = rng.normal(size=(len(block), empty.sum()))
    block, again = np.linalg.qr(block - basis @ (basis.T @ block))  # rounding errors had grown
    return block, again @ R


def product(matrix: sparse.csr_matrix, V: np.ndarray) -> np.ndarray:
    """matrix @ V (n, f) in the type of V, summed in the same order on any number of threads."""
    V = np.ascontiguousarray(V)
    out = np.zeros((matrix.shape[0], V.shape[1]), V.dtype)
    sum_rows(matrix.indptr, matrix.indices, matrix.data.astype(V.dtype, copy=False), V, out)
    return out


@compiled(parallel=True)
def sum_rows(ptr, cols, weights, V, out):
    """Add to each row of `out` the rows of V in its CSR row, times their weights."""
    for chunk in prange(CHUNKS):
        for u in range(chunk, len(out), CHUNKS):
            row = slice(ptr[u], ptr[u + 1])
            add_rows(V, cols[row], weights[row], out[u])


def svd_reference(matrix: np.ndarray, factors: int) -> tuple[np.ndarray, np.ndarray]:
    """Singular values (factors,) and right vectors (m, factors) of a dense matrix."""
    _, sigma, Vt = np.linalg.svd(np.asarray(matrix, np.float64), full_matrices=False)
    return sigma[:factors], Vt[:factors].T
