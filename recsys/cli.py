r"""A recommender for one file of text: `recsys recommend articles.txt --history 0,1 -k 3`.

Content-based filtering as in `recsys.models.content`, for a reader without a log. With :math:`v_i`
the TF-IDF vector of article i, of length 1, and :math:`i_1, \dots, i_n` the articles read, oldest
first, the profile halves a read's weight every h reads (Ding and Li 2005); the last one counts 1:

.. math:: z = \sum_{m=1}^{n} 2^{-(n - m) / h} \, v_{i_m}, \qquad
          \hat r_i = \frac{z^\top v_i}{\|z\|}

Without a history the articles closest to the mean vector are relevant, and maximal marginal
relevance (Carbonell and Goldstein 1998) chooses among them, so that the list is central and
diverse. Left out: stemming, publication times, clicks, an index for large files.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy import sparse

from recsys import rerank, validation
from recsys.retrieval.exact import top_k
from recsys.text import TfIdf, row_lengths, tokenize, unit_rows

STOP_WORDS = tokenize(
    "about after all also an and are as at be been before but by can do does for from had has have "
    "how if in into is it its more most no not of on one only or other out over so than that the "
    "their them then there these they this those to two was were what when where which who with"
)
MOST_WORDS = 10_000  # the most frequent words of the file; rarer ones are left out
POOL = 500  # articles among which representatives are chosen
EPILOG = """\
examples:
  recsys recommend data/articles.txt                                representative articles
  recsys recommend data/articles.txt --history 0,1 -k 3             similar to those read
  recsys recommend data/articles.txt --history 7,0 --half-life 1 --json
"""


def read_articles(path: str | Path) -> list[str]:
    """The articles of a UTF-8 text file, one per line; blank lines do not count."""
    try:
        lines = validation.path("file", path).read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError:
        raise ValueError(f"{path} must be text in UTF-8, one article per line") from None
    articles = [" ".join(line.split()) for line in lines if line.strip()]
    if not articles:
        raise ValueError(f"{path} must hold one article per line, got no text")
    return articles


def similar_to_history(
    vectors: sparse.csr_matrix, history: Sequence[int], half_life: float
) -> np.ndarray:
    """Cosines (n,) of vectors (n, d) of length 1 to the decayed profile of a history.

    >>> vectors = sparse.csr_matrix([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    >>> similar_to_history(vectors, [0], half_life=5)
    array([1. , 0. , 0.6])
    """
    ages = np.arange(len(history))[::-1]  # in reads: the last one has age 0
    weights = sparse.csr_matrix(rerank.freshness(ages, half_life))
    profile = weights @ vectors[list(history)]  # (1, d)
    return (vectors @ unit_rows(profile).T).toarray().ravel()


def representatives(
    vectors: sparse.csr_matrix,
    k: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Indices of k central and diverse rows (n, d) of length 1, and their centrality.

    Centrality is the cosine to the mean vector. MMR gives it and the similarity to the
    rows already selected equal weight, among the `POOL` most central rows.

    >>> vectors = sparse.csr_matrix([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> representatives(vectors, k=2)[0]
    array([0, 2], dtype=int32)
    """
    k = validation.whole_number("k", k, high=vectors.shape[0])
    center = unit_rows(sparse.csr_matrix(vectors.mean(axis=0)))
    centrality = (vectors @ center.T).toarray().ravel()
    pool = np.sort(top_k(centrality[None], min(max(k, POOL), len(centrality)))[0][0])
    dense = vectors[pool].toarray()
    picks = pool[rerank.mmr(centrality[pool], dense, k, trade_off=0.5)]
    return picks, centrality[picks]


def recommend(
    articles: Sequence[str],
    history: Sequence[int] = (),
    k: int = 5,
    half_life: float = 5.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Indices of k unread articles, best first, and their scores, cosines in [0, 1].

    `history` lists the articles read, oldest first; `half_life` is in reads. Without a
    history the k are representatives, in the order of MMR. Articles without a content
    word are never recommended.

    >>> recommend(["A dog barks", "A dog sleeps", "Rain falls"], history=[0], k=1)[0]
    array([1], dtype=int32)
    """
    for index in history:
        validation.whole_number("an index in history", index, 0, len(articles) - 1)
    validation.real_number("half_life", half_life, open_low=True)
    model = TfIdf(max_features=MOST_WORDS, stop_words=STOP_WORDS)
    vectors = model.fit_transform(articles)
    has_words = row_lengths(vectors) > 0
    if len(history) and not has_words[list(history)].any():
        raise ValueError("history must hold an article with content words, got none")
    allowed = np.setdiff1d(np.flatnonzero(has_words), history).astype(np.int32)
    if validation.whole_number("k", k) > len(allowed):
        unread = f"{len(allowed)}, the unread articles"
        raise ValueError(f"k must be at most {unread}, got {k}")
    if not len(history):
        picks, scores = representatives(vectors[allowed], k)
        return allowed[picks], scores
    scores = similar_to_history(vectors, history, half_life)[allowed]
    items, best = top_k(scores[None], k)
    return allowed[items[0]], best[0]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _indices(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")] if text.strip() else []
    except ValueError:
        message = f"must be numbers of articles such as 0,1, got {text!r}"
        raise argparse.ArgumentTypeError(message) from None


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="recsys", description="Recommender systems, from the command line.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    about = "recommend articles: similar to those read, or representative where none was read"
    raw = argparse.RawDescriptionHelpFormatter
    command = commands.add_parser(
        "recommend", help=about, description=about, epilog=EPILOG, formatter_class=raw
    )
    add = command.add_argument
    add("file", help="text in UTF-8, one article per line; the first is article 0")
    add("--history", type=_indices, default=[], metavar="I,J", help="articles read, oldest first")
    add("-k", "--k", type=int, default=5, help="articles to recommend (%(default)s)")
    decay = "later reads after which a read counts half as much (%(default)g)"
    add("--half-life", type=float, default=5.0, metavar="READS", help=decay)
    add("--json", action="store_true", help="print JSON: index, score and text of each article")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command `recsys`: 0, or 2 with one line on stderr if its input is wrong."""
    try:
        options = _parser().parse_args(argv)
        articles = read_articles(options.file)
        found = recommend(articles, options.history, options.k, options.half_life)
        rows = [(int(i), round(float(score), 4), articles[i]) for i, score in zip(*found)]
        named = [dict(zip(("index", "score", "text"), row)) for row in rows]
        table = "\n".join("{:4}  {:.3f}  {}".format(*row) for row in rows)
        print(json.dumps(named, indent=1) if options.json else table, flush=True)
    except SystemExit as stop:  # help, or a wrong option
        return int(stop.code or 0)
    except BrokenPipeError:  # the reader of our output has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        print(f"recsys: cannot read {options.file}: {error.strerror}", file=sys.stderr)
        return 2
    except ValueError as error:
        print(f"recsys: {error}", file=sys.stderr)
        return 2
    return 0
