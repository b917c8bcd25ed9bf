"""The log of a news site: articles, what was shown to whom and when, and what was clicked.

An *impression* is one view of the front page: a user, a time, the articles shown from the top
down, and which of them were clicked. Ids inside are numbers, as in `recsys`: articles are numbered
in the order of the file, users in order of first appearance, so that later events never change
a number.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from recsys import Interactions


@dataclass(frozen=True, eq=False)
class Articles:
    """The articles, one entry per article.

    Parameters
    ----------
    ids : list of str
        As in the file, such as "N55528".
    title, abstract, url : list of str
        An abstract may be empty.
    category, subcategory : array (n,) int32
        Numbers into `categories` and `subcategories`.
    categories, subcategories : list of str
        Names, in order of first appearance.
    entities : list of tuple of str
        Wikidata ids in title and abstract.
    """

    ids: list[str]
    title: list[str]
    abstract: list[str]
    url: list[str]
    category: np.ndarray
    subcategory: np.ndarray
    categories: list[str]
    subcategories: list[str]
    entities: list[tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.ids)

    def texts(self) -> list[str]:
        """Title and abstract of each article, for an embedder."""
        return [f"{title}. {abstract}" for title, abstract in zip(self.title, self.abstract)]


@dataclass(frozen=True, eq=False)
class Impressions:
    """Impressions in order of time; those of one time in the order of the file.

    Parameters
    ----------
    ids : list of str
        As in the file.
    user : array (n,) int32
    time : array (n,) float64
        Seconds UTC, rising.
    start : array (n + 1,) int64
        Impression r shows the articles item[start[r]:start[r + 1]], from the top down.
    item : array (n_shown,) int32
    clicked : array (n_shown,) bool
    """

    ids: list[str]
    user: np.ndarray
    time: np.ndarray
    start: np.ndarray
    item: np.ndarray
    clicked: np.ndarray

    def __len__(self) -> int:
        return len(self.user)

    def rows(self, first: int, last: int) -> Impressions:
        """The impressions first, ..., last - 1."""
        shown = slice(self.start[first], self.start[last])
        return Impressions(
            self.ids[first:last],
            self.user[first:last],
            self.time[first:last],
            self.start[first : last + 1] - self.start[first],
            self.item[shown],
            self.clicked[shown],
        )

    @property
    def impression(self) -> np.ndarray:
        """The impression of each article shown: (n_shown,) int64."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))


@dataclass(frozen=True, eq=False)
class NewsLog:
    """Articles, impressions, and the clicks of each user before the log begins.

    Parameters
    ----------
    user_ids : list of str
        As in the file, in the order of first appearance in time.
    history_start : array (n_users + 1,) int64
        User u's earlier clicks are history_item[history_start[u]:history_start[u + 1]], in the
        order of the file; their times are not known.
    history_item : array (n_earlier,) int32
    """

    articles: Articles
    user_ids: list[str]
    history_start: np.ndarray
    history_item: np.ndarray
    impressions: Impressions

    @property
    def n_users(self) -> int:
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        return len(self.articles)

    def cut(self, time: float) -> int:
        """Number of impressions before a time (seconds UTC)."""
        return int(np.searchsorted(self.impressions.time, time, side="left"))

    def cutoff_time(self, test_fraction: float = 0.2) -> float:
        """The time of the first of the last `test_fraction` of the impressions.

        All impressions of that time belong to the later part.
        """
        if not 0 < test_fraction < 1:
            raise ValueError(f"test_fraction must be between 0 and 1, got {test_fraction!r}")
        n = len(self.impressions)
        first = min(n - 1, int(np.ceil(n * (1 - test_fraction))))
        cutoff = float(self.impressions.time[first])
        if self.cut(cutoff) == 0:
            raise ValueError(f"all {n} impressions have the same time: the log cannot be split")
        return cutoff

    def before(self, time: float) -> NewsLog:
        """The log as of a time: earlier impressions, and the users seen by then.

        Articles and users keep their numbers; the users left out have higher ones.
        """
        last = self.cut(time)
        past = self.impressions.rows(0, last)
        n_users = int(past.user.max()) + 1 if last else 0
        starts = self.history_start[: n_users + 1]
        return replace(
            self,
            user_ids=self.user_ids[:n_users],
            history_start=starts,
            history_item=self.history_item[: starts[-1]],
            impressions=past,
        )

    def clicks(self) -> Interactions:
        """The clicks of the impressions, with their times; histories are not included."""
        shown = self.impressions
        row = shown.impression[shown.clicked]
        return Interactions(
            shown.user[row],
            shown.item[shown.clicked],
            time=shown.time[row],
            n_users=self.n_users,
            n_items=self.n_items,
            user_labels=self.user_ids,
            item_labels=self.articles.ids,
        )

    def fingerprint(self) -> str:
        """A sha256 of all that a model may learn from, as 16 hexadecimal digits."""
        digest = hashlib.sha256()
        shown = self.impressions
        for array in (shown.user, shown.time, shown.start, shown.item, shown.clicked):
            digest.update(np.ascontiguousarray(array).tobytes())
        for array in (self.history_start, self.history_item):
            digest.update(np.ascontiguousarray(array).tobytes())
        for words in (self.user_ids, self.articles.ids, self.articles.texts()):
            digest.update("\n".join(words).encode())
        return digest.hexdigest()[:16]
