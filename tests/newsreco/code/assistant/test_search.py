"""Search in passages: the words that count, the order of articles, and cleaned questions."""

import pytest

from newsreco.assistant.passages import cut_into_passages
from newsreco.assistant.search import Cosine, PassageSearch, bm25
from newsreco.assistant.words import clean_question, coverage, terms, weigh
from newsreco.features.embeddings import TfIdfEmbedder


def test_bm25_is_of_content_words():
    weights = bm25().fit(["The comets passed", "Who is the of and"])
    assert list(weights.column) == [*sorted(terms("comets passed"))]


def test_bm25_and_cosine_find_the_article(world):
    articles = world.log.articles
    passages = cut_into_passages(articles)
    wanted = next(i for i, text in enumerate(articles.abstract) if text)
    for weights in (bm25(), Cosine()):
        search = PassageSearch(weights).fit(passages)
        assert wanted in search.articles(articles.abstract[wanted], 3)


def test_dense_vectors_serve_through_the_same_interface(world):
    index = pytest.importorskip("recsys.retrieval.index")
    articles = world.log.articles
    search = PassageSearch(TfIdfEmbedder(dimensions=30), index.ExactIndex())
    search.fit(cut_into_passages(articles))
    wanted = next(i for i, text in enumerate(articles.abstract) if text)
    assert wanted in search.articles(articles.abstract[wanted], 3)


def test_articles_are_listed_once(world):
    search = PassageSearch().fit(cut_into_passages(world.log.articles, size=1, overlap=0))
    found = search.articles("league match goal minute", 5)
    assert len(found) == len(set(found.tolist())) == 5


@pytest.mark.parametrize("k", [1, 3, 50])
def test_articles_come_in_the_order_of_their_best_passages(world, k):
    passages = cut_into_passages(world.log.articles, size=1, overlap=0)
    search = PassageSearch().fit(passages)
    found, scores = search.search("league match goal minute", 4 * k)
    best = {}
    for article, score in zip(passages.article[found].tolist(), scores.tolist()):
        best.setdefault(article, score)
    assert list(best.values()) == sorted(best.values(), reverse=True)
    assert k == 1 or list(best) != sorted(best), "not the order of the ids"
    assert search.articles("league match goal minute", k).tolist() == list(best)[:k]


def test_a_question_is_cleaned():
    assert clean_question(" Who\x1b[31m won\x00 \n it?\u202e ") == "Who [31m won it?"
    assert clean_question("x" * 1000) == "x" * 1000


@pytest.mark.parametrize("bad", ["", "  \n", "\x00\x1b", "x" * 10_000, None, 3, b"bytes"])
def test_bad_questions(bad):
    with pytest.raises(ValueError, match="question must"):
        clean_question(bad)


def test_names_and_numbers_weigh_four_times():
    weights = weigh("Who fed the Tarn goats in 1999?")
    assert weights == pytest.approx({"fed": 0.1, "tarn": 0.4, "goat": 0.1, "1999": 0.4})
    assert coverage(weights, "A TARN goat") == pytest.approx(0.5)
    assert weigh("Tarn goats?") == pytest.approx({"tarn": 0.5, "goat": 0.5})
    assert weigh("Who is it?") == {} == weigh("?!")
    assert coverage({}, "anything") == 0
