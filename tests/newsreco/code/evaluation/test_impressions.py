"""Metrics per impression and their intervals: centred on the mean, wider if users differ."""

import numpy as np
import pandas as pd
import pytest

from newsreco.evaluation.groups import group_means
from newsreco.evaluation.impressions import Evaluation
from newsreco.evaluation.intervals import (
    bootstrap_means_over_users,
    mean_over_users,
    paired_difference,
)
from newsreco.evaluation.lists import LISTS, list_metrics
from recsys.bootstrap import interval

rng = np.random.default_rng(0)
USER = np.repeat(np.arange(60), 5)
VALUES = rng.normal(0.7, 0.1, 60)[USER] + rng.normal(0, 0.02, 300)


def test_nan_changes_no_bootstrap_mean():
    values = np.concatenate([VALUES, np.full(200, np.nan)])
    user = np.concatenate([USER, np.arange(200) % 60])
    expected = bootstrap_means_over_users(VALUES, USER)
    np.testing.assert_array_equal(bootstrap_means_over_users(values, user), expected)


def test_standard_error_is_that_of_users_not_of_impressions():
    means = bootstrap_means_over_users(VALUES, USER)
    by_user = VALUES.reshape(60, 5).mean(axis=1)
    assert means.mean() == pytest.approx(VALUES.mean(), abs=0.003)
    assert means.std() == pytest.approx(by_user.std() / np.sqrt(60), rel=0.1)
    assert means.std() > 1.7 * VALUES.std() / np.sqrt(300)


ONE_GROUP = np.zeros(300, int)
INTERVALS = {  # each as a function of the seed
    "mean_over_users": lambda rng: mean_over_users(VALUES, USER, rng)[1:],
    "paired_difference": lambda rng: paired_difference(VALUES, VALUES**2, USER, rng)[1:],
    "group_means": lambda rng: group_means(VALUES, ONE_GROUP, USER, rng).loc[0, ["low", "high"]],
    "list_metrics": lambda rng: list(
        list_metrics(pd.DataFrame({"user": USER, "ranked ndcg": VALUES}), rng=rng).values()
    )[2:],
}


@pytest.mark.parametrize("name", INTERVALS)
def test_an_interval_is_that_of_resamples_with_its_seed(name):
    values = VALUES - VALUES**2 if name == "paired_difference" else VALUES
    for rng in (0, 1, 5):
        means = bootstrap_means_over_users(values, USER, rng)
        assert list(INTERVALS[name](rng)) == pytest.approx(list(np.percentile(means, [2.5, 97.5])))
    assert len({tuple(INTERVALS[name](rng)) for rng in range(5)}) == 5


def test_resamples_of_two_seeds_differ():
    means = [bootstrap_means_over_users(VALUES, USER, rng) for rng in (0, 1)]
    assert (means[0] != means[1]).mean() > 0.99


def test_paired_difference_uses_impressions_that_both_evaluate():
    other = VALUES - 0.05
    other[::7] = np.nan
    difference = paired_difference(VALUES, other, USER)
    assert difference == pytest.approx((0.05, 0.05, 0.05))


def test_metrics_lie_within_their_intervals(world):
    shown = world.log.impressions
    evaluation = Evaluation(shown)
    evaluation.add("truth", world.truth.probability)
    auc = evaluation.per_impression("truth")["auc"].to_numpy()
    assert np.isnan(auc).sum() > 50, "some impressions are not evaluated"
    found = evaluation.metrics("truth", "best")
    low, high = interval(bootstrap_means_over_users(auc, shown.user))
    assert (found["best_auc_low"], found["best_auc_high"]) == pytest.approx((low, high))
    assert low < found["best_auc"] == np.nanmean(auc) < high


def test_an_evaluation_resamples_with_its_seed(world):
    found = []
    for rng in (0, 1):
        evaluation = Evaluation(world.log.impressions, rng)
        evaluation.add("truth", world.truth.probability)
        evaluation.add("none", np.zeros(len(world.truth.probability)))
        found += [[evaluation.difference("truth", "none"), evaluation.metrics("truth", "best")]]
    assert found[0][0][0] == found[1][0][0]  # the mean needs no resample
    assert found[0][0][1:] != found[1][0][1:] and found[0][1] != found[1][1]


def test_list_metrics_lie_within_their_intervals():
    columns = [f"{name} {metric}" for name in LISTS for metric in ("recall", "ndcg")]
    lists = pd.DataFrame({name: VALUES + 0.01 * n for n, name in enumerate(columns)})
    found = list_metrics(lists.assign(user=USER, reachable=1.0))
    for name in columns:
        key = f"{name.replace(' ', '_')}_at_10"
        assert found[f"{key}_low"] < found[key] < found[f"{key}_high"]
        assert found[key] == pytest.approx(lists[name].mean())
    low, high = interval(bootstrap_means_over_users(VALUES, USER))
    first = f"{columns[0].replace(' ', '_')}_at_10"
    assert found[f"{first}_high"] - found[f"{first}_low"] == pytest.approx(high - low, rel=0.15)
