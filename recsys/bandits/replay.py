r"""Replay: evaluate a bandit that learns on a log drawn uniformly at random (Li et al. 2011).

A log holds the reward of the logged action only. The bandit walks through it, and where it would
have chosen another arm the row is skipped: neither learned from nor counted. If the logged actions
were drawn uniformly and independently of everything else, the rows that are kept are distributed
as if the bandit itself had served them, whatever it has learned so far. The price: of n rows about
n / n_arms are kept. Left out: logs that were not drawn uniformly, which need weights.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from recsys import validation
from recsys.bandits.base import Bandit


def replay(bandit: Bandit, action: Any, reward: Any, contexts: Any = None) -> np.ndarray:
    """Rewards of the rows in which a bandit, learning as it goes, chooses what was logged.

    Parameters
    ----------
    bandit : Bandit
        Its settings and random numbers are used; what it has learned is not, and it stays as it is.
    action : array (n,) of int
        The logged actions, drawn uniformly at random.
    reward : array (n,) of float
    contexts : sequence of n arrays, optional
        What `choose` of the bandit needs, row by row.

    Returns
    -------
    array (kept,) of float64
        Their mean estimates the reward per step of the bandit over its first `kept` steps.

    Raises
    ------
    ValueError
        If action, reward and contexts differ in length, or hold what the bandit does not allow.

    Examples
    --------
    The greedy bandit shows arm 0 until arm 1 is known to be better, so that it skips the rows of
    arm 1 and learns nothing of it:

    >>> from recsys.bandits import EpsilonGreedy
    >>> replay(EpsilonGreedy(2, epsilon=0), action=[0, 1, 0, 1], reward=[0, 1, 1, 1])
    array([0., 1.])
    """
    action = validation.ids("action", action, bandit.n_arms)
    reward = validation.finite("reward", reward, len(action), np.float64)
    if contexts is None:
        contexts = [None] * len(action)
    if len(contexts) != len(action):
        raise ValueError(
            f"contexts must have one entry per row, {len(action)}, got {len(contexts)}"
        )
    bandit = copy.deepcopy(bandit)
    bandit.start(1)
    kept = []
    for arm, value, context in zip(action, reward, contexts):
        if bandit.choose(context) == arm:
            bandit.update(int(arm), value, context)
            kept.append(value)
    return np.array(kept, np.float64)
