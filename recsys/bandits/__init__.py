"""Bandits: learn which arm pays best while paying for every trial.

At each step a policy chooses one arm (an item to show) and sees the reward of that arm only.
"""

from recsys.bandits.base import Bandit
from recsys.bandits.context_free import UCB1, EpsilonGreedy, ThompsonSampling
from recsys.bandits.linucb import LinUCB
from recsys.bandits.replay import replay
from recsys.bandits.simulators import BernoulliArms, LinearArms, regret

__all__ = [
    "UCB1",
    "Bandit",
    "BernoulliArms",
    "EpsilonGreedy",
    "LinUCB",
    "LinearArms",
    "ThompsonSampling",
    "regret",
    "replay",
]
