"""Simultaneous intervals of paired differences."""

import numpy as np
import pytest

from recsys import evaluate, leave_last_out, make_synthetic
from recsys.bootstrap import bootstrap_means, interval
from recsys.comparison import SETS_OF_RESAMPLES, compare
from recsys.models import ItemKNN, Popularity, Random

METRICS = ["ndcg@10", "recall@20"]


@pytest.fixture(scope="module")
def reports():
    split = leave_last_out(make_synthetic())
    models = [Popularity(), ItemKNN(), Random(rng=0)]
    return {type(m).__name__: evaluate(m.fit(split[0]), *split, k=[10, 20]) for m in models}


def test_the_differences_are_paired_and_the_intervals_simultaneous(reports):
    table = compare(reports, "Popularity", METRICS)
    assert list(table.index) == ["ItemKNN", "Random"] and table.shape == (2, 8)
    own, other = (reports[name].per_user["recall@20"] for name in ("ItemKNN", "Popularity"))
    row = table.loc["ItemKNN", "recall@20"]
    assert row["mean"] == pytest.approx(own.mean())
    assert row["difference"] == pytest.approx((own - other).mean())
    differences = np.column_stack([r.per_user["recall@20"] for r in reports.values()])
    differences = differences[:, 1:] - differences[:, :1]
    means = [bootstrap_means(differences, rng) for rng in range(SETS_OF_RESAMPLES)]
    low, high = interval(np.vstack(means), 1 - 0.05 / 4)  # two models in two metrics
    np.testing.assert_allclose(row[["low", "high"]].astype(float), [low[0], high[0]])


def test_more_comparisons_give_wider_intervals(reports):
    one = compare({k: reports[k] for k in ("Popularity", "ItemKNN")}, "Popularity", METRICS[:1])
    four = compare(reports, "Popularity", METRICS)
    width = [t["ndcg@10"].loc["ItemKNN", ["low", "high"]].diff().iloc[1] for t in (one, four)]
    assert width[0] < width[1]


def test_a_family_of_null_models_is_covered_in_95_percent_of_tables():
    """Random lists against a random baseline: some interval excludes zero in about 5 % or less."""
    rng, wrong = np.random.default_rng(0), 0
    for _ in range(60):
        values = rng.normal(size=(200, 5))
        differences = values[:, 1:] - values[:, :1]
        means = np.vstack([bootstrap_means(differences, seed) for seed in range(5)])
        low, high = interval(means, 1 - 0.05 / 4)
        wrong += bool(((low > 0) | (high < 0)).any())
    assert wrong <= 8


def test_reports_of_other_users_raise(reports):
    train, test = leave_last_out(make_synthetic())
    fewer = evaluate(Popularity().fit(train), train, test.select(test.user < 100), k=[10, 20])
    with pytest.raises(ValueError, match="reports must be of the same test set"):
        compare(reports | {"other": fewer}, "Popularity", METRICS)
    with pytest.raises(ValueError, match="baseline must be one of"):
        compare(reports, "Trending", METRICS)
