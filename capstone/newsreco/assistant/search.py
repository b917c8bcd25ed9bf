"""Search: passages ranked by the question's content words that they hold, by BM25.

Any vectorizer and any inner-product index can take its place: `recsys.retrieval.keywords` has the
formula, and `Cosine` or an index of dense vectors with an embedder are the alternatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from newsreco.assistant.passages import Passages
from newsreco.assistant.words import terms
from recsys.retrieval.keywords import Bm25, SparseIndex
from recsys.text import TfIdf


def bm25() -> Bm25:
    """BM25 of the content words, see `terms`."""
    return Bm25(tokenize=terms)


class Cosine(TfIdf):
    """TF-IDF vectors of the same words, whose inner product is the cosine similarity."""

    def fit(self, texts: Sequence[str]) -> Cosine:
        """Learn words and weights."""
        return super().fit([" ".join(terms(text)) for text in texts])

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """CSR matrix (n, n_words) float32."""
        return super().transform([" ".join(terms(text)) for text in texts])


@dataclass(eq=False)
class PassageSearch:
    """Search in passages by a vectorizer and an index of its vectors.

    `vectorizer` has fit(texts) and transform(texts), and queries(texts) if questions are
    transformed differently from passages.
    """

    vectorizer: Any = field(default_factory=bm25)
    index: Any = field(default_factory=SparseIndex)

    def fit(self, passages: Passages) -> PassageSearch:
        """Vectorize and index the passages."""
        self.passages = passages
        if len(passages):
            texts = passages.searchable()
            self.index.fit(self.vectorizer.fit(texts).transform(texts))
        return self

    def search(self, question: str, k: int = 10) -> tuple[np.ndarray, np.ndarray]:
        """The best passages (at most k,) and their scores, best first."""
        if not len(self.passages):
            return np.empty(0, np.int32), np.empty(0, np.float32)
        transform = getattr(self.vectorizer, "queries", self.vectorizer.transform)
        items, scores = self.index.search(transform([question]), k)
        kept = items[0] >= 0
        return items[0][kept], scores[0][kept]

    def articles(self, question: str, k: int = 5) -> np.ndarray:
        """The k best different articles, by their best passage: (at most k,) int32."""
        found = self.passages.article[self.search(question, 4 * k)[0]]
        _, first = np.unique(found, return_index=True)
        return found[np.sort(first)[:k]]
