"""The base of the bandits: which arm next, and what its reward teaches.

The state of each bandit has one row per independent run, so that `regret` advances all runs at
once; `choose` and `update` use a single row. Ties go to the lower arm.
"""

from __future__ import annotations

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
