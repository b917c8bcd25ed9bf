"""What every recommender shares: validation, batching, filtering of seen items, saving.

A model is a dataclass whose fields are its parameters. It defines `_fit`, which learns, and
`_scores`, which scores every item for some users.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy import sparse

from recsys import bundle, numbering, validation
from recsys.interactions import Interactions, check_log, check_same_items, read_only
from recsys.models.filters import ItemFilter, item_filter
from recsys.threads import limit_threads, on_snapshot

if TYPE_CHECKING:
    import pandas as pd

MAX_FLOAT = float(np.finfo(np.float32).max)
SCORES_IN_MEMORY = 4_000_000  # scores computed at once; with float32, 16 MB

PARAMETER_CHECKS = {
    "factors": lambda name, x: validation.whole_number(name, x),
    "iterations": lambda name, x: validation.whole_number(name, x, low=0),
    "epochs": lambda name, x: validation.whole_number(name, x, low=0),
    "cg_steps": lambda name, x: validation.whole_number(name, x),
    "max_trials": lambda name, x: validation.whole_number(name, x),
    "n_negatives": lambda name, x: validation.whole_number(name, x),
    "negatives": lambda name, x: validation.one_of(name, x, ("uniform", "popular")),
    "n_neighbors": lambda name, x: x is None or validation.whole_number(name, x),
    "n_threads": lambda name, x: x is None or validation.whole_number(name, x),
    "alpha": lambda name, x: validation.real_number(name, x, high=MAX_FLOAT),
    "reg": lambda name, x: validation.real_number(name, x, high=MAX_FLOAT),
    "reg_exponent": lambda name, x: validation.real_number(name, x, high=2.0),
    "shrinkage": lambda name, x: validation.real_number(name, x, high=MAX_FLOAT),
    "learning_rate": lambda name, x: validation.real_number(name, x, open_low=True),
    "half_life": lambda name, x: validation.real_number(name, x, open_low=True),
    "gravity": lambda name, x: validation.real_number(name, x),
    "content_weight": lambda name, x: validation.real_number(name, x, high=1.0),
    "momentum": lambda name, x: validation.real_number(name, x, high=0.99),
    "correction": lambda name, x: validation.true_or_false(name, x),
    "hidden": lambda name, x: x is None or validation.whole_number(name, x),
    "mask_seen": lambda name, x: validation.true_or_false(name, x),
    "min_support": lambda name, x: validation.real_number(name, x, high=1.0),
    "min_confidence": lambda name, x: validation.real_number(name, x, high=1.0),
    "measure": lambda name, x: validation.one_of(name, x, ("confidence", "lift")),
    "rng": lambda name, x: validation.random_generator(x),
}


@dataclass(eq=False)
class Recommender:
    """Base of all models: `fit`, `recommend`, `score`, `save`.

    Attributes after `fit`
    ----------------------
    n_users, n_items : int
    history : CSR matrix (n_users, n_items), float32
        Items each user interacted with: summed values, or counts.
    user_labels, item_labels : list or None
        Outside names of user 0, user 1, ... and of the items, from the training log.
    is_folded : bool
        Whether `fold_in` has replaced the users of the training log.
    """

    #: whether users and items without training interactions get no score
    needs_history: ClassVar[bool] = True
    #: names of the arrays and CSR matrices that `save` writes: what `_fit` learns, and
    #: parameters that are arrays
    learned: ClassVar[tuple[str, ...]] = ()
    user_labels: ClassVar[list | None] = None
    item_labels: ClassVar[list | None] = None
    is_folded: ClassVar[bool] = False

    def __post_init__(self) -> None:
        self._check_parameters()

    def _check_parameters(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in PARAMETER_CHECKS and value is not field.default:  # it may be None
                PARAMETER_CHECKS[field.name](field.name, value)

    def fit(self, train: Interactions, progress: bool = True) -> Recommender:
        """Learn from a log; an interrupted fit leaves the model as it was.

        Other threads may read the model meanwhile: each call sees the old or the new state, whole.

        Parameters
        ----------
        train : Interactions
            At least one row.
        progress : bool
            Show a progress bar on a terminal or in a notebook when the work is long.

        Returns
        -------
        self
        """
        return self._fit_apart(train, progress)

    def _fit_apart(self, train: Interactions, progress: bool, *options: Any) -> Recommender:
        """`fit`, with what a model's `_fit` takes beyond log and progress."""
        check_log("train", train)
        if len(train) == 0:
            raise ValueError("train must hold at least one interaction, got none")
        self._check_parameters()  # they may have changed since
        return self._learn_apart(Recommender._learn, train, progress, *options)

    def _learn(self, train: Interactions, progress: bool, *options: Any) -> None:
        self._set_history(train.matrix, train.fingerprint)
        self.user_labels, self.item_labels = train.user_labels, train.item_labels
        self.row_digest, self.is_folded = train.row_digest, False
        self._fit(train, progress, *options)

    def _learn_apart(self, learn: Callable, *arguments: Any) -> Recommender:
        """Let a copy `learn`, then take over all that it holds in one step, see `on_snapshot`."""
        learner = self._learner()
        with limit_threads(getattr(self, "n_threads", None)):
            learn(learner, *arguments)
        learner._check_learned()
        self.__dict__ = learner.__dict__
        return self

    @on_snapshot
    def recommend(
        self,
        users: int | Sequence[int],
        k: int = 10,
        exclude_seen: bool = True,
        items: Sequence[int] | None = None,
        exclude: Any = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The k best items for each user.

        Parameters
        ----------
        users : int or array-like of int, shape (n,)
        k : int
            May exceed the number of items.
        exclude_seen : bool
            Leave out the items in the user's training history.
        items : array-like of int, optional
            The only items that may be recommended, one list for all users.
        exclude : array-like of int, list of item id lists or CSR matrix, optional
            Items that are never recommended: one list for all users, or one list per user.

        Returns
        -------
        items : array (n, k) int32
            Best first, ties to the lower id; -1 where fewer than k can be recommended.
        scores : array (n, k) float32
            -inf where the item is -1. One user gives shape (k,) for both.
        """
        k = validation.whole_number("k", k)
        exclude_seen = validation.true_or_false("exclude_seen", exclude_seen)
        one_user = not np.iterable(users)
        users = self._check_users([users] if one_user else users)
        if items is not None:
            items = validation.ids("items", items, self.n_items)
        if exclude is not None:
            exclude = self._excluded(exclude, len(users))
        allowed = item_filter(self.history, users, exclude_seen, items, exclude)
        best_items, scores = self.top_items(users, k, allowed)
        return (best_items[0], scores[0]) if one_user else (best_items, scores)

    def top_items(
        self, users: np.ndarray, k: int, allowed: ItemFilter
    ) -> tuple[np.ndarray, np.ndarray]:
        """`recommend` for arguments that have been checked."""
        items = np.full((len(users), k), -1, np.int32)
        scores = np.full((len(users), k), -np.inf, np.float32)
        with limit_threads(getattr(self, "n_threads", None)):
            self._recommend(users, allowed, items, scores)
        return items, scores

    def _recommend(
        self, users: np.ndarray, allowed: ItemFilter, items: np.ndarray, scores: np.ndarray
    ) -> None:
        """Fill the users' rows of `items` and `scores`, which arrive as -1 and -inf."""
        for rows in self._batches(len(users)):
            batch = self._masked_scores(users[rows])
            items[rows], scores[rows] = allowed.select(rows).top_k(batch, items.shape[1])

    def _excluded(self, exclude: Any, n_users: int) -> np.ndarray | sparse.csr_matrix:
        """Excluded ids, or a CSR matrix (n_users, n_items) if each user has a list."""
        if not sparse.issparse(exclude) and not has_lists(exclude):
            return validation.ids("exclude", exclude, self.n_items)
        lists = as_interactions(exclude, self.n_items, "exclude").matrix
        if lists.shape[0] != n_users:
            raise ValueError(
                f"exclude must hold one list for all or one per user, {n_users}, "
                f"got {lists.shape[0]} lists"
            )
        return lists

    @on_snapshot
    def recommend_labels(self, labels: Sequence[Hashable], k: int = 10) -> pd.DataFrame:
        """The k best items for users given by their outside names.

        Returns a DataFrame with columns user, rank (from 1), item and score: the labels of the
        training log, or ids where it had none. A user has fewer than k rows, or none, where fewer
        items can be recommended.
        """
        import pandas as pd

        self._check_fitted()
        users = numbering.look_up("user", self._user_index, labels)
        items, scores = self.recommend(users, k)
        row, position = np.nonzero(items >= 0)
        known, found = self.user_labels or range(self.n_users), items[row, position].tolist()
        return pd.DataFrame(
            {
                "user": [known[user] for user in users[row]],
                "rank": position + 1,
                "item": [self.item_labels[i] for i in found] if self.item_labels else found,
                "score": scores[row, position],
            }
        )

    @cached_property
    def _user_index(self) -> dict:
        return numbering.index(self.user_labels, self.n_users)

    @on_snapshot
    def score(self, users: int | Sequence[int]) -> np.ndarray:
        """Every item's score for each user: (n, n_items) float32, dense.

        Seen items keep their score; -inf marks what the method cannot score. One user gives
        shape (n_items,).
        """
        one_user = not np.iterable(users)
        users = self._check_users([users] if one_user else users)
        scores = np.empty((len(users), self.n_items), np.float32)
        with limit_threads(getattr(self, "n_threads", None)):
            for rows in self._batches(len(users)):
                scores[rows] = self._masked_scores(users[rows])
        return scores[0] if one_user else scores

    @on_snapshot
    def save(self, folder: str | Path) -> None:
        """Write the fitted model to a folder of arrays and JSON, all of it or nothing."""
        self._check_fitted()
        bundle.save(folder, type(self), self.parameters, self.data_fingerprint, self.state())

    def state(self) -> dict[str, Any]:
        """All that the fitted model holds, by name: arrays, CSR matrices and lists of labels."""
        arrays = {name: getattr(self, name) for name in ("history", *self.learned)}
        arrays["cold_items"] = self.__dict__.get("cold_items")  # after `fold_in`: of the old log
        arrays |= {name: getattr(self, name) for name in ("user_labels", "item_labels")}
        arrays["is_folded"] = np.uint8(1) if self.is_folded else None
        return {name: array for name, array in arrays.items() if array is not None}

    @classmethod
    def restore(cls, parameters: dict, fingerprint: str, arrays: dict) -> Recommender:
        """The model that `save` wrote; `recsys.load` calls this."""
        given = {
            field.name: arrays.pop(field.name) for field in fields(cls) if field.name in arrays
        }
        model = cls(**parameters, **given)
        model._set_history(arrays.pop("history"), fingerprint)
        model.__dict__.update(arrays)
        return model

    @property
    def parameters(self) -> dict[str, Any]:
        """The model's parameters by name; those that are arrays are among `learned`."""
        names = [field.name for field in fields(self) if field.name not in self.learned]
        return {name: getattr(self, name) for name in names}

    @property
    def is_fitted(self) -> bool:
        """Whether `fit` has finished."""
        return "history" in self.__dict__

    def _learner(self) -> Recommender:
        """A copy that learns in place of the model, by new arrays; it has no cached values."""
        learner = copy.copy(self)
        for name in list(learner.__dict__):
            if isinstance(getattr(type(self), name, None), cached_property):
                del learner.__dict__[name]
        return learner

    def _set_history(self, history: sparse.csr_matrix, fingerprint: str) -> None:
        self.history = read_only(history)  # one compiled version of the loops for all models
        self.n_users, self.n_items = history.shape
        self.data_fingerprint = fingerprint

    @on_snapshot
    def with_histories(self, histories: Any) -> Recommender:
        """A copy whose users are new users with the given histories; it shares what was learned."""
        self._check_fitted()
        log = as_interactions(histories, self.n_items)
        check_same_items("the training log", self.item_labels, "histories", log)
        model = copy.copy(self)
        model.__dict__.pop("_user_index", None)
        model.__dict__["cold_items"] = self.cold_items
        model._set_history(log.matrix, log.fingerprint)
        model.user_labels, model.is_folded = log.user_labels, True
        return model

    def _check_learned(self) -> None:
        """Raise ValueError if what was learned is unusable; any result is usable here."""

    def _check_fitted(self) -> None:
        if not self.is_fitted:
            raise ValueError(f"{type(self).__name__} must be fitted first: call fit(train)")

    def _check_users(self, users: Any) -> np.ndarray:
        self._check_fitted()
        return validation.ids("users", users, self.n_users)

    def _history_of(self, user: int, item: int) -> sparse.csr_matrix:
        """The row (1, n_items) of a user's history, for an answer about an item."""
        self._check_fitted()
        validation.whole_number("item", item, 0, self.n_items - 1)
        return self.history[validation.whole_number("user", user, 0, self.n_users - 1)]

    def _batches(self, n_rows: int) -> Iterable[slice]:
        """Slices of rows whose scores fit into SCORES_IN_MEMORY."""
        size = max(1, SCORES_IN_MEMORY // max(self.n_items, 1))
        return (slice(start, start + size) for start in range(0, n_rows, size))

    def _masked_scores(self, users: np.ndarray) -> np.ndarray:
        """`_scores`, with -inf for users and items without history if the model needs it."""
        scores = np.ascontiguousarray(self._scores(users), np.float32)
        if self.needs_history:
            scores[np.diff(self.history.indptr)[users] == 0] = -np.inf
            scores[:, self.cold_items] = -np.inf
        return scores

    @cached_property
    def cold_items(self) -> np.ndarray:
        """Ids of the items that cannot be scored: those without training interactions."""
        counts = np.bincount(self.history.indices, minlength=self.n_items)
        return np.flatnonzero(counts == 0)


def has_lists(values: Any) -> bool:
    """Whether a sequence holds sequences, of which none is text."""
    if not np.iterable(values) or isinstance(values, (str, bytes)):
        return False
    return any(np.iterable(entry) and not isinstance(entry, (str, bytes)) for entry in values)


def largest_contributions(
    items: np.ndarray, contributions: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """The k items that contribute most: (k,) int32, padded with -1, and (k,) float32 with 0."""
    k = validation.whole_number("k", k)
    best = np.lexsort((items, -contributions))[:k]
    padding = (0, k - len(best))
    return (
        np.pad(items[best].astype(np.int32), padding, constant_values=-1),
        np.pad(contributions[best].astype(np.float32), padding),
    )


def as_interactions(histories: Any, n_items: int, name: str = "histories") -> Interactions:
    """Users' histories as a log: Interactions, a CSR matrix or a list of item id lists."""
    if isinstance(histories, Interactions):
        if histories.n_items != n_items:
            raise ValueError(
                f"{name} must be over n_items = {n_items} items, got {histories.n_items}"
            )
        return histories
    if sparse.issparse(histories):
        if histories.shape[1] != n_items:
            raise ValueError(
                f"{name} must have n_items = {n_items} columns, got {histories.shape[1]}"
            )
        rows = histories.tocoo()
        validation.no_stored_zeros(name, rows)
        return Interactions(rows.row, rows.col, None, rows.data, rows.shape[0], n_items)
    validation.not_dense(name, histories, n_items)
    if not np.iterable(histories):
        raise ValueError(f"{name} must be one list of items per user, got {histories!r}")
    histories = list(histories)
    for items in histories:
        if not np.iterable(items):
            raise ValueError(f"{name} must hold one list of items per user, got {items!r}")
    lists = [validation.ids(name, items, n_items) for items in histories]
    users = np.repeat(np.arange(len(lists)), [len(items) for items in lists])
    return Interactions(users, np.concatenate([*lists, []]), None, None, len(lists), n_items)
