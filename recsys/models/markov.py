r"""A first-order Markov chain: what users chose right after the item this user chose last.

Counting how often item i came right after item j in the users' histories, in order of time,
estimates the transition probability (Shani, Heckerman and Brafman 2005):

.. math:: P_{ji} = \frac{n_{j \to i}}{\sum_{i'} n_{j \to i'}}

A user's score for item i is :math:`P_{\ell i}` with :math:`\ell` their last item. Most pairs
never follow each other, so a fraction w of the score may come from content, the cosine between
the two items' features:

.. math:: \hat r_{ui} = (1 - w) P_{\ell i} + w \cos(v_\ell, v_i)

With w = 1 only the content of the last item counts: the difference is the value of the order.
(P plus c times the cosine ranks items as w = c / (1 + c) does.) Left out: longer memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from recsys import validation
from recsys.interactions import Interactions
from recsys.models.base import Recommender, as_interactions
from recsys.models.content import check_item_features, cosines, directions
from recsys.split import by_user_and_time
from recsys.text import row_lengths
from recsys.threads import on_snapshot


@dataclass(eq=False)
class Markov(Recommender):
    """Transitions from the last item, alone or with its content.

    Items that never followed the last one get a score from content only; without any score the
    list is empty, and `Fallback` can fill it.

    Parameters
    ----------
    content_weight : float from 0 to 1
        The fraction of the score that is the cosine with the last item.
    item_features : array or sparse matrix (n_items, d), optional
        Needed for a content_weight above 0.

    Attributes after `fit`
    ----------------------
    transitions : CSR matrix (n_items, n_items), float32
        Row j holds the probabilities of the items after item j; they sum to 1, or are empty.
    last_item : array (n_users,) int32
        Last item of each user, the higher id of several at one time; -1 without history.
    """

    learned: ClassVar[tuple[str, ...]] = ("item_features", "transitions", "last_item")

    content_weight: float = 0.0
    item_features: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.item_features is not None:
            self.item_features = validation.features("item_features", self.item_features)
        elif self.content_weight > 0:
            raise ValueError("item_features must be given for a content_weight above 0, got None")

    def _fit(self, train: Interactions, progress: bool) -> None:
        if train.time is None:
            raise ValueError("train.time must be given for Markov, got None")
        if self.item_features is not None:
            check_item_features(self.item_features, self.n_items)
        order, position, count = by_user_and_time(train)
        user, item = train.user[order], train.item[order]
        later = np.flatnonzero(position > 0)
        self.transitions = transition_probabilities(item[later - 1], item[later], self.n_items)
        self.last_item = np.full(self.n_users, -1, np.int32)
        is_last = position == count - 1
        self.last_item[user[is_last]] = item[is_last]

    def _scores(self, users: np.ndarray) -> np.ndarray:
        last = np.maximum(self.last_item[users], 0)  # users without history are masked later
        scores = (1 - self.content_weight) * self.transitions[last].toarray()  # (n, n_items)
        rated = scores > 0
        if self.content_weight > 0:
            scores += self.content_weight * cosines(self.item_features[last], self._directions)
            rated |= self._described[last][:, None] & self._described
        scores[~rated] = -np.inf
        return scores

    @cached_property
    def _directions(self) -> Any:
        return directions(self.item_features)

    @cached_property
    def _described(self) -> np.ndarray:
        """Whether each item has features: (n_items,) bool."""
        return row_lengths(self.item_features) > 0

    @property
    def cold_items(self) -> np.ndarray:
        """None: `_scores` itself masks the items that it cannot score."""
        return np.empty(0, np.int64)

    @on_snapshot
    def fold_in(self, histories: Any) -> Markov:
        """The model for new users, numbered from 0.

        `histories` is a list of item id lists in order of time, or Interactions with times. A
        matrix has no order and raises ValueError.
        """
        self._check_fitted()
        log = as_interactions(histories, self.n_items)
        if log.time is None and (log is histories or sparse.issparse(histories)):
            raise ValueError(
                "histories must be lists in order of time, or Interactions with time, for Markov, "
                f"got {type(histories).__name__} without"
            )
        model = self.with_histories(log)
        model.last_item = np.full(log.n_users, -1, np.int32)
        order = np.arange(len(log)) if log.time is None else by_user_and_time(log)[0]
        model.last_item[log.user[order]] = log.item[order]  # the last one written stays
        return model


def transition_probabilities(
    item: np.ndarray, following: np.ndarray, n_items: int
) -> sparse.csr_matrix:
    """CSR matrix (n_items, n_items) float32: P_ji for each item j and the items i after it.

    >>> P = transition_probabilities(np.array([0, 0, 0, 1]), np.array([1, 1, 2, 0]), 3)
    >>> P.toarray().round(2)
    array([[0.  , 0.67, 0.33],
           [1.  , 0.  , 0.  ],
           [0.  , 0.  , 0.  ]], dtype=float32)
    """
    pairs = (np.ones(len(item)), (item, following))
    counts = sparse.csr_matrix(pairs, shape=(n_items, n_items))
    counts.sum_duplicates()
    total = np.bincount(item, minlength=n_items)  # n_j, the transitions from each item
    counts.data /= np.repeat(total, np.diff(counts.indptr))
    return counts.astype(np.float32)
