"""Retrieval: the best items by score, and nearest neighbours by inner product."""

from recsys.retrieval.exact import top_k
from recsys.retrieval.hnsw import HNSWIndex
from recsys.retrieval.index import ExactIndex, VectorIndex
from recsys.retrieval.pooling import pool
from recsys.retrieval.saving import load_index, save_index
from recsys.retrieval.transform import augment_items, augment_queries

__all__ = [
    "ExactIndex",
    "HNSWIndex",
    "VectorIndex",
    "augment_items",
    "augment_queries",
    "load_index",
    "pool",
    "save_index",
    "top_k",
]
