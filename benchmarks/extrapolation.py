"""A straight line through measurements, and where it reaches a limit, with its uncertainty."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import stats

DRAWS = 20_000
LEVELS = (0.025, 0.5, 0.975)


class Line(NamedTuple):
    """Intercept and slope of least squares, their covariance, and the degrees of freedom."""

    coefficients: np.ndarray  # (2,)
    covariance: np.ndarray  # (2, 2)
    freedom: int

    def draws(self, rng: np.random.Generator) -> np.ndarray:
        """Lines (DRAWS, 2) from the t distribution of the coefficients."""
        deviation = np.sqrt(np.diag(self.covariance))  # of very different size
        root = np.linalg.cholesky(self.covariance / np.outer(deviation, deviation))
        z = rng.standard_normal((DRAWS, 2)) @ root.T
        t = z / np.sqrt(rng.chisquare(self.freedom, (DRAWS, 1)) / self.freedom)
        return self.coefficients + t * deviation


def line_through(x: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None) -> Line:
    """The line that minimises the squares of `weights` times the residuals.

    >>> line = line_through(np.array([0.0, 1, 2, 3]), np.array([1.0, 3.1, 4.9, 7]))
    >>> line.coefficients.round(2).tolist(), line.freedom
    ([1.03, 1.98], 2)
    """
    weights = np.ones(len(x)) if weights is None else weights
    A = weights[:, None] * np.column_stack([np.ones(len(x)), x])
    inverse = np.linalg.inv(A.T @ A)
    coefficients = inverse @ A.T @ (weights * y)
    residuals = weights * y - A @ coefficients
    freedom = len(x) - 2
    return Line(coefficients, inverse * (residuals @ residuals) / freedom, freedom)


def reach(memory: Line, duration: Line, megabytes: float) -> dict[str, Any]:
    """Interactions at which `memory`, of the interactions, reaches a limit, and the hours there.

    `duration` is of logarithms: of the seconds, by that of the interactions. Values are the fitted
    lines' at the ends and the middle: the 2.5, 50 and 97.5 % quantiles of their distribution.
    """
    rng = np.random.default_rng(0)
    base, slope = memory.draws(rng).T
    pairs = np.maximum(megabytes - base, 1) / np.maximum(slope, 1e-12)
    a, b = duration.draws(rng).T
    hours = np.exp(a + b * np.log(pairs)) / 3600
    exponent = duration.coefficients[1]
    width = stats.t.ppf(0.975, duration.freedom) * duration.covariance[1, 1] ** 0.5
    return {
        "pairs": np.quantile(pairs, LEVELS).tolist(),
        "hours": np.quantile(hours, LEVELS).tolist(),
        "exponent": [float(exponent + sign * width) for sign in (-1, 0, 1)],
        "bytes_per_pair": float(memory.coefficients[1] * 2**20),
    }
