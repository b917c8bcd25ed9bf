"""The patterns that questions are made from are those that the news is written from."""

from newsreco.assistant.facts import SLOT, make_questions, read_patterns
from newsreco.assistant.passages import sentence_spans
from newsreco.assistant.patterns import ELSEWHERE, STRANGERS
from newsreco.assistant.words import terms
from newsreco.synthetic import make_synthetic_log
from newsreco.synthetic import text as words
from newsreco.synthetic.topics import TOPICS

NAMES = [*words.CLUB_NAMES, *words.FIRM_NAMES, *words.PLACE_NAMES]
NAMES += [*words.FIRST_NAMES, *words.LAST_NAMES]


def test_every_pattern_is_a_sentence_of_the_news():
    sentences = {s for topic in TOPICS for kind in topic.kinds for s in kind.sentences}
    for pattern in read_patterns():
        assert pattern.sentence in sentences


def test_questions_use_the_slots_of_their_sentence():
    for pattern in read_patterns():
        slots = set(SLOT.findall(pattern.sentence))
        for question, answer in pattern.asked:
            assert set(SLOT.findall(question)) < slots
            assert set(SLOT.findall(answer)) <= slots - set(SLOT.findall(question))
            assert question.endswith("?")


def test_every_pattern_is_found_in_a_large_world():
    articles = make_synthetic_log(n_articles=2000, n_impressions=10, n_users=5).log.articles
    found = set()
    for abstract in articles.abstract:
        for start, end in sentence_spans(abstract):
            matches = [p for p in read_patterns() if p.match(abstract[start:end])]
            assert len(matches) <= 1
            found |= {p.sentence for p in matches}
    assert found == {pattern.sentence for pattern in read_patterns()}


def test_strangers_are_strange():
    known = set(terms(" ".join(NAMES)))
    assert not known & {word for name in STRANGERS for word in terms(name)}


def test_elsewhere_is_elsewhere():
    assert len(set(ELSEWHERE)) == len(ELSEWHERE) >= 34
    assert not any(name in question for name in NAMES for question in ELSEWHERE)


def test_a_default_world_gives_a_full_set():
    questions = make_questions(make_synthetic_log(n_impressions=10, n_users=5).log.articles)
    kinds = [question.kind for question in questions]
    assert [kinds.count(k) for k in ("fact", "elsewhere", "stranger", "never")] == [100, 34, 33, 33]
