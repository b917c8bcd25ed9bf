"""Retrieval: from scores or vectors to the best few items."""

from recsys.retrieval.exact import top_k
from recsys.retrieval.index import ExactIndex, VectorIndex

__all__ = ["ExactIndex", "VectorIndex", "top_k"]
