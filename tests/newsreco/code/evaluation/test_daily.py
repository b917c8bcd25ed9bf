"""A model updated daily beside one trained anew each day."""

import numpy as np
import pandas as pd
import pytest

from newsreco.data.times import DAY
from newsreco.evaluation.daily import daily_table, day_starts, evaluate_daily
from newsreco.evaluation.model import evaluate
from newsreco.models.bundle import Settings
from newsreco.training import fit_model, train


@pytest.fixture(scope="module")
def model(world):
    return train(world.log, Settings(), progress=False, lists=0).model


@pytest.fixture(scope="module")
def daily(world, model):
    return evaluate_daily(world.log, model, lambda past: fit_model(past, Settings()), lists=10)


def test_each_held_out_impression_is_evaluated_once_per_model(world, model, daily):
    n_days = len(day_starts(world.log, model.state.now))
    auc = evaluate(model, world.log, lists=0)[0].per_impression("ranker")["auc"]
    assert len(daily["auc"]) == auc.notna().sum()
    assert n_days >= 2 and len(daily["recall"]) == 10 * n_days


def test_an_update_scores_as_counters_that_advance_with_the_events(world, model, daily):
    auc = evaluate(model, world.log, lists=0)[0].per_impression("ranker")["auc"].dropna()
    np.testing.assert_array_equal(daily["auc"]["updated"], auc)


def test_a_model_trained_anew_has_seen_the_days_before(world, daily):
    starts = day_starts(
        world.log, world.log.before(world.log.cutoff_time(0.2)).impressions.time[-1]
    )
    last = fit_model(world.log.before(starts[-1]), Settings())
    auc = evaluate(last, world.log, lists=0)[0].per_impression("ranker")["auc"].dropna()
    np.testing.assert_array_equal(daily["auc"]["retrained"][-len(auc) :], auc)
    assert (daily["auc"]["retrained"] != daily["auc"]["updated"]).any()


def test_days_begin_with_the_first_later_impression(world):
    time = world.log.impressions.time
    starts = day_starts(world.log, time[0])
    assert starts[0] == time[1] and set(np.diff(starts)) == {DAY}
    assert starts[-1] <= time[-1] < starts[-1] + DAY
    with pytest.raises(ValueError, match="later than"):
        day_starts(world.log, time[-1])


def test_table_shows_the_paired_difference():
    table = pd.DataFrame({"user": [0, 0, 1, 2], "updated": [1.0, 0, 1, 1], "retrained": 0.5})
    found = daily_table({"auc": table})
    assert found.loc[("auc", "updated"), "mean"] == 0.75
    assert found.loc[("auc", "difference"), "mean"] == 0.25
    assert found.loc[("auc", "difference"), "low"] < 0.25 < found.loc[("auc", "difference"), "high"]
