"""The assistant: find passages, decide whether they answer, and answer with sources or abstain.

The extractive answer needs no language model. It quotes, verbatim and with its source, the sentence
or title of the best passages that satisfies the roles of the question (`roles.objection`) and holds
most of its content words. The confidence is the fraction of the question's weight in the quoted
words (`support.held`); below a threshold calibrated on other questions the assistant abstains. If a
writer such as `Claude` is given, it words the answer, and the extractive one is the fallback.

`check_roles=False` is the baseline: the sentence with most of the question's words is quoted,
whoever did what to whom, and the confidence is that of the best passage.
"""

from __future__ import annotations

import html
import logging
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from newsreco.assistant.passages import cut_into_passages
from newsreco.assistant.prompt import NoAnswer, citations
from newsreco.assistant.search import PassageSearch
from newsreco.assistant.support import SpanReader, Support
from newsreco.assistant.words import clean_question, coverage, printable, weigh
from newsreco.data.log import Articles

LOG = logging.getLogger("newsreco.assistant")
THRESHOLD = 0.6  # calibration on synthetic data gives 0.65 without the check of roles, 0.47 with it
DO_NOT_KNOW = "I do not know: the news that I have does not seem to answer this."
READ = 5  # passages that a writer is given, and whose articles are shown as the nearest
SEARCHED = 12  # passages whose sentences and titles are read; cheap, so more than a reader sees


@dataclass(frozen=True)
class Citation:
    """A source: characters start to end of an article's title, a line break, and its abstract."""

    number: int
    article: str
    title: str
    quote: str
    start: int
    end: int

    @property
    def where(self) -> str:
        return "title" if self.end <= len(self.title) else "text"


@dataclass(frozen=True)
class Answer:
    """The assistant's answer to one question.

    Parameters
    ----------
    text : str
        Plain text, to be escaped in a page; `html()` does it.
    answered : bool
    confidence, threshold : float
        The fraction of the question's weight in the quoted words, between 0 and 1 and not a
        probability (0 where nothing may be quoted); and the least confidence of an answer.
    reason : str
        Why there is no answer, as "found N12, but it does not say who beat Tarn".
    writer : str
        "extract" or the name of a language model.
    citations : tuple of Citation
    nearest : tuple of (article id, title)
        The articles found, best first, whether or not they answer.
    """

    question: str
    text: str
    answered: bool
    confidence: float
    threshold: float
    writer: str = "extract"
    citations: tuple[Citation, ...] = ()
    nearest: tuple[tuple[str, str], ...] = ()
    reason: str = ""

    def plain(self) -> str:
        """The answer for a terminal."""
        lines = [self.text]
        lines += [f"  [{c.number}] {c.where} of {c.article}: {c.title}" for c in self.citations]
        lines += [self.reason] if self.reason else []
        if not self.answered and self.nearest:
            lines += ["The nearest articles:"]
            lines += [f"  {article}: {title}" for article, title in self.nearest]
        lines += [f"confidence {self.confidence:.2f}, needed {self.threshold:.2f}"]
        return "\n".join(printable(line) for line in lines)

    def html(self) -> str:
        """The answer for a page; markup in an article is escaped."""
        cited = [
            f'<li value="{c.number}"><cite>{html.escape(c.title)}</cite> '
            f"<q>{html.escape(c.quote)}</q></li>"
            for c in self.citations
        ]
        sources = f"<ol>{''.join(cited)}</ol>" if cited else ""
        return f"<p>{html.escape(self.text)}</p>{sources}"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(eq=False)
