"""Embedders: fixed width, unit length, the same vectors after saving and loading."""

import sys
import types
from dataclasses import asdict

import numpy as np
import pytest

from newsreco.features.embeddings import (
    SentenceEmbedder,
    TfIdfEmbedder,
    make_embedder,
)

TEXTS = [
    "The striker scored a late goal. The match ended with a goal by the striker.",
    "Late goal wins the match. The keeper could not stop the striker.",
    "The keeper saves the match.",
    "Parliament votes on the budget. The minister defends the budget.",
    "The minister of finance. The budget divides parliament.",
    "",
    "Zzyzx qwrtp",
]


def test_texts_on_one_subject_have_similar_vectors():
    vectors = TfIdfEmbedder(dimensions=2).fit(TEXTS).transform(TEXTS)
    cosine = vectors @ vectors.T
    assert cosine[:3, :3].min() > 0.8 and cosine[3:5, 3:5].min() > 0.8
    assert np.abs(cosine[:3, 3:5]).max() < 0.3


def test_words_with_common_neighbors_have_similar_vectors():
    texts = ["striker goal", "goal match", "match keeper", "tax budget", "budget minister"] * 2
    vectors = TfIdfEmbedder(dimensions=2).fit(texts).transform(["striker", "keeper", "minister"])
    np.testing.assert_allclose(vectors @ vectors.T, [[1, 1, 0], [1, 1, 0], [0, 0, 1]], atol=1e-5)


def test_rows_are_unit_or_zero_and_have_fixed_width():
    embedder = TfIdfEmbedder(dimensions=50).fit(TEXTS)
    vectors = embedder.transform(TEXTS)
    assert vectors.shape == (7, 50) and vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 1, 1, 1, 1, 0, 0], atol=1e-6)
    assert embedder.transform([]).shape == (0, 50)


def test_cosines_are_those_of_a_dense_decomposition():
    embedder = TfIdfEmbedder(dimensions=3).fit(TEXTS)
    words = embedder.words.transform(TEXTS).toarray().astype(float)
    _, _, Vt = np.linalg.svd(words, full_matrices=False)
    expected = words @ Vt[:3].T
    expected = expected[:5] / np.linalg.norm(expected[:5], axis=1, keepdims=True)
    vectors = embedder.transform(TEXTS[:5])
    np.testing.assert_allclose(vectors @ vectors.T, expected @ expected.T, atol=1e-5)


def test_stop_words_and_rare_words_are_left_out():
    words = TfIdfEmbedder(dimensions=2).fit(TEXTS).words.vocabulary
    assert "the" not in words and "finance" not in words and "budget" in words


def test_batches_do_not_change_a_vector(monkeypatch):
    embedder = TfIdfEmbedder(dimensions=4).fit(TEXTS)
    together = embedder.transform(TEXTS)
    alone = np.vstack([embedder.transform([text]) for text in TEXTS])
    np.testing.assert_array_equal(alone, together)
    monkeypatch.setattr("newsreco.features.embeddings.TEXTS_AT_ONCE", 2)
    np.testing.assert_array_equal(embedder.transform(TEXTS), together)


def test_embedder_survives_a_round_trip_without_pickle(tmp_path):
    embedder = TfIdfEmbedder(dimensions=4, min_df=1).fit(TEXTS)
    np.savez(tmp_path / "arrays.npz", **embedder.to_arrays())
    with np.load(tmp_path / "arrays.npz", allow_pickle=False) as file:
        again = TfIdfEmbedder.from_arrays(asdict(embedder), dict(file))
    assert again.min_df == 1
    np.testing.assert_array_equal(again.transform(TEXTS), embedder.transform(TEXTS))


def test_wrong_arguments_raise():
    with pytest.raises(ValueError, match=r"embedder must be one of .*, got 'word2vec'"):
        make_embedder("word2vec")
    with pytest.raises(ValueError, match="dimensions must be at least 1, got 0"):
        make_embedder("tfidf", dimensions=0)
    with pytest.raises(ValueError, match="must be fitted first"):
        TfIdfEmbedder().transform(TEXTS)
    with pytest.raises(ValueError, match="texts must hold at least one word"):
        TfIdfEmbedder().fit(["", "the"])


class StubEncoder:
    """Stands for SentenceTransformer: counts the spaces of a text."""

    def __init__(self, name, device):
        self.name = name

    def encode(self, texts, batch_size, show_progress_bar):
        return np.array([[3.0 + text.count(" "), 4.0] for text in texts])


@pytest.fixture
def stub(monkeypatch):
    module = types.SimpleNamespace(SentenceTransformer=StubEncoder)
    monkeypatch.setitem(sys.modules, "sentence_transformers", module)


def test_sentence_embedder_gives_unit_rows_and_zeros_for_empty_texts(stub):
    embedder = make_embedder("sentence", model="tiny").fit(TEXTS)
    vectors = embedder.transform(["word", ". ", ""])
    np.testing.assert_allclose(vectors, [[0.6, 0.8], [0, 0], [0, 0]], atol=1e-7)
    assert vectors.dtype == np.float32
    again = SentenceEmbedder.from_arrays(asdict(embedder), embedder.to_arrays())
    assert again.model == "tiny"
    np.testing.assert_array_equal(again.transform(["two words"]), embedder.transform(["two words"]))


def test_missing_package_is_named_in_the_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(ValueError, match="needs the package sentence-transformers"):
        SentenceEmbedder().fit(TEXTS)
