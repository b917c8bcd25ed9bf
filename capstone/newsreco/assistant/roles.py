"""Whether a sentence says what a question asks: who did it to whom, as a fact, with the answer.

`objection` returns why a sentence is no answer, or "" if it is one. All names of the question must
stand in the sentence (names of a place or an event may stand in the title); the verb, or another
with that meaning, must have the roles that the question gives, in the same mood; and the role or
the kind of word in question must be there, filled by something that the question does not name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from newsreco.assistant.asked import Asked
from newsreco.assistant.clauses import Clause, read_clauses
from newsreco.assistant.complements import complement_objection
from newsreco.assistant.fillers import filler_objection
from newsreco.assistant.grammar import Phrase, Token, is_a, lemmas, names_in
from newsreco.assistant.names import Name, Names
from newsreco.assistant.sentences import Sentence
from newsreco.assistant.verbs import Frame, in_relation, relations
from newsreco.assistant.words import stem

Roles = Mapping[str, Phrase]
CORE = ("subject", "object")
DIRECTED = frozenset({"from", "to", "by", "with", "against", "for", "over"})
NO_VERB = "does not say so"
OTHER_ROLES = "says it of others, or the other way round"
NO_FACT = "does not say it as a fact"


def objection(asked: Asked, sentence: Sentence, title: Sentence, names: Names) -> str:
    """Why a sentence does not answer; "" if it does. `title` is that of its article."""
    if missing := missing_name(asked, sentence, title, names):
        return f"does not name {missing}"
    if asked.kind == "keywords":
        return ""
    if asked.kind == "unclear":
        return "cannot be checked against this question, whose grammar is not understood"
    if missing := missing_word(asked, sentence, title):
        return f"does not speak of {missing}"
    if asked.clause is None:
        return complement_objection(asked, sentence, names)
    if found := clause_objection(asked, asked.clause, sentence, names):
        return found
    plain = Asked("yes", names=asked.names)
    return next(filter(None, (clause_objection(plain, c, sentence, names) for c in asked.also)), "")


def missing_name(asked: Asked, sentence: Sentence, title: Sentence, names: Names) -> str:
    """The first name of the question that is missing, as a text."""
    said, context = names_in(sentence.tokens), _context(asked)
    for name in asked.names:
        where = said
        if name in context:
            where = free_names(sentence.tokens) + free_names(title.tokens)
        if not any(names.same(name, other, said) for other in where):
            return " ".join(part.capitalize() for part in name)
    return ""


def free_names(words: list[Token]) -> list[Name]:
    """The names that are no part of another, as Selby is of the Bank of Selby."""
    inside = {
        i
        for i in range(2, len(words))
        if words[i].name and words[i - 1].low == "of" and words[i - 2].name
    }
    return names_in([replace(t, name=t.name and i not in inside) for i, t in enumerate(words)])


def missing_word(asked: Asked, sentence: Sentence, title: Sentence) -> str:
    """The first noun or adverb of the question that neither sentence nor title holds."""
    held = {stem(token.low) for token in (*sentence.tokens, *title.tokens)}
    return next((word for word in asked.words if stem(word) not in held), "")


def _context(asked: Asked) -> set[Name]:
    """Names that say where or at what: neither who acts nor to whom, nor whose."""
    if asked.clause is None:
        return set()
    roles = asked.clause.roles
    core = {name for r in (*CORE, *DIRECTED) if r in roles for name in roles[r].names}
    return {name for r, part in roles.items() for name in part.names} - core


def clause_objection(asked: Asked, given: Clause, sentence: Sentence, names: Names) -> str:
    """Why no clause of the sentence states the given one, with what is asked; "" if one does."""
    reasons = [
        reason
        for clause in read_clauses(sentence)
        for reason in _compare(asked, given, clause, sentence, names)
    ]
    if "" in reasons:
        return ""
    ranked = [r for r in reasons if r not in (NO_VERB, OTHER_ROLES)]
    return (ranked or [r for r in reasons if r == OTHER_ROLES] or [NO_VERB])[0]


def _compare(
    asked: Asked, given: Clause, clause: Clause, sentence: Sentence, names: Names
) -> Iterable[str]:
    """An objection for each relation that both verbs may state."""
    stated = relations(clause.verbs)
    for frame in relations(given.verbs):
        for other in stated:
            if frame.relation == other.relation and not frame.implied:
                role = frame.roles.get(asked.role, asked.role)
                wanted = in_relation(frame, given.roles)
                reading = _agreeing(wanted, in_relation(other, clause.roles), role, other, names)
                yield (
                    OTHER_ROLES
                    if reading is None
                    else _fact_objection(asked, given, clause, sentence)
                    or filler_objection(asked, role, reading, clause, sentence, names)
                )


def _agreeing(
    wanted: Roles | None, said: Roles | None, role: str, frame: Frame, names: Names
) -> Roles | None:
    """The reading of the clause in which all given roles agree; None without one."""
    if wanted is None or said is None:
        return None
    readings = [said]
    if frame.symmetric:  # Ada married Ben, and Ben Ada
        other = said.get("object") or said.get("with") or Phrase()
        readings.append({**said, "subject": other, "object": said.get("subject", Phrase())})
    return next((reading for reading in readings if _agree(wanted, reading, role, names)), None)


def _fact_objection(asked: Asked, given: Clause, clause: Clause, sentence: Sentence) -> str:
    """NO_FACT if the mood differs, or the verb that governs the question's is missing."""
    if clause.mood != given.mood or given.mood == "negated":
        return NO_FACT
    governors = (lemmas(token.low) for token in sentence.tokens)
    missing = asked.required and not any(asked.required & governor for governor in governors)
    return NO_FACT if missing else ""


def _agree(wanted: Roles, said: Roles, role: str, names: Names) -> bool:
    """Whether every role that the question gives is filled alike, and at least one is."""
    alike = all(
        _role_agrees(given.removesuffix(" again"), part, said, names)
        for given, part in wanted.items()
    )
    return alike and (role in said or any(given in CORE for given in wanted))


def _role_agrees(given: str, part: Phrase, said: Roles, names: Names) -> bool:
    """Subject and object must be there, so must names after "from", "to", ...; "in" need not."""
    if given in CORE or (given in DIRECTED and part.heads):
        return given in said and matches(part, said[given], names)
    both = given in said and part.heads and said[given].heads
    return not both or matches(part, said[given], names)


def matches(part: Phrase, said: Phrase, names: Names) -> bool:
    """Whether a phrase of the question and one of a sentence have the same head."""
    context = list(said.names)
    if part.heads:
        return all(any(names.same(h, o, context) for o in said.heads) for h in part.heads)
    if not part.noun or is_a(part.noun, "pronoun", "determiner"):
        return bool(part.tokens) and part.tokens[-1].low in {t.low for t in said.tokens}
    return stem(part.noun) == stem(said.noun) or (not said.noun and stem(part.noun) in said.stems)
