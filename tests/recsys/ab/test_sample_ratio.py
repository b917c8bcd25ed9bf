"""Sample ratio mismatch: agreement with scipy, bad input."""

import numpy as np
import pytest
from scipy import stats

from recsys.ab import sample_ratio_mismatch


@pytest.mark.parametrize("users", [[480, 520], [5000, 5200], [10, 10]])
def test_sample_ratio_agrees_with_scipy(users):
    assert sample_ratio_mismatch(users) == pytest.approx(stats.chisquare(users).pvalue)


def test_sample_ratio_of_three_planned_arms():
    users, planned = [800, 110, 90], [0.8, 0.1, 0.1]
    expected = stats.chisquare(users, np.array(planned) * 1000).pvalue
    assert sample_ratio_mismatch(users, planned) == pytest.approx(expected)


@pytest.mark.parametrize("users, expected, message", [
    ([0, 0], (0.5, 0.5), "users must not all be 0"),
    ([1, -1], (0.5, 0.5), "users must be at least 0"),
    ([1, 2, 3], (0.5, 0.5), "users must be 2 counts"),
    ([1, 2], (0.5, 0.6), "expected must be above 0 and sum to 1"),
    ([1, 2], (1.0, 0.0), "expected must be above 0 and sum to 1"),
    ([1, 2], (0.5, np.nan), "expected must be finite"),
    ([1], (1.0,), "users must be 2 counts"),
])  # fmt: skip
def test_bad_sample_ratio(users, expected, message):
    with pytest.raises(ValueError, match=message):
        sample_ratio_mismatch(users, expected)
