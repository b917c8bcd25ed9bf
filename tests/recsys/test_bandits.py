"""Bandits: cases by hand, runs at once against one run, and the growth of the regret."""

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
BANDITS = {
    "epsilon": lambda: EpsilonGreedy(3, epsilon=0.3, rng=0),
    "ucb": lambda: UCB1(3),
    "thompson": lambda: ThompsonSampling(3, rng=0),
    "linucb": lambda: LinUCB(3, 2),
}


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


def test_linucb_is_ridge_regression_with_its_width():
    rng, bandit = np.random.default_rng(0), LinUCB(2, 3, alpha=0.7)
    X, r = rng.standard_normal((50, 3)), rng.standard_normal(50)
    for row, reward in zip(X, r):
        bandit.update(1, reward, row)
    A = np.eye(3) + X.T @ X
    theta = np.linalg.solve(A, X.T @ r)
    x = np.array([[1.0, -2.0, 0.5], [0.3, 0.0, 1.0]])  # a context per arm
    expected = [
        0.7 * np.linalg.norm(x[0]),
        theta @ x[1] + 0.7 * np.sqrt(x[1] @ np.linalg.solve(A, x[1])),
    ]
    np.testing.assert_allclose(bandit.scores(x[None])[0], expected)
    assert bandit.choose(x) == int(np.argmax(expected))


def test_linucb_learns_from_the_context_of_the_chosen_arm():
    bandit = LinUCB(2, 2, alpha=0)
    bandit.update(1, 1.0, [[5, 5], [0, 2]])
    np.testing.assert_allclose(bandit.theta[0], [[0, 0], [0, 0.4]])


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


def test_bad_contexts_are_refused():
    bandit = LinUCB(3, 2)
    for call in (bandit.choose, lambda context=None: bandit.update(0, 1, context)):
        with pytest.raises(ValueError, match="context must be given for LinUCB, got None"):
            call()
        for context in ([1.0], [[1.0, 0], [0, 1]], [], 1.0):
            with pytest.raises(ValueError, match=r"context must be of shape \(2,\) or \(3, 2\)"):
                call(context)
        with pytest.raises(ValueError, match="context must be finite, got nan"):
            call([1.0, np.nan])
    assert bandit.choose([0.0, 0.0]) == 0  # a vector of zeros says nothing: a tie


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
