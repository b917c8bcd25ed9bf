"""Retrieval: from scores or vectors to the best few items."""

from recsys.retrieval.exact import top_k

__all__ = ["top_k"]
