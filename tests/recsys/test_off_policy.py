"""Off-policy estimators: cases by hand, bias and coverage on logs whose truth is known."""

import numpy as np
import pytest

from recsys.off_policy import (
    direct_method,
    doubly_robust,
    effective_sample_size,
    importance_weights,
    ips,
    snips,
)

LOGS, ROWS = 2000, 400

# Three contexts, equally frequent, four actions: the truth of the simulated logs.
LOGGING = np.array([[0.4, 0.3, 0.2, 0.1], [0.1, 0.4, 0.1, 0.4], [0.25, 0.25, 0.25, 0.25]])
POLICY = np.array([[0.1, 0.2, 0.3, 0.4], [0.0, 0.5, 0.3, 0.2], [0.7, 0.1, 0.1, 0.1]])
REWARD = np.array([[0.1, 0.3, 0.5, 0.4], [0.2, 0.6, 0.3, 0.5], [0.7, 0.2, 0.4, 0.1]])
TRUTH = np.mean(np.sum(POLICY * REWARD, axis=1))
WRONG_MODEL = np.array([[0.5, 0.4, 0.2, 0.1], [0.3, 0.2, 0.1, 0.3], [0.2, 0.3, 0.2, 0.5]])
WRONG_PROPENSITY = np.array([[0.2, 0.2, 0.4, 0.2], [0.3, 0.3, 0.2, 0.2], [0.5, 0.1, 0.2, 0.2]])

# A log of four rows: weights 1, 4, 0.5, 0.
SMALL = {
    "policy": [[0.5, 0.5], [0.2, 0.8], [0.6, 0.4], [1.0, 0.0]],
    "action": [0, 1, 1, 1],
    "propensity": [0.5, 0.2, 0.8, 0.5],
    "reward": [1.0, 0.5, 2.0, 3.0],
}


@pytest.fixture(scope="module")
def logs():
    """Contexts, actions and rewards of all logs, (LOGS, ROWS) each."""
    rng = np.random.default_rng(0)
    x = rng.integers(3, size=(LOGS, ROWS))
    a = (rng.random((LOGS, ROWS, 1)) > LOGGING.cumsum(axis=1)[x]).sum(axis=2).clip(max=3)
    return x, a, (rng.random((LOGS, ROWS)) < REWARD[x, a]).astype(float)


def estimates(logs, name, model=REWARD, logging=LOGGING, policy=POLICY):
    """(value, standard error, low, high) of each log: (LOGS, 4)."""
    found = []
    for x, a, r in zip(*logs):
        log = (policy[x], a, logging[x, a], r)
        if name == "DM":
            estimate = direct_method(policy[x], model[x])
        else:
            functions = {"IPS": ips, "SNIPS": snips, "DR": doubly_robust}
            estimate = functions[name](*log, *([model[x]] if name == "DR" else []))
        found.append((estimate.value, estimate.standard_error, estimate.low, estimate.high))
    return np.array(found)


def coverage(found):
    return np.mean((found[:, 2] <= TRUTH) & (found[:, 3] >= TRUTH))


def bias(found):
    """Mean error, in standard errors of it."""
    return (found[:, 0].mean() - TRUTH) / (found[:, 0].std(ddof=1) / np.sqrt(len(found)))


@pytest.mark.parametrize(
    "name, model", [("IPS", None), ("SNIPS", None), ("DR", WRONG_MODEL), ("DR", REWARD)]
)
def test_intervals_cover_the_truth_in_93_to_97_percent(logs, name, model):
    found = estimates(logs, name, model)
    assert 0.93 <= coverage(found) <= 0.97
    assert abs(bias(found)) < 3
    assert np.mean(found[:, 1]) == pytest.approx(found[:, 0].std(ddof=1), rel=0.05)


def test_direct_method_is_as_right_as_its_model(logs):
    assert coverage(estimates(logs, "DM", WRONG_MODEL)) < 0.05
    right = estimates(logs, "DM", REWARD)
    assert 0.93 <= coverage(right) <= 0.97 and abs(bias(right)) < 3


def test_doubly_robust_is_unbiased_if_model_or_propensities_are_right(logs):
    assert abs(bias(estimates(logs, "DR", REWARD, WRONG_PROPENSITY))) < 3
    assert abs(bias(estimates(logs, "DR", WRONG_MODEL, LOGGING))) < 3
    assert abs(bias(estimates(logs, "DR", WRONG_MODEL, WRONG_PROPENSITY))) > 10
    assert abs(bias(estimates(logs, "IPS", logging=WRONG_PROPENSITY))) > 10


