"""Words of a sentence: tokens, names, verbs and noun phrases, by rules over English.

The closed classes (auxiliaries, prepositions, ...) are in `english.txt`, so that nothing has to be
learned and every decision can be traced to a word. Left out: a tagger, other languages, and
whatever a sentence needs the world to be understood.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import resources

from newsreco.assistant.words import stem

TOKEN = re.compile(
    r"[$€£]\s?\d[\d,.]*\d|[$€£]\s?\d|\d+(?:[.,:]\d+)*(?:-\d+)?(?:st|nd|rd|th)?\b"
    r"|(?:[A-Za-z]\.){2,}|(?:Mrs?|Ms|Dr|Prof|St|Jr|Sr)\."
    r"|[^\W\d_]+(?:[-'’.&][^\W_]+)*|&|[^\w\s]"
)
POSSESSIVE = re.compile(r"['’]s?$")
PARTICLES = {"de", "van", "der", "den", "von", "di", "da", "del", "la", "le", "al", "bin", "ibn"}
PARTICLES |= {"&"}


@cache
def word_lists() -> dict[str, frozenset[str]]:
    """The classes of `english.txt`, by name."""
    return {name: frozenset(words.split()) for name, words in data_lines("english.txt")}


def data_lines(name: str) -> list[tuple[str, str]]:
    """(name, value) of the lines `name: value` of a data file beside this module."""
    text = (resources.files("newsreco.assistant") / name).read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return [tuple(line.split(": ", 1)) for line in lines]


def is_a(word: str, *kinds: str) -> bool:
    """Whether a word, in lower case, is in one of the named classes."""
    lists = word_lists()
    return any(word in lists[kind] for kind in kinds)


@cache
def _irregular() -> dict[str, set[str]]:
    """The base forms of each irregular form."""
    found: dict[str, set[str]] = {}
    for verb in dict(data_lines("english.txt"))["irregular"].split("; "):
        base, *forms = verb.split()
        for form in (base, *forms):
            found.setdefault(form, set()).add(base)
    return found


@lru_cache(maxsize=50_000)
def lemmas(word: str) -> frozenset[str]:
    """The base forms that a verb's form may have; several, as no dictionary is asked.

    >>> sorted(lemmas("stopped"))
    ['stop', 'stopp', 'stoppe', 'stopped']
    >>> sorted(lemmas("bought"))
    ['bought', 'buy']
    """
    found = {word} | _irregular().get(word, set())
    for ending in ("ies", "ied"):
        if word.endswith(ending):
            found.add(word[:-3] + "y")
    for ending in ("s", "es", "d", "ed", "ing"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            root = word[: -len(ending)]
            found.add(root)
            if ending == "ing":
                found.add(root + "e")
            if ending in ("ed", "ing") and root[-1] == root[-2]:
                found.add(root[:-1])
            if ending == "ed":
                found.add(root + "e")
    return frozenset(found)


@dataclass(frozen=True)
class Token:
    """A word, number or mark of a sentence, with its position; `low` is in lower case."""

    text: str
    low: str
    name: bool = False
    possessive: bool = False


def tokens(text: str, common: frozenset[str] = frozenset()) -> list[Token]:
    """The tokens of a text; a capital makes a name, at a sentence's start if it is not `common`.

    >>> [t.text for t in tokens("Dr. Reyes paid $2.4 million for Tarn's keeper.") if t.name]
    ['Reyes', 'Tarn']
    """
    found: list[Token] = []
    raw = TOKEN.findall(text)
    for i, word in enumerate(raw):
        possessive = bool(POSSESSIVE.search(word)) and word[:1].isalpha()
        bare = POSSESSIVE.sub("", word) if possessive else word
        low = bare.lower()
        starts = i == 0 or is_a(raw[i - 1], "mark") and raw[i - 1] not in ",-–—()"
        follows = i + 1 < len(raw) and (raw[i + 1][:1].isupper() or raw[i + 1] == "&")
        found.append(Token(bare, low, _is_name(bare, low, starts, follows, common), possessive))
    return _with_particles(found)


def _is_name(text: str, low: str, starts: bool, follows: bool, common: frozenset[str]) -> bool:
    """Whether a capital is that of a name."""
    if not text[:1].isupper() or low.rstrip(".") in word_lists()["title"] | {"i"}:
        return low in ("st.", "st") and text[:1].isupper()
    if not starts:
        return True
    if _closed(low):
        return False
    return low not in common or (follows and low not in word_lists()["person-noun"])


def _closed(low: str) -> bool:
    kinds = ("determiner", "pronoun", "preposition", "clause", "be", "have", "do", "adverb")
    return is_a(low, *kinds, "future", "possible", "negation", "calendar", "number", "doubt")


def _with_particles(found: list[Token]) -> list[Token]:
    """`de`, `van der` and `&` between or before parts of a name belong to it."""
    for i in range(len(found) - 2, -1, -1):
        token, after = found[i], found[i + 1]
        if token.low in PARTICLES and after.name and not token.name:
            found[i] = Token(token.text, token.low, True)
    return found


def names_in(part: list[Token]) -> list[tuple[str, ...]]:
    """The names of some tokens, each a tuple of its words in lower case."""
    names: list[list[str]] = []
    open_name = False
    for token in part:
        named = token.name and not is_a(token.low, "calendar")
        if named and not open_name:
            names.append([])
        if named:
            names[-1].append(token.low)
        open_name = named and not token.possessive
    return [tuple(name) for name in names if name != ["&"]]


def is_number(token: Token) -> bool:
    """Whether a token is a number, in digits or in words."""
    return token.text[:1].isdigit() or token.text[:1] in "$€£" or is_a(token.low, "number")


@dataclass(frozen=True)
class Phrase:
    """A noun phrase: the names or the noun at its head, and all its tokens."""

    tokens: tuple[Token, ...] = ()
    heads: tuple[tuple[str, ...], ...] = ()
    noun: str = ""
    names: tuple[tuple[str, ...], ...] = field(default=())

    @property
    def stems(self) -> set[str]:
        return {stem(token.low) for token in self.tokens}


def phrase(part: list[Token]) -> Phrase:
    """The phrase of some tokens. Its head ends before the first preposition or comma.

    "Tarn striker Ada Reyes of Velmouth" has the head Ada Reyes, "Tarn's reserves" a noun.
    """
    cut = next((i for i in range(1, len(part)) if _ends_head(part, i)), len(part))
    head = [t for t in part[:cut] if not is_a(t.low, "adverb") or t.name]
    while head and is_number(head[-1]) and not head[-1].name:
        head = head[:-1]
    groups = [g for g in _coordinated(head) if g]
    heads = [g for g in (_last_name(group) for group in groups) if g]
    noun = head[-1].low if head and not head[-1].name else ""
    return Phrase(tuple(part), tuple(heads), noun, tuple(names_in(part)))


def _ends_head(part: list[Token], i: int) -> bool:
    """Whether the head ends before token i: at a preposition, or at "Tarn | a week earlier"."""
    token = part[i]
    if token.name or token.low == "and":
        return False
    if is_a(token.low, "preposition", "clause", "mark"):
        return True
    return part[i - 1].name and (is_a(token.low, "determiner") or is_number(token))


def _coordinated(head: list[Token]) -> list[list[Token]]:
    groups: list[list[Token]] = [[]]
    for token in head:
        if token.low == "and":
            groups.append([])
        else:
            groups[-1].append(token)
    return groups


def _last_name(group: list[Token]) -> tuple[str, ...]:
    """The name that ends a group; () if a noun does, as in "the Tarn reserves"."""
    if not group or not group[-1].name or group[-1].possessive:
        return ()
    names = names_in(group)
    return names[-1] if names else ()
