"""Retrieval: the best items by score, nearest neighbours by inner product, and keyword search."""

from recsys.retrieval.exact import top_k
from recsys.retrieval.faiss_index import FaissIndex
from recsys.retrieval.filters import passing
from recsys.retrieval.hnsw import HNSWIndex
from recsys.retrieval.hybrid import reciprocal_rank_fusion
from recsys.retrieval.index import ExactIndex, VectorIndex
from recsys.retrieval.ivf import IVFIndex
from recsys.retrieval.ivfpq import IVFPQIndex
from recsys.retrieval.keywords import Bm25, SparseIndex
from recsys.retrieval.kmeans import kmeans
from recsys.retrieval.pooling import pool
from recsys.retrieval.product_quantization import ProductQuantizer
from recsys.retrieval.qdrant_index import QdrantIndex
from recsys.retrieval.saving import load_index, save_index
from recsys.retrieval.transform import augment_items, augment_queries

__all__ = [
    "Bm25",
    "ExactIndex",
    "FaissIndex",
    "HNSWIndex",
    "IVFIndex",
    "IVFPQIndex",
    "ProductQuantizer",
    "QdrantIndex",
    "SparseIndex",
    "VectorIndex",
    "augment_items",
    "augment_queries",
    "kmeans",
    "load_index",
    "passing",
    "pool",
    "reciprocal_rank_fusion",
    "save_index",
    "top_k",
]
