"""Tokens, names, verb forms and noun phrases, each by a small example."""

import pytest

from newsreco.assistant.grammar import is_a, lemmas, names_in, phrase, tokens
from newsreco.assistant.names import Names
from newsreco.assistant.verbs import base_verbs, frames, relations


def heads(text, common=()):
    return phrase(tokens(text, frozenset(common))).heads


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("She met Ada Reyes and Ben Oduya.", [("ada", "reyes"), ("ben", "oduya")]),
        ("Ada de Vries of O'Rourke & Co", [("ada", "de", "vries"), ("o'rourke", "&", "co")]),
        ("On Monday Ada Reyes left.", [("ada", "reyes")]),
        ("The rain in Karstow's harbour, St. Anne.", [("karstow",), ("st.", "anne")]),
        ("Tarn's Ada Reyes left.", [("tarn",), ("ada", "reyes")]),
        ("nobody here", []),
    ],
)  # fmt: skip
def test_names(text, names):
    assert names_in(tokens(text)) == names


def test_a_common_word_at_the_start_is_no_name():
    assert names_in(tokens("Gusts hit Karstow", frozenset({"gusts"}))) == [("karstow",)]
    assert names_in(tokens("Tarn hit Karstow", frozenset({"gusts"}))) == [("tarn",), ("karstow",)]


@pytest.mark.parametrize(
    ("form", "base"),
    [("bought", "buy"), ("stopped", "stop"), ("carries", "carry"), ("tried", "try"),
     ("making", "make"), ("beaten", "beat"), ("wins", "win"), ("closed", "close")],
)  # fmt: skip
def test_lemmas_hold_the_base_form(form, base):
    assert base in lemmas(form)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tarn striker Ada Reyes of Velmouth", (("ada", "reyes"),)),
        ("the brother of Ada Reyes", ()),
        ("Tarn reserves", ()),
        ("Ada Reyes's record", ()),
        ("Ada Reyes and Ben Oduya", (("ada", "reyes"), ("ben", "oduya"))),
        ("Tarn a week earlier", (("tarn",),)),
        ("Tarn 3-1", (("tarn",),)),
        ("Tarn twice", (("tarn",),)),
    ],
)
def test_the_head_of_a_phrase(text, expected):
    assert heads(text, {"the"}) == expected


def test_names_are_the_same_only_as_wholes():
    names = Names(["He met Ada Reyes, Ben Reyes and Ben Oduya."])
    assert names.same(("ada", "reyes"), ("ada", "reyes"))
    assert not names.same(("ada", "reyes"), ("ben", "reyes"))
    assert not names.same(("ada", "reyes"), ("ada", "moreno"))
    assert names.same(("oduya",), ("ben", "oduya"))
    assert not names.same(("reyes",), ("ada", "reyes")), "two have that surname"
    assert not names.same(("ben",), ("ben", "oduya")), "two have that first name"
    assert not names.same(("tom", "hale"), ("hale",)), "no article has the whole name"
    assert names.same(("ben", "oduya"), ("oduya",))


def test_a_noun_before_a_name_at_the_start_of_a_sentence_is_no_part_of_it():
    names = Names(["Burglar Ada Reyes was caught.", "He met Maria Ada Lopez."])
    assert names.same(("ada", "reyes"), ("burglar", "ada", "reyes"))
    assert not names.same(("ada", "lopez"), ("maria", "ada", "lopez"))
    assert not names.same(("tarn", "rovers"), ("tarn", "rovers", "ladies"))


def test_verbs_of_one_relation():
    assert "defeat" in {frame.relation for frame in relations(lemmas("beaten"))}
    (sold,) = (frame for frame in relations(lemmas("sold")) if frame.relation == "buy")
    assert sold.roles == {"subject": "from", "to": "subject"}
    assert {"beat", "buy", "overtake"} <= base_verbs() and "the" not in base_verbs()


def test_every_verb_of_a_line_is_listed_once_in_it():
    for verb, found in frames().items():
        assert len({(frame.relation, tuple(frame.roles)) for frame in found}) == len(found), verb


def test_classes():
    assert is_a("was", "be") and not is_a("was", "have", "do")
    assert is_a("monday", "calendar") and is_a("denied", "doubt")
