r"""Text to vectors: labels such as "Comedy|Drama" to columns of 0 and 1, words to TF-IDF.

A word characterises a text if it is frequent there and rare in other texts (Spärck Jones 1972).
With :math:`f_{iw}` how often text i contains word w, N texts, and :math:`n_w` of them with w:

.. math:: v_{iw} \propto f_{iw} \Big( \ln \frac{1 + N}{1 + n_w} + 1 \Big)

and each vector is scaled to length 1, so that long texts do not outweigh short ones (Salton and
Buckley 1988). Left out: stemming, pairs of words, and the order of words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from scipy import sparse

from recsys import validation

WORD = re.compile(r"\w\w+")


def tokenize(text: str) -> list[str]:
    """The words of a text in lower case: runs of two or more letters, digits or underscores.

    >>> tokenize("Amélie (2001): a film d'amour")
    ['amélie', '2001', 'film', 'amour']
    """
    if not isinstance(text, str):
        raise ValueError(f"text must be a str, got {text!r}")
    return WORD.findall(text.lower())


@dataclass(eq=False)
class TfIdf:
    """TF-IDF vectors of texts.

    Parameters
    ----------
    min_df : int
        Words in fewer texts than this are left out.
    max_features : int or None
        Number of words to keep: the most frequent ones, ties in alphabetical order.
    stop_words : sequence of str
        Words to leave out, in lower case.

    Attributes after `fit`
    ----------------------
    vocabulary : list of str
        The words of the columns, sorted.
    idf : array (n_words,) float64
        Weight of each word, 1 for a word of every text.

    Examples
    --------
    >>> texts = ["A dog and a cat", "The dog", "The cat and the cat"]
    >>> vectors = TfIdf(stop_words=("and", "the")).fit(texts)
    >>> vectors.vocabulary
    ['cat', 'dog']
    >>> vectors.transform(["cat!", "a parrot"]).toarray()
    array([[1., 0.],
           [0., 0.]], dtype=float32)
    """

    min_df: int = 1
    max_features: int | None = None
    stop_words: Sequence[str] = ()

    def __post_init__(self) -> None:
        validation.whole_number("min_df", self.min_df)
        if self.max_features is not None:
            validation.whole_number("max_features", self.max_features)
        if isinstance(self.stop_words, str) or not np.iterable(self.stop_words):
            raise ValueError(f"stop_words must be a sequence of words, got {self.stop_words!r}")
        if not isinstance(self.stop_words, Collection):
            self.stop_words = tuple(self.stop_words)  # a generator can be read only once
        for word in self.stop_words:
            if not isinstance(word, str) or word != word.lower():
                raise ValueError(f"stop_words must be words in lower case, got {word!r}")

    def fit(self, texts: Sequence[str]) -> TfIdf:
        """Learn the words and their weights; ValueError if no word is left."""
        self._learn(_words(texts))
        return self

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """CSR matrix (n, n_words) float32, one row per text.

        A row has length 1, or is empty if the text has no word of the vocabulary.
        """
        if not hasattr(self, "vocabulary"):
            raise ValueError("TfIdf must be fitted first: call fit(texts)")
        return self._vectors(_words(texts))

    def fit_transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """`fit` and `transform` of the same texts."""
        words = _words(texts)
        self._learn(words)
        return self._vectors(words)

    def _learn(self, words: list[list[str]]) -> None:
        n_texts = Counter(chain.from_iterable(set(text) for text in words))
        stop = set(self.stop_words)
        kept = [w for w, n in n_texts.items() if n >= self.min_df and w not in stop]
        if not kept:
            raise ValueError(
                "texts must hold at least one word of two letters that stop_words and "
                f"min_df = {self.min_df} leave, got {len(words)} texts without any"
            )
        if self.max_features is not None:
            total = Counter(chain.from_iterable(words))
            kept = sorted(kept, key=lambda w: (-total[w], w))[: self.max_features]
        self.vocabulary = sorted(kept)
        document_frequency = np.array([n_texts[w] for w in self.vocabulary])
        self.idf = np.log((1 + len(words)) / (1 + document_frequency)) + 1

    def _vectors(self, words: list[list[str]]) -> sparse.csr_matrix:
        column = {word: c for c, word in enumerate(self.vocabulary)}
        columns = [[column[w] for w in text if w in column] for text in words]
        starts = np.cumsum([0, *map(len, columns)])
        flat = np.array(list(chain.from_iterable(columns)), np.int32)
        counts = sparse.csr_matrix(
            (np.ones(len(flat)), flat, starts), shape=(len(words), len(self.vocabulary))
        )
        counts.sum_duplicates()
        counts.data *= self.idf[counts.indices]
        return unit_rows(counts).astype(np.float32)


def _words(texts: Iterable[str]) -> list[list[str]]:
    """The words of each text."""
    return [tokenize(text) for text in validation.texts("texts", texts)]


def _rows(matrix: Any) -> Any:
    """An array or CSR matrix of finite floats; whole numbers become float64."""
    matrix = validation.matrix("matrix", matrix)
    if matrix.dtype.kind != "f":
        matrix = matrix.astype(np.float64)
    return validation.all_finite("matrix", matrix)


def row_lengths(matrix: Any) -> np.ndarray:
    """Euclidean length of each row of an array or sparse matrix: (n,) float64."""
    return _lengths(_rows(matrix))


def _lengths(matrix: Any) -> np.ndarray:
    if not sparse.issparse(matrix):
        return np.sqrt(np.einsum("nd,nd->n", matrix, matrix, dtype=np.float64))
    squares = matrix.data.astype(np.float64) ** 2  # float32 would underflow or overflow
    squares = sparse.csr_matrix((squares, matrix.indices, matrix.indptr), matrix.shape)
    return np.sqrt(np.asarray(squares.sum(axis=1)).ravel())


def unit_rows(matrix: Any) -> Any:
    """Rows of an array or sparse matrix scaled to length 1; rows of zeros stay.

    >>> unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    matrix = _rows(matrix)
    lengths = _lengths(matrix)
    lengths[lengths == 0] = 1
    if not sparse.issparse(matrix):
        return (matrix / lengths[:, None]).astype(matrix.dtype)
    data = (matrix.data / np.repeat(lengths, np.diff(matrix.indptr))).astype(matrix.dtype)
    return sparse.csr_matrix((data, matrix.indices, matrix.indptr), matrix.shape)


