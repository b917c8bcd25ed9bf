"""Retrieval: the best items by score, and nearest neighbours by inner product."""

from recsys.retrieval.exact import top_k
from recsys.retrieval.index import ExactIndex, VectorIndex
from recsys.retrieval.ivf import IVFIndex
from recsys.retrieval.ivfpq import IVFPQIndex
from recsys.retrieval.kmeans import kmeans
from recsys.retrieval.product_quantization import ProductQuantizer
from recsys.retrieval.saving import load_index, save_index

__all__ = [
    "ExactIndex",
    "IVFIndex",
    "IVFPQIndex",
    "ProductQuantizer",
    "VectorIndex",
    "kmeans",
    "load_index",
    "save_index",
    "top_k",
]
