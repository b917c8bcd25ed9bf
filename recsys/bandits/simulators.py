r"""Simulators whose expected rewards are known, and the regret of a bandit in them.

The *regret* is what a policy lost against the best arm,
:math:`\sum_t (\max_a \mu_{t,a} - \mu_{t,a_t})`, with :math:`\mu` the expected rewards. Only
exploration makes it grow slower than the number of steps.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from recsys import validation
from recsys.bandits.base import Bandit


class BernoulliArms:
    """A simulator: arm a pays 1 with probability `means[a]`, else 0; no contexts.

    Parameters
    ----------
    means : array (n_arms,) of float
        Between 0 and 1.
    """

    def __init__(self, means: Any):
        self.means = validation.amounts("means", means)
        if self.means.ndim != 1 or not self.means.size or self.means.max() > 1:
            raise ValueError(f"means must be one number from 0 to 1 per arm, got {means!r}")
        self.n_arms = len(self.means)

    def contexts(self, runs: int, rng: np.random.Generator) -> None:
        """No contexts."""

    def expected(self, runs: int, contexts: Any) -> np.ndarray:
        """Expected rewards (runs, n_arms)."""
        return np.broadcast_to(self.means, (runs, self.n_arms))

    def rewards(self, expected: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Rewards with these expected values, of the same shape."""
        return (rng.random(expected.shape) < expected).astype(np.float64)


class LinearArms:
    r"""A simulator: arm a pays :math:`\theta_a^\top x` plus normal noise, x uniform on the sphere.

    Parameters
    ----------
    weights : array (n_arms, n_features) of float
        :math:`\theta`, one row per arm.
    noise : float
        Standard deviation of the rewards.
    """

    def __init__(self, weights: Any, noise: float = 0.1):
        self.weights = validation.amounts("weights", weights, low=-np.inf)
        if self.weights.ndim != 2 or not self.weights.size:
            raise ValueError(f"weights must be a matrix, one row per arm, got {weights!r}")
        self.noise = validation.real_number("noise", noise)
        self.n_arms, self.n_features = self.weights.shape

    def contexts(self, runs: int, rng: np.random.Generator) -> np.ndarray:
        """Contexts (runs, 1, n_features) of length 1: in each run one for all arms."""
        x = rng.standard_normal((runs, 1, self.n_features))
        return x / np.linalg.norm(x, axis=2, keepdims=True)

    def expected(self, runs: int, contexts: np.ndarray) -> np.ndarray:
        """Expected rewards (runs, n_arms)."""
        return contexts[:, 0] @ self.weights.T

    def rewards(self, expected: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Rewards with these expected values, of the same shape."""
        return expected + self.noise * rng.standard_normal(expected.shape)


def regret(
    bandit: Bandit,
    simulator: BernoulliArms | LinearArms,
    steps: int,
    runs: int = 100,
    rng: Any = 0,
) -> np.ndarray:
    r"""Regret of a bandit up to each step, in independent runs of a simulator.

    Expected rewards are compared, not the rewards drawn (the pseudo-regret):
    :math:`\sum_{s \le t} (\max_a \mu_{s,a} - \mu_{s,a_s})`.

    Parameters
    ----------
    bandit : Bandit
        Its settings are used; what it has learned is not, and it stays as it is.
    simulator : BernoulliArms or LinearArms
    steps : int
    runs : int
        Each begins anew, with random numbers of its own.
    rng : int or numpy.random.Generator
        Of the simulator and of the bandit, independent of each other.

    Returns
    -------
    array (runs, steps) float64
        In the unit of the rewards; no row ever falls.

    Raises
    ------
    ValueError
        If bandit and simulator differ in n_arms or n_features, or the simulator's rewards are not
        those that the bandit allows.

    Examples
    --------
    UCB1 tries both arms once; with means 1 and 0 the second trial costs 1:

    >>> from recsys.bandits import UCB1
    >>> regret(UCB1(2), BernoulliArms([1, 0]), steps=4, runs=1)
    array([[0., 1., 1., 1.]])
    """
    steps, runs = validation.whole_number("steps", steps), validation.whole_number("runs", runs)
    _check_same_sizes(bandit, simulator)
    simulator_rng, bandit_rng = validation.random_generator(rng).spawn(2)
    bandit = copy.copy(bandit)
    bandit.rng = bandit_rng
    bandit.start(runs)
    lost = np.empty((runs, steps))
    every = np.arange(runs)
    for step in range(steps):
        contexts = simulator.contexts(runs, simulator_rng)
        expected = simulator.expected(runs, contexts)
        arms = bandit.choices(contexts)
        chosen = expected[every, arms]
        bandit.learn_all(arms, simulator.rewards(chosen, simulator_rng), contexts)
        lost[:, step] = expected.max(axis=1) - chosen
    return lost.cumsum(axis=1)


def _check_same_sizes(bandit: Bandit, simulator: BernoulliArms | LinearArms) -> None:
    for name in ("n_arms", "n_features"):
        wanted, found = getattr(bandit, name, None), getattr(simulator, name, None)
        if wanted is not None and wanted != found:
            raise ValueError(f"simulator must have {name} {wanted}, as the bandit, got {found}")
