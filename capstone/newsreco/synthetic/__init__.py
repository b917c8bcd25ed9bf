"""Synthetic data: a news site whose click probabilities are known."""

from newsreco.synthetic.ground_truth import GroundTruth, read_ground_truth
from newsreco.synthetic.sample import write_sample
from newsreco.synthetic.sizes import SIZES
from newsreco.synthetic.world import SyntheticLog, make_synthetic_log

__all__ = [
    "SIZES",
    "GroundTruth",
    "SyntheticLog",
    "make_synthetic_log",
    "read_ground_truth",
    "write_sample",
]
