"""Retrieval: the best items by score, and nearest neighbours by inner product."""

from recsys.retrieval.exact import top_k
from recsys.retrieval.index import ExactIndex, VectorIndex
from recsys.retrieval.pooling import pool
from recsys.retrieval.saving import load_index, save_index

__all__ = ["ExactIndex", "VectorIndex", "load_index", "pool", "save_index", "top_k"]
