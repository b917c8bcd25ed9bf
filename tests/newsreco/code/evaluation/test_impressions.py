"""Metrics per impression and their intervals: centred on the mean, wider if users differ."""

import numpy as np
import pandas as pd
import pytest

from newsreco.evaluation.impressions import Evaluation
from newsreco.evaluation.intervals import bootstrap_means_over_users, paired_difference
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
