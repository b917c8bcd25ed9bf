"""Synthetic data: the log of a news site whose click probabilities are known."""

from newsreco.synthetic.generate import SIZES, SyntheticLog, make_synthetic_log
from newsreco.synthetic.ground_truth import GroundTruth, read_ground_truth
from newsreco.synthetic.questions import Question, make_questions
from newsreco.synthetic.sample import write_sample

__all__ = [
    "SIZES",
    "GroundTruth",
    "Question",
    "SyntheticLog",
    "make_questions",
    "make_synthetic_log",
    "read_ground_truth",
    "write_sample",
]
