"""Retrieval: the best items by score, and nearest neighbours by inner product."""

from recsys.retrieval.exact import top_k
from recsys.retrieval.index import ExactIndex, VectorIndex
<<<<<<< HEAD
from recsys.retrieval.pooling import pool

__all__ = ["ExactIndex", "VectorIndex", "pool", "top_k"]
=======
from recsys.retrieval.saving import load_index, save_index

__all__ = ["ExactIndex", "VectorIndex", "load_index", "save_index", "top_k"]
>>>>>>> main
