r"""Two stages: retrievers pick candidates from the whole catalogue, a ranker orders the few.

Cheap models, each good at something else, look at every item; their lists are pooled (`pooling`).
One learned model then looks at the candidates only, so it may use many features (Covington, Adams
and Sargin 2016). A third stage may reorder the list as a whole (`rerank`). What was never retrieved
cannot be ranked: the recall of the pool is the ceiling of the list.

The ranker learns which candidates were interacted with. If it were shown candidates of retrievers
that had seen those very interactions, it would learn to trust their memory. So the log is cut in
time: the retrievers learn from the part before, the ranker from what came after, and then the
retrievers are fitted again on all of it, with the ranker as it is. Left out: features of user,
context and item beyond what the retrievers say, and negatives other than the pool's.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recsys import validation
from recsys.interactions import Interactions
from recsys.logistic import LogisticRanker
from recsys.models.base import Recommender
from recsys.rerank import to_unit_range
from recsys.retrieval.pooling import pool

USERS_AT_ONCE = 64  # whose scores of all items are in memory
Rerank = Callable[[np.ndarray, np.ndarray, int], np.ndarray]


@dataclass(eq=False)
class TwoStage:
    """Pooled retrievers, a ranker, and a re-ranker if there is one.

    Parameters
    ----------
    retrievers : dict of str to recommender
        Fitted on copies; those given stay as they are.
    pool_size : int
        Candidates per user, at most.
    ranker : LogisticRanker, or any object with `fit(X, clicked)` and `scores(X)`
    rerank : callable, optional
        Given a user's candidates (n,), best first, their scores (n,) and k, the rows of at most k
        of them to show, in order, such as `recsys.rerank.mmr`.

    Attributes after `fit`
    ----------------------
    fitted : dict of str to recommender
    feature_names : list of str
    """

    retrievers: Mapping[str, Recommender]
    pool_size: int = 100
    ranker: Any = field(default_factory=LogisticRanker)
    rerank: Rerank | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.retrievers, Mapping) or not self.retrievers:
            raise ValueError(
                f"retrievers must map names to one model or more, got {self.retrievers!r}"
            )
        validation.whole_number("pool_size", self.pool_size)

    def fit(self, early: Interactions, late: Interactions) -> TwoStage:
        """Fit the retrievers on `early`, and the ranker on which candidates are in `late`.

        Parameters
        ----------
        early, late : Interactions
            Of the same users and items; what is in `late` came after. A candidate is
            positive if the user's rows of `late` hold it; users without rows there are left
            out.
        """
        self.refit(early)
        users = np.unique(late.user)
        row, items, found_by = self.candidates(users)
        answers = late.matrix[users]
        clicked = np.asarray(answers[row, items]).ravel() > 0
        if not clicked.any():
            raise ValueError("late must hold a candidate of some user, got none")
        self.ranker.fit(self.features(users, row, items, found_by), clicked)
        return self

    def refit(self, train: Interactions) -> TwoStage:
        """Fit the retrievers, not the ranker, on another log: all data before a test."""
        self.fitted = {
            name: copy.copy(model).fit(train, progress=False)
            for name, model in self.retrievers.items()
        }
        self.popularity = np.log1p(np.bincount(train.item, minlength=train.n_items))
        names = [f"{name} {what}" for what in ("score", "found") for name in self.fitted]
        self.feature_names = [*names, "log popularity"]
        self.data_fingerprint = train.fingerprint
        return self

    @property
    def is_fitted(self) -> bool:
        """Whether the retrievers have been fitted."""
        return hasattr(self, "fitted")

    def candidates(self, users: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The pools of some users, one below the other.

        Returns the position of the user among `users` (n,), the item (n,) int32, and which
        retrievers found it, (n, n_retrievers) bool. The users' own histories are left out.
        """
        self._check_fitted()
        lists = [model.recommend(users, self.pool_size)[0] for model in self.fitted.values()]
        n_items = len(self.popularity)
        pools = [
            pool([x[x >= 0] for x in per_user], n_items, self.pool_size) for per_user in zip(*lists)
        ]
        row = np.repeat(np.arange(len(pools)), [len(items) for items, _ in pools])
        items = np.concatenate([np.empty(0, np.int32), *(items for items, _ in pools)])
        no_rows = np.empty((0, len(lists)), bool)
        return row, items, np.concatenate([no_rows, *(found for _, found in pools)])

    def features(
        self, users: Any, row: np.ndarray, items: np.ndarray, found_by: np.ndarray
    ) -> np.ndarray:
        """The ranker's features of candidates: (n, 2 n_retrievers + 1) float32.

        Each retriever's score of the item, scaled to 0..1 among the user's candidates (0
        where it has none), whether it found the item, and ln (1 + interactions).
        """
        users = np.asarray(users)
        starts = np.searchsorted(row, np.arange(len(users) + 1))
        scores = np.zeros((len(row), len(self.fitted)), np.float32)
        for first in range(0, len(users), USERS_AT_ONCE):
            some = users[first : first + USERS_AT_ONCE]
            for column, model in enumerate(self.fitted.values()):
                for n, given in enumerate(model.score(some), first):
                    here = slice(starts[n], starts[n + 1])
                    known = np.isfinite(given[items[here]])
                    scores[here, column][known] = to_unit_range(given[items[here]][known])
        columns = scores, found_by, self.popularity[items]
        return np.column_stack(columns).astype(np.float32)

    def rank(self, users: Any) -> list[tuple[np.ndarray, np.ndarray]]:
        """Each user's candidates by the ranker's score, best first, and these scores."""
        row, items, found_by = self.candidates(users)
        scores = np.empty(0)
        if len(row):
            scores = self.ranker.scores(self.features(users, row, items, found_by))
        order = np.lexsort((items, -scores, row))  # ties to the lower id
        starts = np.searchsorted(row, np.arange(1, len(users)))
        parts = zip(np.split(items[order], starts), np.split(scores[order], starts))
        return list(parts)[: len(users)]  # of no users, one empty part

    def recommend(self, users: Any, k: int = 10) -> tuple[np.ndarray, np.ndarray]:
        """The k best items for each user, as `Recommender.recommend`; the ranker's scores."""
        k = validation.whole_number("k", k)
        one_user = not np.iterable(users)
        users = [users] if one_user else users
        lists = np.full((len(users), k), -1, np.int32)
        scores = np.full((len(users), k), -np.inf, np.float32)
        for n, (items, values) in enumerate(self.rank(users)):
            kept = np.arange(min(k, len(items)))
            if self.rerank is not None and len(items):
                kept = self.rerank(items, values, k)
            lists[n, : len(kept)], scores[n, : len(kept)] = items[kept], values[kept]
        return (lists[0], scores[0]) if one_user else (lists, scores)

    def _check_fitted(self) -> None:
        if not self.is_fitted:
            raise ValueError("TwoStage must be fitted first: call fit(early, late)")
