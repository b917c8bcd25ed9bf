"""Metrics of ranking, predicted ratings, impressions and clicks, and beyond accuracy."""

from recsys.metrics.beyond_accuracy import (
    calibration,
    coverage,
    gini,
    intra_list_diversity,
    novelty,
    popularity_bias,
    serendipity,
)
from recsys.metrics.classification import (
    auc,
    calibration_curve,
    expected_calibration_error,
    log_loss,
    normalized_entropy,
)
from recsys.metrics.impression import impression_metrics
from recsys.metrics.ranking import (
    average_precision_at_k,
    hit_at_k,
    ndcg_at_k,
    precision_at_k,
    recall_at_k,
    reciprocal_rank_at_k,
)
from recsys.metrics.rating import mae, rmse

__all__ = [
    "auc",
    "average_precision_at_k",
    "calibration",
    "calibration_curve",
    "coverage",
    "expected_calibration_error",
    "gini",
    "hit_at_k",
    "impression_metrics",
    "intra_list_diversity",
    "log_loss",
    "mae",
    "ndcg_at_k",
    "normalized_entropy",
    "novelty",
    "popularity_bias",
    "precision_at_k",
    "recall_at_k",
    "reciprocal_rank_at_k",
    "rmse",
    "serendipity",
]
