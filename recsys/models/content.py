r"""Content-based filtering: items whose features are like those of the user's history.

With :math:`v_i` the vector of item i (genres, weighted words, an embedding), a user's profile
is the sum of the vectors in the history, in which an interaction's weight halves every
`half_life` (Ding and Li 2005), and a score is the cosine between profile and item:

.. math:: z_u = \sum_{(i, t) \in u} r_{ui} \, 2^{-(t_u - t) / h} \, v_i, \qquad
          \hat r_{ui} = \frac{z_u^\top v_i}{\|z_u\| \|v_i\|}

with :math:`t_u` the user's own last interaction: the time from which ages are counted scales a
profile and changes no cosine, and this choice lets no profile underflow. Items without
interactions are scored like all others (Pazzani and Billsus 2007). Left out: learned weights of
the features, and negative feedback.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from recsys import validation
from recsys.interactions import Interactions
from recsys.models import similar
from recsys.models.base import Recommender, as_interactions, largest_contributions
from recsys.retrieval.exact import top_k
from recsys.text import row_lengths, unit_rows
from recsys.threads import on_snapshot


@dataclass(eq=False)
class ContentBased(Recommender):
    """Items similar to those in a user's history, by their features.

    Parameters
    ----------
    item_features : array or sparse matrix (n_items, d)
        One row per item, from `recsys.text.multi_hot` or `TfIdf` for instance. Items with longer
        rows weigh more in a profile. An item of zeros is never recommended.
    half_life : float or None
        In the unit of the log's times; None weighs all interactions alike.

    Attributes after `fit`
    ----------------------
    weights : CSR matrix (n_users, n_items), float32
        Weight of each item in the user's profile.
    """

    learned: ClassVar[tuple[str, ...]] = ("item_features", "weights")

    item_features: Any = field(repr=False)
    half_life: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.item_features = validation.features("item_features", self.item_features)

    def _fit(self, train: Interactions, progress: bool) -> None:
        check_item_features(self.item_features, self.n_items)
        if self.half_life is not None and train.time is None:
            raise ValueError("train.time must be given for a half_life, got None")
        self.weights = decayed_history(train, self.half_life)

    def _scores(self, users: np.ndarray) -> np.ndarray:
        profiles = self.weights[users] @ self.item_features  # (n, d)
        scores = cosines(profiles, self._directions)
        scores[row_lengths(profiles) == 0] = -np.inf  # no item in the history has features
        return scores

    @cached_property
    def _directions(self) -> Any:
        return directions(self.item_features)

    @cached_property
    def cold_items(self) -> np.ndarray:
        """Ids of the items that cannot be scored: those without features."""
        return np.flatnonzero(row_lengths(self.item_features) == 0)

    @on_snapshot
    def fold_in(self, histories: Any) -> ContentBased:
        """The model for new users, numbered from 0.

        `histories` is a list of item id lists, a CSR matrix or Interactions. Without times all
        interactions have the same weight.
        """
        self._check_fitted()
        log = as_interactions(histories, self.n_items)
        model = self.with_histories(log)
        model.weights = decayed_history(log, None if log.time is None else self.half_life)
        return model

    @on_snapshot
    def similar_items(
        self, items: int | Sequence[int], k: int = 10
    ) -> tuple[np.ndarray, np.ndarray]:
        """The k items whose features have the highest cosine to those of each item.

        The item itself is left out. Arrays (n, k) int32, padded with -1, and float32, padded with
        -inf; (k,) for one item. An item without features has an empty list and is in none.
        """
        self._check_fitted()
        rows, found, scores = similar.empty_lists("items", items, k, self.n_items)
        for part in self._batches(len(rows)):
            batch = cosines(self.item_features[rows[part]], self._directions)
            batch[:, self.cold_items] = -np.inf
            batch[np.isin(rows[part], self.cold_items)] = -np.inf
            batch[np.arange(len(batch)), rows[part]] = -np.inf
            found[part], scores[part] = top_k(batch, k)
        return (found, scores) if np.iterable(items) else (found[0], scores[0])

    @on_snapshot
    def explain(self, user: int, item: int, k: int = 5) -> tuple[np.ndarray, np.ndarray]:
        """The items of a user's history that contribute most to a score, by their features.

        Returns `items` (k,) int32, largest contribution first, ties to the lower id, padded with
        -1, and `contributions` (k,) float32, padded with 0. With k at least the length of the
        history they sum to the score; they are empty where the score is -inf.
        """
        history = self._history_of(user, item).indices
        length = row_lengths(self.weights[[user]] @ self.item_features)[0]
        if length == 0 or item in self.cold_items:
            history, length = history[:0], 1.0
        shared = self.item_features[history] @ unit_rows(self.item_features[[item]]).T
        weights = self.weights[[user]][:, history].toarray().ravel()
        return largest_contributions(history, weights * _dense(shared).ravel() / length, k)


def check_item_features(item_features: Any, n_items: int) -> None:
    """Raise ValueError unless the features have one row per item."""
    if item_features.shape[0] != n_items:
        raise ValueError(
            f"item_features must have n_items = {n_items} rows, got shape {item_features.shape}"
        )


def decayed_history(log: Interactions, half_life: float | None) -> sparse.csr_matrix:
    """CSR matrix (n_users, n_items) of summed values or counts, halved each half-life.

    Ages are counted from each user's own last interaction.
    """
    if half_life is None:
        return log.matrix
    last = np.full(log.n_users, -np.inf)
    np.maximum.at(last, log.user, log.time)
    weight = 0.5 ** ((last[log.user] - log.time) / half_life)
    weight *= 1.0 if log.value is None else log.value
    order = np.lexsort((weight, log.item, log.user))  # the same sums for any row order
    rows = (weight[order], (log.user[order], log.item[order]))
    return sparse.csr_matrix(rows, shape=log.matrix.shape).astype(np.float32)


def directions(item_features: Any) -> tuple[Any, np.ndarray | slice]:
    """The distinct item vectors at length 1, one per column: (d, m), and each item's column.

    A product of dense matrices may round equal columns differently. Items with equal vectors
    share a column, so that their scores are equal to the bit; sparse products round them alike.
    """
    unit = unit_rows(item_features)
    if sparse.issparse(unit):
        return unit.T.tocsr(), slice(None)
    distinct, column = np.unique(unit, axis=0, return_inverse=True)
    return np.ascontiguousarray(distinct.T), column.ravel()


def cosines(vectors: Any, item_directions: tuple[Any, np.ndarray | slice]) -> np.ndarray:
    """The cosine of each row of `vectors` with each item: (n, n_items) float32; 0 for zeros."""
    columns, column = item_directions
    return _dense(unit_rows(vectors) @ columns)[:, column]


def _dense(matrix: Any) -> np.ndarray:
    return matrix.toarray() if sparse.issparse(matrix) else matrix
