"""Rankers: from the features of what is shown to the order in which to show it."""

from newsreco.rank.lambdarank import LambdaRanker
from newsreco.rank.logistic import LogisticRanker

RANKERS = {"logistic": LogisticRanker, "lambdarank": LambdaRanker}

__all__ = ["RANKERS", "LambdaRanker", "LogisticRanker"]
