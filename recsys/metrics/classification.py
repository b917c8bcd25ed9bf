"""AUC: how well scores separate positives from negatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys import validation


def auc(labels: Any, scores: Any) -> float:
    """Probability that a random positive scores above a random negative; a tie counts half.

    Parameters
    ----------
    labels : array-like (n,) of 0 and 1
        At least one of each.
    scores : array-like (n,) of float

    Returns
    -------
    float
        1 is perfect; random scores give 0.5, and so does a constant score. (Fawcett 2006.)

    >>> auc([1, 0, 1, 0], [0.9, 0.5, 0.5, 0.1])
    0.875
    """
    from scipy.stats import rankdata  # slow to import, and only needed here

    scores = validation.as_array("scores", scores)
    scores = validation.finite("scores", scores, scores.size, np.float64)
    labels = validation.finite("labels", labels, len(scores), np.float64)
    if set(np.unique(labels)) != {0, 1}:
        raise ValueError(f"labels must be 0 and 1, at least one of each, got {np.unique(labels)}")
    positive = labels == 1
    n_pos, n_neg = positive.sum(), (~positive).sum()
    above = rankdata(scores)[positive].sum() - n_pos * (n_pos + 1) / 2
    return float(above / (n_pos * n_neg))
