"""Families of stories: facts and traps that the stories agree with."""

import pytest

from newsreco.synthetic.families import make_families, read_families
from newsreco.synthetic.questions import KINDS


@pytest.fixture(params=["development", "evaluation"])
def name(request):
    return request.param


def test_sizes():
    _, questions = make_families("evaluation")
    assert len(questions) >= 500 and len({question.family for question in questions}) >= 25
    answerable = [question.answerable for question in questions]
    assert 0.4 < sum(answerable) / len(answerable) < 0.6


def test_every_family_has_facts_and_traps(name):
    for family in read_families(name)[1]:
        assert any(asked for _, asked in family.lines), family.name
        assert len(family.traps) >= 3 and {kind for kind, _ in family.traps} <= set(KINDS)
        assert not {q for _, q in family.traps} & {q for _, rows in family.lines for q, _ in rows}


def test_the_two_files_share_no_line():
    files = [read_families(name)[1] for name in ("development", "evaluation")]
    lines = [{line for family in found for line, _ in family.lines} for found in files]
    assert not lines[0] & lines[1]
    assert not {f.name for f in files[0]} & {f.name for f in files[1]}


def test_answers_are_in_the_lines_and_lines_in_the_sources(name):
    articles, questions = make_families(name, stories=3, seed=5)
    texts = {f"N{i}": f"{title}\n{abstract}" for i, (title, abstract) in enumerate(articles, 1)}
    for question in (q for q in questions if q.answerable):
        for line in question.lines:
            assert any(line in texts[source] for source in question.sources)
            parts = question.answer.split(" | ")
            assert any(part.lower() in line.lower() for part in parts), question


def test_traps_are_asked_once_and_have_no_answer(name):
    _, questions = make_families(name)
    texts = [question.text for question in questions]
    assert len(texts) == len(set(texts))
    assert not any(
        question.sources or question.answer for question in questions if question.kind != "fact"
    )


def test_a_namesake_is_in_no_article(name):
    articles, questions = make_families(name)
    news = "\n".join(f"{title} {abstract}" for title, abstract in articles)
    persons = [
        f"{first} {last}"
        for values in [read_families(name)[0]]
        for first in values["first_name"]
        for last in values["last_name"]
    ]
    for question in (q for q in questions if q.kind == "same-surname"):
        namesakes = [person for person in persons if person in question.text]
        assert any(person not in news for person in namesakes), question.text


def test_slots_are_all_filled_and_stories_repeat_by_seed(name):
    articles, questions = make_families(name, seed=1)
    assert not any("{" in text for article in articles for text in article)
    assert not any("{" in question.text for question in questions)
    assert (articles, questions) == make_families(name, seed=1)
    assert articles != make_families(name, seed=2)[0]
