"""Clauses: for a verb of a sentence, who does it, to whom, and whether it is said as a fact.

The object is what stands after the verb; a passive exchanges it with the subject, and "by" names
the one who acts. Where the words leave two readings the role stays empty, so that a question about
it is not answered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from newsreco.assistant.grammar import Phrase, is_a, lemmas
from newsreco.assistant.moods import mood_of
from newsreco.assistant.sentences import Sentence
from newsreco.assistant.subjects import subject_of
from newsreco.assistant.verbs import base_verbs

NO_VERB = ("determiner", "pronoun", "preposition", "clause", "adverb")
PARTICIPLE = ("ed", "en", "t", "d", "n", "k", "m", "ng", "e")


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
    start, end : int
        The tokens that belong to it.
    """

    verb: int
    verbs: frozenset[str]
    roles: dict[str, Phrase] = field(default_factory=dict)
    mood: str = "fact"
    passive: bool = False
    start: int = 0
    end: int = 0


@lru_cache(maxsize=20_000)
def read_clauses(sentence: Sentence) -> tuple[Clause, ...]:
    """A clause for every token that may be its verb; readers choose by the verb."""
    return tuple(
        read_clause(sentence, i)
        for i, token in enumerate(sentence.tokens)
        if token.text[:1].isalpha() and not token.name and not is_a(token.low, *NO_VERB)
    )


def read_clause(sentence: Sentence, v: int, depth: int = 0) -> Clause:
    """The clause whose verb is token v; `depth` counts the verbs that share its subject."""
    first, particle = sentence.group_start(v), sentence.particle(v)
    right = v + 1 + (particle == v + 1)
    end = sentence.end(right)
    after = sentence.after(right, end, particle)
    found = subject_of(sentence, first, v)
    subject, start, shared = found.phrase, found.start, None
    if found.verb is not None and depth < 3:
        shared = read_clause(sentence, found.verb, depth + 1)
        subject = shared.roles.get("object" if shared.passive else "subject", Phrase())
    passive = is_passive(sentence, first, v, right)
    if shared is not None and shared.passive and first == v and "object" not in after:
        passive = True  # was caught and fined
    if found.antecedent is not None:
        after.setdefault("object", found.antecedent)
    mood = _shared_mood(sentence, first, v, shared)
    roles = with_voice(subject, after, passive)
    return Clause(v, verb_forms(sentence, v, particle), roles, mood, passive, start, end)


def verb_forms(sentence: Sentence, v: int, particle: int) -> frozenset[str]:
    """Base forms of the verb at v, also with its particle."""
    verbs = lemmas(sentence.low(v))
    if particle:
        verbs |= {f"{verb} {sentence.low(particle)}" for verb in verbs}
    return verbs


def _shared_mood(sentence: Sentence, first: int, v: int, shared: Clause | None) -> str:
    """The verb's mood, or that of the verb before "and" whose auxiliaries it shares."""
    mood = mood_of(sentence, first, v)
    if shared is None or shared.mood == "fact" or first != v:
        return mood
    undone = shared.mood == "negated" and sentence.low(first - 1) == "but"
    return mood if undone else shared.mood


def is_passive(sentence: Sentence, first: int, v: int, right: int) -> bool:
    """Whether "be" stands before the participle at v, or "by" right after it."""
    low = sentence.low(v)
    if low.endswith("ing"):
        return False
    group = [sentence.low(i) for i in range(first, v)]
    if any(is_a(word, "be") for word in group):
        return low.endswith(PARTICIPLE)
    bare = all(is_a(word, "adverb") for word in group)
    return bare and sentence.low(right) == "by" and low not in base_verbs() | {"went"}


def with_voice(subject: Phrase, after: dict[str, Phrase], passive: bool) -> dict[str, Phrase]:
    """The roles, from what stands before the verb and after it."""
    roles = dict(after)
    if not passive:
        return roles | {"subject": subject}
    if "object" in roles:  # was elected mayor
        roles["as"] = roles.pop("object")
    roles["object"] = subject
    if "by" in roles:
        roles["subject"] = roles.pop("by")
    return roles
