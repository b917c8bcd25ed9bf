"""Who did what to whom: sentences that do and do not answer a question, one construction each."""

from pathlib import Path

import pytest

from newsreco.assistant import Assistant
from newsreco.assistant.passages import articles_from

LINES = (Path(__file__).parent / "role_cases.txt").read_text(encoding="utf-8").splitlines()


def cases():
    """(title, abstract, question, whether it is answered) of each line of the file."""
    for line in LINES:
        mark, text = line[0], line[2:]
        if mark == ".":
            article = ("News of the day", text)
        elif mark == "-":
            article = (text, "It was on Sunday morning.")
        elif mark != "#":
            yield *article, text, mark == "+"


@pytest.mark.parametrize(("title", "abstract", "question", "answered"), list(cases()))
def test_roles(title, abstract, question, answered):
    news = [(title, abstract), ("Rain in Zorby", "It rained.")]
    answer = Assistant(articles_from(news), threshold=0.5).ask(question)
    assert answer.answered == answered, answer.reason
    if answered:
        assert answer.citations[0].article == "N1"


def test_the_cases_hold_both_kinds():
    answered = [row[3] for row in cases()]
    assert len(answered) > 250 and 0.3 < sum(answered) / len(answered) < 0.7
