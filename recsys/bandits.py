r"""Bandits: learn which arm pays best while paying for every trial.

At each step a policy chooses one arm (an item to show) and sees the reward of that arm only. Its
*regret* is what it lost against the best arm, :math:`\sum_t (\max_a \mu_{t,a} - \mu_{t,a_t})`, with
:math:`\mu` the expected rewards. Only exploration makes the regret grow slower than the number of
steps. The four rules, with :math:`\bar r_a` the mean reward of arm a, :math:`n_a` the number of
times it was chosen, t the number of steps so far, and x a context:

- **Epsilon-greedy**: with probability :math:`\varepsilon` an arm at random, else
  :math:`\arg\max_a \bar r_a`.
- **UCB1** (Auer et al. 2002): :math:`\arg\max_a \bar r_a + \sqrt{2 \ln t / n_a}`, after each arm
  was chosen once.
- **Thompson sampling** (Thompson 1933; Chapelle and Li 2011): draw
  :math:`\theta_a \sim \mathrm{Beta}(\alpha + s_a, \beta + f_a)` from the posterior, given
  :math:`s_a` successes and :math:`f_a` failures; :math:`\arg\max_a \theta_a`.
- **LinUCB** (Li et al. 2010, with disjoint linear models): ridge regression per arm,
  :math:`A_a = I + \sum x x^\top`, :math:`b_a = \sum r x`, :math:`\hat\theta_a = A_a^{-1} b_a`;
  :math:`\arg\max_a \hat\theta_a^\top x_a + \alpha \sqrt{x_a^\top A_a^{-1} x_a}`.

Ties go to the lower arm. The state of each bandit has one row per independent run, so that
`regret` advances all runs at once; `choose` and `update` use a single row. Left out: decaying
:math:`\varepsilon`, delayed rewards, arms that change over time, and LinUCB's hybrid models.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from recsys import validation


class Bandit:
    """Base of the policies: checks, and the state of one run or many.

    A subclass writes `start(runs)`, `scores(contexts)` and `learn(runs, arms, rewards, contexts)`.
    """

    n_arms: int
    rng: np.random.Generator
    low, high, binary = 0.0, 1.0, False  # rewards that the method allows

    def choose(self, context: Any = None) -> int:
        """The arm to try next, 0 to n_arms - 1.

        Parameters
        ----------
        context : array (n_features,) or (n_arms, n_features), optional
            LinUCB needs it: one vector for all arms, or one per arm. The others ignore it.
        """
        return int(self.choices(self._contexts(context))[0])

    def update(self, arm: int, reward: float, context: Any = None) -> None:
        """Learn from the reward of an arm.

        Parameters
        ----------
        arm : int
        reward : float
            UCB1: 0 to 1. Thompson sampling: 0 or 1. The others: any finite number.
        context : array, optional
            What `choose` was given.
        """
        arm = validation.whole_number("arm", arm, low=0, high=self.n_arms - 1)
        reward = validation.real_number("reward", reward, low=-np.inf)
        self.learn_all(np.array([arm]), np.array([reward]), self._contexts(context))

    def choices(self, contexts: np.ndarray | None) -> np.ndarray:
        """The arm to try next in each run, (runs,)."""
        return self.scores(contexts).argmax(axis=1)

    def learn_all(self, arms: np.ndarray, rewards: np.ndarray, contexts: Any) -> None:
        """Learn from one reward per run, (runs,)."""
        allowed = (rewards >= self.low) & (rewards <= self.high)
        if self.binary:
            allowed &= rewards == np.floor(rewards)
        if not allowed.all():
            bounds = "0 or 1" if self.binary else f"between {self.low:g} and {self.high:g}"
            raise ValueError(
                f"reward must be {bounds} for {type(self).__name__}, got {rewards[~allowed][0]}"
            )
        self.learn(np.arange(len(arms)), arms, rewards, contexts)

    def _contexts(self, context: Any) -> np.ndarray | None:
        return None

    def start(self, runs: int) -> None:
        """Forget everything; one row of state per run."""
        self.counts = np.zeros((runs, self.n_arms))  # n_a
        self.sums = np.zeros((runs, self.n_arms))  # rewards

    def learn(self, runs: np.ndarray, arms: np.ndarray, rewards: np.ndarray, contexts: Any) -> None:
        """Add one reward per run to the state."""
        self.counts[runs, arms] += 1
        self.sums[runs, arms] += rewards

    def means(self) -> np.ndarray:
        """Mean rewards (runs, n_arms), 0 where an arm was never chosen."""
        return self.sums / np.maximum(self.counts, 1)


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
        """Upper confidence bounds (runs, n_arms), infinite where an arm was never chosen."""
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
