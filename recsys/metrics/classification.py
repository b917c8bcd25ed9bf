"""Metrics of predicted clicks: AUC of the order, log loss and calibration of the probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recsys import validation

if TYPE_CHECKING:
    import pandas as pd


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


def log_loss(labels: Any, probabilities: Any) -> float:
    r"""Mean of :math:`-\ln` of the probability that was given to what happened.

    Parameters
    ----------
    labels : array-like (n,) of 0 and 1
    probabilities : array-like (n,) in [0, 1]
        Of label 1.

    Returns
    -------
    float
        0 is perfect; infinite if something was said to be certain and did not happen. (The
        logarithmic score, Good 1952.)

    >>> log_loss([1, 0], [1 / np.e, 1 - 1 / np.e**3])
    2.0
    """
    labels, p = _labels_and_probabilities(labels, probabilities)
    with np.errstate(divide="ignore"):
        return float(-np.log(np.where(labels == 1, p, 1 - p)).mean())


def normalized_entropy(labels: Any, probabilities: Any) -> float:
    """Log loss, relative to that of the click rate itself (He et al. 2014).

    Parameters
    ----------
    labels : array-like (n,) of 0 and 1
        At least one of each.
    probabilities : array-like (n,) in [0, 1]

    Returns
    -------
    float
        1 if the probabilities say no more than the mean of the labels, 0 is perfect.

    >>> normalized_entropy([1, 0, 0, 0], [0.25, 0.25, 0.25, 0.25])
    1.0
    """
    values, _ = _labels_and_probabilities(labels, probabilities)
    if set(np.unique(values)) != {0, 1}:
        raise ValueError(f"labels must be 0 and 1, at least one of each, got {np.unique(values)}")
    rate = np.full(len(values), values.mean())
    return log_loss(values, probabilities) / log_loss(values, rate)


def calibration_curve(
    labels: Any, probabilities: Any, n_bins: int = 10, strategy: str = "quantile"
) -> pd.DataFrame:
    """Predicted and observed click rate of rows with similar probabilities (reliability diagram).

    Parameters
    ----------
    labels : array-like (n,) of 0 and 1
    probabilities : array-like (n,) in [0, 1]
    n_bins : int
    strategy : {"quantile", "uniform"}
        Bins of about equally many rows, or of equal width. Equal probabilities share a bin, and
        an empty bin is left out.

    Returns
    -------
    DataFrame
        One row per bin, ascending: predicted (mean probability), observed (mean label), count.

    >>> calibration_curve([0, 1, 1, 1], [0.1, 0.3, 0.6, 0.8], 2)
       predicted  observed  count
    0        0.2       0.5      2
    1        0.7       1.0      2
    """
    import pandas as pd

    labels, p = _labels_and_probabilities(labels, probabilities)
    at = np.arange(1, validation.whole_number("n_bins", n_bins)) / n_bins
    if validation.one_of("strategy", strategy, ("quantile", "uniform")) == "quantile":
        at = np.quantile(p, at)
    number = np.searchsorted(at, p)
    count = np.bincount(number, minlength=n_bins)
    sums = {"predicted": np.bincount(number, p, n_bins)}
    sums["observed"] = np.bincount(number, labels, n_bins)
    used = count > 0
    means = {name: total[used] / count[used] for name, total in sums.items()}
    return pd.DataFrame(means | {"count": count[used]})


def expected_calibration_error(
    labels: Any, probabilities: Any, n_bins: int = 10, strategy: str = "quantile"
) -> float:
    """Mean distance of predicted and observed click rate, over the rows (Naeini et al. 2015).

    Parameters are those of `calibration_curve`. 0 is perfect in these bins; a sample of n rows
    never is, even of the true probabilities.

    >>> round(expected_calibration_error([0, 1, 1, 1], [0.1, 0.3, 0.6, 0.8], 2), 6)
    0.3
    """
    curve = calibration_curve(labels, probabilities, n_bins, strategy)
    distance = (curve["observed"] - curve["predicted"]).abs()
    return float(np.average(distance, weights=curve["count"]))


def _labels_and_probabilities(labels: Any, probabilities: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64 (n,), checked; at least one row."""
    p = validation.as_array("probabilities", probabilities)
    p = validation.finite("probabilities", p, p.size, np.float64)
    labels = validation.finite("labels", labels, len(p), np.float64)
    if len(p) == 0 or not set(np.unique(labels)) <= {0, 1}:
        raise ValueError(f"labels must be 0 or 1, at least one of them, got {np.unique(labels)}")
    if p.min() < 0 or p.max() > 1:
        wrong = p[(p < 0) | (p > 1)][0]
        raise ValueError(f"probabilities must be between 0 and 1, got {wrong}")
    return labels, p
