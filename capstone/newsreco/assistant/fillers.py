"""Whether the answer itself is there: a person for "who", a number for "how many", and so on."""

from __future__ import annotations

import re
from collections.abc import Mapping

from newsreco.assistant.asked import Asked
from newsreco.assistant.clauses import Clause
from newsreco.assistant.grammar import Phrase, Token, is_a, is_number, names_in
from newsreco.assistant.names import Names
from newsreco.assistant.sentences import Sentence
from newsreco.assistant.words import stem

MISSING = {"who": "who it was", "time": "when", "place": "where", "number": "how many"}
MISSING |= {"amount": "how much", "duration": "how long", "reason": "why", "manner": "how"}
PERSON = re.compile(r"(?:ist|ian|eer|ians|ists|eers|[a-z]{3}m[ae]n)$")
PLACE = {"in", "at", "near", "outside", "off", "from", "to", "of", "inside"}
YEAR = re.compile(r"(?:1[5-9]|20)\d\d$")
MONEY = re.compile(r"[$€£]|(?:dollars?|euros?|pounds?|cents?|million|billion)$")
CONNECTED = {
    "reason": {"because", "over", "due", "after", "owing", "since"},
    "manner": {"by", "with", "through", "using"},
}


def filler_objection(
    asked: Asked,
    role: str,
    roles: Mapping[str, Phrase],
    clause: Clause,
    sentence: Sentence,
    names: Names,
) -> str:
    """Why the clause does not hold what is asked for; "" if it does, or nothing is."""
    kind, rest = asked.kind, sentence.tokens[clause.verb :]
    if kind == "yes":
        there = True
    elif kind in ("who", "thing"):
        there = role in roles and _fills(asked, roles[role], names)
    elif kind in CONNECTED:
        there = any(token.low in CONNECTED[kind] for token in rest)
    elif role and asked.noun:
        there = role in roles and _counted(list(roles[role].tokens), asked.noun)
    else:
        there = typed(kind, asked, around(clause, sentence), names)
    return "" if there else f"does not say {MISSING.get(kind, 'what')}"


def around(clause: Clause, sentence: Sentence) -> list[Token]:
    """The tokens of a clause, and a phrase of time that opens the sentence before it."""
    region = sentence.tokens[clause.start : clause.end]
    lead = sentence.tokens[: max(clause.start - 1, 0)]
    opens = clause.start > 1 and sentence.low(clause.start - 1) == ","
    if opens and lead[0].low in ("on", "in", "at", "last") and not any(t.low == "," for t in lead):
        return [*lead, *region]
    return region


def _fills(asked: Asked, part: Phrase, names: Names) -> bool:
    """Whether a phrase may be the person or thing in question."""
    new = [h for h in part.heads if not any(names.same(a, h) for a in asked.names)]
    if asked.kind == "thing":
        described = not asked.noun or stem(asked.noun) in part.stems
        plain = part.noun and not is_a(part.noun, "pronoun", "adverb", "number")
        return described and bool(new or plain)
    if part.heads:
        return len(new) == len(part.heads)
    nouns = [token.low for token in part.tokens[: _head_length(part)]]
    return bool(nouns) and any(is_a(n, "person-noun") or PERSON.search(n) for n in nouns[-1:])


def _head_length(part: Phrase) -> int:
    for i, token in enumerate(part.tokens):
        if i and is_a(token.low, "preposition", "mark") and not token.name:
            return i
    return len(part.tokens)


def _counted(region: list[Token], noun: str) -> bool:
    """Whether a number stands at most three words before the noun."""
    for i, token in enumerate(region):
        if stem(token.low) == stem(noun) and any(is_number(t) for t in region[max(i - 4, 0) : i]):
            return True
    return False


def typed(kind: str, asked: Asked, region: list[Token], names: Names) -> bool:
    """Whether a clause holds a number, a sum, a time or a place that the question does not."""
    numbers = [i for i, token in enumerate(region) if is_number(token)]
    if kind == "number":
        return _counted(region, asked.noun) if asked.noun else bool(numbers)
    if kind == "amount":
        return any(MONEY.search(t.low) for i in numbers for t in region[i : i + 3])
    if kind == "duration":
        units = [i for i, token in enumerate(region) if is_a(token.low, "unit")]
        one = ("a", "an", "another", "one")
        return any(is_number(t) or t.low in one for i in units for t in region[max(i - 2, 0) : i])
    if kind == "time":
        minute = any(t.low == "minute" and i - 1 in numbers for i, t in enumerate(region))
        return minute or any(is_a(t.low, "calendar") or YEAR.match(t.low) for t in region)
    return _place(asked, region, names)


def _place(asked: Asked, region: list[Token], names: Names) -> bool:
    """Whether "in", "at", ... comes before a name that the question does not hold."""
    for i, token in enumerate(region):
        if token.low in PLACE and not token.name:
            rest = region[i + 1 :]
            skip = next((j for j, t in enumerate(rest) if not is_a(t.low, "determiner")), None)
            if skip is None or not rest[skip].name:
                continue
            found = names_in(rest[skip:])[:1]
            if found and not any(names.same(a, found[0]) for a in asked.names):
                return True
    return False
