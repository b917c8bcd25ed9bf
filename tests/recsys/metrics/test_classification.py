"""AUC: cases by hand, and agreement with scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from recsys.metrics import auc


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
