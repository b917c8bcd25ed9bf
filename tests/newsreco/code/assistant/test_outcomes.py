"""Outcomes of answers, their table, and the intervals, by hand."""

import pytest

from newsreco.assistant import Assistant, Question
from newsreco.assistant.calibration import proportion
from newsreco.assistant.outcomes import (
    OUTCOMES,
    outcome,
    outcome_table,
    outcomes,
    rates,
    with_families,
)
from newsreco.assistant.passages import articles_from
from newsreco.cli import main
from newsreco.synthetic import write_sample

NEWS = [("Day one", "Tarn beat Zorby. Tarn sold Ada Reyes."), ("Day two", "Tarn beat Karstow.")]


def fact(source, line, answer="Tarn"):
    return Question("Who beat Zorby?", "fact", (source,), answer, (line,), "f")


def test_outcomes_by_hand():
    answer = Assistant(articles_from(NEWS)).ask("Who beat Zorby?")
    assert outcome(fact("N1", "Tarn beat Zorby."), answer) == "right"
    assert outcome(fact("N1", "Tarn beat Zorby.", "Ada | Tarn"), answer) == "right"
    assert outcome(fact("N1", "Tarn beat Zorby.", "Ada"), answer) == "wrong answer"
    assert outcome(fact("N1", "Tarn sold Ada Reyes."), answer) == "wrong answer"
    assert outcome(fact("N2", "Tarn beat Zorby."), answer) == "wrong article"
    assert outcome(Question("Who beat Zorby?", "never"), answer) == "wrong answer"
    silent = Assistant(articles_from(NEWS)).ask("Who beat Tarn?")
    assert outcome(fact("N1", "Tarn beat Zorby."), silent) == "abstained"


def test_table_and_rates_by_hand():
    trap, question = Question("t", "swapped"), fact("N1", "x")
    before = [(question, "right"), (question, "wrong article"), (trap, "wrong answer")]
    after = [(question, "right"), (question, "abstained"), (trap, "abstained")]
    table = outcome_table(before, after)
    assert list(table.columns) == list(OUTCOMES)
    assert table.loc[("answerable", "before")].tolist() == [1, 0, 1, 0]
    assert table.loc[("answerable", "after")].tolist() == [1, 1, 0, 0]
    assert table.loc[("swapped", "before")].tolist() == [0, 0, 0, 1]
    found = rates(after)
    assert found["fraction"].tolist() == [0.5, 0, 0, 0] and found["questions"].tolist() == [
        2,
        2,
        2,
        1,
    ]
    assert rates(before)["fraction"].tolist() == [0.5, 0.5, 0, 1]
    assert found["families"].tolist() == [1, 1, 1, 1]


def test_intervals_of_rates_are_over_families():
    trap = [Question(f"t{n}", "swapped", family=f"f{n % 4}") for n in range(400)]
    question = [(fact("N1", "x"), "right")]
    none = rates([*question, *((q, "abstained") for q in trap)]).loc["traps, answered"]
    assert (none["low"], none["high"]) == proportion(0, 4)[1:] and none["families"] == 4
    wrong = {"f0": "wrong answer"}  # all questions of one family
    some = rates([*question, *((q, wrong.get(q.family, "abstained")) for q in trap)])
    row = some.loc["traps, answered"]
    assert row["fraction"] == 0.25 and row["low"] == 0 and row["high"] >= 0.5


@pytest.mark.parametrize("n", [10, 100, 550])
def test_zero_of_n_has_the_exact_upper_bound(n):
    fraction, low, high = proportion(0, n)
    assert (fraction, low) == (0, 0)
    assert high == pytest.approx(1 - 0.025 ** (1 / n))  # (1 - p)^n = 0.025
    assert high < 3.7 / n


def test_families_come_first_among_the_articles(world):
    articles, questions = with_families(world.log.articles, "development", stories=2)
    assert articles.title[-1] == world.log.articles.title[-1]
    sources = {source for question in questions for source in question.sources}
    texts = dict(
        zip(articles.ids, (f"{t}\n{a}" for t, a in zip(articles.title, articles.abstract)))
    )
    for question in questions:
        assert all(any(line in texts[s] for s in question.sources) for line in question.lines)
    assert len(sources) == 2 * len({question.family for question in questions})


def test_command_prints_the_table(tmp_path, capsys):
    sizes = {"n_articles": 60, "n_impressions": 100, "n_users": 20}
    folder = str(write_sample(tmp_path / "sample", **sizes, progress=False))
    assert main(["ask", "--data", folder, "--evaluate", "--families", "development"]) == 0
    printed = capsys.readouterr().out
    assert "before" in printed and "wrong answer" in printed and "traps, answered" in printed
    command = ["ask", "--data", folder, "--evaluate", "--families", "development", "--json"]
    assert main(command) == 0
    assert '"answerable after"' in capsys.readouterr().out


def test_outcomes_ask_each_question():
    questions = [fact("N1", "Tarn beat Zorby."), Question("Who beat Tarn?", "swapped")]
    found = outcomes(Assistant(articles_from(NEWS)), questions)
    assert found == [(questions[0], "right"), (questions[1], "abstained")]
