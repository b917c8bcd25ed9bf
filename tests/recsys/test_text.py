"""Text: agreement with scikit-learn's TfidfVectorizer."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from recsys.text import TfIdf, multi_hot, row_lengths, tokenize, unit_rows

TEXTS = [
    "The river rises in the north, and the north is cold.",
    "A cold harbour; a warm inn! Nobody leaves the inn before noon.",
    "Über den Fluss: das Wetter in Zürich bleibt kalt (2001)",
    "река, город и река",
    "NOON noon No-on x_y 3D 7",
    "- ? 7 x",
    "",
]


def same(ours, theirs):
    """Equal to 1e-6, and with the same cells filled."""
    assert ours.dtype == np.float32 and ours.shape == theirs.shape
    assert ((ours != 0) != (theirs != 0)).nnz == 0
    np.testing.assert_allclose(ours.toarray(), theirs.toarray(), rtol=0, atol=1e-6)


def test_tokens_are_lower_case_words_of_two_letters_or_more():
    assert tokenize("It's ÉTÉ_2024: 3-D, x!") == ["it", "été_2024"]
    assert tokenize("Straße, ΝΗΣΟΣ") == ["straße", "νησος"]
    assert tokenize("東京 タワー") == ["東京", "タワー"]
    assert tokenize("") == tokenize("a b, 1") == []


def test_tf_idf_by_hand():
    """Two texts; "cat" is in both, "dog" in one: idf ln(3/3) + 1 and ln(3/2) + 1."""
    model = TfIdf().fit(["cat dog", "cat"])
    assert model.vocabulary == ["cat", "dog"]
    np.testing.assert_allclose(model.idf, [1, np.log(1.5) + 1])
    row = model.transform(["dog cat dog"]).toarray()[0]
    raw = np.array([1, 2 * (np.log(1.5) + 1)])
    np.testing.assert_allclose(row, raw / np.sqrt(raw @ raw), rtol=1e-6)


def test_agreement_with_scikit_learn():
    ours, theirs = TfIdf(), TfidfVectorizer()
    same(ours.fit_transform(TEXTS), theirs.fit_transform(TEXTS))
    assert ours.vocabulary == theirs.get_feature_names_out().tolist()
    np.testing.assert_allclose(ours.idf, theirs.idf_)
    new = ["Cold noon, unknown word", "", "the the the inn"]
    same(ours.transform(new), theirs.transform(new))


@given(
    texts=st.lists(
        st.text(max_size=30) | st.text("abAB é١_-", max_size=30), min_size=1, max_size=8
    ),
    min_df=st.integers(1, 3),
    stop_words=st.lists(st.sampled_from(["aa", "ab", "ba", "abab"])),
)
def test_agreement_with_scikit_learn_on_any_text(texts, min_df, stop_words):
    ours = TfIdf(min_df=min_df, stop_words=stop_words)
    theirs = TfidfVectorizer(min_df=min_df, stop_words=stop_words or None)
    try:
        expected = theirs.fit_transform(texts)
    except ValueError:  # an empty vocabulary, or fewer texts than min_df
        with pytest.raises(ValueError, match="^texts must hold at least one word"):
            ours.fit(texts)
        return
    same(ours.fit_transform(texts), expected)
    assert ours.vocabulary == theirs.get_feature_names_out().tolist()


def test_fit_then_transform_equals_fit_transform():
    both = TfIdf().fit_transform(TEXTS)
    apart = TfIdf().fit(TEXTS).transform(TEXTS)
    assert both.toarray().tobytes() == apart.toarray().tobytes()


def test_text_without_words_is_a_zero_row():
    vectors = TfIdf().fit_transform(TEXTS)
    assert isinstance(vectors, sparse.csr_matrix)
    assert vectors.getnnz(axis=1)[-2:].tolist() == [0, 0]
    np.testing.assert_allclose(row_lengths(vectors), [1, 1, 1, 1, 1, 0, 0], rtol=1e-6)


def test_max_features_keeps_the_most_frequent_words():
    texts = ["noon noon inn", "noon cold", "inn cold river"]
    assert TfIdf(max_features=2).fit(texts).vocabulary == ["cold", "noon"]  # cold ties with inn
    assert TfIdf(max_features=9).fit(texts).vocabulary == ["cold", "inn", "noon", "river"]
    assert TfIdf(min_df=2).fit(texts).vocabulary == ["cold", "inn", "noon"]
    assert TfIdf(stop_words=("inn", "none")).fit(texts).vocabulary == ["cold", "noon", "river"]


@pytest.mark.parametrize("texts, parameters", [(["", "?"], {}), ([], {}), (["inn"], {"min_df": 2})])
def test_empty_vocabulary_is_refused(texts, parameters):
    model = TfIdf(**parameters)
    with pytest.raises(ValueError, match="^texts must hold at least one word .* got"):
        model.fit(texts)
    with pytest.raises(ValueError, match="^TfIdf must be fitted first"):
        model.transform(["noon"])


def test_invalid_texts_are_refused():
    for texts in ("one text", 5, None):
        with pytest.raises(ValueError, match=f"^texts must be a sequence of texts, got {texts!r}"):
            TfIdf().fit(texts)
    with pytest.raises(ValueError, match="^texts must all be str, got nan in row 1"):
        TfIdf().fit(["noon", np.nan])
    with pytest.raises(ValueError, match="^stop_words must be a sequence of words, got 'the'"):
        TfIdf(stop_words="the")
    for name, value in [("min_df", 0), ("min_df", 0.5), ("max_features", 0)]:
        with pytest.raises(ValueError, match=f"^{name} must .* got {value!r}"):
            TfIdf(**{name: value})


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_unit_rows_of_small_and_large_numbers(kind):
    """Squares of these leave the range of float32."""
    matrix = kind(np.array([[3e-30, 4e-30], [3e30, -4e30], [0, 0]], np.float32))
    rows = unit_rows(matrix)
    assert rows.dtype == np.float32
    rows = rows.toarray() if sparse.issparse(rows) else rows
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0.6, -0.8], [0, 0]], rtol=1e-6)


def test_multi_hot_splits_sorts_and_deduplicates_labels():
    matrix, names = multi_hot(["b, a", "", "a, a", "c"], separator=", ")
    assert names == ["a", "b", "c"]
    assert matrix.toarray().tolist() == [[1, 1, 0], [0, 0, 0], [1, 0, 0], [0, 0, 1]]


def test_stop_words_may_come_from_a_generator():
    vectors = TfIdf(stop_words=(word for word in ("the", "and"))).fit(["the dog and the cat"])
    assert vectors.vocabulary == ["cat", "dog"]
    assert vectors.fit(["the end"]).vocabulary == ["end"]  # and again


@pytest.mark.parametrize(
    "texts, found",
    [
        (pd.DataFrame({"title": ["a dog"]}), "DataFrame"),
        (pl.DataFrame({"title": ["a dog"]}), "DataFrame"),
        ({"title": "a dog"}, "dict"),
        (np.array([["a dog"]]), "ndarray"),
    ],
)
def test_a_table_is_no_sequence_of_texts(texts, found):
    for read in (TfIdf().fit, TfIdf().fit_transform, multi_hot):
        with pytest.raises(ValueError, match=f"must be a sequence of texts, got {found}$"):
            read(texts)
    assert TfIdf().fit(pd.Series(["a dog"])).vocabulary == ["dog"]
