"""The type of answer that a question word asks for, and where the question's verb is.

Without a tagger the verb is found by what may stand around it: "did the jury acquit ...", "which
company acquired ...".
"""

from __future__ import annotations

from newsreco.assistant.grammar import Token, is_a, lemmas
from newsreco.assistant.sentences import AUXILIARY
from newsreco.assistant.verbs import base_verbs

WH = {"who", "whom", "whose", "which", "what", "when", "where", "why", "how"}
SIMPLE = {"who": "who", "whom": "who", "when": "time", "where": "place", "why": "reason"}
DEGREE = {"many": "number", "much": "amount", "long": "duration"}
NOUN_TYPES = {
    "who": ("organisation-noun", "human-noun"),
    "time": ("time-noun",),
    "place": ("place-noun",),
    "number": ("amount-noun",),
}
FOLLOWS_VERB = ("determiner", "preposition", "particle", "adverb", "pronoun", "negation")
NO_VERB = ("determiner", "preposition", "pronoun", "adverb", "clause")


def answer_type(wh: str, rest: list[Token]) -> tuple[str, str, list[Token]]:
    """(type of the answer, noun in question, words after it) for a question word and the rest.

    The type is "unclear" where it is not known.
    """
    if wh in SIMPLE:
        return SIMPLE[wh], "", rest
    if wh == "how":
        return _degree(rest)
    if wh == "whose" or not rest:
        return "unclear", "", rest
    if wh == "what" and (auxiliary(rest[0]) or verb_like(rest, 0)):
        return "thing", "", rest
    noun, rest = noun_until_verb(rest)
    kinds = (kind for kind, lists in NOUN_TYPES.items() if is_a(noun, *lists))
    return next(kinds, "thing"), noun, rest


def _degree(rest: list[Token]) -> tuple[str, str, list[Token]]:
    """How many nurses, how much money, how long, how old; how without any is the manner."""
    if not rest or auxiliary(rest[0]):
        return "manner", "", rest
    kind, noun, after = DEGREE.get(rest[0].low, "number"), "", rest[1:]
    if after and not auxiliary(after[0]) and rest[0].low in ("many", "much"):
        noun, after = noun_until_verb(after)
    if noun:
        kind = "amount" if noun == "money" else "number"
    return kind, noun, after


def noun_until_verb(rest: list[Token]) -> tuple[str, list[Token]]:
    """The last noun before the verb or a preposition, and the words from the verb on."""
    verbs = [i for i in range(1, len(rest)) if auxiliary(rest[i]) or verb_like(rest, i)]
    if not verbs:
        return rest[-1].low, []
    ends = [i for i in range(1, verbs[0]) if is_a(rest[i].low, "preposition")]
    return rest[(ends or verbs)[0] - 1].low, rest[verbs[0] :]


def auxiliary(token: Token) -> bool:
    """Whether a token is an auxiliary verb."""
    return is_a(token.low, *AUXILIARY)


def verb_like(rest: list[Token], i: int) -> bool:
    """Whether token i may be the verb, by its form and the word after it."""
    token, after = rest[i], rest[i + 1] if i + 1 < len(rest) else None
    if token.name or is_a(token.low, *NO_VERB):
        return False
    if token.low.endswith("ed") or after is None:
        return _known(token)
    fits = after.name or not after.text[:1].isalpha() or is_a(after.low, *FOLLOWS_VERB)
    return _known(token) and fits


def _known(token: Token) -> bool:
    return bool(lemmas(token.low) & base_verbs()) or token.low.endswith("ed")


def find_verb(rest: list[Token], i: int) -> int | None:
    """The verb after its subject, which begins at i: the first content word outside of it."""
    subject = after_preposition = False
    for j in range(i, len(rest)):
        token = rest[j]
        if token.name or token.text[:1].isdigit():
            subject, after_preposition = True, False
        elif is_a(token.low, "preposition"):
            after_preposition = True
        elif is_a(token.low, "pronoun"):
            subject = True
        elif is_a(token.low, "clause") and token.low != "and":
            return None
        elif _function_word(token):
            continue
        elif after_preposition or not subject:
            after_preposition, subject = False, True
        elif _ends_subject(rest, j):
            return j
    return None


def _function_word(token: Token) -> bool:
    kinds = ("determiner", "adverb", "negation", "clause", *AUXILIARY)
    return is_a(token.low, *kinds) or not token.text[:1].isalpha()


def _ends_subject(rest: list[Token], j: int) -> bool:
    """Whether token j, after a subject, is the verb and not one more noun of it."""
    before = rest[j - 1]
    if _known(rest[j]) or rest[j].low.endswith("ing") or (before.name and not before.possessive):
        return True
    return j + 1 == len(rest) or rest[j + 1].name or is_a(rest[j + 1].low, *FOLLOWS_VERB)
