"""What a question asks: which role of which verb, of which type, with which other roles given.

"Whom did Tarn sign from Velmouth?" asks for the object of "sign", a person or organisation, with
Tarn as its subject and Velmouth after "from". A question without a verb of its own ("Who is the
coach of Tarn?") asks for what is said to be its complement.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from newsreco.assistant.clauses import Clause, Sentence, auxiliaries
from newsreco.assistant.grammar import Phrase, Token, is_a, lemmas, names_in, phrase, tokens
from newsreco.assistant.verbs import base_verbs
from newsreco.assistant.words import terms

POLITE = re.compile(
    r"^(?:please|can you|could you|would you|do you know|tell me|say|i wonder|i want to know|[, ])+"
    r"(?=(?:by |to |from |for |in |on |at )?(?:who|what|which|when|where|why|how)\b)",
    re.IGNORECASE,
)
WH = {"who", "whom", "whose", "which", "what", "when", "where", "why", "how"}
SIMPLE = {"who": "who", "whom": "who", "when": "time", "where": "place", "why": "reason"}
DEGREES = {"many", "much", "long", "old", "far", "high", "late", "quickly", "fast", "well", "money"}
DEGREE = {"many": "number", "much": "amount", "long": "duration"}
QUESTION_MARKS = "?？؟;՞"
OPEN_TYPES = ("who", "thing")  # answered by a role; the others by a number, a time, ... nearby


@dataclass(frozen=True)
class Asked:
    """A question, read.

    Parameters
    ----------
    kind : str
        "who", "thing", "number", "amount", "duration", "time", "place", "reason", "manner",
        "yes" (is it so?), "keywords" (no question), or "unclear", which is never answered.
    role : str
        The role in question, "" if it is a number, a time, ... of the whole clause.
    clause : Clause or None
        The verb with the roles that are given; None for a complement of "be".
    noun : str
        What is counted or chosen: "nurses", "club".
    complement : Phrase or None
        What somebody or something is said to be: "the coach of Tarn".
    names : tuple of tuple of str
        All names in the question, each as its words in lower case.
    words : tuple of str
        Its other content words, except verbs and the noun that only says the type.
    also : tuple of Clause
        Further clauses that must hold: "when Tarn beat Velmouth".
    required : frozenset of str
        Base forms of a verb that governs the other: "hopes to beat".
    """

    kind: str
    role: str = ""
    clause: Clause | None = None
    noun: str = ""
    complement: Phrase | None = None
    names: tuple[tuple[str, ...], ...] = ()
    words: tuple[str, ...] = ()
    also: tuple[Clause, ...] = ()
    required: frozenset[str] = field(default_factory=frozenset)


def read_question(question: str, common: frozenset[str] = frozenset()) -> Asked:
    """What a question asks; `common` as in `grammar.tokens`."""
    text = POLITE.sub("", question.strip().strip("¿¡")).rstrip(QUESTION_MARKS + "!. ")
    text = text[:1].upper() + text[1:]
    words = tokens(text, common)
    asked = _read(words, question.rstrip()[-1:] in tuple(QUESTION_MARKS))
    return replace(asked, names=tuple(dict.fromkeys(names_in(words))), words=_nouns(words, asked))


def _nouns(words: list[Token], asked: Asked) -> tuple[str, ...]:
    """The content words that a sentence must hold, as only verbs have synonyms here."""
    clauses = [c for c in (asked.clause, *asked.also) if c is not None]
    verbs = frozenset().union(asked.required, *(c.verbs for c in clauses))
    parts = {word for verb in verbs for word in verb.split()}
    typed = asked.noun if asked.kind != "thing" and not (asked.kind == "number" and asked.noun) else ""
    return tuple(
        token.low
        for token in words
        if not token.name and token.text[:1].isalpha() and token.low not in (typed, *DEGREES)
        and terms(token.low) and not lemmas(token.low) & parts and token.low not in auxiliaries()
        and not is_a(token.low, "preposition", "particle", "pronoun", "determiner", "clause")
    )  # fmt: skip


def _read(words: list[Token], marked: bool) -> Asked:
    fronted = ""
    if len(words) > 1 and is_a(words[0].low, "preposition") and words[1].low in WH:
        fronted, words = words[0].low, words[1:]
    if not words:
        return Asked("keywords")
    wh, first = words[0].low, words[0].low
    if first in auxiliaries() and len(words) > 2:
        return _verb_after_subject("yes", "", "", words, fronted)
    if wh not in WH:
        return _statement(words, marked)
    kind, noun, rest = _type(wh, words[1:])
    if kind == "unclear" or not rest:
        return Asked("unclear")
    return _clause_of(kind, noun, rest, fronted)


def _statement(words: list[Token], marked: bool) -> Asked:
    """No question word: search words, or a statement to be confirmed."""
    sentence = Sentence(words)
    for clause in sentence.clauses:
        if sentence.is_verb(clause.verb) and clause.roles.get("subject", Phrase()).heads:
            return Asked("yes", "", clause)
    english = any(is_a(t.low, "determiner", "preposition", "be", "have", "do") for t in words)
    foreign = any(not t.text.isascii() and not t.name for t in words)
    lower = sum(t.text[:1].isalpha() and not t.name for t in words)
    return Asked("unclear" if marked and not english and (foreign or lower > 1) else "keywords")


def _type(wh: str, rest: list[Token]) -> tuple[str, str, list[Token]]:
    """(type of the answer, noun in question, words after it)."""
    if wh in SIMPLE:
        return SIMPLE[wh], "", rest
    if wh == "how":
        return _degree(rest)
    if wh == "whose" or not rest:
        return "unclear", "", rest
    if wh == "what" and (rest[0].low in auxiliaries() or _verb_like(rest, 0)):
        return "thing", "", rest
    noun, rest = _noun_until_verb(rest)
    types = {"who": ("organisation-noun", "human-noun"), "time": ("time-noun",)}
    types |= {"place": ("place-noun",), "number": ("amount-noun",)}
    for kind, lists in types.items():
        if is_a(noun, *lists):
            return kind, noun, rest
    return "thing", noun, rest


def _degree(rest: list[Token]) -> tuple[str, str, list[Token]]:
    word = rest[0].low if rest else ""
    if word in auxiliaries():
        return "manner", "", rest
    kind = DEGREE.get(word, "number")
    noun, after = "", rest[1:]
    if after and after[0].low not in auxiliaries() and word in ("many", "much"):
        noun, after = _noun_until_verb(after)
    return ("amount" if noun == "money" else "number" if noun else kind), noun, after


def _noun_until_verb(rest: list[Token]) -> tuple[str, list[Token]]:
    """The last noun before the verb, and the words from the verb on."""
    for i in range(1, len(rest)):
        if rest[i].low in auxiliaries() or _verb_like(rest, i) or is_a(rest[i].low, "preposition"):
            break
    else:
        return rest[-1].low, []
    noun = rest[i - 1].low
    while i < len(rest) and not (rest[i].low in auxiliaries() or _verb_like(rest, i)):
        i += 1
    return noun, rest[i:]


def _verb_like(rest: list[Token], i: int) -> bool:
    token, after = rest[i], rest[i + 1] if i + 1 < len(rest) else None
    if token.name or is_a(token.low, "determiner", "preposition", "pronoun", "adverb", "clause"):
        return False
    known = bool(lemmas(token.low) & base_verbs()) or token.low.endswith("ed")
    return known and (after is None or after.name or not after.text[:1].isalpha() or is_a(
        after.low, "determiner", "preposition", "particle", "pronoun", "adverb", "negation"
    ) or token.low.endswith("ed"))  # fmt: skip


def _clause_of(kind: str, noun: str, rest: list[Token], fronted: str) -> Asked:
    """The verb and its roles, after the question word and its noun."""
    counted = kind in OPEN_TYPES or bool(noun)
    i = 0
    while i < len(rest) and (rest[i].low in auxiliaries() or is_a(rest[i].low, "adverb", "negation")):
        i += 1
    if i < len(rest) and counted and not fronted and rest[0].low not in ("do", "does", "did"):
        t = rest[i]
        if not (t.name or is_a(t.low, "determiner", "pronoun")):
            if t.low not in auxiliaries() and not is_a(t.low, "preposition", "clause"):
                return _subject_question(kind, noun, rest, i)
    if i and any(is_a(t.low, "have") for t in rest[:i]) and not is_a(rest[0].low, "do"):
        later = _find_verb(rest, i)
        if later is None and counted:
            return _subject_question(kind, noun, rest, i - 1)
    asked = _verb_after_subject(kind, "object" if kind in OPEN_TYPES else "", noun, rest, fronted)
    clause = asked.clause
    if kind == "number" and noun and clause is not None and not fronted:
        if "object" not in clause.roles and not clause.passive:
            return replace(asked, role="object")  # how many goals did she score
    return asked


def _subject_question(kind: str, noun: str, rest: list[Token], v: int) -> Asked:
    """Who beat Tarn? Who was signed by Tarn? Which club has won?"""
    sentence = Sentence([Token("X", "x", True), *rest])
    return _finish(kind, "subject", noun, sentence, v + 1, [Token("X", "x", True)])


def _verb_after_subject(
    kind: str, role: str, noun: str, rest: list[Token], fronted: str
) -> Asked:
    """Whom did Tarn beat? When was Ada signed by Tarn? Did Tarn beat Velmouth?"""
    i = 0
    while i < len(rest) and (rest[i].low in auxiliaries() or is_a(rest[i].low, "negation")):
        i += 1
    v = _find_verb(rest, i)
    if v is None:
        is_be = i and is_a(rest[i - 1].low, "be")
        return Asked(kind, "", None, noun, phrase(rest[i:])) if is_be else Asked("unclear")
    groups = [j for j in range(i, v) if rest[j].low in auxiliaries()]
    subject = rest[i : groups[0] if groups else v]
    aux = [*rest[:i], *(rest[j] for j in groups)]
    sentence = Sentence([*subject, *aux, *rest[v:]])
    asked = _finish(kind, role, noun, sentence, len(subject) + len(aux), subject)
    last = rest[-1]
    if asked.clause is not None and role == "object":
        stranded = is_a(last.low, "preposition") and not last.name and last.low not in asked.clause.roles
        prep = fronted or (last.low if stranded and not asked.clause.passive else "")
        if stranded and last.low == "by" or fronted == "by":
            asked = replace(asked, role="subject")
        elif prep:
            asked = replace(asked, role=prep)
        elif asked.clause.passive:
            return Asked("unclear")
    return asked


def _find_verb(rest: list[Token], i: int) -> int | None:
    """The verb after its subject, which begins at i: the first content word that is no part of it."""
    subject = after_preposition = False
    for j in range(i, len(rest)):
        token = rest[j]
        if token.name or token.text[:1].isdigit():
            subject, after_preposition = True, False
        elif is_a(token.low, "clause") and token.low not in ("and", "than", "as"):
            return None
        elif is_a(token.low, "preposition"):
            after_preposition = True
        elif is_a(token.low, "pronoun"):
            subject = True
        elif is_a(token.low, "determiner", "adverb", "negation", "clause") or token.low in auxiliaries():
            continue
        elif not token.text[:1].isalpha():
            continue
        elif after_preposition or not subject:
            after_preposition, subject = False, True
        elif _ends_subject(rest, j):
            return j
    return None


def _ends_subject(rest: list[Token], j: int) -> bool:
    known = bool(lemmas(rest[j].low) & base_verbs()) or rest[j].low.endswith(("ed", "ing"))
    if known or rest[j - 1].name and not rest[j - 1].possessive or j + 1 == len(rest):
        return True
    after = rest[j + 1]
    return after.name or is_a(after.low, "determiner", "preposition", "particle", "adverb", "pronoun")


def _finish(
    kind: str, role: str, noun: str, sentence: Sentence, v: int, subject: list[Token]
) -> Asked:
    """The clause of the verb at v, without the role in question."""
    required: frozenset[str] = frozenset()
    to = v + 1
    governed = sentence.low(to) == "to" and to + 1 < len(sentence.tokens) and not (
        sentence.tokens[to + 1].name or is_a(sentence.low(to + 1), "determiner", "pronoun")
    )  # fmt: skip
    mood = sentence.mood(sentence.group_start(v), v)
    first = sentence.group_start(v)
    if governed:
        required, v, mood = lemmas(sentence.low(v)), to + 1, "possible"
        first = v
    particle = sentence.particle(v)
    right = v + 1 + (particle == v + 1)
    end = sentence.end(right)
    passive = sentence.is_passive(first, v, right)
    after = sentence.after(right, end, particle)
    verbs = lemmas(sentence.low(v))
    if particle:
        verbs |= {f"{verb} {sentence.low(particle)}" for verb in verbs}
    roles = sentence.voice(phrase(subject), after, passive)
    if role == "subject" and passive:
        role = "object"
    if role:
        roles.pop(role, None)
    clause = Clause(v, verbs, roles, mood, passive)
    return Asked(kind, role, clause, noun, also=_also(sentence, end), required=required)


def _also(sentence: Sentence, end: int) -> tuple[Clause, ...]:
    """The first clause after the question's own: "when Tarn beat Velmouth"."""
    later = [c for c in sentence.clauses if c.verb > end and sentence.is_verb(c.verb)]
    content = [c for c in later if sentence.low(c.verb) not in auxiliaries()]
    return tuple(c for c in content[:1] if c.roles.get("subject", Phrase()).tokens)
