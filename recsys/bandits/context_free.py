r"""Bandits without contexts: epsilon-greedy, UCB1 and Thompson sampling.

With :math:`\bar r_a` the mean reward of arm a, :math:`n_a` the number of times it was chosen and t
the number of steps so far:

- **Epsilon-greedy**: with probability :math:`\varepsilon` an arm at random, else
  :math:`\arg\max_a \bar r_a`.
- **UCB1** (Auer et al. 2002): :math:`\arg\max_a \bar r_a + \sqrt{2 \ln t / n_a}`, after each arm
  was chosen once.
- **Thompson sampling** (Thompson 1933; Chapelle and Li 2011): draw
  :math:`\theta_a \sim \mathrm{Beta}(\alpha + s_a, \beta + f_a)` from the posterior, given
  :math:`s_a` successes and :math:`f_a` failures; :math:`\arg\max_a \theta_a`.

Left out: decaying :math:`\varepsilon`, delayed rewards, and arms that change over time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys import validation
from recsys.bandits.base import Bandit


class EpsilonGreedy(Bandit):
    """The best arm so far, and with probability epsilon an arm at random.

    Parameters
    ----------
    n_arms : int
    epsilon : float
        From 0, greedy, to 1, uniformly random. Its regret is linear in the number of steps.
    rng : int or numpy.random.Generator

    Examples
    --------
    The greedy policy never tries an arm again that paid nothing:

    >>> bandit = EpsilonGreedy(2, epsilon=0)
    >>> bandit.update(bandit.choose(), reward=0)
    >>> bandit.update(arm=1, reward=1)
    >>> bandit.choose()
    1
    """

    low, high = -np.inf, np.inf

    def __init__(self, n_arms: int, epsilon: float = 0.1, rng: Any = 0):
        self.n_arms = validation.whole_number("n_arms", n_arms)
        self.epsilon = validation.real_number("epsilon", epsilon, high=1.0)
        self.rng = validation.random_generator(rng)
        self.start(1)

    def choices(self, contexts: np.ndarray | None) -> np.ndarray:
        """The best arm so far of each run, or one at random."""
        best = super().choices(contexts)
        explore = self.rng.random(len(best)) < self.epsilon
        return np.where(explore, self.rng.integers(self.n_arms, size=len(best)), best)

    def scores(self, contexts: np.ndarray | None) -> np.ndarray:
        """Mean rewards (runs, n_arms)."""
        return self.means()


class UCB1(Bandit):
    """The arm with the highest upper confidence bound of its mean reward (Auer et al. 2002).

    Parameters
    ----------
    n_arms : int

    Examples
    --------
    After one reward of each arm the bounds are 1 + sqrt(2 ln 2) and 0 + sqrt(2 ln 2):

    >>> bandit = UCB1(2)
    >>> bandit.update(bandit.choose(), reward=1)
    >>> bandit.update(bandit.choose(), reward=0)
    >>> bandit.choose()
    0
    """

    def __init__(self, n_arms: int):
        self.n_arms = validation.whole_number("n_arms", n_arms)
        self.start(1)

    def scores(self, contexts: np.ndarray | None) -> np.ndarray:
        """Upper confidence bounds (runs, n_arms), infinite for an arm never chosen."""
        t = self.counts.sum(axis=1, keepdims=True)
        n = np.maximum(self.counts, 1)
        bounds = self.means() + np.sqrt(2 * np.log(np.maximum(t, 1)) / n)
        return np.where(self.counts == 0, np.inf, bounds)


class ThompsonSampling(Bandit):
    """An arm with the posterior probability that it is the best: rewards 0 or 1, a Beta prior.

    Parameters
    ----------
    n_arms : int
    alpha, beta : float
        Of the prior, above 0: as if each arm had been seen with that many successes and failures.
    rng : int or numpy.random.Generator

    Examples
    --------
    After 1,000 failures of arm 0 and 1,000 successes of arm 1:

    >>> bandit = ThompsonSampling(2, rng=0)
    >>> for _ in range(1000):
    ...     bandit.update(arm=0, reward=0)
    ...     bandit.update(arm=1, reward=1)
    >>> bandit.choose()
    1
    """

    binary = True

    def __init__(self, n_arms: int, alpha: float = 1.0, beta: float = 1.0, rng: Any = 0):
        self.n_arms = validation.whole_number("n_arms", n_arms)
        self.alpha = validation.real_number("alpha", alpha, open_low=True)
        self.beta = validation.real_number("beta", beta, open_low=True)
        self.rng = validation.random_generator(rng)
        self.start(1)

    def scores(self, contexts: np.ndarray | None) -> np.ndarray:
        """One draw from the posterior of each arm, (runs, n_arms)."""
        failures = self.counts - self.sums
        return self.rng.beta(self.alpha + self.sums, self.beta + failures)
