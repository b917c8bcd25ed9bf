"""The templates of the synthetic news carry questions that fit their sentences."""

from newsreco.assistant.words import terms
from newsreco.synthetic import make_questions, make_synthetic_log
from newsreco.synthetic.questions import KINDS, SLOT
from newsreco.synthetic.topics import NAMES, TOPICS, read_lines

WORDS = [NAMES[key] for key in ("club", "firm", "place", "first_name", "last_name")]
ALL_NAMES = [name for names in WORDS for name in names]
SENTENCES = [s for topic in TOPICS for t in topic.templates for s in t.sentences]


def test_questions_use_the_slots_of_their_sentence():
    for sentence in SENTENCES:
        slots = set(SLOT.findall(sentence.text))
        for question, answer in sentence.questions:
            assert set(SLOT.findall(question)) < slots
            assert set(SLOT.findall(answer)) <= slots - set(SLOT.findall(question))
            assert question.endswith("?")


def test_every_question_is_asked_about_a_large_log():
    made = make_synthetic_log(n_articles=2000, n_impressions=10, n_users=5)
    used = {sentence.text for story in made.stories for sentence in story.sentences}
    assert used >= {sentence.text for sentence in SENTENCES if sentence.questions}


def test_abstracts_are_their_sentences_with_the_slots_filled_in():
    made = make_synthetic_log(n_impressions=10, n_users=5)
    for story, abstract in zip(made.stories, made.log.articles.abstract):
        filled = [sentence.text.format_map(story.slots) for sentence in story.sentences]
        assert " ".join(filled) == abstract


def test_unknown_names_share_no_word_with_known_names():
    known = set(terms(" ".join(ALL_NAMES)))
    unknown = {word for name in read_lines("unknown_names.txt") for word in terms(name)}
    assert unknown and not known & unknown


def test_questions_about_elsewhere_hold_no_known_name():
    questions = read_lines("elsewhere.txt")
    assert len(set(questions)) == len(questions) >= 34
    assert not any(name in question for name in ALL_NAMES for question in questions)


def test_a_default_log_gives_a_full_question_set():
    questions = make_questions(make_synthetic_log(n_impressions=10, n_users=5))
    kinds = [question.kind for question in questions]
    assert [kinds.count(kind) for kind in KINDS] == [100, 20, 20, 20, 20, 20, 0, 0, 0, 0]
