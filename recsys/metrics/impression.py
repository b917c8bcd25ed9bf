"""Metrics of impressions: how well scores rank the items shown together.

These are the definitions of the MIND competition (Wu et al. 2020): each is computed within one
impression and averaged over those that hold both a click and an item not clicked. They evaluate
the order of items that another system selected. A *pooled* AUC, over all rows at once, is a
different metric: it also rewards knowing which users and hours have a higher click-through rate.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys import validation
from recsys.compiled import compiled, prange

NAMES = ("auc", "mrr", "ndcg@5", "ndcg@10")


def impression_metrics(
    clicked: Any, scores: Any, start: Any, item: Any | None = None
) -> dict[str, np.ndarray]:
    """AUC, MRR, nDCG@5 and nDCG@10 of each impression.

    Parameters
    ----------
    clicked : array (n_shown,) of 0 and 1
    scores : array (n_shown,) of float
    start : array (n_impressions + 1,) of int
        Impression r holds the rows start[r] to start[r + 1] - 1.
    item : array (n_shown,) of int, optional
        Ties go to the lower item id; without it, to the earlier row.

    Returns
    -------
    dict of arrays (n_impressions,) float64
        nan if an impression does not hold both labels. "auc" counts a tie as half. "mrr" is the
        mean of 1 / rank over *all* clicks of the impression, as MIND defines it, not that of the
        first.

    Examples
    --------
    >>> metrics = impression_metrics([0, 1, 0, 1], [0.9, 0.5, 0.1, 0.2], [0, 4])
    >>> {name: values.round(3).tolist() for name, values in metrics.items()}
    {'auc': [0.5], 'mrr': [0.417], 'ndcg@5': [0.693], 'ndcg@10': [0.693]}
    """
    scores = validation.finite("scores", scores, len(np.asarray(scores)), np.float64)
    clicked = validation.finite("clicked", clicked, len(scores), np.float64)
    if not np.isin(clicked, (0, 1)).all():
        raise ValueError(f"clicked must be 0 or 1, got {np.unique(clicked)[:5]}")
    start = np.asarray(start, np.int64)
    if start.ndim != 1 or len(start) < 1 or start[0] != 0 or start[-1] != len(scores):
        raise ValueError(f"start must go from 0 to the number of rows, {len(scores)}, got {start}")
    if (np.diff(start) < 0).any():
        raise ValueError("start must not decrease")
    item = np.arange(len(scores)) if item is None else np.asarray(item)
    if len(item) != len(scores):
        raise ValueError(f"item must have one entry per score, {len(scores)}, got {len(item)}")
    values = np.full((len(start) - 1, len(NAMES)), np.nan)
    _evaluate(clicked, scores, start, item.astype(np.int64), values)
    return {name: values[:, column].copy() for column, name in enumerate(NAMES)}


@compiled(parallel=True)
def _evaluate(clicked, scores, start, item, values):
    for r in prange(len(start) - 1):
        first, last = start[r], start[r + 1]
        n_clicks = 0
        for a in range(first, last):
            n_clicks += int(clicked[a])
        if n_clicks == 0 or n_clicks == last - first:
            continue
        concordant = mrr = gain5 = gain10 = 0.0
        for a in range(first, last):
            if clicked[a] == 0:
                continue
            rank = 1
            for b in range(first, last):
                above = scores[b] > scores[a]
                tied = scores[b] == scores[a]
                if b != a and (above or (tied and item[b] < item[a])):
                    rank += 1
                if clicked[b] == 0:
                    concordant += 0.5 * tied + (not above and not tied)
            mrr += 1 / rank
            gain5 += 1 / np.log2(rank + 1) if rank <= 5 else 0.0
            gain10 += 1 / np.log2(rank + 1) if rank <= 10 else 0.0
        values[r, 0] = concordant / (n_clicks * (last - first - n_clicks))
        values[r, 1] = mrr / n_clicks
        values[r, 2] = gain5 / _ideal(min(n_clicks, 5))
        values[r, 3] = gain10 / _ideal(min(n_clicks, 10))


@compiled
def _ideal(n):
    """Discounted cumulative gain of n hits at the top."""
    total = 0.0
    for rank in range(1, n + 1):
        total += 1 / np.log2(rank + 1)
    return total
