r"""Search: passages ranked by the question's content words that they hold.

Okapi BM25 (Robertson and Zaragoza 2009). With :math:`f` the count of word w in passage p,
:math:`|p|` its length in words, N passages, and :math:`n_w` of them with w:

.. math:: s(q, p) = \sum_{w \in q} \ln \Big(1 + \frac{N - n_w + 0.5}{n_w + 0.5} \Big)
          \frac{f (k_1 + 1)}{f + k_1 (1 - b + b\, |p| / \overline{|p|})}

A second mention of a word adds less than the first, and longer passages are penalised. The sum is
an inner product of a sparse vector of weights and one of counts, so any inner-product index can
search it: `SparseIndex`, or an index of dense vectors with an embedder. Left out: word order,
spelling mistakes, and synonyms.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from newsreco.assistant.passages import Passages
from newsreco.assistant.words import terms
from recsys import validation
from recsys.retrieval import top_k
from recsys.text import TfIdf


@dataclass(eq=False)
class Bm25:
    """Vectors of weights for passages and of counts for questions; their inner product is BM25.

    Attributes after `fit`
    ----------------------
    column : dict of str to int
    idf : array (n_words,) float64
    average : float
        Mean number of words in a passage.
    """

    k1: float = 1.2
    b: float = 0.75

    def fit(self, texts: Sequence[str]) -> Bm25:
        """Learn the words of the passages, their idf, and the mean length."""
        words = [terms(text) for text in texts]
        holding = Counter(word for text in words for word in set(text))
        self.column = {word: c for c, word in enumerate(sorted(holding))}
        self.n_texts = len(texts)
        counts = np.array([holding[w] for w in self.column], np.float64)
        self.idf = inverse_document_frequency(counts, len(texts))
        self.average = max(sum(map(len, words)) / max(len(texts), 1), 1.0)
        return self

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """The weights of passages: CSR (n, n_words) float32."""
        counts = self.queries(texts).astype(np.float64)
        lengths = np.array([len(terms(text)) for text in texts])
        penalty = self.k1 * (1 - self.b + self.b * lengths / self.average)
        f = counts.data
        counts.data = f * (self.k1 + 1) / (f + np.repeat(penalty, np.diff(counts.indptr)))
        counts.data *= self.idf[counts.indices]
        return counts.astype(np.float32)

    def queries(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Counts of the known words in each question: CSR (m, n_words) float32."""
        column = self.column
        found = [[column[w] for w in terms(text) if w in column] for text in texts]
        starts = np.cumsum([0, *map(len, found)])
        flat = np.array([c for row in found for c in row], np.int32)
        ones, shape = np.ones(len(flat), np.float32), (len(texts), len(column))
        counts = sparse.csr_matrix((ones, flat, starts), shape=shape)
        counts.sum_duplicates()
        return counts


def inverse_document_frequency(holding: np.ndarray, n_texts: int) -> np.ndarray:
    """BM25's idf of words that `holding` of `n_texts` texts contain."""
    return np.log(1 + (n_texts - holding + 0.5) / (holding + 0.5))


class Cosine(TfIdf):
    """TF-IDF vectors of the same words, whose inner product is the cosine similarity."""

    def fit(self, texts: Sequence[str]) -> Cosine:
        """Learn words and weights."""
        return super().fit([" ".join(terms(text)) for text in texts])

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """CSR matrix (n, n_words) float32."""
        return super().transform([" ".join(terms(text)) for text in texts])


class SparseIndex:
    """An index of sparse vectors, with the interface of `recsys.retrieval.index.VectorIndex`.

    Only passages that share a word with the query are returned: an inner product of 0 is no match.
    """

    def fit(self, vectors: sparse.csr_matrix) -> SparseIndex:
        """Index the vectors (n, d), replacing earlier ones."""
        self.by_word = sparse.csr_matrix(vectors).T.tocsr()  # (d, n)
        return self

    def add(self, vectors: sparse.csr_matrix) -> SparseIndex:
        """Index more vectors (m, d)."""
        return self.fit(sparse.vstack([self.by_word.T, vectors]))

    def search(
        self, queries: Any, k: int, allowed: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The k best items (m, k) int32 of each query (m, d) and their scores, float32."""
        validation.whole_number("k", k)
        items = np.full((queries.shape[0], k), -1, np.int32)
        scores = np.full((queries.shape[0], k), -np.inf, np.float32)
        for row in range(queries.shape[0]):  # one at a time: a dense row of all items each
            found = (queries[[row]] @ self.by_word).toarray()
            found[found <= 0] = -np.inf
            if allowed is not None:
                found[:, ~allowed] = -np.inf
            items[[row]], scores[[row]] = top_k(found, k)
        return items, scores

    def __len__(self) -> int:
        return self.by_word.shape[1]


@dataclass(eq=False)
class PassageSearch:
    """Search in passages by a vectorizer and an index of its vectors.

    `vectorizer` has fit(texts) and transform(texts), and queries(texts) if questions are
    transformed differently from passages.
    """

    vectorizer: Any = field(default_factory=Bm25)
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
