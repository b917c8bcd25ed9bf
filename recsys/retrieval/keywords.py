r"""Keyword search: texts ranked by the words of the query that they contain.

Okapi BM25 (Robertson and Zaragoza 2009). With :math:`f` the count of word w in text t,
:math:`|t|` its length in words, N texts, and :math:`n_w` of them with w:

.. math:: s(q, t) = \sum_{w \in q} \ln \Big(1 + \frac{N - n_w + 0.5}{n_w + 0.5} \Big)
          \frac{f (k_1 + 1)}{f + k_1 (1 - b + b\, |t| / \overline{|t|})}

The 1 in the logarithm, as in Lucene, keeps words of more than half of the texts from counting
negative. A second mention of a word adds less than the first, and longer texts are penalised. The
sum is an inner product of a sparse vector of weights and one of counts, so an inner-product index
can search it: `SparseIndex`. Left out: word order, spelling mistakes, and synonyms.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from recsys import validation
from recsys.retrieval.exact import top_k
from recsys.retrieval.index import check_allowed, removed_ids, without
from recsys.text import tokenize
from recsys.threads import on_snapshot


@dataclass(eq=False)
class Bm25:
    """Vectors of weights for texts and of counts for queries; their inner product is BM25.

    Parameters
    ----------
    k1 : float
        How slowly further mentions of a word saturate; 0 counts only whether it is there.
    b : float
        How much longer texts are penalised, from 0, not at all, to 1.
    tokenize : callable
        The words of a text, as a list of str.

    Attributes after `fit`
    ----------------------
    column : dict of str to int
    idf : array (n_words,) float64
    average : float
        Mean number of words in a text.

    Examples
    --------
    >>> bm25 = Bm25().fit(["red shoes", "red hat", "green hat"])
    >>> scores = bm25.queries(["green shoes"]) @ bm25.transform(["red shoes", "red hat"]).T
    >>> scores.toarray().round(2)
    array([[0.98, 0.  ]], dtype=float32)
    """

    k1: float = 1.2
    b: float = 0.75
    tokenize: Callable[[str], list[str]] = tokenize

    def __post_init__(self) -> None:
        validation.real_number("k1", self.k1)
        validation.real_number("b", self.b, high=1.0)

    def fit(self, texts: Sequence[str]) -> Bm25:
        """Learn the words of the texts, their idf, and the mean length."""
        words = [self.tokenize(text) for text in validation.texts("texts", texts)]
        containing = Counter(word for text in words for word in set(text))
        self.column = {word: c for c, word in enumerate(sorted(containing))}
        counts = np.array([containing[w] for w in self.column], np.float64)
        self.idf = inverse_document_frequency(counts, len(words))
        self.average = max(sum(map(len, words)) / max(len(words), 1), 1.0)
        return self

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """The weights of texts: CSR (n, n_words) float32."""
        counts = self.queries(texts).astype(np.float64)
        lengths = np.array([len(self.tokenize(text)) for text in texts])
        penalty = self.k1 * (1 - self.b + self.b * lengths / self.average)
        f = counts.data
        counts.data = f * (self.k1 + 1) / (f + np.repeat(penalty, np.diff(counts.indptr)))
        counts.data *= self.idf[counts.indices]
        return counts.astype(np.float32)

    def queries(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Counts of the known words in each query: CSR (m, n_words) float32."""
        if not hasattr(self, "column"):
            raise ValueError("Bm25 must be fitted first: call fit(texts)")
        column = self.column
        words = [self.tokenize(text) for text in validation.texts("texts", texts)]
        found = [[column[w] for w in text if w in column] for text in words]
        starts = np.cumsum([0, *map(len, found)])
        flat = np.array([c for row in found for c in row], np.int32)
        ones, shape = np.ones(len(flat), np.float32), (len(found), len(column))
        counts = sparse.csr_matrix((ones, flat, starts), shape=shape)
        counts.sum_duplicates()
        return counts