def test_a_right_model_makes_the_error_smaller(logs):
    few = tuple(part[:1000] for part in logs)
    ips_error, right, wrong = (
        estimates(few, name, model)[:, 0].std()
        for name, model in [("IPS", None), ("DR", REWARD), ("DR", WRONG_MODEL)]
    )
    assert right < 0.85 * ips_error and right < 0.85 * wrong


@pytest.mark.parametrize("name", ["IPS", "SNIPS", "DR"])
def test_the_logging_policy_itself_has_the_mean_reward(logs, name):
    few = tuple(part[:20] for part in logs)
    found = estimates(few, name, np.full((3, 4), 0.3), policy=LOGGING)
    mean = few[2].mean(axis=1)
    error = few[2].std(axis=1, ddof=1) / np.sqrt(ROWS)
    np.testing.assert_allclose(found[:, 0], mean)
    np.testing.assert_allclose(found[:, 1], error)
    np.testing.assert_allclose(found[:, 2], mean - 1.959964 * error, rtol=1e-6)


def test_ips_by_hand():
    # terms 1, 2, 1, 0 with mean 1 and sample variance 2/3
    found = ips(**SMALL)
    assert found.value == pytest.approx(1)
    assert found.standard_error == pytest.approx(np.sqrt(2 / 3 / 4))
    assert found.high - found.value == pytest.approx(1.959964 * found.standard_error)
    assert found.value - found.low == pytest.approx(1.959964 * found.standard_error)
    narrow = ips(**SMALL, level=0.5)
    assert narrow.high - narrow.value == pytest.approx(0.674490 * found.standard_error, rel=1e-5)


def test_snips_by_hand():
    # sum of terms 4, of weights 5.5: V = 8/11; w (r - V) = 3/11, -10/11, 7/11, 0
    found = snips(**SMALL)
    assert found.value == pytest.approx(8 / 11)
    variance = 4 / 3 * (9 + 100 + 49) / 121 / 5.5**2
    assert found.standard_error == pytest.approx(np.sqrt(variance))


def test_snips_moves_with_the_rewards_and_ips_does_not():
    moved = SMALL | {"reward": np.array(SMALL["reward"]) + 10}
    assert snips(**moved).value == pytest.approx(8 / 11 + 10)
    assert snips(**moved).standard_error == pytest.approx(snips(**SMALL).standard_error)
    assert ips(**moved).value == pytest.approx(1 + 10 * 5.5 / 4)


def test_direct_method_and_doubly_robust_by_hand():
    predicted = [[1, 2], [1, 0], [0, 1], [1, 1]]
    # means under the policy: 1.5, 0.2, 0.4, 1.0
    found = direct_method(SMALL["policy"], predicted)
    assert found.value == pytest.approx(3.1 / 4)
    assert found.standard_error == pytest.approx(np.std([1.5, 0.2, 0.4, 1.0], ddof=1) / 2)
    # weighted errors: 1 (1 - 1), 4 (0.5 - 0), 0.5 (2 - 1), 0
    found = doubly_robust(**SMALL, predicted=predicted)
    assert found.value == pytest.approx(5.6 / 4)
    assert found.standard_error == pytest.approx(np.std([1.5, 2.2, 0.9, 1.0], ddof=1) / 2)


def test_doubly_robust_with_predictions_of_zero_is_ips():
    assert doubly_robust(**SMALL, predicted=np.zeros((4, 2))) == ips(**SMALL)


def test_weights_and_effective_sample_size_by_hand():
    weights = importance_weights(SMALL["policy"], SMALL["action"], SMALL["propensity"])
    np.testing.assert_allclose(weights, [1, 4, 0.5, 0])
    assert effective_sample_size(weights) == pytest.approx(5.5**2 / (1 + 16 + 0.25))
    assert effective_sample_size([0, 0, 3]) == 1
    assert effective_sample_size(1e-200 * np.array([1.0, 1.0])) == 2


def test_propensities_of_all_actions_give_the_same_weights():
    table = [[0.5, 0.5], [0.8, 0.2], [0.2, 0.8], [0.5, 0.5]]
    assert ips(**SMALL | {"propensity": table}) == ips(**SMALL)


