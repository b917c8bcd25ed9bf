r"""LinUCB: confidence bounds of a linear model per arm (Li et al. 2010, disjoint models).

Ridge regression per arm, with the contexts x in which it was chosen and the rewards r:
:math:`A_a = I + \sum x x^\top`, :math:`b_a = \sum r x`, :math:`\hat\theta_a = A_a^{-1} b_a`. The
arm chosen is

.. math:: \arg\max_a \; \hat\theta_a^\top x_a + \alpha \sqrt{x_a^\top A_a^{-1} x_a}

Left out: the hybrid models of the same paper, which share weights among arms.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys import validation
from recsys.bandits.base import Bandit


class LinUCB(Bandit):
    """Upper confidence bounds of a linear model per arm (Li et al. 2010, Algorithm 1).

    Parameters
    ----------
    n_arms, n_features : int
    alpha : float
        Width of the confidence bounds, at least 0; 0 is greedy.

    Examples
    --------
    After reward 1 for x = (1, 0), arm 0 has A = diag(2, 1), theta = (1/2, 0) and at x the bound
    1/2 + sqrt(1/2) = 1.21; arm 1 has 0 + 1. At (0, 1) both have the bound 1:

    >>> bandit = LinUCB(n_arms=2, n_features=2, alpha=1.0)
    >>> bandit.update(arm=0, reward=1, context=[1, 0])
    >>> bandit.choose([1, 0]), bandit.choose([0, 1]), bandit.choose([-1, 0])
    (0, 0, 1)
    """

    low, high = -np.inf, np.inf

    def __init__(self, n_arms: int, n_features: int, alpha: float = 1.0):
        self.n_arms = validation.whole_number("n_arms", n_arms)
        self.n_features = validation.whole_number("n_features", n_features)
        self.alpha = validation.real_number("alpha", alpha)
        self.start(1)

    def start(self, runs: int) -> None:
        """Forget everything; one row of state per run."""
        d = self.n_features
        self.inverse = np.tile(np.eye(d), (runs, self.n_arms, 1, 1))  # A^-1, (runs, n_arms, d, d)
        self.b = np.zeros((runs, self.n_arms, d))
        self.theta = np.zeros((runs, self.n_arms, d))

    def scores(self, contexts: np.ndarray | None) -> np.ndarray:
        """Upper confidence bounds (runs, n_arms) at the contexts (runs, 1 or n_arms, d)."""
        x = contexts[:, :, None]  # (runs, n_arms, 1, d): a vector per arm
        width = (x @ self.inverse @ x.swapaxes(2, 3))[:, :, 0, 0]  # x' A^-1 x
        mean = np.einsum("rad,rad->ra", np.broadcast_to(contexts, self.theta.shape), self.theta)
        return mean + self.alpha * np.sqrt(np.maximum(width, 0))

    def learn(self, runs: np.ndarray, arms: np.ndarray, rewards: np.ndarray, contexts: Any) -> None:
        """One row more in the ridge regression of each chosen arm."""
        x = np.broadcast_to(contexts, self.theta.shape)[runs, arms]  # (runs, d)
        A_x = (self.inverse[runs, arms] @ x[:, :, None])[:, :, 0]  # A^-1 x
        scale = 1 + np.sum(x * A_x, axis=1)[:, None, None]
        self.inverse[runs, arms] -= A_x[:, :, None] * A_x[:, None] / scale  # Sherman-Morrison
        self.b[runs, arms] += rewards[:, None] * x
        b = self.b[runs, arms][:, :, None]
        self.theta[runs, arms] = (self.inverse[runs, arms] @ b)[:, :, 0]

    def _contexts(self, context: Any) -> np.ndarray:
        """A context as (1, 1 or n_arms, n_features)."""
        if context is None:
            raise ValueError("context must be given for LinUCB, got None")
        x = validation.amounts("context", context, low=-np.inf)
        if x.shape not in ((self.n_features,), (self.n_arms, self.n_features)):
            raise ValueError(
                f"context must be of shape ({self.n_features},) or "
                f"({self.n_arms}, {self.n_features}), got {x.shape}"
            )
        return np.atleast_2d(x)[None]
