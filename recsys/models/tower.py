r"""A tower: from a row of features to a vector, by one matrix or by two with a ReLU between.

.. math:: z = W^\top f \qquad \text{or} \qquad z = W^\top \max(0, V^\top f)

An id is a feature too: for a one-hot row f, the first product picks one row of a matrix. So a
linear tower on ids is the table of vectors of matrix factorization. Training needs the gradient
of the loss by each matrix (Rumelhart, Hinton and Williams 1986); the features of a batch are few,
so only their rows of the first matrix move. Each entry has its own AdaGrad learning rate (Duchi,
Hazan and Singer 2011). Left out: added constants (a column of ones is one), and more layers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

START = 0.1  # of AdaGrad's sums of squares


@dataclass(frozen=True)
class Tower:
    """The matrices of a tower, and AdaGrad's sum of squared gradients for each entry.

    Attributes
    ----------
    weights : tuple of arrays
        W (d, f), or V (d, h) and W (h, f).
    squares : tuple of arrays
        Of the same shapes.
    """

    weights: tuple[np.ndarray, ...]
    squares: tuple[np.ndarray, ...]

    @classmethod
    def with_weights(cls, *weights: np.ndarray) -> Tower:
        """A tower before its first step."""
        return cls(weights, tuple(np.full_like(w, START) for w in weights))

    def forward(self, rows: sparse.csr_matrix) -> list[np.ndarray]:
        """What each matrix makes of the feature rows (n, d): arrays (n, h) and (n, f), or one.

        The last one holds the vectors; those before it are kept for `gradients`.

        >>> tower = Tower.with_weights(np.array([[1.0, -1.0]]), np.array([[2.0], [5.0]]))
        >>> tower.forward(sparse.csr_matrix([[3.0]]))[-1]  # 3 is 3 and -3, and -3 becomes 0
        array([[6.]])
        """
        layers = [rows @ self.weights[0]]
        for matrix in self.weights[1:]:
            layers[-1] = np.maximum(layers[-1], 0)
            layers.append(layers[-1] @ matrix)
        return layers

    def gradients(
        self, rows: sparse.csr_matrix, layers: list[np.ndarray], gradient: np.ndarray
    ) -> list[tuple[np.ndarray | slice, np.ndarray]]:
        """The gradient by each matrix: which of its rows have one, and their gradients.

        `layers` are what `forward` returned, `gradient` (n, f) is that of the loss by the vectors.
        """
        found = []
        for matrix, inputs in zip(self.weights[:0:-1], layers[-2::-1]):
            found.append((slice(None), inputs.T @ gradient))
            gradient = (gradient @ matrix.T) * (inputs > 0)
        columns, position = np.unique(rows.indices, return_inverse=True)
        few = sparse.csr_matrix(
            (rows.data, position.ravel(), rows.indptr), (len(gradient), len(columns))
        )
        return [(columns, few.T @ gradient), *found]

    def descend(
        self, gradients: list[tuple[np.ndarray | slice, np.ndarray]], learning_rate: float
    ) -> None:
        """One AdaGrad step against the gradients, in place."""
        for matrix, squares, (at, gradient) in zip(self.weights, self.squares, gradients):
            squares[at] += gradient**2
            matrix[at] -= learning_rate * gradient / np.sqrt(squares[at])


def random_tower(rng: np.random.Generator, d: int, hidden: int | None, f: int) -> Tower:
    """A tower with small random weights, float32, from d features to f numbers."""
    if hidden is None:
        return Tower.with_weights(rng.normal(0, 0.01, (d, f)).astype(np.float32))
    first = rng.normal(0, 0.1, (d, hidden)).astype(np.float32)
    return Tower.with_weights(
        first, rng.normal(0, np.sqrt(2 / hidden), (hidden, f)).astype(np.float32)
    )
