"""Retrieval: the best items by score, and nearest neighbours by inner product."""

from recsys.retrieval.exact import top_k
from recsys.retrieval.index import ExactIndex, VectorIndex
from recsys.retrieval.pooling import pool

__all__ = ["ExactIndex", "VectorIndex", "pool", "top_k"]