class Assistant:
    """Answers questions from articles.

    Parameters
    ----------
    articles : Articles
    known : array (n_articles,) of bool, optional
        Articles known so far; see `known_at`. The others are not used, not even to count words.
    threshold : float
        The least confidence of an answer; see `newsreco.assistant.calibration`.
    writer : optional
        Has a `name` and `write(question, passages)`, such as `newsreco.assistant.claude.Claude`.
    """

    articles: Articles
    known: np.ndarray | None = None
    threshold: float = THRESHOLD
    writer: Any = None
    search: PassageSearch = field(default_factory=PassageSearch)
    check_roles: bool = True

    def __post_init__(self) -> None:
        self.passages = cut_into_passages(self.articles, known=self.known)
        self.search.fit(self.passages)
        self.reader = SpanReader(self.passages)

    def ask(self, question: str) -> Answer:
        """The answer with sources, or an abstention; ValueError for an invalid question."""
        question = clean_question(question)
        found = self.search.search(question, SEARCHED)[0]
        if not self.check_roles:
            return self._baseline(question, found[:READ])
        supports = self.reader.supports(question, found)
        best = max(supports, key=lambda s: (not s.objection, s.held), default=None)
        abstention = self._abstention(question, found[:READ], best)
        readable = max((s.held for s in supports), default=0.0) >= self.threshold
        written = self._written(abstention, found[:READ], supports) if readable else None
        if written is not None:
            return written
        return self._quoted(abstention, best.span) if best and not abstention.reason else abstention

    def _abstention(self, question: str, found: np.ndarray, best: Support | None = None) -> Answer:
        """No answer yet: what was found, and the objection to the best span, if there is one."""
        held = 0.0 if best is None or best.objection else best.held
        nearest, reason = self._nearest(found), ""
        if self.check_roles:
            reason = self._reason(best, held)
        return Answer(
            question, DO_NOT_KNOW, False, held, self.threshold, nearest=nearest, reason=reason
        )

    def _baseline(self, question: str, found: np.ndarray) -> Answer:
        """An answer by words alone: the best sentence of passages of which one has enough words."""
        weights = weigh(question)
        texts = self.passages.searchable(found)
        confidence = max((coverage(weights, text) for text in texts), default=0.0)
        abstention = replace(self._abstention(question, found), confidence=confidence)
        if not len(found) or confidence < self.threshold:
            return abstention
        spans = [span for p in found for span in self.passages.sentences(p)]
        best = max(spans, key=lambda span: coverage(weights, self.passages.quote(*span)))
        return self._quoted(abstention, best)

    def _reason(self, best: Support | None, held: float) -> str:
        """Why the span that comes nearest is not quoted; "" if it is."""
        if best is None:
            return "found no article with these words"
        few = "holds too few of the words asked for" if held < self.threshold else ""
        objection = best.objection or few
        return f"found {self.articles.ids[best.span[0]]}, but it {objection}" if objection else ""

    def _nearest(self, found: np.ndarray) -> tuple[tuple[str, str], ...]:
        """Ids and titles of the articles found, each once."""
        items = dict.fromkeys(self.passages.article[found].tolist())
        return tuple((self.articles.ids[i], self.articles.title[i]) for i in items)

    def _quoted(self, abstention: Answer, span: tuple[int, int, int]) -> Answer:
        """The span, verbatim."""
        cited = self._cite(1, span)
        text = f"{cited.quote} [1]"
        return replace(abstention, text=text, answered=True, citations=(cited,), reason="")

    def _written(
        self, abstention: Answer, found: np.ndarray, supports: list[Support]
    ) -> Answer | None:
        """The writer's answer; None without a writer, or if its answer cannot be shown."""
        if self.writer is None:
            return None
        try:
            text = self.writer.write(abstention.question, self.passages.searchable(found))
        except NoAnswer as reason:
            LOG.warning("extractive answer, as %s gave none: %s", self.writer.name, reason)
            return None
        abstention = replace(abstention, writer=self.writer.name)
        order = citations(text)
        cited = tuple(self._cite(n, self.passages.span(found[n - 1])) for n in order)
        if not text:
            return abstention
        items = {int(self.passages.article[found[n - 1]]) for n in order}
        if self.check_roles and not self.reader.allows(abstention.question, text, supports, items):
            LOG.warning("extractive answer, as %s does not say who did it", self.writer.name)
            return None
        return replace(abstention, text=text, answered=True, citations=cited, reason="")

    def _cite(self, number: int, span: tuple[int, int, int]) -> Citation:
        item, start, end = span
        title, quote = self.articles.title[item], self.passages.quote(*span)
        return Citation(number, self.articles.ids[item], title, quote, start, end)
