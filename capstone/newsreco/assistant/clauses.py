"""Clauses: for a verb of a sentence, who does it, to whom, and whether it is said as a fact.

The subject is what stands before the verb, the object what stands after it; a passive exchanges
them, and "by" names the one who acts. A relative clause takes its subject or object from the noun
before it, a second verb after "and" its subject from the first. Where the words leave two readings
the role stays empty, so that a question about it is not answered.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

from newsreco.assistant.grammar import Phrase, Token, is_a, is_number, lemmas, phrase, word_lists
from newsreco.assistant.verbs import base_verbs, frames

STRONG = ";:—–()!?./|"  # marks that end every clause
RELATIVE = {"who", "which", "that", "whom"}
QUOTES = "\"“”„«»"


@dataclass(frozen=True)
class Clause:
    """A verb with its roles.

    Parameters
    ----------
    verb : int
        Position of the verb among the sentence's tokens.
    verbs : frozenset of str
        Base forms of the verb, with its particle if it has one ("knock out").
    roles : dict of str to Phrase
        "subject", "object", and a preposition for each other phrase.
    mood : {"fact", "future", "possible", "negated"}
    """

    verb: int
    verbs: frozenset[str]
    roles: dict[str, Phrase] = field(default_factory=dict)
    mood: str = "fact"
    passive: bool = False
    start: int = 0
    end: int = 0


@dataclass
class Sentence:
    """A sentence's tokens, from which clauses are read; `title` allows a headline's short forms."""

    tokens: list[Token]
    title: bool = False

    def low(self, i: int) -> str:
        return self.tokens[i].low if 0 <= i < len(self.tokens) else "."

    def is_(self, i: int, *kinds: str) -> bool:
        return is_a(self.low(i), *kinds)

    def boundary(self, i: int) -> bool:
        """Whether a clause cannot go on over token i."""
        token = self.tokens[i] if 0 <= i < len(self.tokens) else None
        if token is None or token.name:
            return token is None
        return token.low in STRONG + "," or token.low in QUOTES or is_a(token.low, "clause")

    def is_verb(self, i: int) -> bool:
        """Whether token i looks like a verb: an auxiliary, a known verb, or one in -ed."""
        token = self.tokens[i]
        if token.name or is_number(token):
            return False
        if is_a(token.low, "be", "have", "do", "future", "possible"):
            return True
        if self.is_(i - 1, "determiner", "preposition") and self.low(i - 1) != "to":
            return False
        return bool(lemmas(token.low) & base_verbs()) or token.low.endswith("ed")

    @cached_property
    def clauses(self) -> list[Clause]:
        """A clause for every token that may be its verb; readers choose by the verb."""
        content = (
            i for i, t in enumerate(self.tokens)
            if t.text[:1].isalpha() and not t.name
            and not is_a(t.low, "determiner", "pronoun", "preposition", "clause", "adverb")
        )  # fmt: skip
        return [self.clause(i) for i in content]

    # -- the group of words around the verb ----------------------------------------------------

    def group_start(self, v: int) -> int:
        """The first auxiliary or adverb that belongs to the verb."""
        kinds = ("be", "have", "do", "future", "possible", "negation", "adverb")
        i = v
        while i > 0 and not self.tokens[i - 1].name and (
            self.is_(i - 1, *kinds) or self.low(i - 1).endswith("ly")
            or self.low(i - 1) in ("'", "’")
        ):  # fmt: skip
            i -= 1
        return i

    def mood(self, first: int, v: int) -> str:
        """How the verb is said, by its auxiliaries and the words that govern it."""
        group = [self.low(i) for i in range(first, v)]
        if any(is_a(word, "negation") for word in group) or self._no_subject(first):
            return "negated"
        if self.low(first - 1) == "to" and not self.is_(first - 2, "factual-infinitive"):
            named = self.tokens[first - 2].name if first >= 2 else False
            return "future" if named and self.title and first == v else "possible"
        if any(is_a(word, "possible", "doubt") for word in group) or self._doubted(first):
            return "possible"
        return "future" if any(is_a(word, "future") for word in group) else "fact"

    def _no_subject(self, first: int) -> bool:
        """Nobody, no team, never, without: in the clause before the verb."""
        i = first - 1
        while i >= 0 and not self.boundary(i):
            if self.is_(i, "negation"):
                return True
            i -= 1
        return False

    def _doubted(self, first: int) -> bool:
        """Whether a word of doubt governs the verb: "denied that", "reportedly", "if"."""
        i = first - 1
        while i >= 0 and self.low(i) not in STRONG and self.low(i) not in ("but", ";"):
            if self.is_(i, "doubt") and not self.tokens[i].name:
                between = [self.low(j) for j in range(i, first)]
                linked = {"that", "if", "whether", "unless", "of", "who", "what"} & set(between)
                if linked or self.low(i) == "according" or self.is_(i, "adverb") or self.low(i).endswith("ly") or "," not in between:
                    return True
            i -= 1
        return False

    # -- roles ---------------------------------------------------------------------------------

    def clause(self, v: int, depth: int = 0) -> Clause:
        """The clause whose verb is token v."""
        first = self.group_start(v)
        particle = self.particle(v)
        right = v + 1 + (particle == v + 1)
        end = self.end(right)
        after = self.after(right, end, particle)
        subject, other, start, shared = self._before(first, v, depth)
        passive = self.is_passive(first, v, right) or (shared is not None and shared.passive
                                                        and first == v and "object" not in after)
        if other is not None and "object" not in after:
            after["object"] = other
        mood = self.mood(first, v)
        undone = shared is not None and shared.mood == "negated" and self.low(first - 1) == "but"
        if shared is not None and shared.mood != "fact" and first == v and not undone:
            mood = shared.mood
        roles = self.voice(subject, after, passive)
        verbs = lemmas(self.low(v))
        if particle:
            verbs = verbs | {f"{verb} {self.low(particle)}" for verb in verbs}
        return Clause(v, verbs, roles, mood, passive, start, end)

    def voice(self, subject: Phrase, after: dict[str, Phrase], passive: bool) -> dict[str, Phrase]:
        roles = dict(after)
        if passive:
            roles.pop("subject", None)
            complement = roles.pop("object", None)
            if complement is not None:
                roles["as"] = complement
            roles["object"] = subject
            if "by" in roles:
                roles["subject"] = roles.pop("by")
        else:
            roles["subject"] = subject
        return roles

    def is_passive(self, first: int, v: int, right: int) -> bool:
        if self.low(v).endswith("ing"):
            return False
        group = [self.low(i) for i in range(first, v)]
        participle = self.low(v).endswith(("ed", "en", "t", "d", "n", "k", "m", "ng", "wn", "e"))
        if any(is_a(word, "be") for word in group):
            return participle
        bare = not group or all(is_a(word, "adverb") for word in group)
        return bare and self.low(right) == "by" and self.low(v) not in base_verbs() | {"went"}

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
            return i + 1 >= len(self.tokens) or self._verb_follows(i + 1)
        if self.low(i) in ("than", "as", "since") :
            return self._verb_follows(i + 1)
        return self.boundary(i)

    def _verb_follows(self, i: int) -> bool:
        """Whether a verb comes before the next boundary."""
        while i < len(self.tokens) and not self.boundary(i):
            if self.is_verb(i):
                return True
            i += 1
        return False

    def after(self, i: int, end: int, particle: int) -> dict[str, Phrase]:
        """The phrases after the verb: its object, and one for each preposition."""
        parts: dict[str, list[Token]] = {"object": []}
        now = "object"
        for j in range(i, end):
            token = self.tokens[j]
            if j == particle:
                continue
            if is_a(token.low, "preposition") and not token.name and token.low != "of":
                now = token.low
                if now in parts:
                    now = f"{now} again"
                parts[now] = []
            else:
                parts[now].append(token)
        if parts["object"] and parts["object"][0].low == "of":
            parts["of"] = parts.pop("object")[1:]
        return {role: phrase(part) for role, part in parts.items() if part}

    def _before(self, first: int, v: int, depth: int):
        """(subject, object of a relative clause, start, first verb of a coordination)."""
        b = first - 1
        if self.low(b) == "to" and not self.tokens[b].name:
            return self._of_infinitive(b, depth)
        start = self._segment_start(b)
        segment = self.tokens[start : b + 1]
        mark = self.low(start - 1)
        if segment and any(t.text[:1].isalnum() for t in segment):
            embedding = [i for i in range(start, b + 1) if self.is_verb(i)]
            if any(not self.is_(i, "saying") for i in embedding):
                return Phrase(), None, start, None  # saw Tarn beat Velmouth
            if mark in RELATIVE and start >= 2:
                return phrase(segment), self._antecedent(start - 1), start - 1, None
            return phrase(segment), None, start, None
        if mark in ("who", "which", "that") and start >= 2:
            return self._antecedent(start - 1), None, start - 1, None
        if mark in ("and", "but", "or") and depth < 3:
            return self._coordinated(start - 1, depth)
        if mark == "," and first > 1:
            return self._after_comma(start - 1, first, v, depth)
        return Phrase(), None, start, None

    def _segment_start(self, b: int) -> int:
        """Where the words before the verb begin; "and" between two names is no boundary."""
        i = b
        while i >= 0:
            if self.low(i) == "and" and i < b and not self._verb_before(i):
                i -= 1
                continue
            if self.boundary(i):
                break
            i -= 1
        return i + 1

    def _verb_before(self, i: int) -> bool:
        j = i - 1
        while j >= 0 and not self.boundary(j):
            if self.is_verb(j):
                return True
            j -= 1
        return j == i - 1

    def _antecedent(self, i: int) -> Phrase:
        """The noun that the relative pronoun at i stands for; empty if it may be either of two."""
        j = i - 1
        if is_a(self.low(j), "preposition"):
            j -= 1
        comma = self.low(j) == ","
        j -= comma
        start = self._segment_start(j)
        segment = self.tokens[start : j + 1]
        verbs = [k for k in range(start, j + 1) if self.is_verb(k)]
        if verbs:
            segment = self.tokens[verbs[-1] + 1 : j + 1]
        found = phrase(segment)
        if not found.names and comma and self.low(start - 1) == ",":  # Ada, the lawyer who ...
            return phrase(self.tokens[self._segment_start(start - 2) : start - 1])
        if not found.names and self.low(start - 1) == ",":
            return phrase(self.tokens[self._segment_start(start - 2) : start - 1])
        if len(found.names) == 1 and segment[-1].name and not found.heads:
            last = [k for k, t in enumerate(segment) if is_a(t.low, "preposition")]
            return replace(phrase(segment[last[-1] + 1 :]), tokens=tuple(segment)) if last else found
        return Phrase(tuple(segment), (), "", found.names) if len(found.names) > 1 else found

    def _coordinated(self, i: int, depth: int):
        """The subject of the verb before "and" at i."""
        j = i - 1
        while j >= 0 and self.low(j) not in STRONG:
            auxiliary = self.is_(j, "be", "have", "do", "future", "possible")
            if self.is_verb(j) and not (auxiliary and self._verb_follows(j + 1)):
                earlier = self.clause(j, depth + 1)
                role = "object" if earlier.passive else "subject"
                return earlier.roles.get(role, Phrase()), None, i + 1, earlier
            j -= 1
        return Phrase(), None, i, None

    def _after_comma(self, comma: int, first: int, v: int, depth: int):
        """Subject before a parenthesis between commas; or, for "-ing", that of the main verb."""
        if self.low(v).endswith("ing") and first == v:
            return self._coordinated(comma, depth)
        opening = comma - 1
        while opening >= 0 and self.low(opening) != "," and self.low(opening) not in STRONG:
            opening -= 1
        if opening <= 0 or self.low(opening) != ",":
            if first == v and depth < 3 and self._bare_participle(v):  # X of Y, designed by Z
                start = self._segment_start(comma - 1)
                return phrase(self.tokens[start:comma]), None, start, None
            return Phrase(), None, comma, None
        start = self._segment_start(opening - 1)
        if self._has_verb(start, opening):
            return Phrase(), None, comma, None
        subject = phrase(self.tokens[start:opening])
        inside = phrase(self.tokens[opening + 1 : comma])
        if not subject.heads and inside.heads and self.tokens[opening + 1].name:
            subject = replace(subject, heads=inside.heads, names=(*subject.names, *inside.names))
        return subject, None, start, None

    def _bare_participle(self, v: int) -> bool:
        return self.low(v + 1) == "by"

    def _has_verb(self, start: int, end: int) -> bool:
        return any(self.is_verb(i) for i in range(start, end))

    def _of_infinitive(self, to: int, depth: int):
        """The subject of "X hopes to ...", "X to ..."."""
        start = self._segment_start(to - 1)
        verbs = [i for i in range(start, to) if self.is_verb(i)]
        if verbs and depth < 3:
            governing = self.clause(verbs[-1], depth + 1)
            return governing.roles.get("subject", Phrase()), None, governing.start, None
        return phrase(self.tokens[start:to]), None, start, None


def auxiliaries() -> frozenset[str]:
    """Every auxiliary verb."""
    lists = word_lists()
    return lists["be"] | lists["have"] | lists["do"] | lists["future"] | lists["possible"]
