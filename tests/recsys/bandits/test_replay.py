"""Replay: which rows are kept, by hand, and the mean of a bandit that learns."""

import numpy as np
import pytest

from recsys.bandits import (
    UCB1,
    BernoulliArms,
    EpsilonGreedy,
    LinUCB,
    ThompsonSampling,
    regret,
    replay,
)

MEANS = np.array([0.2, 0.7, 0.4])


def test_rows_are_kept_by_hand():
    """UCB1 tries arms 0, 1 and 2 in turn, and then arm 2, which alone paid."""
    action = [1, 0, 0, 2, 1, 0, 2, 1, 2]
    reward = [9, 0, 9, 9, 0, 9, 1, 9, 0]  # 9 would be refused
    assert replay(UCB1(3), action, reward).tolist() == [0, 0, 1, 0]


def test_skipped_rows_teach_nothing():
    bandit = EpsilonGreedy(2, epsilon=0)
    assert replay(bandit, [1, 1, 0, 0, 1], [5, 5, 1, 1, 5]).tolist() == [1, 1]


def test_contexts_are_those_of_the_row():
    """Arm 0 pays at (1, 0) and loses at (0, 1): the greedy model learns both from one feature."""
    contexts = [[1, 0], [0, 1], [0, 1], [1, 0]]
    bandit = LinUCB(2, 2, alpha=0)
    assert replay(bandit, [0, 0, 0, 0], [1, -1, 7, 2], contexts).tolist() == [1, -1, 2]


@pytest.mark.parametrize("make", [UCB1, ThompsonSampling, EpsilonGreedy])
def test_the_mean_is_that_of_the_bandit_itself(make):
    steps, logs = 200, 150
    found = []
    for seed in range(logs):
        rng = np.random.default_rng([1, seed])
        action = rng.integers(3, size=6 * steps)
        reward = (rng.random(6 * steps) < MEANS[action]).astype(float)
        bandit = make(3) if make is UCB1 else make(3, rng=seed)
        kept = replay(bandit, action, reward)
        assert len(kept) > steps
        found.append(kept[:steps].mean())
    lost = regret(make(3), BernoulliArms(MEANS), steps, runs=1000)[:, -1] / steps
    error = np.hypot(np.std(found) / np.sqrt(logs), lost.std() / np.sqrt(1000))
    assert np.mean(found) == pytest.approx(0.7 - lost.mean(), abs=4 * error)


def test_about_one_row_per_arm_is_kept():
    action = np.random.default_rng(0).integers(4, size=8000)
    kept = replay(ThompsonSampling(4, rng=0), action, np.zeros(8000))
    assert len(kept) == pytest.approx(2000, abs=5 * np.sqrt(8000 * 3 / 16))


def test_the_bandit_stays_as_it_is_and_the_result_is_repeatable():
    bandit = ThompsonSampling(3, rng=5)
    bandit.update(0, 1)
    action = np.random.default_rng(0).integers(3, size=300)
    once, again = (replay(bandit, action, action == 1) for _ in range(2))
    assert once.tolist() == again.tolist() and bandit.counts.tolist() == [[1, 0, 0]]
    fresh = replay(ThompsonSampling(3, rng=5), action, action == 1)
    assert once.tolist() == fresh.tolist()  # what it had learned is not used


def test_an_empty_log_has_no_rows():
    assert replay(UCB1(3), [], []).shape == (0,)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (([0, 3], [0, 1]), "action must hold ids between 0 and 2, got 3"),
        (([0, 1], [0]), "reward must have one entry per row"),
        (([0, 1], [0, np.nan]), "reward must be finite, got nan"),
        (([0, 1], [0, 1], [[1.0]]), "contexts must have one entry per row, 2, got 1"),
        (([0, 1], [0.5, 1]), "reward must be 0 or 1 for ThompsonSampling"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        for seed in range(50):  # until the bandit chooses the first row
            replay(ThompsonSampling(3, rng=seed), *arguments)
