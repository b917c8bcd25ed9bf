"""The assistant: find passages, decide whether they answer, and answer with sources or abstain.

The extractive answer needs no language model. It quotes the sentence of the best passages that
holds most of the question's content words, verbatim, with its source. The confidence is the
fraction of the question's weight that the best passage holds (`words.coverage`); below a threshold
calibrated on other questions the assistant abstains. If a writer such as `Claude` is given, it
words the answer, and the extractive one is the fallback.
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
from newsreco.assistant.words import clean_question, coverage, printable, weigh
from newsreco.data.log import Articles

LOG = logging.getLogger("newsreco.assistant")
THRESHOLD = 0.6  # about what calibration gives on synthetic data of the default size
DO_NOT_KNOW = "I do not know: the news that I have does not seem to answer this."
READ = 5  # passages that an answer may rest on


@dataclass(frozen=True)
class Citation:
    """A source: characters start to end of an article's title, a line break, and its abstract."""

    number: int
    article: str
    title: str
    quote: str
    start: int
    end: int


@dataclass(frozen=True)
class Answer:
    """The assistant's answer to one question.

    Parameters
    ----------
    text : str
        Plain text, to be escaped in a page; `html()` does it.
    answered : bool
    confidence, threshold : float
        The fraction of the question's weight that the best passage holds, between 0 and 1 and not
        a probability; and the least confidence of an answer.
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

    def plain(self) -> str:
        """The answer for a terminal."""
        lines = [self.text]
        lines += [f"  [{c.number}] {c.article}: {c.title}" for c in self.citations]
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

    def __post_init__(self) -> None:
        self.passages = cut_into_passages(self.articles, known=self.known)
        self.search.fit(self.passages)

    def ask(self, question: str) -> Answer:
        """The answer with sources, or an abstention; ValueError for an invalid question."""
        question = clean_question(question)
        weights = weigh(question)
        found = self.search.search(question, READ)[0]
        texts = self.passages.searchable(found)
        confidence = max((coverage(weights, text) for text in texts), default=0.0)
        abstention = Answer(
            question, DO_NOT_KNOW, False, confidence, self.threshold, nearest=self._nearest(found)
        )
        if not len(found) or confidence < self.threshold:
            return abstention
        return self._written(abstention, found) or self._extract(abstention, weights, found)

    def _nearest(self, found: np.ndarray) -> tuple[tuple[str, str], ...]:
        """Ids and titles of the articles found, each once."""
        items = dict.fromkeys(self.passages.article[found].tolist())
        return tuple((self.articles.ids[i], self.articles.title[i]) for i in items)

    def _extract(self, abstention: Answer, weights: dict[str, float], found: np.ndarray) -> Answer:
        """The sentence that covers most of the question, verbatim; ties: the first."""
        spans = [span for p in found for span in self.passages.sentences(p)]
        best = max(spans, key=lambda span: coverage(weights, self.passages.quote(*span)))
        cited = self._cite(1, best)
        text = f"{cited.quote} [1]"
        return replace(abstention, text=text, answered=True, citations=(cited,))

    def _written(self, abstention: Answer, found: np.ndarray) -> Answer | None:
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
        return replace(abstention, text=text, answered=True, citations=cited)

    def _cite(self, number: int, span: tuple[int, int, int]) -> Citation:
        item, start, end = span
        title, quote = self.articles.title[item], self.passages.quote(*span)
        return Citation(number, self.articles.ids[item], title, quote, start, end)
