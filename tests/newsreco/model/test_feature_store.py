"""Leaks: features as of the time hold nothing about the click to predict."""

import numpy as np
import pytest

from newsreco.evaluation.impressions import Evaluation
from newsreco.evaluation.svd import evaluate_svd
from newsreco.feature_store import FeatureStore
from newsreco.feature_store.build import build
from newsreco.models.svd import train_svd
from newsreco.synthetic import make_synthetic_log


@pytest.fixture(scope="module")
def random_clicks():
    log = make_synthetic_log(
        n_articles=100, n_impressions=1500, n_users=150, click_model="random"
    ).log
    store = FeatureStore("sqlite://")
    build(store, log, progress=False)
    yield store, log
    store.close()


def ctr_auc(store, log, times):
    """Per-impression AUC of the store's click rates, and its standard error over users."""
    shown = log.impressions
    ctr = store.as_of("item", [log.articles.ids[i] for i in shown.item], times).ctr
    evaluation = Evaluation(shown)
    evaluation.add("ctr", ctr.fillna(ctr.mean()).to_numpy())
    return evaluation.mean("ctr"), evaluation.bootstrap_means("ctr").std(ddof=1)


def test_rates_as_of_the_time_give_auc_half_on_random_clicks(random_clicks):
    store, log = random_clicks
    auc, se = ctr_auc(store, log, log.impressions.time[log.impressions.impression])
    assert abs(auc - 0.5) < 3 * se < 0.1


def test_latest_rates_leak_the_click(random_clicks):
    store, log = random_clicks
    auc, se = ctr_auc(store, log, store.now())
    assert auc - 0.5 > 5 * se


@pytest.mark.parametrize("seed", [0, 2])
def test_svd_beats_popularity(seed):
    log = make_synthetic_log(seed=seed).log
    store = FeatureStore("sqlite://")
    build(store, log, progress=False)
    evaluation = evaluate_svd(store, log, train_svd(store, log.cutoff_time(0.2)))
    table = evaluation.table("popularity")
    for metric in ("precision_at_5", "recall_at_5"):
        assert table.loc[("svd", metric)].difference_low > 0.02
    assert np.all(table.loc["popularity"].difference == 0)
    store.close()
