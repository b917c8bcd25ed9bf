"""A/B tests: how many users, what the difference is, and whether the arms can be compared at all.

- `sample_size`, `power`, `bernoulli_variance`: planning
- `difference_of_proportions`, `difference_of_means`, `difference_of_ratios`: one look, at the end
- `cuped`: the same with fewer users, from what they did before
- `sample_ratio_mismatch`: lost users, the test that comes first
"""

from recsys.ab.difference import (
    Difference,
    difference_of_means,
    difference_of_proportions,
    difference_of_ratios,
)
from recsys.ab.planning import bernoulli_variance, power, sample_size
from recsys.ab.sample_ratio import sample_ratio_mismatch
from recsys.ab.variance_reduction import cuped

__all__ = [
    "Difference",
    "bernoulli_variance",
    "cuped",
    "difference_of_means",
    "difference_of_proportions",
    "difference_of_ratios",
    "power",
    "sample_ratio_mismatch",
    "sample_size",
]
