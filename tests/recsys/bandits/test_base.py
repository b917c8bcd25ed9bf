"""What every bandit refuses, and bad settings by name."""

import numpy as np
import pytest

from recsys.bandits import (
    UCB1,
    BernoulliArms,
    EpsilonGreedy,
    LinearArms,
    LinUCB,
    ThompsonSampling,
    regret,
)

MEANS = np.array([0.3, 0.7, 0.5])
WEIGHTS = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [-1, 0, 0]])
BANDITS = {
    "epsilon": lambda: EpsilonGreedy(3, epsilon=0.3, rng=0),
    "ucb": lambda: UCB1(3),
    "thompson": lambda: ThompsonSampling(3, rng=0),
    "linucb": lambda: LinUCB(3, 2),
}


@pytest.mark.parametrize("name", BANDITS)
def test_bad_updates_are_refused(name):
    bandit, context = BANDITS[name](), [1.0, 0.0]
    for arm in (3, -1, 0.5, True):
        with pytest.raises(ValueError, match="arm must be"):
            bandit.update(arm, 1, context)
    for reward in (np.nan, np.inf, "1", None):
        with pytest.raises(ValueError, match="reward must be"):
            bandit.update(0, reward, context)
    assert bandit.choose(context) == BANDITS[name]().choose(context)  # nothing was learned


def test_rewards_outside_those_of_the_method_are_refused():
    for reward in (0.5, 2, -1):
        with pytest.raises(ValueError, match="reward must be 0 or 1 for ThompsonSampling"):
            ThompsonSampling(2).update(0, reward)
    for reward in (1.5, -0.1):
        with pytest.raises(ValueError, match="reward must be between 0 and 1 for UCB1"):
            UCB1(2).update(0, reward)
    with pytest.raises(ValueError, match="reward must be 0 or 1 for ThompsonSampling"):
        regret(ThompsonSampling(4), LinearArms(WEIGHTS), 10)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: UCB1(0), "n_arms must be at least 1, got 0"),
        (lambda: EpsilonGreedy(2.0), "n_arms must be a whole number"),
        (lambda: EpsilonGreedy(2, epsilon=1.1), "epsilon must be finite and .* at most 1"),
        (lambda: EpsilonGreedy(2, rng="x"), "rng must be"),
        (lambda: ThompsonSampling(2, alpha=0), "alpha must be finite and above 0"),
        (lambda: ThompsonSampling(2, beta=np.nan), "beta must be finite and above 0"),
        (lambda: LinUCB(2, 0), "n_features must be at least 1"),
        (lambda: LinUCB(2, 3, alpha=-1), "alpha must be finite and at least 0"),
        (lambda: BernoulliArms([]), "means must be one number from 0 to 1 per arm"),
        (lambda: BernoulliArms([0.5, 1.5]), "means must be one number from 0 to 1 per arm"),
        (lambda: BernoulliArms([0.5, np.nan]), "means must be finite and at least 0, got nan"),
        (lambda: LinearArms([1.0, 2.0]), "weights must be a matrix"),
        (lambda: LinearArms([[np.nan]]), "weights must be finite, got nan"),
        (lambda: LinearArms([[1.0]], noise=-1), "noise must be finite and at least 0"),
        (lambda: regret(UCB1(2), BernoulliArms(MEANS), 5), "simulator must have n_arms 2"),
        (lambda: regret(LinUCB(4, 2), LinearArms(WEIGHTS), 5), "simulator must have n_features 2"),
        (lambda: regret(LinUCB(3, 2), BernoulliArms(MEANS), 5), "simulator must have n_features 2"),
        (lambda: regret(UCB1(3), BernoulliArms(MEANS), 0), "steps must be at least 1"),
        (lambda: regret(UCB1(3), BernoulliArms(MEANS), 5, runs=0), "runs must be at least 1"),
    ],
)
def test_bad_settings_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
