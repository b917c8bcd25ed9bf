"""AUC, log loss and calibration: cases by hand, and agreement with scikit-learn."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve as their_curve
from sklearn.metrics import log_loss as their_log_loss
from sklearn.metrics import roc_auc_score

from recsys.metrics import (
    auc,
    calibration_curve,
    expected_calibration_error,
    log_loss,
    normalized_entropy,
)


def test_auc_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    for _ in range(40):
        labels, scores = rng.permutation(40) < rng.integers(1, 40), rng.normal(size=40)
        for values in (scores, scores.round()):  # without and with ties
            theirs = roc_auc_score(labels, values)
            assert auc(labels, values) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize(
    "labels, scores, message",
    [
        ([], [], "labels must be 0 and 1, at least one of each, got"),
        ([0, 0], [1, 2], "labels must be 0 and 1, at least one of each, got .*0"),
        ([1, 1], [1, 2], "labels must be 0 and 1, at least one of each, got .*1"),
        ([0, 2], [1, 2], "labels must be 0 and 1, at least one of each, got .*2"),
        ([0, 1], [1, np.nan], "scores must be finite, got .*nan.* in row 1"),
        ([0, 1, 1], [1, 2], r"labels must have one entry per row, shape \(2,\), got \(3,\)"),
    ],
)
def test_auc_of_invalid_input_is_refused(labels, scores, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        auc(labels, scores)


def test_auc_by_hand():
    assert auc([1, 1, 0, 0], [4, 3, 2, 1]) == 1
    assert auc([0, 0, 1, 1], [4, 3, 2, 1]) == 0
    assert auc([1, 0, 1, 0], [4, 3, 2, 1]) == 3 / 4
    assert auc(np.array([True, False]), [1, 1]) == 1 / 2


def random_predictions(seed):
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 3, 500)
    return rng.random(500) < p, p


def test_log_loss_agrees_with_scikit_learn():
    for seed in range(5):
        labels, p = random_predictions(seed)
        assert log_loss(labels, p) == pytest.approx(their_log_loss(labels, p), rel=1e-12)


def test_log_loss_by_hand():
    assert log_loss([1, 0], [1, 0]) == 0
    assert log_loss([1, 1, 0, 0], [0.5] * 4) == pytest.approx(np.log(2))
    assert log_loss([1], [0.25]) == pytest.approx(np.log(4))
    assert log_loss([1, 0], [0, 0]) == np.inf


def test_normalized_entropy_divides_by_that_of_the_click_rate():
    labels = np.array([1, 0, 0, 0])
    base = -(0.25 * np.log(0.25) + 0.75 * np.log(0.75))
    p = [0.5, 0.2, 0.2, 0.1]
    expected = -(np.log(0.5) + 2 * np.log(0.8) + np.log(0.9)) / 4 / base
    assert normalized_entropy(labels, p) == pytest.approx(expected)
    assert normalized_entropy(labels, [0.9, 0.9, 0.9, 0.9]) > 1
    with pytest.raises(ValueError, match="labels must be 0 and 1, at least one of each"):
        normalized_entropy([0, 0], [0.1, 0.2])


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_calibration_curves_agree_with_scikit_learn(strategy):
    for seed in range(5):
        labels, p = random_predictions(seed)
        observed, predicted = their_curve(labels, p, n_bins=7, strategy=strategy)
        curve = calibration_curve(labels, p, 7, strategy)
        np.testing.assert_allclose(curve["observed"], observed, rtol=1e-12)
        np.testing.assert_allclose(curve["predicted"], predicted, rtol=1e-12)
        assert curve["count"].sum() == 500


def test_equal_probabilities_share_a_bin_and_empty_bins_are_left_out():
    labels, p = np.array([0, 1, 0, 1, 1, 1]), np.array([0.2, 0.2, 0.2, 0.2, 0.2, 0.9])
    for order in (np.arange(6), np.array([5, 3, 1, 0, 2, 4])):
        curve = calibration_curve(labels[order], p[order], 4)
        assert curve["count"].tolist() == [5, 1]
        assert curve["observed"].tolist() == [0.6, 1.0]
    assert calibration_curve([1, 0], [1.0, 0.0], 5, "uniform")["count"].tolist() == [1, 1]


def test_the_calibration_error_weighs_bins_by_their_rows():
    labels = [1, 1, 1, 0, 0]
    p = [0.7, 0.7, 0.7, 0.1, 0.1]
    expected = (3 * 0.3 + 2 * 0.1) / 5
    found = expected_calibration_error(labels, p, 2, "uniform")
    assert found == pytest.approx(expected)
    assert expected_calibration_error([1, 0], [1, 0]) == 0


@pytest.mark.parametrize("metric", [log_loss, calibration_curve, expected_calibration_error])
@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([], [], "labels must be 0 or 1, at least one"),
        ([0, 2], [0.1, 0.2], "labels must be 0 or 1"),
        ([0, 1], [0.1, 1.2], "probabilities must be between 0 and 1, got 1.2"),
        ([0, 1], [-0.1, 0.2], "probabilities must be between 0 and 1, got -0.1"),
        ([0, 1], [0.1, np.nan], "probabilities must be finite"),
        ([0, 1, 1], [0.1, 0.2], "labels must have one entry per row"),
    ],
)
def test_invalid_probabilities_are_refused(metric, labels, probabilities, message):
    with pytest.raises(ValueError, match=message):
        metric(labels, probabilities)


def test_unknown_bins_are_refused():
    with pytest.raises(ValueError, match="strategy must be one of"):
        calibration_curve([0, 1], [0.1, 0.2], strategy="width")
    with pytest.raises(ValueError, match="n_bins must be at least 1"):
        calibration_curve([0, 1], [0.1, 0.2], 0)