def multi_hot(labels: Sequence[str], separator: str = "|") -> tuple[sparse.csr_matrix, list[str]]:
    """One column per distinct label, one row per entry; 1 if the entry has the label.

    Parameters
    ----------
    labels : sequence of str
        Each entry holds labels separated by `separator`; an empty entry has none.

    Returns
    -------
    matrix : CSR matrix (n, n_labels) float32
    names : list of str
        The labels of the columns, in sorted order.

    >>> matrix, names = multi_hot(["Comedy|Drama", "Drama", ""])
    >>> names
    ['Comedy', 'Drama']
    >>> matrix.toarray()
    array([[1., 1.],
           [0., 1.],
           [0., 0.]], dtype=float32)
    """
    if not isinstance(separator, str) or not separator:
        raise ValueError(f"separator must be one character or more, got {separator!r}")
    labels = validation.texts("labels", labels)
    parts = [[part for part in entry.split(separator) if part] for entry in labels]
    rows = np.repeat(np.arange(len(parts)), [len(row) for row in parts])
    flat = np.array([part for row in parts for part in row], dtype=str)
    names, columns = np.unique(flat, return_inverse=True)
    matrix = sparse.csr_matrix(
        (np.ones(len(flat), np.float32), (rows, columns)), shape=(len(parts), len(names))
    )
    matrix.data[:] = 1
    return matrix, names.tolist()
