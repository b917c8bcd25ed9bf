"""One numbering for two logs: articles and users are matched by their ids.

Two folders number their articles each in the order of its own file. What is known keeps its
number; new articles come after it in the order of their ids, and new users in the order of the
log. So the result does not depend on the order in which a file lists its articles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from newsreco.data.log import Articles, NewsLog

TEXTS = ("title", "abstract", "url", "entities")


@dataclass(frozen=True, eq=False)
class MergedArticles:
    """The known articles, and after them the new ones of another catalogue.

    Parameters
    ----------
    articles : Articles
        With the other catalogue's texts where they differ.
    number : array (n_other,) int32
        The number of each of the other's articles in `articles`.
    changed : array (m,) int32
        Known articles whose title or abstract differs, ascending.
    n_shared : int
        Articles of both catalogues.
    """

    articles: Articles
    number: np.ndarray
    changed: np.ndarray
    n_shared: int


def merge_articles(known: Articles, other: Articles) -> MergedArticles:
    """Match two catalogues by id."""
    number_of = {article: number for number, article in enumerate(known.ids)}
    new = sorted(set(other.ids) - number_of.keys())
    number_of |= {article: len(known) + n for n, article in enumerate(new)}
    number = np.array([number_of[article] for article in other.ids], np.int32)
    row_of = np.full(len(number_of), -1)  # in `other`; -1 if it does not hold the article
    row_of[number] = np.arange(len(other))
    before = known.texts()
    shared = np.flatnonzero(row_of[: len(known)] >= 0)
    after = other.texts()
    changed = [n for n in shared.tolist() if before[n] != after[row_of[n]]]
    columns = {name: _merged(name, known, other, row_of) for name in ("ids", *TEXTS)}
    columns |= _merged_groups("category", "categories", known, other, row_of)
    columns |= _merged_groups("subcategory", "subcategories", known, other, row_of)
    return MergedArticles(Articles(**columns), number, np.array(changed, np.int32), len(shared))


def _merged(name: str, known: Articles, other: Articles, row_of: np.ndarray) -> list:
    """A column of the merged articles: the other's where it has the article."""
    mine, theirs = getattr(known, name), getattr(other, name)
    return [theirs[row] if row >= 0 else mine[n] for n, row in enumerate(row_of.tolist())]


def _merged_groups(
    name: str, names: str, known: Articles, other: Articles, row_of: np.ndarray
) -> dict[str, np.ndarray | list[str]]:
    """Categories or subcategories: the known names keep their numbers, new ones follow."""
    labels = list(getattr(known, names))
    labels += sorted(set(getattr(other, names)) - set(labels))
    number = {label: n for n, label in enumerate(labels)}
    theirs = np.array([number[label] for label in getattr(other, names)], np.int32)
    merged = np.empty(len(row_of), np.int32)
    merged[: len(known)] = getattr(known, name)
    has = row_of >= 0
    merged[has] = theirs[getattr(other, name)[row_of[has]]]
    return {name: merged, names: labels}


def renumber(log: NewsLog, merged: MergedArticles, user_ids: Sequence[str]) -> NewsLog:
    """The log with the merged numbers of articles, and with users numbered after `user_ids`."""
    number_of = {user: number for number, user in enumerate(user_ids)}
    for user in log.user_ids:
        number_of.setdefault(user, len(number_of))
    number = np.array([number_of[user] for user in log.user_ids], np.int32)
    owner = np.repeat(number, np.diff(log.history_start))
    counts = np.bincount(owner, minlength=len(number_of))
    shown = log.impressions
    return NewsLog(
        articles=merged.articles,
        user_ids=list(number_of),
        history_start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        history_item=merged.number[log.history_item[np.argsort(owner, kind="stable")]],
        impressions=replace(shown, user=number[shown.user], item=merged.number[shown.item]),
    )
