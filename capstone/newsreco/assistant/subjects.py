"""Subjects: what stands before a verb and does it.

A relative clause takes its subject or object from the noun before it, a second verb after "and"
its subject from the first, and a parenthesis between commas is passed over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from newsreco.assistant.grammar import Phrase, is_a, phrase
from newsreco.assistant.sentences import AUXILIARY, STRONG, Sentence

RELATIVE = {"who", "which", "that", "whom"}


@dataclass(frozen=True)
class Subject:
    """What stands before a verb.

    Parameters
    ----------
    phrase : Phrase
        Empty if it is unclear.
    start : int
        Where the clause begins.
    antecedent : Phrase or None
        The noun for which "whom" or "which" stands as the object.
    verb : int or None
        Another verb that has the same subject.
    """

    phrase: Phrase
    start: int
    antecedent: Phrase | None = None
    verb: int | None = None


def subject_of(sentence: Sentence, first: int, v: int) -> Subject:
    """The subject of the verb at v, whose auxiliaries begin at first."""
    b = first - 1
    if sentence.low(b) == "to" and not sentence.tokens[b].name:
        return _of_infinitive(sentence, b)
    start = sentence.segment_start(b)
    segment, mark = sentence.tokens[start : b + 1], sentence.low(start - 1)
    if any(token.text[:1].isalnum() for token in segment):
        if any(not sentence.is_(i, "saying") for i in sentence.verbs_between(start, b + 1)):
            return Subject(Phrase(), start)  # saw Tarn beat Velmouth
        relative = mark in RELATIVE and start >= 2
        antecedent = _antecedent(sentence, start - 1) if relative else None
        return Subject(phrase(segment), start - relative, antecedent)
    if mark in RELATIVE - {"whom"} and start >= 2:
        return Subject(_antecedent(sentence, start - 1), start - 1)
    if mark in ("and", "but", "or"):
        return _of_earlier_verb(sentence, start - 1)
    if mark == "," and first > 1:
        return _after_comma(sentence, start - 1, first, v)
    return Subject(Phrase(), start)


def _of_infinitive(sentence: Sentence, to: int) -> Subject:
    """The subject of "X hopes to ...", "X to ..."."""
    start = sentence.segment_start(to - 1)
    verbs = sentence.verbs_between(start, to)
    words = phrase(sentence.tokens[start:to])
    return Subject(Phrase() if verbs else words, start, verb=verbs[-1] if verbs else None)


def _of_earlier_verb(sentence: Sentence, i: int) -> Subject:
    """The subject of the verb before the "and" or the comma at i."""
    j = i - 1
    while j >= 0 and sentence.low(j) not in STRONG:
        helps = sentence.is_(j, *AUXILIARY) and sentence.verb_follows(j + 1)
        if sentence.is_verb(j) and not helps:
            return Subject(Phrase(), i + 1, verb=j)
        j -= 1
    return Subject(Phrase(), i + 1)


def _after_comma(sentence: Sentence, comma: int, first: int, v: int) -> Subject:
    """The subject before a parenthesis between commas; for "-ing", that of the main verb."""
    if sentence.low(v).endswith("ing") and first == v:
        return _of_earlier_verb(sentence, comma)
    opening = comma - 1
    while opening >= 0 and sentence.low(opening) not in STRONG + ",":
        opening -= 1
    if opening <= 0 or sentence.low(opening) != ",":
        if first == v and sentence.low(v + 1) == "by":  # the library, designed by X
            start = sentence.segment_start(comma - 1)
            return Subject(phrase(sentence.tokens[start:comma]), start)
        return Subject(Phrase(), comma)
    start = sentence.segment_start(opening - 1)
    if sentence.verbs_between(start, opening):
        return Subject(Phrase(), comma)
    return Subject(_with_apposition(sentence, start, opening, comma), start)


def _with_apposition(sentence: Sentence, start: int, opening: int, comma: int) -> Phrase:
    """The words before a parenthesis; named by it if it is a name: "the mayor, Ada Reyes,"."""
    subject = phrase(sentence.tokens[start:opening])
    inside = phrase(sentence.tokens[opening + 1 : comma])
    if not subject.heads and inside.heads and sentence.tokens[opening + 1].name:
        return replace(subject, heads=inside.heads, names=(*subject.names, *inside.names))
    return subject


def _antecedent(sentence: Sentence, i: int) -> Phrase:
    """The noun that the relative pronoun at i stands for; without a head if two names may be it."""
    j = i - 1
    j -= is_a(sentence.low(j), "preposition")
    j -= sentence.low(j) == ","
    start = sentence.segment_start(j)
    verbs = sentence.verbs_between(start, j + 1)
    segment = sentence.tokens[verbs[-1] + 1 if verbs else start : j + 1]
    found = phrase(segment)
    if not found.names and sentence.low(start - 1) == ",":  # Ada Reyes, the lawyer who ...
        earlier = sentence.segment_start(start - 2)
        return phrase(sentence.tokens[earlier : start - 1])
    if len(found.names) > 1:
        return Phrase(tuple(segment), names=found.names)
    last = [k for k, token in enumerate(segment) if is_a(token.low, "preposition")]
    if last and found.names and segment[-1].name and not found.heads:  # was seen with Ada, who ...
        return replace(phrase(segment[last[-1] + 1 :]), tokens=tuple(segment))
    return found
