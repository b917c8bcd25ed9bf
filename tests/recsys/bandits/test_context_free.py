"""Epsilon-greedy, UCB1 and Thompson sampling: cases by hand and frequencies."""

import numpy as np

from recsys.bandits import UCB1, EpsilonGreedy, ThompsonSampling


def test_epsilon_greedy_by_hand():
    bandit = EpsilonGreedy(3, epsilon=0)
    assert bandit.choose() == 0  # a tie
    for arm, reward in [(0, 0.4), (1, 0.9), (1, 0.1), (2, 0.45)]:
        bandit.update(arm, reward)
    assert bandit.choose() == 1  # means 0.4, 0.5, 0.45
    bandit.update(1, 0.1)
    assert bandit.choose() == 2  # means 0.4, 0.37, 0.45


def test_epsilon_is_the_probability_of_a_random_arm():
    bandit = EpsilonGreedy(4, epsilon=0.4, rng=1)
    bandit.update(2, 1.0)
    chosen = np.bincount([bandit.choose() for _ in range(20_000)], minlength=4) / 20_000
    np.testing.assert_allclose(chosen, [0.1, 0.1, 0.7, 0.1], atol=0.012)


def test_ucb1_by_hand():
    bandit = UCB1(3)
    for arm, reward in enumerate([0.5, 1.0, 0.0]):
        assert bandit.choose() == arm  # each once
        bandit.update(arm, reward)
    bandit.update(1, 1.0)
    # t = 4: 0.5 + sqrt(2 ln 4) = 2.165, 1 + sqrt(ln 4) = 2.177, 1.665
    np.testing.assert_allclose(bandit.scores(None)[0], [2.16511, 2.17741, 1.66511], atol=1e-5)
    assert bandit.choose() == 1
    bandit.update(1, 0.5)
    # t = 5: 0.5 + sqrt(2 ln 5) = 2.294, 0.833 + sqrt(2/3 ln 5) = 1.869
    assert bandit.choose() == 0


def test_thompson_draws_from_the_posterior():
    bandit = ThompsonSampling(2, alpha=2.0, beta=3.0, rng=0)
    for arm, reward in [(0, 1), (0, 1), (0, 0), (1, 0)]:
        bandit.update(arm, reward)
    draws = np.concatenate([bandit.scores(None) for _ in range(20_000)])
    # Beta(4, 4) and Beta(2, 4): means 1/2 and 1/3, variances 1/36 and 2/63
    np.testing.assert_allclose(draws.mean(axis=0), [1 / 2, 1 / 3], atol=0.005)
    np.testing.assert_allclose(draws.var(axis=0), [1 / 36, 2 / 63], atol=0.001)
