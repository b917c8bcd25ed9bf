"""Questions with "be": "Who is the coach of Tarn?", answered where somebody is said to be that.

The forms that count: "X is the coach of Tarn", "X, coach of Tarn,", "the coach of Tarn, X,",
"Tarn coach X", "Tarn ... its coach X". A former or acting coach is none, and whose coach it is must
be said of the same noun.
"""

from __future__ import annotations

from newsreco.assistant.asked import Asked
from newsreco.assistant.clauses import read_clause
from newsreco.assistant.fillers import MISSING, typed
from newsreco.assistant.grammar import Phrase, Token, is_a, names_in
from newsreco.assistant.names import Name, Names
from newsreco.assistant.sentences import Sentence
from newsreco.assistant.words import stem

NO_ROLE = "does not say who that is"
NEUTRAL = {"new", "current", "present", "first", "own", "long-time"}
POSSESSIVES = {"its", "their", "his", "her"}


def complement_objection(asked: Asked, sentence: Sentence, names: Names) -> str:
    """Why the sentence does not say who or what the complement is; "" if it does."""
    wanted = asked.complement or Phrase()
    noun = _noun(wanted)
    if not noun:
        return NO_ROLE
    positions = _positions(noun, sentence)
    if not positions:
        return f"does not speak of the {' '.join(noun)}"
    if asked.kind == "who":
        owners = list(asked.names)
        found = any(_holder(i, len(noun), owners, sentence, names) for i in positions)
        return "" if found else NO_ROLE
    if any(is_a(token.low, "negation") for token in sentence.tokens):
        return "does not say it as a fact"
    if asked.kind in MISSING and typed(asked.kind, asked, sentence.tokens, names):
        return ""
    return f"does not say {MISSING.get(asked.kind, 'what')}"


def _noun(wanted: Phrase) -> list[str]:
    """The words of the complement before "of" or a comma: ["chief", "executive"]."""
    words: list[str] = []
    for token in wanted.tokens:
        if words and is_a(token.low, "preposition", "mark") and not token.name:
            break
        if not token.name and not is_a(token.low, "determiner") and token.low.isalpha():
            words.append(token.low)
    return words


def _positions(noun: list[str], sentence: Sentence) -> list[int]:
    """Where the noun stands, with nothing before it that takes it back."""
    low = [stem(token.low) for token in sentence.tokens]
    size, wanted = len(noun), [stem(word) for word in noun]
    return [
        i
        for i in range(len(low) - size + 1)
        if low[i : i + size] == wanted and not sentence.is_(i - 1, "former", "negation")
        and not sentence.is_(i - 2, "former", "negation")
    ]  # fmt: skip


def _holder(i: int, size: int, owners: list[Name], sentence: Sentence, names: Names) -> bool:
    """Whether a new name holds the office that stands at i, and the owners are its owners."""
    tokens, after = sentence.tokens, i + size
    tail, end = _of_phrase(tokens, after)
    lead = _names_before(tokens, i)
    mine = [*tail, *lead]
    if tokens[i - 1].low in POSSESSIVES if i else False:
        mine += _clause_subject(sentence, i)
    if owners and tail and not any(names.same(o, tail[0]) for o in owners):
        return False  # the Bank of Selby is not Selby
    if owners and not all(any(names.same(o, m) for m in mine) for o in owners):
        return False
    holders = _holders(sentence, i, after, end)
    return any(not any(names.same(o, h) for o in owners) for h in holders)


def _of_phrase(tokens: list[Token], after: int) -> tuple[list[Name], int]:
    """The names after "of" that follow the noun, and where they end."""
    if after >= len(tokens) or tokens[after].low not in ("of", "at", "for", "in"):
        return [], after
    end = after + 1
    while end < len(tokens) and (
        tokens[end].name or is_a(tokens[end].low, "determiner") or tokens[end].low == "of"
    ):
        end += 1
    return names_in(tokens[after:end]), end


def _names_before(tokens: list[Token], i: int) -> list[Name]:
    """The name right before the noun, as in "Tarn coach" or "Tarn's new coach"."""
    j = i
    while (
        j > 0
        and not tokens[j - 1].name
        and tokens[j - 1].low in ("new", "first", "own", "long-time")
    ):
        j -= 1
    start = j
    while start > 0 and tokens[start - 1].name:
        start -= 1
    return names_in(tokens[start:j])


def _clause_subject(sentence: Sentence, i: int) -> list[Name]:
    """The name that "its" or "their" stands for: the subject of the verb before it."""
    verbs = [j for j in range(i) if sentence.is_verb(j)]
    if not verbs:
        return []
    subjects = {read_clause(sentence, j).roles.get("subject", Phrase()).heads for j in verbs}
    subjects.discard(())
    return list(next(iter(subjects))) if len(subjects) == 1 else []


def _holders(sentence: Sentence, i: int, after: int, end: int) -> list[Name]:
    """The names said to hold the office."""
    tokens = sentence.tokens
    found = names_in(tokens[after:])[:1] if after < len(tokens) and tokens[after].name else []
    if end + 1 < len(tokens) and tokens[end].low == "," and tokens[end + 1].name:
        stop = _name_end(tokens, end + 1)
        if stop >= len(tokens) or tokens[stop].low in (",", ".", ";", ")"):
            found += names_in(tokens[end + 1 : stop])[:1]  # the coach of Tarn, X,
    return found + _holders_before(sentence, i)


def _holders_before(sentence: Sentence, i: int) -> list[Name]:
    """X in "X, coach of Tarn", "X, Tarn's coach" and "X is the coach"."""
    tokens, start = sentence.tokens, i
    while start > 0 and _skipped(tokens[start - 1]):
        start -= 1
    while start > 0 and tokens[start - 1].name:
        start -= 1
    if start < 2 or not tokens[start - 2].name:
        return []
    if tokens[start - 1].low == ",":
        return names_in(tokens[: start - 1])[-1:]
    if is_a(tokens[start - 1].low, "be"):
        clause = read_clause(sentence, start - 1)
        if clause.mood == "fact":
            return list(clause.roles.get("subject", Phrase()).heads)
    return []


def _skipped(token: Token) -> bool:
    """Whether a word before the office says nothing about who holds it."""
    return token.low in NEUTRAL or is_a(token.low, "determiner", "pronoun")


def _name_end(tokens: list[Token], i: int) -> int:
    while i < len(tokens) and tokens[i].name:
        i += 1
    return i
