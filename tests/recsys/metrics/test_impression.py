"""Metrics of impressions: cases by hand, and agreement with scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import ndcg_score, roc_auc_score

from recsys.metrics import impression_metrics


def test_metrics_by_hand():
    """Clicks at ranks 1 and 3 of four."""
    found = impression_metrics([1, 0, 1, 0], [4.0, 3.0, 2.0, 1.0], [0, 4])
    assert found["auc"][0] == 0.75
    assert found["mrr"][0] == pytest.approx((1 + 1 / 3) / 2)
    ideal = 1 + 1 / np.log2(3)
    assert found["ndcg@5"][0] == pytest.approx((1 + 0.5) / ideal)


def test_click_below_rank_five_counts_only_in_ndcg_at_10():
    labels = [0] * 6 + [1]
    found = impression_metrics(labels, -np.arange(7.0), [0, 7])
    assert found["ndcg@5"][0] == 0
    assert found["ndcg@10"][0] == pytest.approx(1 / 3)


def test_agreement_with_scikit_learn():
    rng = np.random.default_rng(0)
    sizes = rng.integers(2, 20, 60)
    start = np.concatenate([[0], np.cumsum(sizes)])
    scores = rng.permutation(start[-1]).astype(float)  # no ties
    clicked = rng.random(start[-1]) < 0.3
    found = impression_metrics(clicked, scores, start)
    evaluated = 0
    for r in range(60):
        row = slice(start[r], start[r + 1])
        y, s = clicked[row], scores[row]
        if y.all() or not y.any():
            assert all(np.isnan(values[r]) for values in found.values())
            continue
        evaluated += 1
        assert found["auc"][r] == pytest.approx(roc_auc_score(y, s))
        for k in (5, 10):
            assert found[f"ndcg@{k}"][r] == pytest.approx(ndcg_score([y], [s], k=k))
        rank = 1 + np.argsort(np.argsort(-s))
        assert found["mrr"][r] == pytest.approx(np.mean(1 / rank[y]))
    assert evaluated > 30


def test_constant_scores_give_auc_half():
    """And an MRR as of random scores, as the item ids that break the ties are random."""
    rng = np.random.default_rng(1)
    clicked = rng.random(10_000) < 0.25
    item = rng.permuted(np.tile(np.arange(10), (1000, 1)), axis=1).ravel()
    found = impression_metrics(clicked, np.zeros(10_000), np.arange(0, 10_001, 10), item)
    assert np.nanmax(np.abs(found["auc"] - 0.5)) == 0
    shuffled = impression_metrics(clicked, rng.random(10_000), np.arange(0, 10_001, 10), item)
    assert np.nanmean(found["mrr"]) == pytest.approx(np.nanmean(shuffled["mrr"]), abs=0.03)


def test_ties_go_to_the_lower_item_id():
    found = impression_metrics([0, 1], [1.0, 1.0], [0, 2], item=[7, 3])
    assert found["mrr"][0] == 1
    assert impression_metrics([0, 1], [1.0, 1.0], [0, 2])["mrr"][0] == 0.5


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (([0, 2], [1.0, 2.0], [0, 2]), "clicked"),
        (([0, 1], [1.0, np.nan], [0, 2]), "scores"),
        (([0, 1, 1], [1.0, 2.0], [0, 2]), "clicked"),
        (([0, 1], [1.0, 2.0], [0, 1]), "start"),
        (([0, 1], [1.0, 2.0], [0, 2, 1, 2]), "start"),
        (([0, 1], [1.0, 2.0], [0, 2], [1]), "item"),
    ],
)
def test_invalid_input_is_refused(arguments, named):
    with pytest.raises(ValueError, match=named):
        impression_metrics(*arguments)
