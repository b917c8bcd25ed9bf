"""Rating metrics: cases by hand, and agreement with scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from recsys.metrics import mae, rmse


def test_rating_errors_by_hand():
    assert rmse([4.0, 3.0], [1.0, 7.0]) == pytest.approx(np.sqrt((9 + 16) / 2))
    assert mae([4.0, 3.0], [1.0, 7.0]) == (3 + 4) / 2
    assert rmse([3, 3], [3, 3]) == mae([3, 3], [3, 3]) == 0
    assert rmse(np.array([0.1], np.float32), np.array([0.1], np.float32)) == 0


def test_rating_errors_agree_with_scikit_learn():
    rng = np.random.default_rng(0)
    predicted, actual = rng.normal(3, 1, (2, 500)).astype(np.float32)
    assert rmse(predicted, actual) == pytest.approx(root_mean_squared_error(actual, predicted))
    assert mae(predicted, actual) == pytest.approx(mean_absolute_error(actual, predicted))


@pytest.mark.parametrize("metric", [rmse, mae])
def test_invalid_ratings_are_refused(metric):
    for predicted, actual, message in [
        ([], [], "actual must hold at least one rating, got none"),
        ([1, 2], [1], r"predicted must have one entry per row, shape \(1,\), got \(2,\)"),
        ([np.nan], [1], "predicted must be finite, got .*nan.* in row 0"),
        ([1], [np.inf], "actual must be finite, got .*inf.* in row 0"),
        ([[1, 2]], [[1, 2]], r"actual must have one entry per row, shape \(2,\), got \(1, 2\)"),
        (["a"], [1], "predicted must hold numbers"),
    ]:
        with pytest.raises(ValueError, match=f"^{message}"):
            metric(predicted, actual)
