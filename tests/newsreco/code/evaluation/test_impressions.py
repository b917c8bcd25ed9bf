"""Intervals over people: centred on the mean, of what counts, and wider where people differ."""

import numpy as np
import pandas as pd
import pytest

from newsreco.evaluation.impressions import Evaluation, paired, resampled_means
from newsreco.evaluation.lists import LISTS, list_metrics
from recsys.bootstrap import interval

rng = np.random.default_rng(0)
USER = np.repeat(np.arange(60), 5)
VALUES = rng.normal(0.7, 0.1, 60)[USER] + rng.normal(0, 0.02, 300)


def test_impressions_that_do_not_count_change_nothing():
    """A nan is left out of sum and count alike; whoever has nothing else has no say."""
    holes = np.concatenate([VALUES, np.full(200, np.nan)])
    user = np.concatenate([USER, np.arange(200) % 60])
    np.testing.assert_array_equal(resampled_means(holes, user), resampled_means(VALUES, USER))


def test_the_spread_is_that_of_people_and_not_of_impressions():
    """Five like values of one person are one witness: the error is that of 60 means."""
    means = resampled_means(VALUES, USER)
    by_person = VALUES.reshape(60, 5).mean(axis=1)
    assert means.mean() == pytest.approx(VALUES.mean(), abs=0.003)
    assert means.std() == pytest.approx(by_person.std() / np.sqrt(60), rel=0.1)
    assert means.std() > 1.7 * VALUES.std() / np.sqrt(300)


def test_a_paired_difference_is_that_of_the_same_impressions():
    other = VALUES - 0.05
    other[::7] = np.nan
    gap, low, high = paired(VALUES, other, USER)
    assert (gap, low, high) == pytest.approx((0.05, 0.05, 0.05))


def test_figures_of_an_exam_lie_within_their_intervals(world):
    shown = world.log.impressions
    evaluation = Evaluation(shown)
    evaluation.add("truth", world.truth.probability)
    judged = evaluation.per_impression("truth")["auc"].to_numpy()
    assert np.isnan(judged).sum() > 50, "so that leaving them out makes a difference"
    found = evaluation.metrics("truth", "best")
    low, high = interval(resampled_means(judged, shown.user))
    assert (found["best_auc_low"], found["best_auc_high"]) == pytest.approx((low, high))
    assert low < found["best_auc"] == np.nanmean(judged) < high


def test_figures_of_lists_lie_within_their_intervals():
    columns = [f"{name} {what}" for name in LISTS for what in ("recall", "ndcg")]
    judged = pd.DataFrame({name: VALUES + 0.01 * n for n, name in enumerate(columns)})
    found = list_metrics(judged.assign(user=USER, reachable=1.0))
    for name in columns:
        key = f"{name.replace(' ', '_')}_at_10"
        assert found[f"{key}_low"] < found[key] < found[f"{key}_high"]
        assert found[key] == pytest.approx(judged[name].mean())
    low, high = interval(resampled_means(VALUES, USER))
    first = f"{columns[0].replace(' ', '_')}_at_10"
    assert found[f"{first}_high"] - found[f"{first}_low"] == pytest.approx(high - low, rel=0.15)
