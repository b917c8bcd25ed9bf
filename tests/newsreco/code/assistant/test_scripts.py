"""Texts without spaces between words are found, and cut at their own full stops."""

import pytest

from newsreco.assistant import Assistant
from newsreco.assistant.passages import articles_from, sentence_spans
from newsreco.assistant.words import split_words, terms
from recsys.text import tokenize

NEWS = [
    ("東京で大雪", "東京で大雪が降った。電車は止まった。"),
    ("暴风雨袭击上海", "暴风雨袭击上海。学校停课！交通中断？"),
    ("ฝนตกหนักในกรุงเทพ", "ฝนตกหนักในกรุงเทพวันนี้"),
    ("Rain", "It rained all day in Karstow."),
]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("東京都", ["東京", "京都"]),
        ("東", ["東"]),
        ("Tarn 東京 won", ["tarn", "東京", "won"]),
        ("カタカナ", ["カタ", "タカ", "カナ"]),
        ("", []),
    ],
)
def test_pairs_of_characters(text, words):
    assert split_words(text) == words


@pytest.mark.parametrize(
    "text", ["Amélie (2001)", "Кто выиграл матч?", "서울에 비가 왔다", "x y zz"]
)
def test_separated_scripts_are_tokenized_as_before(text):
    assert split_words(text) == tokenize(text)


@pytest.mark.parametrize(
    ("question", "article"),
    [("大雪は？", "N1"), ("上海怎么了？", "N2"), ("กรุงเทพ", "N3"), ("電車", "N1")],
)
def test_the_article_is_found(question, article):
    answer = Assistant(articles_from(NEWS)).ask(question)
    assert answer.nearest[0][0] == article


def test_a_question_that_cannot_be_read_is_not_answered():
    answer = Assistant(articles_from(NEWS), threshold=0.1).ask("谁袭击上海？")
    assert not answer.answered and answer.reason.startswith("found N2, but it cannot be checked")


def test_search_words_are_answered_by_a_sentence():
    answer = Assistant(articles_from(NEWS)).ask("暴风雨袭击上海")
    assert answer.answered and answer.citations[0].quote == "暴风雨袭击上海。"


def test_sentences_end_at_their_own_full_stops():
    text = "暴风雨袭击上海。学校停课！「真的？」他问。"
    parts = [text[a:b] for a, b in sentence_spans(text)]
    assert parts == ["暴风雨袭击上海。", "学校停课！", "「真的？」", "他问。"]


def test_content_words_hold_no_stop_words():
    assert terms("the 東京都 goals") == ["東京", "京都", "goal"]
