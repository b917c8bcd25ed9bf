"""Support: how much of a question one sentence or title holds, and whether it may be quoted.

Confidence is measured on the very words that are quoted. A question is never quoted as an answer,
and the roles of the question must be satisfied by the span (`roles.objection`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from newsreco.assistant.asked import QUESTION_MARKS, read_question
from newsreco.assistant.grammar import lemmas, names_in, tokens
from newsreco.assistant.names import Names
from newsreco.assistant.passages import Passages, article_text, sentence_spans
from newsreco.assistant.prompt import CITED
from newsreco.assistant.roles import objection
from newsreco.assistant.sentences import Sentence
from newsreco.assistant.words import coverage, terms, weigh

CLOSING = " \"'”’»)]」』"
QUESTION = "is a question"


@dataclass(frozen=True)
class Support:
    """A span, the weight of the question's words in it, and why it is no answer ("" if it is)."""

    span: tuple[int, int, int]
    held: float
    objection: str


class SpanReader:
    """Reads questions and the sentences and titles of passages."""

    def __init__(self, passages: Passages) -> None:
        self.passages = passages
        items = np.unique(passages.article)
        self.names = Names([article_text(passages.articles, int(i)) for i in items])
        self.sentence = lru_cache(maxsize=20_000)(self._sentence)

    def spans(self, found: np.ndarray) -> list[tuple[int, int, int]]:
        """The sentences of the passages, each once, then the titles of their articles."""
        sentences = [span for p in found for span in self.passages.sentences(p)]
        items = dict.fromkeys(self.passages.article[found].tolist())
        titles = [
            (item, *span)
            for item in items
            for span in sentence_spans(self.passages.articles.title[item])
        ]
        return list(dict.fromkeys([*sentences, *titles]))

    def supports(self, question: str, found: np.ndarray) -> list[Support]:
        """The support of each span."""
        asked, weights = read_question(question, self.names.common), weigh(question)
        result = []
        for span in self.spans(found):
            quote = self.passages.quote(*span)
            if quote.rstrip(CLOSING).endswith(tuple(QUESTION_MARKS)):
                reason = QUESTION
            else:
                title = self.sentence(span[0], 0, len(self.passages.articles.title[span[0]]))
                reason = objection(asked, self.sentence(*span), title, self.names)
            verbs = asked.clause.verbs if asked.clause is not None and not reason else frozenset()
            result.append(Support(span, held(weights, quote, verbs), reason))
        return result

    def allows(
        self, question: str, text: str, supports: Sequence[Support], items: set[int]
    ) -> bool:
        """Whether a written answer to "who" names only whom a span of its sources names so."""
        asked = read_question(question, self.names.common)
        if asked.kind != "who":
            return True
        spans = [s.span for s in supports if not s.objection and s.span[0] in items]
        said = {name for span in spans for name in names_in(self.sentence(*span).tokens)}
        named = names_in(tokens(CITED.sub(" ", text), self.names.common))
        return bool(spans) and all(
            any(self.names.same(name, other) for other in (*said, *asked.names)) for name in named
        )

    def _sentence(self, item: int, start: int, end: int) -> Sentence:
        quote = self.passages.quote(item, start, end)
        title = end <= len(self.passages.articles.title[item])
        return Sentence(tokens(quote, self.names.common), title)


def held(weights: dict[str, float], quote: str, verbs: frozenset[str] = frozenset()) -> float:
    """Coverage of a question by a span; `verbs` of the question count as held where one fits."""
    found = coverage(weights, quote)
    if not verbs:
        return found
    missing = set(weights) - set(terms(quote))
    return found + sum(weights[word] for word in missing if lemmas(word) & verbs)
