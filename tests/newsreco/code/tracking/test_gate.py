"""The promotion gate: both models evaluated on the same impressions, new to both."""

import pytest

from newsreco.evaluation.intervals import paired_difference
from newsreco.evaluation.model import evaluate
from newsreco.models.bundle import Settings
from newsreco.tracking.gate import Comparison, compare_models
from newsreco.training import train


def test_compared_on_impressions_later_than_both_trainings(good, dataset):
    early = train(dataset.log, Settings(test_fraction=0.5), progress=False, lists=0)
    difference, low, high, users, impressions = compare_models(good.model, early.model, dataset.log)
    table = good.per_impression
    other = evaluate(early.model, dataset.log, lists=0)[0].per_impression("ranker")
    other = other.iloc[-len(table) :]
    expected = paired_difference(
        table["auc"].to_numpy(), other["auc"].to_numpy(), table["user"].to_numpy()
    )
    assert (difference, low, high) == expected
    evaluated = table["auc"].notna()
    assert (users, impressions) == (table["user"][evaluated].nunique(), evaluated.sum())
    reverse = compare_models(early.model, good.model, dataset.log)
    assert reverse[0] == -difference and reverse[3:] == (users, impressions)


def test_other_metrics_can_decide(good, inverted, dataset):
    for metric in ("ranker_mrr", "ranker_ndcg_at_10"):
        assert compare_models(good.model, inverted.model, dataset.log, metric)[1] > 0
    with pytest.raises(ValueError, match="metric must be one of"):
        compare_models(good.model, inverted.model, dataset.log, "displayed_order_auc")


def test_log_with_other_articles_is_refused(good, inverted, world):
    with pytest.raises(ValueError, match="articles"):
        compare_models(good.model, inverted.model, world.log)


def test_passes_needs_enough_users_and_an_interval_above_zero():
    assert not Comparison(2, 1, "ranker_auc", 0.1, 0.05, 0.2, users=19, impressions=90).passes
    assert Comparison(2, 1, "ranker_auc", 0.1, 0.05, 0.2, users=20, impressions=90).passes
    assert not Comparison(2, 1, "ranker_auc", 0.1, 0.0, 0.2, users=20, impressions=90).passes
