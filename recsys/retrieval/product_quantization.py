r"""Product quantization: a vector in a few bytes (Jégou, Douze, Schmid 2011).

Cut a vector into M short pieces. For each position learn 256 typical pieces, the *codewords*, by
k-means. A piece is then stored as the number of its nearest codeword, in one byte, and the vector
as M bytes: one of 256^M vectors, of which only 256 M pieces are kept.

The inner product with a query is the sum of those of the pieces. Each of them is one of 256
numbers, which are computed once per query:

.. math:: q^\top v \approx \sum_{j=1}^M T_{j, b_j}, \qquad T_{j, w} = q_j^\top c_{j, w}

So a product with a compressed vector costs M look-ups and additions, whatever the dimension. Left
out: the rotation that spreads the variance over the pieces (OPQ, Ge et al. 2013), and codes of
fewer bits, whose tables fit into the registers of a processor.
"""

from __future__ import annotations

import numpy as np

from recsys import validation
from recsys.compiled import compiled
from recsys.retrieval.kmeans import assign, kmeans

CODEWORDS = 256  # one byte


class ProductQuantizer:
    """Codebooks, one per piece of a vector.

    Parameters
    ----------
    code_bytes : int
        Pieces M of a vector, of one byte each. If they do not divide the dimension, vectors are
        continued with zeros.
    iterations : int
        Of k-means.

    Attributes
    ----------
    codebooks : array (M, piece, 256) float32
        The codewords of each piece, coordinate by coordinate.

    Examples
    --------
    >>> vectors = np.array([[1.0, 5.0], [2.0, 5.0], [1.0, 7.0]])
    >>> quantizer = ProductQuantizer(code_bytes=2).fit(vectors, rng=0)
    >>> quantizer.decode(quantizer.encode(vectors))
    array([[1., 5.],
           [2., 5.],
           [1., 7.]], dtype=float32)
    """

    def __init__(self, code_bytes: int = 16, iterations: int = 10):
        self.code_bytes = validation.whole_number("code_bytes", code_bytes)
        self.iterations = validation.whole_number("iterations", iterations, low=0)

    def fit(self, vectors: np.ndarray, rng: int | np.random.Generator = 0) -> ProductQuantizer:
        """Learn the codebooks from vectors (n, d)."""
        vectors = validation.features("vectors", vectors)
        rng = validation.random_generator(rng)
        self.dimensions = vectors.shape[1]
        pieces = self._pieces(vectors)
        self.codebooks = np.zeros((self.code_bytes, pieces.shape[2], CODEWORDS), np.float32)
        for j, piece in enumerate(pieces):
            words = kmeans(piece, CODEWORDS, self.iterations, rng)
            self.codebooks[j, :, : len(words)] = words.T
        return self

    def encode(self, vectors: np.ndarray) -> np.ndarray:
        """The codes (n, M) uint8 of vectors (n, d)."""
        pieces = self._pieces(validation.features("vectors", vectors))
        codes = [assign(piece, words.T.copy())[0] for piece, words in zip(pieces, self.codebooks)]
        return np.stack(codes, axis=1).astype(np.uint8)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """The vectors (n, d) float32 that the codes (n, M) stand for."""
        pieces = [words[:, code].T for words, code in zip(self.codebooks, np.asarray(codes).T)]
        return np.hstack(pieces)[:, : self.dimensions]

    def _pieces(self, vectors: np.ndarray) -> np.ndarray:
        """Vectors (n, d) cut into M pieces: (M, n, piece)."""
        length = -(-vectors.shape[1] // self.code_bytes)
        padding = ((0, 0), (0, length * self.code_bytes - vectors.shape[1]))
        whole = np.pad(vectors, padding).reshape(len(vectors), self.code_bytes, length)
        return np.ascontiguousarray(whole.transpose(1, 0, 2))


@compiled
def fill_table(codebooks, query, table):
    """table[j, w] = inner product of piece j of the query with codeword w: (M, 256)."""
    table[:] = 0
    length = codebooks.shape[1]
    for j in range(len(codebooks)):
        for c in range(min(length, len(query) - j * length)):  # none in the padding
            weight = query[j * length + c]
            for w in range(CODEWORDS):
                table[j, w] += weight * codebooks[j, c, w]


@compiled
def add_entries(table, codes, products):
    """products[i] += sum_j table[j, codes[j, i]], for the codes (M, n) of n vectors."""
    rest = len(codes) % 4
    for j in range(0, len(codes) - rest, 4):  # four at a time write `products` once
        a, b, c, d = table[j], table[j + 1], table[j + 2], table[j + 3]
        at_a, at_b, at_c, at_d = codes[j], codes[j + 1], codes[j + 2], codes[j + 3]
        for i in range(len(products)):
            products[i] += (a[at_a[i]] + b[at_b[i]]) + (c[at_c[i]] + d[at_d[i]])
    for j in range(len(codes) - rest, len(codes)):
        for i in range(len(products)):
            products[i] += table[j, codes[j, i]]
