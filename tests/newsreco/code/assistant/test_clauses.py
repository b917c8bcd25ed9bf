"""Clauses and questions read by hand: roles, voice and mood."""

import pytest

from newsreco.assistant.asked import read_question
from newsreco.assistant.clauses import read_clauses
from newsreco.assistant.grammar import tokens
from newsreco.assistant.sentences import Sentence


def clause(text, verb, title=False):
    (found,) = (c for c in read_clauses(Sentence(tokens(text), title)) if verb in c.verbs)
    return found


def role(found, name):
    part = found.roles.get(name)
    return None if part is None else " ".join(part.heads[0]) if part.heads else part.noun


@pytest.mark.parametrize(
    ("text", "verb", "subject", "obj"),
    [
        ("Tarn beat Velmouth 2-1.", "beat", "tarn", "velmouth"),
        ("Velmouth was beaten by Tarn.", "beat", "tarn", "velmouth"),
        ("Velmouth beaten by Tarn", "beat", "tarn", "velmouth"),
        ("Tarn, the holders, beat Velmouth.", "beat", "tarn", "velmouth"),
        ("Zorby lost as Tarn beat Velmouth.", "beat", "tarn", "velmouth"),
        ("Zorby, who beat Velmouth, lost.", "beat", "zorby", "velmouth"),
        ("Zorby met Velmouth, whom Tarn beat.", "beat", "tarn", "velmouth"),
        ("Tarn signed Zorby and beat Velmouth.", "beat", "tarn", "velmouth"),
        ("The mayor, Ada Reyes, met Ben Oduya.", "meet", "ada reyes", "ben oduya"),
        ("Tarn knocked Velmouth out.", "knock out", "tarn", "velmouth"),
        ("Tarn won, beating Velmouth.", "beat", "tarn", "velmouth"),
        ("Zorby saw Tarn beat Velmouth.", "beat", "", "velmouth"),
    ],
)
def test_roles(text, verb, subject, obj):
    found = clause(text, verb)
    assert (role(found, "subject"), role(found, "object")) == (subject, obj)


@pytest.mark.parametrize(
    ("text", "mood"),
    [
        ("Tarn beat Velmouth.", "fact"),
        ("Tarn did not beat Velmouth.", "negated"),
        ("Nobody at Tarn beat Velmouth.", "negated"),
        ("Tarn will beat Velmouth.", "future"),
        ("Tarn to beat Velmouth", "future"),
        ("Tarn could beat Velmouth.", "possible"),
        ("Tarn hopes to beat Velmouth.", "possible"),
        ("Tarn managed to beat Velmouth.", "fact"),
        ("Zorby denied that Tarn beat Velmouth.", "possible"),
        ("Zorby said that Tarn beat Velmouth.", "fact"),
        ("Tarn reportedly beat Velmouth.", "possible"),
        ("Tarn did not sign Zorby but beat Velmouth.", "fact"),
    ],
)
def test_moods(text, mood):
    assert clause(text, "beat", title=text[-1] != ".").mood == mood


@pytest.mark.parametrize(
    ("question", "kind", "asked_role", "given"),
    [
        ("Who beat Tarn?", "who", "subject", {"object": "tarn"}),
        ("Whom did Tarn beat?", "who", "object", {"subject": "tarn"}),
        ("Who was beaten by Tarn?", "who", "object", {"subject": "tarn"}),
        ("By whom was Tarn beaten?", "who", "subject", {"object": "tarn"}),
        ("Who was Tarn beaten by?", "who", "subject", {"object": "tarn"}),
        ("Which club beat Tarn?", "who", "subject", {"object": "tarn"}),
        ("From which club did Tarn sign Ada Reyes?", "who", "from", {"object": "ada reyes"}),
        ("When did Tarn beat Zorby?", "time", "", {"subject": "tarn", "object": "zorby"}),
        ("How many goals did Tarn score?", "number", "object", {"subject": "tarn"}),
        ("How much did Tarn pay for Zorby?", "amount", "", {"subject": "tarn", "for": "zorby"}),
        ("Did Tarn beat Zorby?", "yes", "", {"subject": "tarn", "object": "zorby"}),
        ("Please tell me who beat Tarn", "who", "subject", {"object": "tarn"}),
        ("Tarn beat Zorby", "yes", "", {"subject": "tarn", "object": "zorby"}),
    ],
)
def test_questions(question, kind, asked_role, given):
    asked = read_question(question)
    assert (asked.kind, asked.role) == (kind, asked_role)
    assert {name: role(asked.clause, name) for name in given} == given


@pytest.mark.parametrize(
    ("question", "kind"),
    [("Tarn", "keywords"), ("league match goals", "keywords"), ("谁赢了比赛？", "unclear"),
     ("¿Quién ganó el partido?", "unclear"), ("Whose goal was it?", "unclear"), ("?", "keywords")],
)  # fmt: skip
def test_texts_that_are_no_question_in_english(question, kind):
    assert read_question(question).kind == kind


def test_a_complement_and_a_second_clause():
    assert role_of_complement("Who is the coach of Tarn?") == "coach"
    asked = read_question("Who scored when Tarn beat Zorby?")
    (second,) = asked.also
    assert (role(second, "subject"), role(second, "object")) == ("tarn", "zorby")


def role_of_complement(question):
    asked = read_question(question)
    assert asked.clause is None
    return asked.complement.noun
