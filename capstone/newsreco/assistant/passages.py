"""Passages: articles cut into windows of sentences, each with its position in the article.

A whole article is too long to quote, and a single sentence too short to be found: "He will miss
the final" holds no name. So a passage is a window of a few sentences that overlaps with the next,
and is searched together with its article's title. It is stored as an article and a span of
characters, not as a copy, so that a citation is verbatim. Left out: paragraphs, tables, and
splitting by meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from newsreco.data.log import Articles, NewsLog
from recsys import validation
from recsys.text import WORD

MAX_LENGTH = 400  # characters; a "sentence" that is longer is cut between two words
END = re.compile(r"[.!?؟।]+[\"'”’)\]]*\s+|[。！？｡]+[」』”’）]*\s*|\n+")
ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:[A-Za-z]|[A-Za-z](?:\.[A-Za-z])+|Mrs?|Ms|Dr|Prof|St|vs|No|Jr|Sr|Gen|Gov|Sen|Rep"
    r"|Inc|Ltd|Co|Mt|Jan|Feb|Aug|Sept?|Oct|Nov|Dec)$"
)


def articles_from(pairs: Iterable[tuple[str, str]]) -> Articles:
    """Articles N1, N2, ... of (title, abstract) pairs, for an example or a test."""
    pairs = list(pairs)
    n, topic = len(pairs), np.zeros(len(pairs), np.int32)
    titles, abstracts = [title for title, _ in pairs], [abstract for _, abstract in pairs]
    ids = [f"N{i + 1}" for i in range(n)]
    return Articles(ids, titles, abstracts, [""] * n, topic, topic, ["news"], ["news"], [()] * n)


def article_text(articles: Articles, item: int) -> str:
    """The text that spans of an article refer to: the title, a line break, the abstract."""
    return f"{articles.title[item]}\n{articles.abstract[item]}"


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of each sentence, in order, without the space between them.

    >>> text = "Dr. Ada Reyes won 3.5 million. Who lost? Nobody."
    >>> [text[a:b] for a, b in sentence_spans(text)]
    ['Dr. Ada Reyes won 3.5 million.', 'Who lost?', 'Nobody.']
    """
    spans, start = [], 0
    for match in END.finditer(text):
        if _ends_sentence(text, match):
            spans += _short_enough(text, start, match.end())
            start = match.end()
    return spans + list(_short_enough(text, start, len(text)))


def _ends_sentence(text: str, match: re.Match) -> bool:
    """Whether a sentence ends here: not after "Dr." or an initial, nor before lower case."""
    if "\n" in match[0]:
        return True
    if match[0].startswith(".") and ABBREVIATION.search(text[: match.start()][-12:]):
        return False
    return not text[match.end() : match.end() + 1].islower()


def _short_enough(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The span without space around it, in pieces of at most MAX_LENGTH characters."""
    while start < end:
        stop = end if end - start <= MAX_LENGTH else text.rfind(" ", start + 1, start + MAX_LENGTH)
        stop = min(start + MAX_LENGTH, end) if stop == -1 else stop
        piece = text[start:stop]
        if piece.strip():
            lead = len(piece) - len(piece.lstrip())
            yield start + lead, start + len(piece.rstrip())
        start = stop


@dataclass(frozen=True, eq=False)
class Passages:
    """Windows of articles: passage p is article_text(articles, article[p])[start[p]:end[p]].

    Parameters
    ----------
    article, start, end : arrays (n,) int32
        By article, then by start. Articles without a word have no passage.
    """

    articles: Articles
    article: np.ndarray
    start: np.ndarray
    end: np.ndarray

    def __len__(self) -> int:
        return len(self.article)

    def text(self, passage: int) -> str:
        """The passage, verbatim."""
        return self.quote(*self.span(passage))

    def quote(self, item: int, start: int, end: int) -> str:
        """A span of an article, verbatim."""
        return article_text(self.articles, item)[start:end]

    def span(self, passage: int) -> tuple[int, int, int]:
        """(article, start, end) of a passage."""
        return int(self.article[passage]), int(self.start[passage]), int(self.end[passage])

    def searchable(self, passages: Iterable[int] | None = None) -> list[str]:
        """The searched text of passages (by default all): the article's title and the window."""
        chosen = range(len(self)) if passages is None else passages
        titles, item, start = self.articles.title, self.article, self.start
        return [
            self.text(p) if start[p] == 0 else f"{titles[item[p]]}\n{self.text(p)}" for p in chosen
        ]

    def sentences(self, passage: int) -> list[tuple[int, int, int]]:
        """(article, start, end) of each sentence, the unit that an answer quotes."""
        item, first, _ = self.span(passage)
        return [(item, first + a, first + b) for a, b in sentence_spans(self.text(passage))]


def cut_into_passages(
    articles: Articles, size: int = 3, overlap: int = 1, known: np.ndarray | None = None
) -> Passages:
    """Windows of `size` sentences of each abstract, of which neighbours share `overlap`.

    Parameters
    ----------
    known : array (n_articles,) of bool, optional
        Articles to cut, by default all. An article without abstract is one passage, its title.
    """
    validation.whole_number("size", size)
    validation.whole_number("overlap", overlap, low=0)
    if overlap >= size:
        raise ValueError(f"overlap must be below size = {size}, got {overlap}")
    rows = []
    for item in range(len(articles)):
        if known is None or known[item]:
            rows += [(item, *span) for span in _windows(articles, item, size, overlap)]
    table = np.array(rows, np.int32).reshape(-1, 3)
    return Passages(articles, *np.ascontiguousarray(table.T))


def _windows(articles: Articles, item: int, size: int, overlap: int) -> list[tuple[int, int]]:
    """The spans of an article's passages."""
    title, abstract = articles.title[item], articles.abstract[item]
    if not WORD.search(title) and not WORD.search(abstract):
        return []
    shift = len(title) + 1
    spans = sentence_spans(abstract)
    if not spans:
        return [(0, len(title))]
    last = max(len(spans) - overlap, 1)
    windows = [spans[s : s + size] for s in range(0, last, size - overlap)]
    return [(shift + window[0][0], shift + window[-1][1]) for window in windows]


def known_at(log: NewsLog, time: float) -> np.ndarray:
    """Articles known as of a time (seconds UTC): mask (n_articles,) of bool.

    MIND has no publication dates. An article is known once it was shown, or is in the history of a
    user who has been seen.
    """
    past = log.before(time)
    known = np.zeros(log.n_items, bool)
    known[past.impressions.item] = True
    known[past.history_item] = True
    return known
