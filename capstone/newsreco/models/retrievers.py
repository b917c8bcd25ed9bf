r"""Retrievers: candidate generation, from a hundred thousand articles to a few hundred.

Each scores all live articles in one cheap way, for one user at a time, from what the state has
counted by then; a ranker then scores the candidates of all.

- content: which vectors are nearest to the decayed profile?
- item_item: what did the users who clicked this also click?
- sequence: what was clicked on the impression after this one?
- trending: what are all users clicking now? It needs no history, so it serves cold-start users.

Left out: user factors (a user new since the training has none), and learned sizes of each
retriever's part of the pool.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import sparse

from newsreco.config import read_config
from newsreco.features.counters import decay
from newsreco.features.state import State
from newsreco.models.cooccurrence import Tables, best_of_rows
from recsys import validation
from recsys.compiled import compiled
from recsys.retrieval.exact import replace_worst
from recsys.retrieval.faiss_index import FaissIndex
from recsys.retrieval.index import ExactIndex, VectorIndex
from recsys.retrieval.qdrant_index import QdrantIndex

LOG = logging.getLogger("newsreco.retrievers")
QDRANT_TIMEOUT = 10  # seconds
Found = tuple[np.ndarray, np.ndarray]


class Retriever(Protocol):
    """A source of candidates."""

    def candidates(
        self, state: State, user: int, time: float, k: int, allowed: np.ndarray
    ) -> Found:
        """At most k articles for one user at a time.

        Parameters
        ----------
        state : State
            Advanced by all events before `time`.
        user : int
            -1 for an unknown user.
        time : float
            Seconds UTC.
        k : int
        allowed : array (n_items,) of bool
            What may be recommended: see `live_articles`.

        Returns
        -------
        items : array (m,) int32
            Best first, ties to the lower id; m <= k, and 0 if no article has a positive score.
        scores : array (m,) float32
            Comparable only with the same retriever's.
        """


@dataclass(eq=False)
class ContentRetriever:
    """Articles whose vectors are nearest to the user's decayed profile."""

    vectors: np.ndarray  # (n_items, d) float32
    index: VectorIndex  # holds the same vectors

    def candidates(self, state, user, time, k, allowed) -> Found:
        profile = state.profile(user, time, self.vectors)
        length = np.sqrt(profile @ profile)
        if not length > 0:
            return _positive(np.empty(0, np.int32), np.empty(0, np.float32))
        try:
            items, scores = self.index.search((profile / length)[None], k, allowed)
        except ConnectionError as error:  # the other retrievers still find candidates
            LOG.warning("no candidates by content: %s", error)
            return _positive(np.empty(0, np.int32), np.empty(0, np.float32))
        return _positive(items[0], scores[0])


@dataclass(eq=False)
class TableRetriever:
    """Articles that co-occur with the user's recent clicks, by a table."""

    table: sparse.csr_matrix  # (n_items, n_items) float32; see newsreco.models.cooccurrence
    last_only: bool = False  # only the clicks of the last impression with any, weighted equally

    def candidates(self, state, user, time, k, allowed) -> Found:
        if self.last_only:
            sources = state.last_clicks(user)
            weights = np.ones(len(sources))
        else:
            sources, times = state.recent_clicks(user)
            weights = 0.5 ** ((time - times) / state.arrays.profile_half_life[0])
        return _positive(*best_of_rows(self.table, sources, weights, k, allowed))


@dataclass(eq=False)
class TrendingRetriever:
    """Articles with the most decayed clicks; those without any come last, with score 0."""

    trend: int = 0  # index of the half-life: 0 hours, 1 days

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
    """The retrievers by name, in the order in which `pool` merges them; index: see INDEXES."""
    if index not in INDEXES:
        raise ValueError(f"index must be one of {sorted(INDEXES)}, got {index!r}")
    return {
        "content": ContentRetriever(vectors, INDEXES[index]().fit(vectors)),
        "item_item": TableRetriever(tables["item_item"]),
        "sequence": TableRetriever(tables["sequence"], last_only=True),
        "trending": TrendingRetriever(),
    }


def qdrant_index() -> QdrantIndex:
    """A new index on the Qdrant server of the settings, or in process."""
    config = read_config()
    key = config.qdrant_api_key.get_secret_value() or None
    return QdrantIndex(config.qdrant_url or None, key, name="newsreco", timeout=QDRANT_TIMEOUT)


INDEXES: dict[str, Callable[[], VectorIndex]] = {
    "exact": ExactIndex,
    "faiss": FaissIndex,
    "qdrant": qdrant_index,
}


def live_articles(state: State, user: int, time: float, window: float) -> np.ndarray:
    """Mask (n_items,) of what may be recommended: shown within `window` seconds, not clicked.

    An article that was never shown is not known to be published, so it is not live.
    """
    window = validation.real_number("window", window, open_low=True)
    arrays = state.arrays
    allowed = arrays.last_shown >= time - window
    if 0 <= user < state.n_users:
        hide_clicked(arrays.user_newest[user], arrays.click_item, arrays.click_previous, allowed)
    return allowed


def _positive(items: np.ndarray, scores: np.ndarray) -> Found:
    """Only the articles with a positive score; the others come last."""
    n = int(np.count_nonzero(scores > 0))
    return items[:n], scores[:n]


@compiled
def most_clicks(clicks, counted, time, half_life, allowed, items, scores):
    """Fill in the items with most decayed clicks; `clicks` are as of the times `counted`.

    From the last item to the first: where items are numbered by age, the first few hundred fill
    the heap, and most of the others are passed over without computing their decay.
    """
    k = len(items)
    for i in range(len(allowed) - 1, -1, -1):
        # decay only lowers a count: too few clicks before it are too few after it
        if not allowed[i] or clicks[i] < scores[0]:
            continue
        score = np.float32(clicks[i] * decay(time - counted[i], half_life))
        if score > scores[0] or (score == scores[0] and i < items[0]):
            replace_worst(items, scores, k, i, score)
    for n in range(k - 1, 0, -1):  # the worst goes last, again and again
        item, score = items[n], scores[n]
        items[n], scores[n] = items[0], scores[0]
        replace_worst(items, scores, n, item, score)


@compiled
def hide_clicked(newest, click_item, click_previous, allowed):
    """Take each of a user's clicks out of `allowed`."""
    click = newest
    while click >= 0:
        allowed[click_item[click]] = False
        click = click_previous[click]
