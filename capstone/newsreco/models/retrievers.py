r"""Retrievers: from a hundred thousand articles to the few hundred worth ranking.

Each answers one question quickly and roughly, for one person at a moment, from what the state
has counted by then; a ranker then looks closely at all that they found.

- content: which vectors lie nearest to the decayed profile?
- item_item: what did those who clicked this also click?
- sequence: what was clicked on the visit after this one?
- trending: what is everybody clicking now? It needs no history: cold start is its case.

Left out: factors of people (whoever is new since the training has none), and learned shares of
the pool.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import sparse

from newsreco.features.state import State, decay
from newsreco.models.cooccurrence import Tables, follow
from recsys import validation
from recsys.compiled import compiled
from recsys.retrieval.faiss_index import FaissIndex
from recsys.retrieval.index import ExactIndex, VectorIndex

INDEXES = {"exact": ExactIndex, "faiss": FaissIndex}
Found = tuple[np.ndarray, np.ndarray]


class Retriever(Protocol):
    """What every retriever can do."""

    def candidates(
        self, state: State, user: int, time: float, k: int, allowed: np.ndarray
    ) -> Found:
        """At most k articles for one person at a moment.

        Parameters
        ----------
        state : State
            Advanced by all events before `time`.
        user : int
            -1 for somebody unknown.
        time : float
            Seconds UTC.
        k : int
        allowed : array (n_items,) of bool
            What may be recommended: see `live_articles`.

        Returns
        -------
        items : array (m,) int32
            Best first, ties to the lower id; m <= k, and 0 where nothing speaks for anything.
        scores : array (m,) float32
            On a scale of each retriever's own.
        """


@dataclass(eq=False)
class ContentRetriever:
    """Articles whose vectors lie nearest to the person's decayed profile."""

    vectors: np.ndarray  # (n_items, d) float32
    index: VectorIndex  # holds the same vectors

    def candidates(self, state, user, time, k, allowed) -> Found:
        profile = state.profile(user, time, self.vectors)
        length = np.sqrt(profile @ profile)
        if not length > 0:
            return _speaking(np.empty(0, np.int32), np.empty(0, np.float32))
        items, scores = self.index.search((profile / length)[None], k, allowed)
        return _speaking(items[0], scores[0])


@dataclass(eq=False)
class TableRetriever:
    """Articles that a table names for the person's recent clicks."""

    table: sparse.csr_matrix  # (n_items, n_items) float32; see newsreco.models.cooccurrence
    last_visit: bool = False  # only the clicks of the last visit that had any, all alike

    def candidates(self, state, user, time, k, allowed) -> Found:
        if self.last_visit:
            sources = state.last_visit(user)
            weights = np.ones(len(sources))
        else:
            sources, times = state.recent_clicks(user)
            weights = 0.5 ** ((time - times) / state.arrays.profile_half_life[0])
        return _speaking(*follow(self.table, sources, weights, k, allowed))


@dataclass(eq=False)
class TrendingRetriever:
    """Articles with the most clicks, each of which halves every few hours; 0 is a score too."""

    trend: int = 0  # which of the state's half-lives: 0 hours, 1 days

    def candidates(self, state, user, time, k, allowed) -> Found:
        items = np.full(k, -1, np.int32)
        scores = np.full(k, -np.inf, np.float32)
        clicks, half_life = state.arrays.item_clicks[:, self.trend], state.arrays.half_lives
        most_clicks(
            clicks, state.arrays.item_time, time, half_life[self.trend], allowed, items, scores
        )
        return items[items >= 0], scores[items >= 0]


def make_retrievers(
    vectors: np.ndarray, tables: Tables, index: str = "exact"
) -> dict[str, Retriever]:
    """The retrievers by name, in the order in which they take turns; index: exact or faiss."""
    if index not in INDEXES:
        raise ValueError(f"index must be one of {sorted(INDEXES)}, got {index!r}")
    return {
        "content": ContentRetriever(vectors, INDEXES[index]().fit(vectors)),
        "item_item": TableRetriever(tables["item_item"]),
        "sequence": TableRetriever(tables["sequence"], last_visit=True),
        "trending": TrendingRetriever(),
    }


def live_articles(state: State, user: int, time: float, window: float) -> np.ndarray:
    """What may be recommended: shown to anybody in the last `window` seconds, not yet clicked.

    Returns a mask (n_items,) of bool. An article that nobody was shown yet is not known to be
    published, so it waits for its first showing.
    """
    window = validation.real_number("window", window, open_low=True)
    arrays = state.arrays
    allowed = arrays.last_shown >= time - window
    if 0 <= user < state.n_users:
        hide_clicked(arrays.user_newest[user], arrays.click_item, arrays.click_before, allowed)
    return allowed


def pool(found: Sequence[np.ndarray], n_items: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The first `size` different articles of several lists, which take turns.

    Parameters
    ----------
    found : sequence of arrays (m,) int32
        One list a retriever, best first: first everybody's best, then the second, and so on.
    n_items, size : int

    Returns
    -------
    items : array (n,) int32
    found_by : array (n, len(found)) bool
        Which retrievers had found each, however far down.

    >>> items, found_by = pool([np.array([4, 1]), np.array([4, 2, 0])], n_items=5, size=3)
    >>> items
    array([4, 1, 2], dtype=int32)
    >>> found_by
    array([[ True,  True],
           [ True, False],
           [False,  True]])
    """
    lists = np.full((len(found), max(map(len, found), default=0)), -1, np.int32)
    for row, items in enumerate(found):
        lists[row, : len(items)] = items
    items = np.empty(min(lists.size, validation.whole_number("size", size)), np.int32)
    found_by = np.zeros((len(items), len(lists)), np.bool_)
    n = take_turns(lists, np.full(n_items, -1, np.int32), items, found_by)
    return items[:n], found_by[:n]


def _speaking(items: np.ndarray, scores: np.ndarray) -> Found:
    """Without the articles that nothing speaks for; they come last."""
    n = int(np.count_nonzero(scores > 0))
    return items[:n], scores[:n]


@compiled
def most_clicks(clicks, counted, time, half_life, allowed, items, scores):
    """Fill the items with most decayed clicks; `clicks` are as of the times `counted`."""
    k = len(items)
    for i in range(len(allowed)):
        # clicks only fade: too few of them undecayed need no closer look
        if not allowed[i] or clicks[i] <= scores[k - 1]:
            continue
        score = np.float32(clicks[i] * decay(time - counted[i], half_life))
        place = k - 1
        if score <= scores[place]:
            continue
        while place > 0 and score > scores[place - 1]:
            scores[place], items[place] = scores[place - 1], items[place - 1]
            place -= 1
        scores[place], items[place] = score, i


@compiled
def hide_clicked(newest, click_item, click_before, allowed):
    """Walk a person's list of clicks and take each out of `allowed`."""
    click = newest
    while click >= 0:
        allowed[click_item[click]] = False
        click = click_before[click]


@compiled
def take_turns(lists, place, items, found_by):
    """Rank by rank, each list's next; how many different ones were taken."""
    n = 0
    for rank in range(lists.shape[1]):
        for r in range(len(lists)):
            item = lists[r, rank]
            if item < 0:
                continue
            if place[item] < 0 and n < len(items):
                items[n], place[item] = item, n
                n += 1
            if place[item] >= 0:
                found_by[place[item], r] = True
    return n
