"""Scores on one scale, and discounted by age."""

import numpy as np
import pytest

from recsys.rerank import freshness, to_unit_range


def test_unit_range_and_freshness():
    assert to_unit_range([3.0, 3.0]).tolist() == [1, 1]
    assert to_unit_range([]).tolist() == []
    np.testing.assert_allclose(freshness([0, 3, 24], 3), [1, 0.5, 2**-8])
    with pytest.raises(ValueError, match="age must be finite and at least 0"):
        freshness([-1], 3)