def inverse_document_frequency(containing: np.ndarray, n_texts: int) -> np.ndarray:
    """BM25's idf of words that `containing` of `n_texts` texts contain."""
    return np.log(1 + (n_texts - containing + 0.5) / (containing + 0.5))


class SparseIndex:
    """A `VectorIndex` of sparse vectors, as an inverted file: for each word, the texts with it.

    Only items that share a word with the query are returned: an inner product of 0 is no match.

    >>> texts = ["red shoes", "red hat", "green hat"]
    >>> bm25 = Bm25().fit(texts)
    >>> index = SparseIndex().fit(bm25.transform(texts))
    >>> index.search(bm25.queries(["red hat", "blue"]), k=3)[0]
    array([[ 1,  0,  2],
           [-1, -1, -1]], dtype=int32)
    """

    def fit(self, vectors: Any) -> SparseIndex:
        """Index the vectors (n, d) of items 0..n-1, replacing any earlier ones."""
        vectors = sparse.csr_matrix(validation.features("vectors", vectors))
        return self._hold(vectors, np.ones(vectors.shape[0], np.bool_))

    def add(self, vectors: Any) -> SparseIndex:
        """Add the vectors (m, d) of items n..n+m-1."""
        vectors = self._check("vectors", vectors)
        alive = np.append(self._alive, np.ones(vectors.shape[0], np.bool_))
        return self._hold(sparse.vstack([self.by_word.T, vectors], "csr"), alive)

    def remove(self, items: np.ndarray) -> SparseIndex:
        """Never return these items (m,) again; see `VectorIndex`."""
        return self._hold(self._fitted().T, without(self._alive, items))

    def _hold(self, vectors: Any, alive: np.ndarray) -> SparseIndex:
        """Take the vectors (n, d) and the mask (n,) of items not removed, in one step."""
        held = {"by_word": vectors.T.tocsr(), "_alive": alive}  # (d, n)
        self.__dict__ = self.__dict__ | held
        return self

    @on_snapshot
    def search(
        self, queries: Any, k: int, allowed: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The k best items (m, k) of each query (m, d), with scores: `VectorIndex`."""
        queries = self._check("queries", queries)
        k = validation.whole_number("k", k)
        allowed = check_allowed(allowed, len(self)) & self._alive
        items = np.full((queries.shape[0], k), -1, np.int32)
        scores = np.full((queries.shape[0], k), -np.inf, np.float32)
        for row in range(queries.shape[0]):  # one at a time: a dense row of all items each
            found = (queries[[row]] @ self.by_word).toarray()
            found[:, ~allowed] = -np.inf
            found[found <= 0] = -np.inf
            items[[row]], scores[[row]] = top_k(found, k)
        return items, scores

    def __len__(self) -> int:
        return self._fitted().shape[1]

    @on_snapshot
    def state(self) -> dict[str, np.ndarray]:
        """The vectors in CSR form, as `data`, `indices`, `indptr` and `shape`, and `removed`."""
        vectors = self._fitted().T.tocsr()
        parts = {name: getattr(vectors, name) for name in ("data", "indices", "indptr")}
        return parts | {"shape": np.array(vectors.shape), "removed": removed_ids(self._alive)}

    @classmethod
    def from_state(cls, arrays: dict[str, np.ndarray]) -> SparseIndex:
        """The index that had this state."""
        parts = arrays["data"], arrays["indices"], arrays["indptr"]
        vectors = sparse.csr_matrix(parts, shape=tuple(arrays["shape"]))
        return cls().fit(vectors).remove(arrays["removed"])

    def _check(self, name: str, vectors: Any) -> sparse.csr_matrix:
        dimensions = self._fitted().shape[0]
        vectors = sparse.csr_matrix(validation.features(name, vectors))
        if vectors.shape[1] != dimensions:
            raise ValueError(f"{name} must have {dimensions} columns, got shape {vectors.shape}")
        return vectors

    def _fitted(self) -> sparse.csr_matrix:
        if not hasattr(self, "by_word"):
            raise ValueError("SparseIndex must be fitted first: call fit(vectors)")
        return self.by_word
