r"""Recommendation for one user at a time: retrieve, rank, re-rank (Covington et al. 2016).

A ranker is too slow for a hundred thousand articles per request. So cheap retrievers find two
hundred candidates; the ranker scores these, on features that the same code computes for training
and serving; and re-ranking removes duplicates, favours new articles and diversifies by MMR. With
r the ranker's scores scaled to 0..1 over the candidates, the relevance given to MMR is

.. math:: r_i + b \, 2^{-\text{age}_i / h}

Left out: exploration, and editorial rules.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from newsreco.data.times import DAY, HOUR
from newsreco.features.matrix import candidate_features
from newsreco.features.state import State
from newsreco.models.bundle import NewsModel
from newsreco.models.retrievers import Retriever, live_articles, make_retrievers
from recsys import validation
from recsys.rerank import drop_duplicates, freshness, mmr, number_texts, to_unit_range
from recsys.retrieval.pooling import pool

NONE = np.empty(0, np.int32)
FOREVER = 1e12  # seconds
MILLISECONDS = 1e11  # a time from here on is hardly in seconds: it would be the year 5138
SIMILAR = 0.3  # cosine above which a click explains a recommendation
MARKS = re.compile(
    r"^\s*(update|updated|recap|live|watch|video)\s*:|(\((updated|update|video)\)|- report)\s*$"
)


@dataclass(frozen=True, eq=False)
class Recommendation:
    """A list for one user, best first.

    Parameters
    ----------
    items : array (n,) int32
        Articles; n <= k.
    scores : array (n,) float64
        The ranker's; re-ranking may change their order.
    because : array (n,) int32
        The recent click most similar to the article, -1 if none is similar.
    found_by : list of tuple of str
        The retrievers that found each.
    seconds : dict of str to float
        Duration of each stage.
    as_of : float
        Time (seconds UTC) for which the list was made: earlier than asked for, if no article that
        the user has not clicked was shown in the days before that time.
    allowed : array (n_items,) bool
        What could have been recommended.
    """

    items: np.ndarray
    scores: np.ndarray
    because: np.ndarray
    found_by: list[tuple[str, ...]]
    seconds: dict[str, float]
    as_of: float
    allowed: np.ndarray

    def reasons(self, titles: list[str]) -> list[str]:
        """An explanation of each: a similar article that the user read, or that it is trending."""
        return [
            f'because you read "{titles[click]}"' if click >= 0 else "trending now"
            for click in self.because
        ]


@dataclass(eq=False)
class RecommendationPipeline:
    """Recommends lists from a trained model and the current state.

    Parameters
    ----------
    model : NewsModel
    state : State, optional
        Counters and clicks up to now; by default those at the end of training.
    pool_size : int
        Candidates that the ranker scores.
    window_days : float
        Articles last shown earlier are not recommended.
    min_live : int
        Fewer articles than these are never the only ones that may be recommended.
    trade_off : float
        Of MMR: 1 is relevance alone.
    fresh_bonus : float
        b of the formula above.
    fresh_hours : float
        h of the formula above.
    index : str
        "exact", or "faiss" or "qdrant" if faiss-cpu or qdrant-client is installed.
    """

    model: NewsModel
    state: State | None = None
    pool_size: int = 200
    window_days: float = 3.0
    min_live: int = 1
    trade_off: float = 0.9
    fresh_bonus: float = 0.05
    fresh_hours: float = 6.0
    index: str = "exact"
    retrievers: dict[str, Retriever] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        validation.whole_number("pool_size", self.pool_size)
        validation.real_number("window_days", self.window_days, open_low=True)
        validation.whole_number("min_live", self.min_live)
        validation.real_number("trade_off", self.trade_off, high=1.0)
        validation.real_number("fresh_bonus", self.fresh_bonus)
        validation.real_number("fresh_hours", self.fresh_hours, open_low=True)
        if self.state is None:
            self.state = self.model.state
        if self.state.n_items != len(self.model.articles):
            raise ValueError(
                f"state must know the model's {len(self.model.articles)} articles, got one of "
                f"{self.state.n_items}"
            )
        self.retrievers = make_retrievers(self.model.vectors, self.model.tables, self.index)
        self.story = number_texts(self.model.articles.title, normalized_title)

    def recommend(
        self, user: int, time: float | None = None, k: int = 10, exclude: np.ndarray = NONE
    ) -> Recommendation:
        """The k best articles for one user at a time.

        Parameters
        ----------
        user : int
            -1, or a number unknown to the state, is a new user.
        time : float, optional
            Seconds UTC, not before the last event counted, the default.
        k : int
        exclude : array of int
            Articles that are not recommended, nor others with the same title.
        """
        validation.whole_number("k", k)
        validation.whole_number("user", user, low=-1)
        user = user if user < self.state.n_users else -1
        now = self.state.now
        time = validation.real_number("time", now if time is None else time, low=now)
        if time >= MILLISECONDS:
            raise ValueError(f"time must be in seconds since 1970, got {time}: milliseconds?")
        timer = _StageTimer()
        allowed, time = self.live(user, time, exclude)
        items, found_by = self.retrieve(user, time, allowed)
        timer.stop("retrieve")
        X = candidate_features(self.state, self.model.vectors, user, time, items)
        timer.stop("features")
        scores = self.model.ranker.scores(X)
        timer.stop("rank")
        kept, because = self.rerank(user, time, items, scores, k, exclude)
        timer.stop("rerank")
        names = list(self.retrievers)
        found = [tuple(n for n, hit in zip(names, found_by[row]) if hit) for row in kept]
        return Recommendation(
            items[kept], scores[kept], because, found, timer.seconds, time, allowed
        )

    def live(self, user: int, time: float, exclude: np.ndarray = NONE) -> tuple[np.ndarray, float]:
        """What may be recommended at a time, (n_items,) of bool, and the time to rank it for.

        If fewer than `min_live` are live, the freshest others that the user has not clicked join
        them. If none is live, they are ranked for the time of the last event counted.
        """
        window = self.window_days * DAY
        allowed = live_articles(self.state, user, time, window)
        allowed[exclude] = False
        n_live = np.count_nonzero(allowed)
        if n_live >= self.min_live:
            return allowed, time
        unread = live_articles(self.state, user, self.state.now, FOREVER)
        unread[exclude] = False
        shown = np.where(unread, self.state.arrays.last_shown, -np.inf)
        since = min(shown.max() - window, np.sort(shown)[-self.min_live :][0])
        return unread & (shown >= since), time if n_live else self.state.now

    def retrieve(
        self, user: int, time: float, allowed: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The candidates (n,) int32, and which retrievers found each, (n, n_retrievers) bool.

        `allowed` (n_items,) are by default the articles that are live at the time.
        """
        if allowed is None:
            allowed = live_articles(self.state, user, time, self.window_days * DAY)
        found = [
            retriever.candidates(self.state, user, time, self.pool_size, allowed)[0]
            for retriever in self.retrievers.values()
        ]
        return pool(found, len(allowed), self.pool_size)

    def rerank(
        self,
        user: int,
        time: float,
        items: np.ndarray,
        scores: np.ndarray,
        k: int,
        exclude: np.ndarray = NONE,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Rows of at most k of the items, best first, and the click most similar to each."""
        clicks, _ = self.state.recent_clicks(user)
        age = np.maximum(time - self.state.arrays.first_shown[items], 0.0) / HOUR
        relevance = to_unit_range(scores) + self.fresh_bonus * freshness(age, self.fresh_hours)
        order = np.lexsort((items, -relevance))  # best first, ties to the lower id
        order = order[drop_duplicates(items[order], self.story[items[order]])]
        known = np.concatenate([clicks, exclude])
        order = order[~np.isin(self.story[items[order]], self.story[known])]
        vectors = self.model.vectors[items[order]]
        kept = order[mmr(relevance[order], vectors, k, self.trade_off)]
        return kept, nearest_click(self.model.vectors, items[kept], clicks)


def nearest_click(vectors: np.ndarray, items: np.ndarray, clicks: np.ndarray) -> np.ndarray:
    """The click most similar to each item, the newest of equals: (n,) int32; -1 if none is."""
    if len(clicks) == 0:
        return np.full(len(items), -1, np.int32)
    cosine = vectors[items] @ vectors[clicks].T  # (n, n_clicks)
    nearest = clicks[cosine.argmax(axis=1)].astype(np.int32)
    return np.where(cosine.max(axis=1) > SIMILAR, nearest, -1).astype(np.int32)


def normalized_title(title: str) -> str:
    """A title without case, punctuation and the marks of a republished agency story.

    >>> normalized_title("Update: Rovers win 3-1") == normalized_title("ROVERS win 3-1 (updated)")
    True
    """
    while (bare := MARKS.sub("", title.casefold())) != title:
        title = bare
    return " ".join(re.findall(r"\w+", title))


class _StageTimer:
    """Durations of consecutive stages, by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.last = perf_counter()

    def stop(self, name: str) -> None:
        now = perf_counter()
        self.seconds[name], self.last = now - self.last, now
