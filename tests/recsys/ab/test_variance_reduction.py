"""CUPED: less variance by the squared correlation, and the same difference."""

import numpy as np
import pytest

from recsys.ab import cuped, difference_of_means

EXPERIMENTS = 500


def test_cuped_removes_the_explained_variance_and_keeps_the_difference():
    rng = np.random.default_rng(6)
    plain, adjusted = [], []
    for _ in range(EXPERIMENTS):
        before = rng.normal(5, 1, (2, 200))
        after = 0.8 * before + rng.normal(0, 0.6, (2, 200))
        after[1] += 0.5
        plain.append(difference_of_means(*after).difference)
        found = difference_of_means(*cuped(*after, *before))
        adjusted.append([found.difference, found.standard_error, found.low < 0.5 < found.high])
    adjusted = np.array(adjusted)
    assert adjusted[:, 0].mean() == pytest.approx(0.5, abs=0.01)
    assert adjusted[:, 2].mean() == pytest.approx(0.95, abs=0.03)
    # correlation 0.8: 1 - 0.64 of the variance is left
    assert np.var(adjusted[:, 0]) / np.var(plain) == pytest.approx(0.36, abs=0.06)
    assert np.mean(adjusted[:, 1] ** 2) == pytest.approx(2 * 0.36 / 200, rel=0.03)


def test_cuped_takes_theta_within_the_arms():
    """Neither a large effect nor arms that were unlike before pass for a slope: theta is 1."""
    control, treatment = cuped([1, 2, 3], [11, 13, 12], [1, 2, 3], [1, 3, 2])
    assert treatment.mean() - control.mean() == pytest.approx(10)
    control, treatment = cuped([0, 1, 2], [0, 1, 2], [0, 1, 2], [10, 11, 12])
    assert treatment - control == pytest.approx(-10)


@pytest.mark.parametrize("before, message", [
    ([1, 1], "control_before or treatment_before must vary"),
    ([1, 2, 3], "control_before must have one entry per row"),
    ([1, np.nan], "control_before must be finite"),
])  # fmt: skip
def test_bad_covariate(before, message):
    with pytest.raises(ValueError, match=message):
        cuped([1, 2], [3, 4], before, [5, 5])
