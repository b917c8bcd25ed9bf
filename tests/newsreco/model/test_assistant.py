"""How good the assistant is on a log that no choice was made on, and which way it moves."""

import pytest

from newsreco.assistant import Assistant, make_questions
from newsreco.assistant.calibration import calibrate, evaluate_search, summary
from newsreco.assistant.passages import cut_into_passages
from newsreco.assistant.questions import split_questions
from newsreco.assistant.search import Cosine, PassageSearch
from newsreco.synthetic import make_synthetic_log


@pytest.fixture(scope="module")
def evaluation():
    made = make_synthetic_log(n_impressions=10, n_users=5, seed=77)
    return made.log.articles, make_questions(made, seed=77)


def test_quality(evaluation):
    articles, questions = evaluation
    choose, evaluated = split_questions(questions)
    assistant = Assistant(articles)
    assistant.threshold = calibrate(assistant, choose)
    mean = summary(assistant, evaluated)["mean"]
    assert mean["hit@5"] > 0.85 and mean["mrr@5"] > 0.7
    assert mean["answered, fact"] > 0.75
    assert mean["answered, elsewhere"] < 0.3 and mean["answered, unknown-name"] < 0.1
    assert mean["answered, never"] < mean["answered, fact"] - 0.2
    assert mean["source cited"] > 0.7 and mean["answer contained"] > 0.7


def test_bm25_ranks_sources_higher_than_the_cosine(evaluation):
    articles, questions = evaluation
    passages = cut_into_passages(articles)
    rank = [
        evaluate_search(PassageSearch(*weights).fit(passages), questions)["mrr@5"].mean()
        for weights in ((), (Cosine(),))
    ]
    assert rank[0] > rank[1] + 0.02


def test_unknown_words_in_the_question_lower_the_confidence(evaluation):
    articles, questions = evaluation
    assistant = Assistant(articles)
    for question in questions[:30]:
        before = assistant.ask(question.text).confidence
        assert assistant.ask(f"{question.text} Xylophone Quetzal?").confidence < before
