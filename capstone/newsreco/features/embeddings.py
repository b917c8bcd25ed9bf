r"""Embedders: texts to vectors of a fixed width, so that texts on one subject lie close.

`TfIdfEmbedder`, the default, is latent semantic analysis (Deerwester et al. 1990). Each text is
a row of weighted words in a sparse matrix X, and the strongest patterns V of words that appear
together are the columns on which it is projected:

.. math:: v_i = \frac{V^\top x_i}{\|V^\top x_i\|}, \qquad X \approx U \Sigma V^\top

Two reports of one match then lie close though one says "striker" and the other "forward".
`SentenceEmbedder` is a pretrained sentence encoder (Reimers and Gurevych 2019). Rows have length
1, so an inner product is a cosine. Left out: word order, and any training on clicks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
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
    """What every embedder can do."""

    def fit(self, texts: Sequence[str]) -> Embedder:
        """Learn what there is to learn from the texts of a catalogue."""

    def transform(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors (n, d) float32 of length 1; zeros for a text of which nothing is known."""

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Parameters that JSON can hold, and arrays by name."""

    @classmethod
    def from_state(cls, parameters: dict, arrays: dict[str, np.ndarray]) -> Embedder:
        """The embedder that had this state."""


@dataclass(eq=False)
class TfIdfEmbedder:
    """Latent semantic analysis.

    Parameters
    ----------
    dimensions : int
        Width of the vectors. Where the texts have fewer patterns, the last columns are zero.
    max_features : int
        How many words to keep, the most frequent first.
    min_df : int
        Words in fewer texts than this are left out.
    rng : int
        Where the search for patterns starts; it changes the answer by rounding only.

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
        """Learn words, weights and patterns; ValueError where no word is left."""
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

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Parameters that JSON can hold, and arrays by name."""
        arrays = {
            "vocabulary": np.array(self.words.vocabulary),
            "idf": self.words.idf,
            "projection": self.projection,
        }
        return {"embedder": "tfidf", **asdict(self)}, arrays

    @classmethod
    def from_state(cls, parameters: dict, arrays: dict[str, np.ndarray]) -> TfIdfEmbedder:
        """The embedder that had this state."""
        embedder = cls(**{name: parameters[name] for name in asdict(cls())})
        words = TfIdf(embedder.min_df, embedder.max_features, STOP_WORDS)
        words.vocabulary, words.idf = arrays["vocabulary"].tolist(), arrays["idf"]
        embedder.words, embedder.projection = words, arrays["projection"]
        return embedder


@dataclass(eq=False)
class SentenceEmbedder:
    """A pretrained sentence encoder, for those who have installed `sentence-transformers`.

    Parameters
    ----------
    model : str
        Name of a model, or a folder that holds one.
    batch_size : int
        Texts encoded at once.
    """

    model: str = "all-MiniLM-L6-v2"
    batch_size: int = 64

    def fit(self, texts: Sequence[str]) -> SentenceEmbedder:
        """Nothing is learned from the texts; the encoder is loaded."""
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

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """The model's name; its weights stay where it is installed."""
        return {"embedder": "sentence", **asdict(self)}, {}

    @classmethod
    def from_state(cls, parameters: dict, arrays: dict[str, np.ndarray]) -> SentenceEmbedder:
        """The embedder that had this state; the encoder is loaded when it is first needed."""
        return cls(parameters["model"], parameters["batch_size"])


def _load_encoder(name: str) -> Any:
    """The encoder of that name; loading it takes seconds, so only who needs it pays."""
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        raise ValueError(
            "embedder 'sentence' needs the package sentence-transformers: install it, "
            "or take the embedder 'tfidf'"
        ) from None
    return SentenceTransformer(name, device="cpu")


EMBEDDERS = {"tfidf": TfIdfEmbedder, "sentence": SentenceEmbedder}


def make_embedder(name: str, **parameters: Any) -> Embedder:
    """A fresh embedder by the name that a command line or a setting gives."""
    if name not in EMBEDDERS:
        raise ValueError(f"embedder must be one of {sorted(EMBEDDERS)}, got {name!r}")
    return EMBEDDERS[name](**parameters)


def restore_embedder(parameters: dict, arrays: dict[str, np.ndarray]) -> Embedder:
    """The embedder whose `state()` this is."""
    return type(make_embedder(parameters["embedder"])).from_state(parameters, arrays)
