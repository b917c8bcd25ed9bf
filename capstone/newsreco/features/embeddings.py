r"""Embedders: texts to vectors of a fixed width, so that texts on similar subjects are close.

`TfIdfEmbedder`, the default, is latent semantic analysis (Deerwester et al. 1990). Each text is
a row of weighted words in a sparse matrix X, and the strongest patterns V of words that appear
together are the columns on which it is projected:

.. math:: v_i = \frac{V^\top x_i}{\|V^\top x_i\|}, \qquad X \approx U \Sigma V^\top

Two reports of one match are then close even if one says "striker" and the other "forward".
`SentenceEmbedder` is a pretrained sentence encoder (Reimers and Gurevych 2019). Rows have length
1, so an inner product is a cosine. Left out: word order, and any training on clicks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from recsys import validation
from recsys.models.svd import product, singular_vectors
from recsys.text import TfIdf, tokenize, unit_rows
from recsys.threads import one_blas_thread

TEXTS_AT_ONCE = 20_000

STOP_WORDS = tuple(
    tokenize(
        """
    about after again all also am an and any are as at be because been before being but by can
    could did do does doing down during each few for from had has have having he her here him
    his how if in into is it its just me more most my no nor not now of off on once only or
    other our out over own said same says she should so some such than that the their them then
    there these they this those through to too under until up very was we were what when where
    which while who whom why will with would you your
        """
    )
)


class Embedder(Protocol):
    """An embedder; a dataclass, whose fields are its parameters."""

    def fit(self, texts: Sequence[str]) -> Embedder:
        """Learn from the texts of a catalogue."""

    def transform(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors (n, d) float32 of length 1; zeros for a text without a known word."""

    def to_arrays(self) -> dict[str, np.ndarray]:
        """What was learned, by name."""

    @classmethod
    def from_arrays(cls, parameters: dict, arrays: dict[str, np.ndarray]) -> Embedder:
        """The embedder with these parameters that learned this."""


@dataclass(eq=False)
class TfIdfEmbedder:
    """Latent semantic analysis.

    Parameters
    ----------
    dimensions : int
        Width of the vectors. If the texts have fewer patterns, the last columns are zero.
    max_features : int
        Words kept, the most frequent first.
    min_df : int
        Words in fewer texts are left out.
    rng : int
        Seed of the randomised decomposition; it changes the result by rounding only.

    Attributes after `fit`
    ----------------------
    words : TfIdf
    projection : array (n_words, dimensions) float32
        The patterns V, the strongest first.
    """

    dimensions: int = 64
    max_features: int = 20_000
    min_df: int = 2
    rng: int = 0

    def __post_init__(self) -> None:
        for name in ("dimensions", "max_features", "min_df"):
            validation.whole_number(name, getattr(self, name))
        validation.whole_number("rng", self.rng, low=0)

    def fit(self, texts: Sequence[str]) -> TfIdfEmbedder:
        """Learn words, weights and patterns; ValueError if no word is left."""
        words = TfIdf(self.min_df, self.max_features, STOP_WORDS)
        rows = words.fit_transform(texts)  # (n, n_words)
        with one_blas_thread():  # the same bits on any number of threads
            _, V = singular_vectors(rows, self.dimensions, np.random.default_rng(self.rng))
        self.words, self.projection = words, np.ascontiguousarray(V, np.float32)
        return self

    def transform(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors (n, dimensions) float32; zeros for a text without a known word."""
        if not hasattr(self, "projection"):
            raise ValueError("TfIdfEmbedder must be fitted first: call fit(texts)")
        parts = [np.zeros((0, self.dimensions), np.float32)]
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            rows = self.words.transform(texts[start : start + TEXTS_AT_ONCE])
            parts.append(unit_rows(product(rows, self.projection)))
        return np.concatenate(parts)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Words, weights and patterns."""
        return {
            "vocabulary": np.array(self.words.vocabulary),
            "idf": self.words.idf,
            "projection": self.projection,
        }

    @classmethod
    def from_arrays(cls, parameters: dict, arrays: dict[str, np.ndarray]) -> TfIdfEmbedder:
        """The embedder with these parameters that learned this."""
        embedder = cls(**parameters)
        words = TfIdf(embedder.min_df, embedder.max_features, STOP_WORDS)
        words.vocabulary, words.idf = arrays["vocabulary"].tolist(), arrays["idf"]
        embedder.words, embedder.projection = words, arrays["projection"]
        return embedder


@dataclass(eq=False)
class SentenceEmbedder:
    """A pretrained sentence encoder; needs the package `sentence-transformers`.

    Parameters
    ----------
    model : str
        Name of a model, or its folder.
    batch_size : int
        Texts per batch.
    """

    model: str = "all-MiniLM-L6-v2"
    batch_size: int = 64

    def fit(self, texts: Sequence[str]) -> SentenceEmbedder:
        """Load the encoder; nothing is learned from the texts."""
        self._encoder = _load_encoder(self.model)
        return self

    def transform(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors (n, d) float32; zeros for an empty text."""
        if not hasattr(self, "_encoder"):
            self.fit(texts)
        vectors = self._encoder.encode(
            list(texts), batch_size=self.batch_size, show_progress_bar=False
        )
        vectors = unit_rows(np.asarray(vectors, np.float32))
        vectors[[not any(map(str.isalnum, text)) for text in texts]] = 0
        return vectors

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Nothing: the pretrained weights are not copied."""
        return {}

    @classmethod
    def from_arrays(cls, parameters: dict, arrays: dict[str, np.ndarray]) -> SentenceEmbedder:
        """The embedder with these parameters; the encoder is loaded on first use."""
        return cls(**parameters)


def _load_encoder(name: str) -> Any:
    """The encoder of that name; imported here because loading it takes seconds."""
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        raise ValueError(
            "embedder 'sentence' needs the package sentence-transformers: install it, "
            "or use the embedder 'tfidf'"
        ) from None
    return SentenceTransformer(name, device="cpu")


EMBEDDERS = {"tfidf": TfIdfEmbedder, "sentence": SentenceEmbedder}


def make_embedder(name: str, **parameters: Any) -> Embedder:
    """A new embedder by its name in EMBEDDERS."""
    if name not in EMBEDDERS:
        raise ValueError(f"embedder must be one of {sorted(EMBEDDERS)}, got {name!r}")
    return EMBEDDERS[name](**parameters)
