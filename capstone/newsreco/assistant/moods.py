"""Moods: whether a sentence says something as a fact, or denies, doubts, hopes or foretells it."""

from __future__ import annotations

from newsreco.assistant.grammar import is_a
from newsreco.assistant.sentences import STRONG, Sentence

LINKS = {"that", "if", "whether", "unless", "of", "who", "what"}


def mood_of(sentence: Sentence, first: int, v: int) -> str:
    """ "fact", "future", "possible" or "negated", for the verb at v whose group begins at first."""
    group = [sentence.low(i) for i in range(first, v)]
    if any(is_a(word, "negation") for word in group) or _negated_subject(sentence, first):
        return "negated"
    if sentence.low(first - 1) == "to" and not sentence.is_(first - 2, "factual-infinitive"):
        named = first >= 2 and sentence.tokens[first - 2].name
        return "future" if named and sentence.title and first == v else "possible"
    if any(is_a(word, "possible", "doubt") for word in group) or _doubted(sentence, first):
        return "possible"
    return "future" if any(is_a(word, "future") for word in group) else "fact"


def _negated_subject(sentence: Sentence, first: int) -> bool:
    """Nobody, no team, never, without: in the clause before the verb."""
    i = first - 1
    while i >= 0 and not sentence.boundary(i):
        if sentence.is_(i, "negation"):
            return True
        i -= 1
    return False


def _doubted(sentence: Sentence, first: int) -> bool:
    """Whether a word of doubt governs the verb: "denied that", "according to", "if"."""
    i = first - 1
    while i >= 0 and sentence.low(i) not in STRONG and sentence.low(i) != "but":
        if (
            sentence.is_(i, "doubt")
            and not sentence.tokens[i].name
            and _governs(sentence, i, first)
        ):
            return True
        i -= 1
    return False


def _governs(sentence: Sentence, i: int, first: int) -> bool:
    """Whether the word of doubt at i reaches the verb: linked to it, or without a comma."""
    between = [sentence.low(j) for j in range(i, first)]
    adverb = sentence.is_(i, "adverb") or between[0].endswith("ly") or between[0] == "according"
    return adverb or bool(LINKS & set(between)) or "," not in between
