"""What may be quoted, for any question and any text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsreco.assistant import Assistant
from newsreco.assistant.asked import QUESTION_MARKS, read_question
from newsreco.assistant.passages import articles_from

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
    answer = assistant.ask("Who beat Ian Moss?")
    assert not answer.answered and answer.reason.endswith("but it does not name Ian Moss")


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
    ):
        assistant.writer.text = text
        answer = assistant.ask("Who beat Velmouth?")
        assert answer.writer == writer, text
    assistant.writer.text = "Velmouth beat Tarn [1]."
    assert assistant.ask("Who sold Tarn?").answered is False
