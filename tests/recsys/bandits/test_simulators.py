"""Regret: runs at once against one run, and its growth for each bandit."""

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

STEPS = 4000
MEANS = np.array([0.3, 0.7, 0.5])
WEIGHTS = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [-1, 0, 0]])


def growth(bandit, simulator, runs=100):
    """Mean regret after all steps, and over that after a quarter: 4 where it is linear."""
    mean = regret(bandit, simulator, STEPS, runs=runs).mean(axis=0)
    return mean[-1], mean[-1] / mean[STEPS // 4 - 1]


def lai_robbins(means):
    """Factor of ln t below which no good policy's regret stays (Lai and Robbins 1985)."""
    best = means.max()
    others = means[means < best]
    divergence = others * np.log(others / best)
    divergence += (1 - others) * np.log((1 - others) / (1 - best))
    return np.sum((best - others) / divergence)


def test_ucb1_regret_is_logarithmic_and_within_the_bound_of_its_theorem():
    total, factor = growth(UCB1(3), BernoulliArms(MEANS))
    gaps = np.array([0.4, 0.2])
    theorem = 8 * np.sum(np.log(STEPS) / gaps) + (1 + np.pi**2 / 3) * gaps.sum()
    assert total < theorem / 4  # the theorem's constant is loose
    assert total > lai_robbins(MEANS) * np.log(STEPS)
    assert factor < 1.9


def test_thompson_regret_is_close_to_the_lower_bound():
    total, factor = growth(ThompsonSampling(3), BernoulliArms(MEANS))
    bound = lai_robbins(MEANS) * np.log(STEPS)
    assert 0.5 * bound < total < 1.3 * bound
    assert factor < 1.6


def test_greedy_regret_is_linear_and_that_of_epsilon_has_the_slope_of_its_exploration():
    total, factor = growth(EpsilonGreedy(3, epsilon=0), BernoulliArms(MEANS))
    assert total == pytest.approx(0.4 * STEPS) and factor == pytest.approx(4)  # keeps to arm 0
    curve = regret(EpsilonGreedy(3, epsilon=0.1), BernoulliArms(MEANS), STEPS).mean(axis=0)
    slope = (curve[-1] - curve[STEPS // 2]) / (STEPS // 2 - 1)
    assert slope == pytest.approx(0.1 * (0.4 + 0 + 0.2) / 3, rel=0.1)


def test_linucb_regret_is_sublinear_and_a_bandit_without_context_is_linear():
    simulator = LinearArms(WEIGHTS, noise=0.5)
    total, factor = growth(LinUCB(4, 3, alpha=1.0), simulator, runs=30)
    assert factor < 1.6 and total < 60
    blind, factor = growth(EpsilonGreedy(4, epsilon=0.1), simulator, runs=30)
    assert factor > 3.5 and blind > 20 * total


def test_linucb_pays_for_too_much_exploration():
    usual, wide = (
        regret(LinUCB(4, 3, alpha=alpha), LinearArms(WEIGHTS, noise=0.5), 1000, runs=30)[:, -1]
        for alpha in (1, 5)
    )
    assert usual.mean() < 0.75 * wide.mean()


@pytest.mark.parametrize("bandit", [EpsilonGreedy(3), UCB1(3), ThompsonSampling(3)])
def test_many_runs_at_once_are_independent_runs(bandit):
    """Rewards are certain, so that each run of `choose` and `update` is one of `regret`."""
    simulator = BernoulliArms([0, 1, 0])
    many = regret(bandit, simulator, 40, runs=200)
    total = []
    for seed in range(200):
        single = regret(bandit, simulator, 40, runs=1, rng=seed)
        assert (np.diff(single[0]) >= 0).all()
        total.append(single[0, -1])
    error = np.hypot(many[:, -1].std(), np.std(total)) / np.sqrt(200)
    assert many[:, -1].mean() == pytest.approx(np.mean(total), abs=4 * error + 1e-9)


def test_regret_is_what_a_loop_over_choose_and_update_loses():
    bandit, lost = UCB1(3), []
    for _ in range(200):
        arm = bandit.choose()
        bandit.update(arm, reward=[0, 1, 0][arm])
        lost.append([1, 0, 1][arm])
    found = regret(UCB1(3), BernoulliArms([0, 1, 0]), 200, runs=4)
    np.testing.assert_array_equal(found, np.tile(np.cumsum(lost), (4, 1)))


def test_regret_compares_expected_rewards_with_the_best_arm_of_each_context():
    simulator = LinearArms([[1.0, 0], [-1.0, 0]], noise=0)
    found = regret(EpsilonGreedy(2, epsilon=1), simulator, 400, runs=50)
    # a random arm loses 2 |x_1| half of the time; |x_1| has mean 2 / pi on the circle
    assert found[:, -1].mean() / 400 == pytest.approx(2 / np.pi, rel=0.02)


def test_regret_is_reproducible_and_leaves_the_bandit_alone():
    bandit = ThompsonSampling(3, rng=0)
    bandit.update(1, 1)
    once, again = (regret(bandit, BernoulliArms(MEANS), 50, runs=5, rng=3) for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert bandit.counts.tolist() == [[0, 1, 0]]
    assert (once != regret(bandit, BernoulliArms(MEANS), 50, runs=5, rng=4)).any()
    assert len(np.unique(once[:, -1])) > 1  # the runs differ


def test_simulator_and_bandit_draw_independent_numbers():
    """With one stream for both, this bandit's arm would tell its reward."""
    seen = []

    class OneNumberPerChoice(UCB1):
        def choices(self, contexts):
            return (self.rng.random(len(self.counts)) < 0.5).astype(int)

        def learn(self, runs, arms, rewards, contexts):
            seen.append(np.column_stack([arms, rewards]))

    regret(OneNumberPerChoice(2), BernoulliArms([0.5, 0.5]), 200, runs=100, rng=0)
    arms, rewards = np.concatenate(seen).T
    assert abs(np.corrcoef(arms, rewards)[0, 1]) < 4 / np.sqrt(len(arms))
