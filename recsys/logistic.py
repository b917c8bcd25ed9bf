r"""Logistic regression by Newton's method: click probability from a weighted sum of features.

With rows :math:`x_r` (features standardised, and a 1 for the intercept) and
clicks :math:`y_r`, it minimises

.. math:: -\sum_r \big( y_r \ln p_r + (1 - y_r) \ln(1 - p_r) \big) + \frac{\lambda}{2} |w|^2,
          \qquad p_r = \frac{1}{1 + e^{-w^\top x_r}}

A Newton step solves :math:`(X^\top D X + \lambda I) \, \delta = -\nabla` with
:math:`D = \operatorname{diag}(p_r (1 - p_r))`. There are only a dozen features, so the matrix is
tiny, a step costs one pass over the rows, and some six steps reach the minimum: there is no
learning rate to tune, and no random initialisation. (Iteratively reweighted least squares:
Hastie, Tibshirani and Friedman 2009, section 4.4.1.) The intercept is not regularised. Left out:
products of features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.compiled import compiled, prange

CHUNKS = 64  # pieces of each sum, the same for any number of threads
HALVINGS = 30


@dataclass(eq=False)
class LogisticRanker:
    """Click probabilities by logistic regression.

    Parameters
    ----------
    reg : float
        Strength of the L2 regularisation.
    iterations : int
        Newton steps at most.
    tolerance : float
        Fitting stops once a step promises to lower the loss by less than this fraction.

    Attributes after `fit`
    ----------------------
    weights : array (n_features,) float64
        Per standard deviation of the feature.
    intercept : float
    mean, std : array (n_features,) float64
    steps : list of dict
        Number of each step and mean loss per row before it.
    """

    reg: float = 1.0
    iterations: int = 25
    tolerance: float = 1e-10

    def fit(
        self, X: np.ndarray, clicked: np.ndarray, start: np.ndarray | None = None
    ) -> LogisticRanker:
        """Learn from features (n, f) float32 and clicks (n,) bool; `start` is not needed."""
        X, y = _rows(X), np.ascontiguousarray(clicked, np.float64)
        if len(y) != len(X) or len(X) == 0:
            raise ValueError(f"clicked must have X's {len(X)} > 0 rows, got {len(y)}")
        if not np.isfinite(X).all():
            raise ValueError("X must be finite, got nan or inf")
        self.mean, self.std = _mean_and_std(X)
        w = np.zeros(X.shape[1] + 1)  # the intercept comes last
        rate = (y.sum() + 0.5) / (len(y) + 1)
        w[-1] = np.log(rate / (1 - rate))
        self.steps = []
        loss, gradient, hessian = self._derivatives(X, y, w)
        for step in range(self.iterations):
            self.steps.append({"step": step, "loss": float(loss / len(y))})
            delta = -np.linalg.solve(hessian, gradient)
            promised = -0.5 * gradient @ delta
            if promised <= self.tolerance * max(loss, 1.0):
                break
            for _ in range(HALVINGS):  # halve the step until the loss falls
                found = self._derivatives(X, y, w + delta)
                if found[0] <= loss:
                    break
                delta = delta / 2
            w, (loss, gradient, hessian) = w + delta, found
        self.weights, self.intercept = w[:-1], float(w[-1])
        return self

    def _derivatives(self, X, y, w):
        f = X.shape[1]
        losses = np.zeros(CHUNKS)
        gradients, hessians = np.zeros((CHUNKS, f + 1)), np.zeros((CHUNKS, f + 1, f + 1))
        _accumulate(X, y, w, self.mean, 1 / self.std, losses, gradients, hessians)
        penalty = np.append(np.full(f, self.reg), 0.0)
        hessian = hessians.sum(axis=0)
        hessian += np.tril(hessian, -1).T + np.diag(penalty) + 1e-9 * np.eye(f + 1)
        loss = losses.sum() + 0.5 * penalty @ w**2
        return loss, gradients.sum(axis=0) + penalty * w, hessian

    def scores(self, X: np.ndarray) -> np.ndarray:
        """Log odds of a click for each row of features: (n,) float64."""
        scaled = self.weights / self.std
        return _rows(X) @ scaled + (self.intercept - self.mean @ scaled)

    def probabilities(self, X: np.ndarray) -> np.ndarray:
        """Probability of a click for each row: (n,) float64."""
        return self.probability(self.scores(X))

    @staticmethod
    def probability(scores: np.ndarray) -> np.ndarray:
        """Probability of a click from its log odds."""
        return 1 / (1 + np.exp(-scores))

    def importance(self) -> np.ndarray:
        """Absolute weight of each feature, per standard deviation: (n_features,)."""
        return np.abs(self.weights)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Weights, intercept and standardisation."""
        return {
            "weights": np.append(self.weights, self.intercept),
            "mean": self.mean,
            "std": self.std,
        }

    @classmethod
    def from_arrays(cls, parameters: dict, arrays: dict[str, np.ndarray]) -> LogisticRanker:
        """The ranker with these parameters that learned these weights."""
        ranker = cls(**parameters)
        ranker.weights, ranker.intercept = arrays["weights"][:-1], float(arrays["weights"][-1])
        ranker.mean, ranker.std, ranker.steps = arrays["mean"], arrays["std"], []
        return ranker


def _rows(X: np.ndarray) -> np.ndarray:
    X = np.ascontiguousarray(X, np.float32)
    if X.ndim != 2:
        raise ValueError(f"X must be two-dimensional, got shape {X.shape}")
    return X


def _mean_and_std(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(f,) float64 each; a constant feature gets standard deviation 1 and has no effect."""
    mean = X.mean(axis=0, dtype=np.float64)
    std = np.sqrt(np.maximum((X.astype(np.float64) ** 2).mean(axis=0) - mean**2, 0))
    std[std < 1e-6] = 1.0
    return mean, std


@compiled(parallel=True)
def _accumulate(X, y, w, mean, scale, losses, gradients, hessians):
    """Loss, gradient and the Hessian's lower triangle, summed over the rows of each chunk."""
    n, f = X.shape
    for chunk in prange(CHUNKS):
        x = np.ones(f + 1)
        gradient, hessian = gradients[chunk], hessians[chunk]
        for r in range(chunk * n // CHUNKS, (chunk + 1) * n // CHUNKS):
            z = w[f]
            for a in range(f):
                x[a] = (X[r, a] - mean[a]) * scale[a]
                z += w[a] * x[a]
            p = 1 / (1 + np.exp(-z))
            # ln(1 + e^z) - y z, written so that no exponential overflows
            losses[chunk] += np.log1p(np.exp(-abs(z))) + max(z, 0.0) - y[r] * z
            curvature = p * (1 - p)
            for a in range(f + 1):
                gradient[a] += (p - y[r]) * x[a]
                for b in range(a + 1):
                    hessian[a, b] += curvature * x[a] * x[b]
