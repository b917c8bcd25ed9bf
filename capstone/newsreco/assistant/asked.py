"""What a question asks: which role of which verb, of which type, with which other roles given.

"Whom did Tarn sign from Velmouth?" asks for the object of "sign", a person or organisation, with
Tarn as its subject and Velmouth after "from". A question without a verb of its own ("Who is the
coach of Tarn?") asks for what is said to be its complement.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from newsreco.assistant.clauses import Clause, is_passive, read_clauses, verb_forms, with_voice
from newsreco.assistant.grammar import Phrase, Token, is_a, lemmas, names_in, phrase, tokens
from newsreco.assistant.moods import mood_of
from newsreco.assistant.question_words import WH, answer_type, auxiliary, find_verb
from newsreco.assistant.sentences import Sentence
from newsreco.assistant.words import terms

POLITE = re.compile(
    r"^(?:please|can you|could you|would you|do you know|tell me|say|i wonder|i want to know|[, ])+"
    r"(?=(?:by |to |from |for |in |on |at )?(?:who|what|which|when|where|why|how)\b)",
    re.IGNORECASE,
)
QUESTION_MARKS = "?？؟;՞"
OPEN_TYPES = ("who", "thing")  # answered by a role; the others by a number, a time, ... nearby
ADJECTIVES = {"many", "much", "long", "old", "far", "high", "late", "quickly", "fast", "well"}
GRAMMAR = ("preposition", "particle", "pronoun", "determiner", "clause")
SOMEBODY = Token("X", "x", True)  # stands for the question word


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
    verbs = frozenset().union(asked.required, *(clause.verbs for clause in clauses))
    verb_parts = {part for verb in verbs for part in verb.split()}
    counted = asked.kind == "thing" or asked.kind == "number"
    free = ADJECTIVES | {"money"} | (set() if counted else {asked.noun})
    return tuple(
        token.low
        for token in words
        if not token.name and token.text[:1].isalpha() and token.low not in free
        and terms(token.low) and not lemmas(token.low) & verb_parts and not auxiliary(token)
        and not is_a(token.low, *GRAMMAR)
    )  # fmt: skip


def _read(words: list[Token], marked: bool) -> Asked:
    """The question; `marked` if a question mark ends it."""
    fronted = ""
    if len(words) > 1 and is_a(words[0].low, "preposition") and words[1].low in WH:
        fronted, words = words[0].low, words[1:]
    if not words:
        return Asked("keywords")
    if auxiliary(words[0]) and len(words) > 2:
        return _verb_after_subject("yes", "", "", words, fronted)
    if words[0].low not in WH:
        return _statement(words, marked)
    kind, noun, rest = answer_type(words[0].low, words[1:])
    if kind == "unclear" or not rest:
        return Asked("unclear")
    return _clause_of(kind, noun, rest, fronted)


def _statement(words: list[Token], marked: bool) -> Asked:
    """No question word: search words, or a statement to be confirmed."""
    sentence = Sentence(words)
    for clause in read_clauses(sentence):
        if sentence.is_verb(clause.verb) and clause.roles.get("subject", Phrase()).heads:
            return Asked("yes", "", clause)
    english = any(is_a(t.low, "determiner", "preposition", "be", "have", "do") for t in words)
    foreign = any(not t.text.isascii() and not t.name for t in words)
    lower = sum(t.text[:1].isalpha() and not t.name for t in words)
    return Asked("unclear" if marked and not english and (foreign or lower > 1) else "keywords")


def _clause_of(kind: str, noun: str, rest: list[Token], fronted: str) -> Asked:
    """The verb and its roles, after the question word and its noun."""
    open_type = kind in OPEN_TYPES
    helps = 0  # auxiliaries and adverbs before anything else
    while helps < len(rest) and (
        auxiliary(rest[helps]) or is_a(rest[helps].low, "adverb", "negation")
    ):
        helps += 1
    if (open_type or noun) and not fronted:
        if _subject_is_asked(rest, helps):
            return _subject_question(kind, noun, rest, helps)
        if helps and is_a(rest[0].low, "have") and find_verb(rest, helps) is None:
            return _subject_question(kind, noun, rest, helps - 1)  # who had a team?
    asked = _verb_after_subject(kind, "object" if open_type else "", noun, rest, fronted)
    clause = asked.clause
    counts = kind == "number" and noun and not fronted and clause is not None
    if counts and not clause.passive and "object" not in clause.roles:
        return replace(asked, role="object")  # how many goals did she score
    return asked


def _subject_is_asked(rest: list[Token], i: int) -> bool:
    """Whether a verb follows the question word, as in "who beat", "who was beaten"."""
    if i >= len(rest) or is_a(rest[0].low, "do"):
        return False
    return not rest[i].name and not is_a(
        rest[i].low, "determiner", "pronoun", "preposition", "clause"
    )


def _subject_question(kind: str, noun: str, rest: list[Token], v: int) -> Asked:
    """Who beat Tarn? Who was signed by Tarn? Which club has won?"""
    asked = _finish(kind, noun, Sentence([SOMEBODY, *rest]), v + 1, [SOMEBODY])
    passive = asked.clause is not None and asked.clause.passive
    return _asking(asked, "object" if passive else "subject")


def _verb_after_subject(kind: str, role: str, noun: str, rest: list[Token], fronted: str) -> Asked:
    """Whom did Tarn beat? When was Ada signed by Tarn? Did Tarn beat Velmouth?"""
    i = 0
    while i < len(rest) and (auxiliary(rest[i]) or is_a(rest[i].low, "negation")):
        i += 1
    v = find_verb(rest, i)
    if v is None:
        is_be = i and is_a(rest[i - 1].low, "be")
        return Asked(kind, "", None, noun, phrase(rest[i:])) if is_be else Asked("unclear")
    between = [j for j in range(i, v) if auxiliary(rest[j])]
    subject = rest[i : between[0] if between else v]
    helps = [*rest[:i], *(rest[j] for j in between)]
    sentence = Sentence([*subject, *helps, *rest[v:]])
    asked = _finish(kind, noun, sentence, len(subject) + len(helps), subject)
    return _with_object_role(asked, rest[-1], fronted) if role == "object" else asked


def _with_object_role(asked: Asked, last: Token, fronted: str) -> Asked:
    """The role in question is the object, or stands after a preposition: "by whom was she"."""
    clause = asked.clause
    if clause is None:
        return asked
    stranded = is_a(last.low, "preposition") and last.low not in clause.roles
    preposition = fronted or (last.low if stranded else "")
    if clause.passive:
        role = "subject" if preposition == "by" else preposition
        return _asking(asked, role) if role else Asked("unclear")
    if not preposition and clause.roles.get("object", Phrase()).heads:
        return Asked("unclear")  # what did Tarn pay Ada?
    return _asking(asked, preposition or "object")


def _asking(asked: Asked, role: str) -> Asked:
    """The question for a role of its clause, which is not given then."""
    if asked.clause is None:
        return asked
    roles = {name: part for name, part in asked.clause.roles.items() if name != role}
    return replace(asked, role=role, clause=replace(asked.clause, roles=roles))


def _finish(kind: str, noun: str, sentence: Sentence, v: int, subject: list[Token]) -> Asked:
    """The clause of the verb at v with all its roles."""
    required: frozenset[str] = frozenset()
    first = sentence.group_start(v)
    mood = mood_of(sentence, first, v)
    if _governs_infinitive(sentence, v):
        required, v, mood = lemmas(sentence.low(v)), v + 2, "possible"
        first = v
    particle = sentence.particle(v)
    right = v + 1 + (particle == v + 1)
    end, passive = sentence.end(right), is_passive(sentence, first, v, right)
    roles = with_voice(phrase(subject), sentence.after(right, end, particle), passive)
    clause = Clause(v, verb_forms(sentence, v, particle), roles, mood, passive)
    return Asked(kind, "", clause, noun, also=_also(sentence, end), required=required)


def _governs_infinitive(sentence: Sentence, v: int) -> bool:
    """Whether the verb is followed by "to" and another: "hopes to beat"."""
    if sentence.low(v + 1) != "to" or v + 2 >= len(sentence.tokens):
        return False
    return not sentence.tokens[v + 2].name and not sentence.is_(v + 2, "determiner", "pronoun")


def _also(sentence: Sentence, end: int) -> tuple[Clause, ...]:
    """The first clause after the question's own: "when Tarn beat Velmouth"."""
    later = [
        clause
        for clause in read_clauses(sentence)
        if clause.verb > end and sentence.is_verb(clause.verb)
        and not auxiliary(sentence.tokens[clause.verb])
    ]  # fmt: skip
    return tuple(clause for clause in later[:1] if clause.roles.get("subject", Phrase()).tokens)
