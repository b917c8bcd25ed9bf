"""What may be quoted, for any question and any text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsreco.assistant import Assistant
from newsreco.assistant.asked import QUESTION_MARKS, read_question
from newsreco.assistant.grammar import tokens
from newsreco.assistant.names import Names
from newsreco.assistant.passages import articles_from
from newsreco.assistant.roles import missing_name
from newsreco.assistant.sentences import Sentence

WORDS = (
    "Who whom did was is the coach of Tarn Velmouth Ada Reyes Ben Oduya beat beaten by sold bought "
    "from to and but who which , . ? ! ; : \" 's not will could that denied 3 $5 million Monday in "
    "at when how many much goals ' - ( ) 谁 é \x00 & de"
)
TEXTS = st.lists(st.sampled_from(WORDS.split(" ")), max_size=14).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(question=TEXTS.filter(str.strip), title=TEXTS, abstract=TEXTS)
def test_any_answer_is_no_question_and_holds_the_names(question, title, abstract):
    assistant = Assistant(articles_from([(title, abstract)]), threshold=0.1)
    try:
        answer = assistant.ask(question)
    except ValueError:
        return  # nothing printable in it
    assert answer.answered != bool(answer.reason)
    if answer.answered:
        (source,) = answer.citations
        assert not source.quote.rstrip(" \"'”)").endswith(tuple(QUESTION_MARKS))
        quoted, article = f"{source.quote} {title}".lower(), f"{title} {abstract}".lower()
        names = read_question(answer.question, assistant.reader.names.common).names
        assert all(word in article for name in names for word in name)
        assert all(any(word in quoted for word in name) for name in names)


@pytest.mark.parametrize(
    "quoted", ["Who beat Tarn?", '"Who beat Tarn?"', "Who beat Tarn? (Ada asks.)"]
)
def test_a_question_in_an_article_is_no_answer(quoted):
    news = [("Letters", f"Readers ask. {quoted} Write to us."), ("Rain", "It rained.")]
    answer = Assistant(articles_from(news), threshold=0.1).ask("Who beat Tarn?")
    assert not answer.answered


def test_support_is_that_of_the_quoted_words():
    news = [("Cup", "Tarn beat Velmouth. Ada Reyes watched the famous cup match in Karstow.")]
    answer = Assistant(articles_from(news)).ask("Who beat Velmouth?")
    assert (answer.citations[0].quote, answer.confidence) == ("Tarn beat Velmouth.", 1.0)
    missing = Assistant(articles_from(news)).ask("Who beat Velmouth in Karstow?")
    assert not missing.answered and "Karstow" in missing.reason


def test_a_title_gives_the_context_but_not_the_roles():
    news = [("Karstow Open", "Ada Reyes beat Ben Oduya."), ("Ian Moss", "Ada Reyes beat Tom Hale.")]
    assistant = Assistant(articles_from(news), threshold=0.3)
    assert assistant.ask("Who beat Ben Oduya at the Karstow Open?").answered
    assert not assistant.ask("Who beat Ian Moss?").answered


@pytest.mark.parametrize(
    ("question", "missing"),
    [("Who beat Ian Moss?", "Ian Moss"), ("Who beat Tom Hale with Ian Moss?", "Ian Moss"),
     ("Who beat Tom Hale in Ian Moss?", ""), ("Who beat Tom Hale?", "")],
)  # fmt: skip
def test_only_names_of_a_place_or_an_event_may_stand_in_the_title(question, missing):
    sentence, title = Sentence(tokens("Ada Reyes beat Tom Hale.")), Sentence(tokens("Ian Moss"))
    assert missing_name(read_question(question), sentence, title, Names()) == missing


def test_a_writer_may_not_name_another():
    class Writer:
        name = "stub"
        text = ""

        def write(self, question, passages):
            return self.text

    news = [("Cup", "Tarn beat Velmouth. Ada Reyes watched."), ("Zorby won", "Zorby beat Tarn.")]
    assistant = Assistant(articles_from(news), writer=Writer())
    for text, writer in (
        ("Tarn beat Velmouth [1].", "stub"),
        ("Ada Reyes beat Velmouth [1].", "extract"),
        ("Tarn did [2].", "extract"),
        ("Velmouth lost [2].", "extract"),
    ):
        assistant.writer.text = text
        answer = assistant.ask("Who beat Velmouth?")
        assert answer.writer == writer, text
    assistant.writer.text = "Velmouth beat Tarn [1]."
    assert assistant.ask("Who sold Tarn?").answered is False
