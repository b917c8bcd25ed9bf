"""BM25 and the sparse index, compared with loops by hand and with a full product."""

import math
from collections import Counter

import numpy as np
import pytest
from scipy import sparse

from recsys.retrieval import load_index, save_index, top_k
from recsys.retrieval.keywords import Bm25, SparseIndex
from recsys.text import tokenize

TEXTS = ["Comet passes the moon", "A comet, a comet near Mars", "Team wins final", "x"]


def bm25_by_hand(query, text, texts, k1=1.2, b=0.75):
    split = [tokenize(t) for t in texts]
    average = sum(map(len, split)) / len(texts)
    counts, total = Counter(tokenize(text)), 0.0
    for word in tokenize(query):
        holding = sum(word in t for t in split)
        idf = math.log(1 + (len(texts) - holding + 0.5) / (holding + 0.5))
        f = counts[word]
        length = k1 * (1 - b + b * len(tokenize(text)) / average)
        total += idf * f * (k1 + 1) / (f + length) if f else 0.0
    return total


def scores(bm25, query, texts):
    return (bm25.queries([query]) @ bm25.transform(texts).T).toarray()[0]


@pytest.mark.parametrize("query", ["comet", "comet comet mars", "moon team", "unknown", ""])
@pytest.mark.parametrize("k1, b", [(1.2, 0.75), (2.0, 0.0), (0.5, 1.0)])
def test_bm25_is_the_formula(query, k1, b):
    by_hand = [bm25_by_hand(query, text, TEXTS, k1, b) for text in TEXTS]
    np.testing.assert_allclose(scores(Bm25(k1, b).fit(TEXTS), query, TEXTS), by_hand, rtol=1e-5)


def test_repetition_saturates_and_length_is_penalised():
    texts = ["comet", "comet comet", "comet moon star sun sky", "sun sky"]
    one, two, long, _ = scores(Bm25().fit(texts), "comet", texts)
    assert long < one < two < 2 * one


def test_words_are_those_of_the_given_tokenizer():
    bm25 = Bm25(tokenize=lambda text: list(text)).fit(["ab", "b"])
    assert bm25.column == {"a": 0, "b": 1}
    assert scores(bm25, "a", ["ab", "b"])[1] == 0


@pytest.mark.parametrize("texts", [[], ["", "x"]])
def test_texts_without_words_match_nothing(texts):
    bm25 = Bm25().fit(texts)
    assert bm25.transform(texts).shape == (len(texts), 0)
    found = SparseIndex().fit(bm25.transform(texts)).search(bm25.queries(["comet"]), 2)
    assert (found[0] == -1).all() and np.isneginf(found[1]).all()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: Bm25().fit("a text"), "texts must be a sequence of texts"),
        (lambda: Bm25().fit(["a", None]), "texts must all be str, got None in row 1"),
        (lambda: Bm25().queries(["a"]), "Bm25 must be fitted first"),
        (lambda: Bm25(k1=-1.0), "k1 must be finite and at least 0"),
        (lambda: Bm25(b=1.5), "b must be finite and at least 0 and at most 1"),
    ],
)
def test_invalid_texts_and_parameters_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.fixture
def vectors():
    table = sparse.random(60, 30, 0.1, "csr", np.float32, np.random.default_rng(0)).toarray()
    table[7] = table[3]
    return sparse.csr_matrix(table)


@pytest.fixture
def queries():
    return sparse.random(9, 30, 0.2, "csr", np.float32, np.random.default_rng(1))


def search_reference(vectors, queries, k, allowed):
    products = (queries @ vectors.T).toarray()
    products[products <= 0] = -np.inf
    products[:, ~allowed] = -np.inf
    return top_k(products, k)


def assert_same(found, expected):
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-5)


def test_search_equals_a_full_product(vectors, queries):
    index, all_items = SparseIndex().fit(vectors), np.ones(60, bool)
    some = np.arange(60) % 3 != 0
    assert_same(index.search(queries, 5), search_reference(vectors, queries, 5, all_items))
    assert_same(index.search(queries, 5, some), search_reference(vectors, queries, 5, some))
    nothing = index.search(queries, 5, np.zeros(60, bool))
    assert (nothing[0] == -1).all() and np.isneginf(nothing[1]).all()


def test_ties_go_to_the_lower_id_and_no_match_is_padding(vectors):
    items, found = SparseIndex().fit(vectors).search(vectors[[3]], 70)
    assert items[0, :2].tolist() == [3, 7] and found[0, 0] == found[0, 1]
    assert (items[0] == -1).any() and np.isneginf(found[0][items[0] == -1]).all()


def test_items_are_added_removed_and_saved(vectors, queries, tmp_path):
    left = ~np.isin(np.arange(60), [3, 50])
    index = SparseIndex().fit(vectors[:40]).remove([3]).add(vectors[40:]).remove([50])
    assert len(index) == 60
    expected = search_reference(vectors, queries, 60, left)
    assert_same(index.search(queries, 60), expected)
    save_index(index, tmp_path / "index")
    assert_same(load_index(tmp_path / "index").search(queries, 60), expected)
    with pytest.raises(ValueError, match="removed before, got 50"):
        load_index(tmp_path / "index").remove([50])


def test_invalid_vectors_and_queries_are_refused(vectors):
    index = SparseIndex().fit(vectors)
    with pytest.raises(ValueError, match="queries must have 30 columns"):
        index.search(np.ones((1, 4)), 1)
    with pytest.raises(ValueError, match="vectors must have 30 columns"):
        index.add(np.ones((1, 4)))
    with pytest.raises(ValueError, match="queries must be finite, got nan"):
        index.search(np.full((1, 30), np.nan), 1)
    with pytest.raises(ValueError, match="k must be at least 1"):
        index.search(vectors, 0)
    with pytest.raises(ValueError, match="allowed must be a mask of 60 bools"):
        index.search(vectors, 1, np.ones(4, bool))
    with pytest.raises(ValueError, match="must be fitted first"):
        SparseIndex().search(vectors, 1)


def test_a_search_sees_the_index_as_it_was_when_it_began(vectors, monkeypatch):
    import recsys.retrieval.keywords as module

    index, check = SparseIndex().fit(vectors), module.check_allowed

    def changing(*arguments):
        index.remove([3])
        return check(*arguments)

    monkeypatch.setattr(module, "check_allowed", changing)
    assert index.search(vectors[[3]], 2)[0].tolist() == [[3, 7]]
    monkeypatch.undo()
    assert index.search(vectors[[3]], 1)[0].tolist() == [[7]]