def test_no_support_is_refused():
    log = {"action": [0, 0], "reward": [1, 0]}
    policy, table = [[0.5, 0.5], [1, 0]], [[1.0, 0.0], [1.0, 0.0]]
    with pytest.raises(ValueError, match=r"no support\), got 0 for action 1 in row 0"):
        ips(policy, propensity=table, **log)
    with pytest.raises(ValueError, match=r"no support\), got a probability .* for action 1"):
        snips(policy, propensity=[1, 1], **log)
    with pytest.raises(ValueError, match="no support"):
        doubly_robust(policy, propensity=table, predicted=[[0, 0], [0, 0]], **log)
    never = [[1, 0], [1, 0]]  # the policy does not take action 1 either: nothing to refuse
    assert ips(never, propensity=table, **log).value == 0.5
    assert ips(never, propensity=[1, 1], **log).value == 0.5


def test_a_log_without_rewards_has_no_interval():
    for estimate in (ips, snips):
        found = estimate(**SMALL | {"reward": [0, 0, 0, 0]})
        assert found.value == 0 and np.isnan([found.standard_error, found.low, found.high]).all()
    found = snips(**SMALL | {"reward": [0.3] * 4})
    assert found.value == pytest.approx(0.3) and np.isnan(found.high)


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"propensity": [0.5, 0.0, 0.8, 0.5]}, "propensity must be above 0 .* got 0.0 in row 1"),
        ({"propensity": [0.5, 0.2, 1.1, 0.5]}, "propensity must be .* at most 1, got 1.1 in row 2"),
        ({"propensity": [0.5, -0.2, 0.8, 0.5]}, "propensity must be above 0 .* got -0.2"),
        ({"propensity": [0.5, np.nan, 0.8, 0.5]}, "propensity must be finite, got nan"),
        ({"propensity": [0.5, 0.2]}, r"propensity must have one entry per row.* got \(2,\)"),
        ({"propensity": [[0.5, 0.5]]}, r"propensity must be of shape \(4, 2\), got \(1, 2\)"),
        ({"propensity": [[0.5, 0.5]] * 3 + [[0.5, 0.6]]}, "propensity must have rows that sum"),
        ({"propensity": [[0.5, 0.5]] * 3 + [[1, 0]]}, "propensity must be above 0 .* row 3"),
        ({"reward": [1, np.nan, 0, 0]}, "reward must be finite, got nan in row 1"),
        ({"reward": [1, 0]}, r"reward must have one entry per row.* got \(2,\)"),
        ({"reward": ["a", "b", "c", "d"]}, "reward must hold numbers"),
        ({"action": [0, 1, 1]}, "action must have one entry per row of policy, 4, got 3"),
        ({"action": [0, 1, 1, 2]}, "action must hold ids between 0 and 1, got 2"),
        ({"action": []}, "action must have one entry per row of policy, 4, got 0"),
        ({"policy": np.empty((0, 2))}, r"policy must have at least one row.* got shape \(0, 2\)"),
        ({"policy": [1, 0, 1, 0]}, "policy must be a matrix"),
        ({"policy": [[0.5, 0.6]] * 4}, "policy must have rows that sum to 1, got 1.1 in row 0"),
        ({"policy": [[np.nan, 1]] * 4}, "policy must be between 0 and 1, got nan in row 0"),
        ({"policy": [[-0.5, 1.5]] * 4}, "policy must be between 0 and 1, got -0.5 in row 0"),
        ({"level": 1.0}, "level must be below 1"),
        ({"level": 0}, "level must be finite and above 0"),
        ({"predicted": np.zeros((4, 3))}, r"predicted must be of the shape .* got \(4, 3\)"),
        ({"predicted": [[0, np.inf]] * 4}, "predicted must be finite, got inf"),
    ],
    ids=str,
)
def test_bad_input_is_refused_by_name(changed, message):
    with pytest.raises(ValueError, match=message):
        doubly_robust(**SMALL | {"predicted": np.zeros((4, 2))} | changed)


def test_more_bad_input():
    with pytest.raises(ValueError, match="policy must have two or more rows, got 1"):
        ips([[1, 0]], [0], [0.5], [1])
    with pytest.raises(ValueError, match="policy must give some logged action a probability"):
        snips([[0, 1], [1, 0]], [0, 1], [0.5, 0.5], [1, 1])
    for weights in ([], [0, 0], [[1, 2]]):
        with pytest.raises(ValueError, match="weights must be one-dimensional and not all 0"):
            effective_sample_size(weights)
    with pytest.raises(ValueError, match="weights must be finite and at least 0, got -1"):
        effective_sample_size([2, -1])
    with pytest.raises(ValueError, match="weights must be finite and at least 0, got nan"):
        effective_sample_size([2, np.nan])
