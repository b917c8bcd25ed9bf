r"""Logistic regression by Newton's method: the chance of a click from a weighted sum of features.

With rows :math:`x_r` (features brought to mean 0 and spread 1, and a 1 for the intercept) and
clicks :math:`y_r`, it minimises

.. math:: -\sum_r \big( y_r \ln p_r + (1 - y_r) \ln(1 - p_r) \big) + \frac{\lambda}{2} |w|^2,
          \qquad p_r = \frac{1}{1 + e^{-w^\top x_r}}

A Newton step solves :math:`(X^\top D X + \lambda I) \, \delta = -\nabla` with
:math:`D = \operatorname{diag}(p_r (1 - p_r))`. There are only a dozen features, so the matrix is
tiny, a step costs one pass over the rows, and some six steps reach the minimum: no learning rate
to tune, no luck of a seed. (Iteratively reweighted least squares: Hastie, Tibshirani and Friedman
2009, section 4.4.1.) The intercept is not shrunk. Left out: products of features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.compiled import compiled, prange

CHUNKS = 64  # sums are made in so many pieces, whatever the number of threads
HALVINGS = 30


@dataclass(eq=False)
class LogisticRanker:
    """Click chances by logistic regression.

    Parameters
    ----------
    reg : float
        The weight of the penalty on the squared weights.
    iterations : int
        Newton steps at most; it stops early where a step promises less than `tolerance` of the
        loss.

    Attributes after `fit`
    ----------------------
    weights : array (n_features,) float64
        Per standard deviation of the feature.
    intercept : float
    mean, spread : array (n_features,) float64
    steps : list of dict
        Each step's number and mean loss a row.
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
        self.mean, self.spread = _mean_and_spread(X)
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
            for _ in range(HALVINGS):  # a full step nearly always lowers the loss
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
        _accumulate(X, y, w, self.mean, 1 / self.spread, losses, gradients, hessians)
        shrunk = np.append(np.full(f, self.reg), 0.0)
        hessian = hessians.sum(axis=0)
        hessian += np.tril(hessian, -1).T + np.diag(shrunk) + 1e-9 * np.eye(f + 1)
        loss = losses.sum() + 0.5 * shrunk @ w**2
        return loss, gradients.sum(axis=0) + shrunk * w, hessian

    def scores(self, X: np.ndarray) -> np.ndarray:
        """Log odds of a click for each row of features: (n,) float64."""
        scaled = self.weights / self.spread
        return _rows(X) @ scaled + (self.intercept - self.mean @ scaled)

    def probabilities(self, X: np.ndarray) -> np.ndarray:
        """The chance of a click for each row: (n,) float64."""
        return 1 / (1 + np.exp(-self.scores(X)))

    def importance(self) -> np.ndarray:
        """How much each feature moves the score: |weight| per standard deviation."""
        return np.abs(self.weights)

    def arrays(self) -> dict[str, np.ndarray]:
        """What `restore` needs."""
        w = np.append(self.weights, self.intercept)
        return {"weights": w, "mean": self.mean, "spread": self.spread}

    def restore(self, arrays: dict[str, np.ndarray]) -> LogisticRanker:
        """Take over what `arrays` gave."""
        self.weights, self.intercept = arrays["weights"][:-1], float(arrays["weights"][-1])
        self.mean, self.spread = arrays["mean"], arrays["spread"]
        self.steps = []
        return self


def _rows(X: np.ndarray) -> np.ndarray:
    X = np.ascontiguousarray(X, np.float32)
    if X.ndim != 2:
        raise ValueError(f"X must be two-dimensional, got shape {X.shape}")
    return X


def _mean_and_spread(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(f,) float64 each; a constant feature gets spread 1, and so has no say."""
    mean = X.mean(axis=0, dtype=np.float64)
    spread = np.sqrt(np.maximum((X.astype(np.float64) ** 2).mean(axis=0) - mean**2, 0))
    spread[spread < 1e-6] = 1.0
    return mean, spread


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
            bend = p * (1 - p)
            for a in range(f + 1):
                gradient[a] += (p - y[r]) * x[a]
                for b in range(a + 1):
                    hessian[a, b] += bend * x[a] * x[b]
