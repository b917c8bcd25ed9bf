"""Sentences as tokens, with where their clauses may begin and end and what may be a verb."""

from __future__ import annotations

from dataclasses import dataclass

from newsreco.assistant.grammar import Phrase, Token, is_a, is_number, lemmas, phrase
from newsreco.assistant.verbs import base_verbs, frames

STRONG = ";:—–()!?./|"  # marks that end every clause
QUOTES = '"“”„«»'
AUXILIARY = ("be", "have", "do", "future", "possible")


@dataclass(eq=False)
class Sentence:
    """A sentence's tokens; `title` allows a headline's short forms."""

    tokens: list[Token]
    title: bool = False

    def low(self, i: int) -> str:
        """Token i in lower case; a full stop outside of the sentence."""
        return self.tokens[i].low if 0 <= i < len(self.tokens) else "."

    def is_(self, i: int, *kinds: str) -> bool:
        """Whether token i is in one of the classes of `english.txt`."""
        return is_a(self.low(i), *kinds)

    def boundary(self, i: int) -> bool:
        """Whether a clause cannot go on over token i."""
        token = self.tokens[i] if 0 <= i < len(self.tokens) else None
        if token is None or token.name:
            return token is None
        return token.low in STRONG + "," + QUOTES or is_a(token.low, "clause")

    def is_verb(self, i: int) -> bool:
        """Whether token i looks like a verb: an auxiliary, a known verb, or one in -ed."""
        token = self.tokens[i]
        if token.name or is_number(token):
            return False
        if is_a(token.low, *AUXILIARY):
            return True
        if self.is_(i - 1, "determiner", "preposition") and self.low(i - 1) != "to":
            return False
        return bool(lemmas(token.low) & base_verbs()) or token.low.endswith("ed")

    def verbs_between(self, start: int, end: int) -> list[int]:
        """Positions of verbs from start up to end."""
        return [i for i in range(start, end) if self.is_verb(i)]

    def verb_follows(self, i: int) -> bool:
        """Whether a verb comes before the next boundary."""
        while i < len(self.tokens) and not self.boundary(i):
            if self.is_verb(i):
                return True
            i += 1
        return False

    def verb_precedes(self, i: int) -> bool:
        """Whether a verb, or nothing at all, is between the last boundary and token i."""
        j = i - 1
        while j >= 0 and not self.boundary(j):
            if self.is_verb(j):
                return True
            j -= 1
        return j == i - 1

    def group_start(self, v: int) -> int:
        """The first auxiliary or adverb that belongs to the verb at v."""
        i = v
        while i > 0 and not self.tokens[i - 1].name and (
            self.is_(i - 1, *AUXILIARY, "negation", "adverb")
            or self.low(i - 1).endswith("ly")
            or self.low(i - 1) in ("'", "’")
        ):  # fmt: skip
            i -= 1
        return i

    def segment_start(self, b: int) -> int:
        """Where the words that end at b begin; "and" between two names is no boundary."""
        i = b
        while i >= 0:
            joins_names = self.low(i) == "and" and i < b and not self.verb_precedes(i)
            if not joins_names and self.boundary(i):
                break
            i -= 1
        return i + 1

    def particle(self, v: int) -> int:
        """Position of the particle of a verb, next to it or after its object; 0 without one."""
        if self.is_(v + 1, "particle"):
            plain = not self.is_(v + 1, "preposition") or self.low(v + 1) == "off"
            known = any(f"{verb} {self.low(v + 1)}" in frames() for verb in lemmas(self.low(v)))
            return v + 1 if plain or known else 0
        for i in range(v + 2, min(v + 8, len(self.tokens))):
            if self.boundary(i) or (self.is_(i, "preposition") and not self.is_(i, "particle")):
                return 0
            if self.is_(i, "particle") and self.low(i) not in ("in", "on"):
                return i
        return 0

    def end(self, i: int) -> int:
        """Where the clause ends that goes on at token i."""
        while i < len(self.tokens) and not self._stops(i):
            i += 1
        return i

    def _stops(self, i: int) -> bool:
        if self.low(i) in ("and", "or"):
            return i + 1 >= len(self.tokens) or self.verb_follows(i + 1)
        if self.low(i) in ("than", "as", "since"):
            return self.verb_follows(i + 1)
        return self.boundary(i)

    def after(self, i: int, end: int, particle: int) -> dict[str, Phrase]:
        """The phrases from token i to the end: the object, and one for each preposition."""
        parts: dict[str, list[Token]] = {"object": []}
        now = "object"
        for j in range(i, end):
            token = self.tokens[j]
            if is_a(token.low, "preposition") and not token.name and token.low != "of":
                if j != particle:
                    now = token.low if token.low not in parts else f"{token.low} again"
                    parts[now] = []
            elif j != particle:
                parts[now].append(token)
        if parts["object"] and parts["object"][0].low == "of":
            parts["of"] = parts.pop("object")[1:]
        return {role: phrase(part) for role, part in parts.items() if part}
