"""Rankers: from the features of what is shown to the order in which to show it."""

from newsreco.models.lambdamart import LambdaMARTRanker
from recsys.logistic import LogisticRanker

RANKERS = {"logistic": LogisticRanker, "lambdamart": LambdaMARTRanker}

__all__ = ["RANKERS", "LambdaMARTRanker", "LogisticRanker"]
