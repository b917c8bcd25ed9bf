"""The question set, its file, the threshold, and the command that prints the evaluation."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsreco.assistant import Assistant, load_questions, make_questions
from newsreco.assistant.calibration import (
    balanced_accuracy,
    balanced_threshold,
    calibrate,
    evaluate_answers,
    evaluate_search,
    summary,
    with_interval,
)
from newsreco.assistant.passages import articles_from
from newsreco.assistant.questions import add_letters, split_questions
from newsreco.cli import main
from newsreco.synthetic import Question, make_synthetic_log, write_sample
from newsreco.synthetic.questions import UNANSWERABLE, questions_about
from newsreco.synthetic.text import Story
from newsreco.synthetic.topics import NAMES, Sentence

SCORES = st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=2, max_size=20)


def test_threshold_by_hand():
    confidence = np.array([0.1, 0.3, 0.3, 0.8, 0.9, 0.2])
    answerable = np.array([0, 0, 1, 1, 1, 0], bool)
    assert balanced_accuracy(confidence, answerable, 0.25) == pytest.approx((1 + 2 / 3) / 2)
    assert balanced_accuracy(confidence, answerable, 0.85) == pytest.approx((1 / 3 + 1) / 2)
    assert balanced_threshold(confidence, answerable) == pytest.approx(0.55)  # not 0.25: a tie


def test_ties_go_to_the_higher_threshold():
    confidence, answerable = np.array([0.2, 0.4, 0.6, 0.8]), np.array([0, 1, 0, 1], bool)
    assert balanced_threshold(confidence, answerable) == pytest.approx(0.7)


def test_an_uninformative_confidence_abstains():
    assert balanced_threshold(np.full(4, 0.5), np.array([0, 1, 0, 1], bool)) > 0.5


@pytest.mark.parametrize("answerable", [[True, True], [False, False], []])
def test_both_kinds_of_questions_are_needed(answerable):
    with pytest.raises(ValueError, match="both kinds"):
        balanced_threshold(np.zeros(len(answerable)), np.array(answerable, bool))


@given(SCORES)
def test_no_other_threshold_has_higher_balanced_accuracy(rows):
    confidence = np.array([score / 8 for score, _ in rows])
    answerable = np.array([yes for _, yes in rows])
    if answerable.all() or not answerable.any():
        return
    found = balanced_threshold(confidence, answerable)
    best = balanced_accuracy(confidence, answerable, found)
    others = [balanced_accuracy(confidence, answerable, t) for t in np.linspace(0, 1.1, 45)]
    assert best >= max(others) - 1e-12


def test_questions_know_their_sources(world):
    articles = world.log.articles
    text = dict(zip(articles.ids, articles.abstract))
    questions = make_questions(world, n=30)
    facts = [question for question in questions if question.answerable]
    assert len(facts) == 30 and len(questions) >= 55
    for question in facts:
        assert all(question.answer in text[source] for source in question.sources)
    sources = [source for question in facts for source in question.sources]
    assert len(sources) == len(set(sources))
    assert len({question.text for question in questions}) == len(questions)


def test_questions_do_not_copy_the_news(world):
    articles, reworded = world.log.articles, []
    for question in make_questions(world):
        source = articles.ids.index(question.sources[0]) if question.answerable else None
        if source is not None:
            words = [w for w in question.text.lower().split() if w.isalpha() and len(w) > 3]
            reworded.append(any(w not in articles.abstract[source].lower() for w in words))
            assert question.answer not in question.text
    assert np.mean(reworded) > 0.6


def test_unanswerable_questions_have_no_source(world):
    questions = make_questions(world)
    asked = {question.text for question in make_questions(world, n=10_000) if question.sources}
    kinds = [question.kind for question in questions if not question.answerable]
    assert set(kinds) == set(UNANSWERABLE)
    assert not asked & {question.text for question in questions if not question.answerable}


def test_only_agreed_answers_are_asked_for():
    sentence = Sentence("{person} expects {sum}.", [("What does {person} expect?", "{sum}")])

    def story(person, amount):
        return Story(0, "Title", "Text.", {}, (sentence,), {"person": person, "sum": amount})

    stories = [story("Ada Reyes", "$1"), story("Ada Reyes", "$2")]
    stories += [story("Ben Oduya", "$3"), story("Ben Oduya", "$3")]
    (question, *others) = questions_about(["N1", "N2", "N3", "N4"], stories)
    assert question == Question("What does Ben Oduya expect?", "fact", ("N3", "N4"), "$3")
    assert not any(other.answerable for other in others)


def test_a_surname_whose_every_first_name_is_in_the_news_gives_no_namesake():
    sentence = Sentence("{person} expects {sum}.", [("What does {person} expect?", "{sum}")])

    def kinds(first_names):
        names = [f"{first} Reyes" for first in first_names]
        slots = [{"person": name, "sum": f"${n}"} for n, name in enumerate(names)]
        stories = [Story(0, s["person"], "Text.", {}, (sentence,), s) for s in slots]
        asked = questions_about([f"N{n}" for n in range(len(stories))], stories)
        return {question.kind for question in asked}

    assert "same-surname" in kinds(NAMES["first_name"][1:])
    assert "same-surname" not in kinds(NAMES["first_name"])


def test_questions_repeat_and_differ_by_seed(world):
    assert make_questions(world, seed=3) == make_questions(world, seed=3)
    assert make_questions(world, seed=3) != make_questions(world, seed=4)


def test_each_kind_is_split_into_halves(world):
    questions = make_questions(world)
    choose, evaluation = split_questions(questions, seed=1)
    assert not set(choose) & set(evaluation) and len(choose) + len(evaluation) == len(questions)
    for kind in ("fact", *UNANSWERABLE):
        sizes = [sum(q.kind == kind for q in half) for half in (choose, evaluation)]
        assert 0 <= sizes[0] - sizes[1] <= 1 and sizes[1] > 0


def test_metrics_by_hand():
    news = [("Tarn won", "Tarn beat Zorby 2-1."), ("Storm", "A storm hit Karstow on Monday.")]
    assistant = Assistant(articles_from(news), threshold=0.5)
    questions = [
        Question("Whom did Tarn beat?", "fact", ("N1",), "Zorby"),
        Question("When did a storm hit Karstow?", "fact", ("N2",), "Tuesday"),
        Question("What hit Karstow?", "fact", ("N1",), "won"),
        Question("How old is the moon?", "elsewhere"),
    ]
    answers = evaluate_answers(assistant, questions)
    assert answers["answered"].tolist() == [1, 1, 1, 0]
    np.testing.assert_array_equal(answers["cited"], [1, 1, 0, np.nan])
    np.testing.assert_array_equal(answers["correct"], [1, 0, 0, np.nan])
    found = evaluate_search(assistant.search, questions)
    assert found["hit@5"].tolist() == [1, 1, 0]
    table = summary(assistant, questions)
    assert table.loc["answered, fact", "mean"] == 1 and table.loc["hit@5", "questions"] == 3


def test_intervals_ignore_nan():
    mean, low, high = with_interval([0, 1, 1, np.nan, 0])
    assert mean == 0.5 and 0 <= low < 0.5 < high <= 1
    assert np.isnan(with_interval([np.nan])).all()


def test_calibration_separates(world):
    questions = make_questions(world)
    assistant = Assistant(world.log.articles)
    assistant.threshold = calibrate(assistant, questions)
    found = evaluate_answers(assistant, questions).groupby("kind")["answered"].mean()
    assert found["fact"] > 0.15 and found.drop("fact").max() == 0
    baseline = Assistant(world.log.articles, check_roles=False)
    baseline.threshold = calibrate(baseline, questions)
    found = evaluate_answers(baseline, questions).groupby("kind")["answered"].mean()
    assert found["fact"] > 0.6 and found["swapped"] > 0.6, "words alone do not see who did it"


def test_letters_ask_every_second_trap_and_answer_none(world):
    questions = make_questions(world)
    articles, quoted = add_letters(world.log.articles, questions)
    letters = [q for q in quoted if q.kind == "quoted"]
    assert len(quoted) == len(questions) and [q.text for q in quoted] == [q.text for q in questions]
    assert len(letters) == len(articles) - len(world.log.articles) > 5
    for question, title, abstract in zip(
        letters, articles.title[-len(letters) :], articles.abstract[-len(letters) :]
    ):
        assert question.text in title and question.text in abstract
    assistant = Assistant(articles, threshold=0.1)
    assert not any(assistant.ask(question.text).answered for question in letters)
    assert add_letters(world.log.articles, [])[1] == []


def test_swapped_questions_are_asked_of_no_story(world):
    questions = make_questions(world, n=200)
    facts = {q.text for q in make_questions(world, n=10_000) if q.answerable}
    swapped = [q for q in questions if q.kind == "swapped"]
    assert len(swapped) > 10 and not facts & {q.text for q in swapped}
    assert not any("result between" in q.text for q in swapped), "the same in both directions"


def test_questions_from_a_file(tmp_path):
    articles = articles_from([("A title", "Text.")])
    rows = [{"question": "Who?", "sources": ["N1"], "answer": "x"}, {"question": "Why?"}]
    path = tmp_path / "q.jsonl"
    rows += [{"question": "Where?", "kind": "never"}]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n\n", encoding="utf-8")
    who, why, where = load_questions(path, articles)
    assert who == Question("Who?", "fact", ("N1",), "x") and not why.answerable
    assert (why.kind, where.kind) == ("elsewhere", "never")


@pytest.mark.parametrize(
    "line",
    [
        "{cut",
        "[]",
        '"text"',
        "{}",
        "3",
        '{"question": 3}',
        '{"question": "Q", "sources": 3}',
        '{"question": "Q", "sources": "N1"}',
        '{"question": "Q", "sources": ["N9"]}',
        '{"question": "Q", "sources": ["N1"], "answer": 3}',
        '{"question": "Q", "sources": ["N1"], "kind": "never"}',
        '{"question": "Q", "kind": "fact"}',
        '{"question": "Q", "kind": "riddle"}',
    ],
)
def test_bad_lines_are_named(tmp_path, line):
    path = tmp_path / "q.jsonl"
    path.write_text('{"question": "Fine?"}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 2"):
        load_questions(path, articles_from([("A title", "Text.")]))


def test_a_folder_without_questions_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"has no questions\.jsonl.*file of your own questions"):
        load_questions(tmp_path, articles_from([("A title", "Text.")]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("sample")
    sizes = {"n_articles": 80, "n_impressions": 300, "n_users": 40}
    write_sample(path, **sizes, seed=2, progress=False)
    return str(path)


def test_a_sample_holds_the_questions_of_its_log(folder):
    made = make_synthetic_log(80, 300, 40, seed=2)
    assert load_questions(folder, made.log.articles) == make_questions(made, seed=2)


def test_ask(folder, capsys):
    assert main(["ask", "--data", folder, "--threshold", "0", "league match"]) == 0
    printed = capsys.readouterr().out
    assert "[1]" in printed and "confidence" in printed


def test_ask_as_json(folder, capsys):
    assert main(["ask", "--data", folder, "--json", "How deep is the sea?"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["answered"] is False and answer["citations"] == []


def test_ask_as_of_a_time(folder, capsys):
    question = ["ask", "--data", folder, "--json", "--threshold", "0", "league goal match"]
    assert main([*question, "--as-of", "1999-01-01T00:00Z"]) == 0
    assert json.loads(capsys.readouterr().out)["nearest"] == []
    assert main([*question, "--as-of", "2099-01-01T00:00+02:00"]) == 0
    assert json.loads(capsys.readouterr().out)["nearest"]


def test_evaluate(folder, capsys, tmp_path):
    assert main(["ask", "--data", folder, "--evaluate"]) == 0
    assert "hit@5" in capsys.readouterr().out
    assert main(["ask", "--data", folder, "--evaluate", "--json"]) == 0
    metrics = json.loads(capsys.readouterr().out)
    assert 0 <= metrics["threshold"] <= 1 and metrics["hit@5"]["mean"] > 0.5
    path = tmp_path / "q.jsonl"
    path.write_text('{"question": "Who?"}\n', encoding="utf-8")
    assert main(["ask", "--data", folder, "--evaluate", "--questions", str(path)]) == 2
    assert "both kinds" in capsys.readouterr().err


@pytest.mark.parametrize(
    "bad",
    [
        [],
        [""],
        ["\x00"],
        ["x" * 10_000],
        ["q", "--evaluate"],
        ["q", "--threshold", "2"],
        ["q", "--families", "evaluation"],
        ["--evaluate", "--families", "evaluation", "--questions", "q.jsonl"],
        ["--evaluate", "--families", "nowhere"],
        ["q", "--threshold", "nan"],
        ["q", "--as-of", "soon"],
        ["--evaluate", "--questions", "nowhere.jsonl"],
    ],
)
def test_bad_commands(folder, capsys, bad):
    assert main(["ask", "--data", folder, *bad]) == 2
    error = capsys.readouterr().err
    assert error.startswith("newsreco ask:") and error.count("\n") == 1 and len(error) < 300


def test_claude_without_a_key_still_answers(folder, capsys, monkeypatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    question = ["ask", "--data", folder, "--threshold", "0", "league match"]
    assert main(question) == 0
    plain = capsys.readouterr().out
    assert main([*question, "--claude"]) == 0
    assert capsys.readouterr().out == plain


def test_the_interval_of_a_fraction_is_exact_and_of_equal_values_empty():
    assert with_interval(np.zeros(10), fraction=True)[2] == pytest.approx(1 - 0.025**0.1)
    assert with_interval(np.ones(10), fraction=True)[1] == pytest.approx(0.025**0.1)
    assert with_interval(np.zeros(10)) == (0, 0, 0)
