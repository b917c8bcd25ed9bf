"""How good the assistant is on a log that no choice was made on, and which way it moves."""

import pytest

from newsreco.assistant import Assistant, make_questions
from newsreco.assistant.calibration import calibrate, evaluate_search, summary
from newsreco.assistant.outcomes import outcomes, rates, with_families
from newsreco.assistant.passages import cut_into_passages
from newsreco.assistant.questions import split_questions
from newsreco.assistant.search import Cosine, PassageSearch
from newsreco.synthetic import make_synthetic_log
from newsreco.synthetic.questions import UNANSWERABLE


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
    assert mean["answered, fact"] > 0.2
    assert not any(mean[f"answered, {kind}"] for kind in UNANSWERABLE)
    assert mean["source cited"] == mean["answer contained"] == 1


@pytest.fixture(scope="module")
def families(evaluation):
    articles, questions = with_families(evaluation[0])
    return [outcomes(Assistant(articles, check_roles=check), questions) for check in (False, True)]


def test_no_wrong_answer_on_families_that_no_rule_was_written_by(families):
    _, after = families
    assert len(after) >= 500 and len({question.family for question, _ in after}) >= 25
    found = rates(after)["fraction"]
    assert found["answerable, answered rightly"] >= 0.6
    assert found.drop("answerable, answered rightly").max() == 0


def test_words_alone_answer_most_traps(families):
    found = rates(families[0])["fraction"]
    assert found["answerable, answered rightly"] > 0.8 and found["traps, answered"] > 0.8


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
    found = [(q, assistant.ask(q.text).confidence) for q in questions if q.answerable]
    answered = [(question, before) for question, before in found if before > 0]
    assert len(answered) > 15
    for question, before in answered:
        assert assistant.ask(f"{question.text} Xylophone Quetzal?").confidence < before
