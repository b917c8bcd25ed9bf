"""The assistant: find passages, judge whether they answer, and answer with sources or not at all.

The extractive answer needs no language model. It is the sentence of the best passages that holds
most of the question's telling words, to the letter, with its source. How sure can it be? The
share of the question's weight that the best passage holds (`words.weigh`) is compared with a
threshold that was calibrated on other questions; below it the assistant says that it does not
know. If a writer such as `Claude` is given, it words the answer, and the extractive one stays as
the fallback.
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
from newsreco.assistant.words import clean_question, printable, share, weigh
from newsreco.data.log import Articles

LOG = logging.getLogger("newsreco.assistant")
THRESHOLD = 0.6  # about what calibration gives on worlds of the default size
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
    """What the assistant says.

    Parameters
    ----------
    text : str
        Plain text, to be escaped by whoever puts it on a page; `html()` does.
    answered : bool
    confidence, threshold : float
        Between 0 and 1: the share of the question's weight that the best passage holds, no
        probability; and what it had to reach.
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
        """The answer for a page; whatever an article holds is text there, and no markup."""
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
        Articles that exist yet; see `known_at`. Nothing is learned from the others, not even how
        rare a word is.
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
        """Answer with sources, or say so where there is none; ValueError for a bad question."""
        question = clean_question(question)
        weights = weigh(question)
        found = self.search.search(question, READ)[0]
        sure = max((share(weights, text) for text in self.passages.searchable(found)), default=0.0)
        nearest = self._nearest(found)
        silent = Answer(question, DO_NOT_KNOW, False, sure, self.threshold, nearest=nearest)
        if not len(found) or sure < self.threshold:
            return silent
        return self._written(silent, found) or self._extract(silent, weights, found)

    def _nearest(self, found: np.ndarray) -> tuple[tuple[str, str], ...]:
        """Ids and titles of the articles found, each once."""
        items = dict.fromkeys(self.passages.article[found].tolist())
        return tuple((self.articles.ids[i], self.articles.title[i]) for i in items)

    def _extract(self, silent: Answer, weights: dict[str, float], found: np.ndarray) -> Answer:
        """The sentence that holds the most of the question, to the letter; ties: the first."""
        spans = [span for p in found for span in self.passages.sentences(p)]
        best = max(spans, key=lambda span: share(weights, self.passages.quote(*span)))
        cited = self._cite(1, best)
        text = f"{cited.quote} [1]"
        return replace(silent, text=text, answered=True, citations=(cited,))

    def _written(self, silent: Answer, found: np.ndarray) -> Answer | None:
        """The writer's answer; None where there is no writer, or none of its own to show."""
        if self.writer is None:
            return None
        try:
            text = self.writer.write(silent.question, self.passages.searchable(found))
        except NoAnswer as reason:
            LOG.warning("no answer by %s (%s): extracted one instead", self.writer.name, reason)
            return None
        silent = replace(silent, writer=self.writer.name)
        order = citations(text)
        cited = tuple(self._cite(n, self.passages.span(found[n - 1])) for n in order)
        return replace(silent, text=text, answered=True, citations=cited) if text else silent

    def _cite(self, number: int, span: tuple[int, int, int]) -> Citation:
        item, start, end = span
        title, quote = self.articles.title[item], self.passages.quote(*span)
        return Citation(number, self.articles.ids[item], title, quote, start, end)
