"""What every recommender shares: checking, batching, leaving out seen items, saving.

A model is a dataclass whose fields are its parameters. It writes `_fit`, which learns, and
`_scores`, which rates every item for some users. The rest stands here, once.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cache, cached_property
from pathlib import Path
from typing import Any, ClassVar

import numba
import numpy as np
from scipy import sparse
from threadpoolctl import ThreadpoolController
from tqdm import tqdm

from recsys import bundle, validation
from recsys.interactions import Interactions, check_log
from recsys.retrieval.exact import FEW, top_k
from recsys.retrieval.mips import best_products

MAX_FLOAT = float(np.finfo(np.float32).max)
SCORES_IN_MEMORY = 4_000_000  # scores computed at once; with float32, 16 MB

PARAMETER_CHECKS = {
    "factors": lambda name, x: validation.whole_number(name, x),
    "iterations": lambda name, x: validation.whole_number(name, x, low=0),
    "epochs": lambda name, x: validation.whole_number(name, x, low=0),
    "cg_steps": lambda name, x: validation.whole_number(name, x),
    "max_trials": lambda name, x: validation.whole_number(name, x),
    "n_negatives": lambda name, x: validation.whole_number(name, x),
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
    "rng": lambda name, x: validation.random_generator(x),
}


@dataclass(eq=False)
class Recommender:
    """Base of all models: `fit`, `recommend`, `score`, `save`.

    Attributes after `fit`
    ----------------------
    n_users, n_items : int
    history : CSR matrix (n_users, n_items), float32
        What each user has seen: summed values, or counts.
    """

    #: whether a user or an item without any training interaction gets no score at all
    needs_history: ClassVar[bool] = True
    #: the names of the arrays and CSR matrices that `save` writes: what `_fit` learns, and
    #: parameters that are no plain numbers
    learned: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        self._check_parameters()

    def _check_parameters(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in PARAMETER_CHECKS and value is not field.default:  # it may be None
                PARAMETER_CHECKS[field.name](field.name, value)

    def fit(self, train: Interactions, progress: bool = True) -> Recommender:
        """Learn from a log; an interrupted fit leaves the model as it was.

        Parameters
        ----------
        train : Interactions
            At least one row.
        progress : bool
            Show a progress bar on a terminal when the work is long.

        Returns
        -------
        self
        """
        check_log("train", train)
        if len(train) == 0:
            raise ValueError("train must hold at least one interaction, got none")
        self._check_parameters()  # they may have been changed since
        learner = copy.copy(self)
        learner.__dict__.pop("_cold_items", None)
        learner._remember(train.matrix, train.fingerprint)
        with _threads(getattr(self, "n_threads", None)):
            learner._fit(train, progress)
        learner._check_learned()
        self.__dict__.update(learner.__dict__)
        self.__dict__.pop("_cold_items", None)
        return self

    def recommend(
        self, users: int | Sequence[int], k: int = 10, exclude_seen: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        """The k best items for each user.

        Parameters
        ----------
        users : int or array-like of int, shape (n,)
        k : int
            May exceed the number of items.
        exclude_seen : bool
            Leave out what the user has met in training.

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
        items = np.full((len(users), k), -1, np.int32)
        scores = np.full((len(users), k), -np.inf, np.float32)
        with _threads(getattr(self, "n_threads", None)):
            self._recommend(users, exclude_seen, items, scores)
        return (items[0], scores[0]) if one_user else (items, scores)

    def _recommend(
        self, users: np.ndarray, exclude_seen: bool, items: np.ndarray, scores: np.ndarray
    ) -> None:
        """Fill the users' rows of `items` and `scores`, which arrive as -1 and -inf."""
        for rows in self._batches(len(users)):
            rated = self._honest_scores(users[rows])
            if exclude_seen:
                hide_seen(rated, self.history, users[rows])
            items[rows], scores[rows] = top_k(rated, items.shape[1])

    def score(self, users: int | Sequence[int]) -> np.ndarray:
        """Every item's score for each user: (n, n_items) float32, dense.

        Seen items keep their score; -inf marks what the method cannot rate. One user gives
        shape (n_items,).
        """
        one_user = not np.iterable(users)
        users = self._check_users([users] if one_user else users)
        scores = np.empty((len(users), self.n_items), np.float32)
        with _threads(getattr(self, "n_threads", None)):
            for rows in self._batches(len(users)):
                scores[rows] = self._honest_scores(users[rows])
        return scores[0] if one_user else scores

    def save(self, folder: str | Path) -> None:
        """Write the fitted model to a folder of arrays and JSON, all of it or nothing."""
        self._check_fitted()
        arrays = {"history": self.history, **self._arrays()}
        bundle.save(folder, type(self), self.parameters, self.data_fingerprint, arrays)

    def _arrays(self) -> dict[str, Any]:
        """The arrays and CSR matrices to save, by name."""
        named = {name: getattr(self, name) for name in self.learned}
        named["_cold_items"] = self.__dict__.get("_cold_items")  # new people's histories hide them
        return {name: array for name, array in named.items() if array is not None}

    @classmethod
    def restore(cls, parameters: dict, fingerprint: str, arrays: dict) -> Recommender:
        """The model that `save` wrote; `recsys.load` calls this."""
        given = {
            field.name: arrays.pop(field.name) for field in fields(cls) if field.name in arrays
        }
        model = cls(**parameters, **given)
        model._remember(arrays.pop("history"), fingerprint)
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

    def _remember(self, history: sparse.csr_matrix, fingerprint: str) -> None:
        self.history = history
        self.n_users, self.n_items = history.shape
        self.data_fingerprint = fingerprint

    def _for_histories(self, histories: Any) -> Recommender:
        """A copy of this model whose users are new people with the given histories."""
        self._check_fitted()
        log = as_interactions(histories, self.n_items)
        model = copy.copy(self)
        model.__dict__["_cold_items"] = self._cold_items
        model._remember(log.matrix, log.fingerprint)
        return model

    def _check_learned(self) -> None:
        """Refuse what a fit may end with and nobody can use; there is nothing of the kind here."""

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
        """Slices of rows whose scores fit into a bounded piece of memory."""
        size = max(1, SCORES_IN_MEMORY // max(self.n_items, 1))
        return (slice(start, start + size) for start in range(0, n_rows, size))

    def _honest_scores(self, users: np.ndarray) -> np.ndarray:
        """`_scores`, with -inf for what a model that needs history has no ground to rate."""
        scores = np.ascontiguousarray(self._scores(users), np.float32)
        if self.needs_history:
            scores[np.diff(self.history.indptr)[users] == 0] = -np.inf
            scores[:, self._cold_items] = -np.inf
        return scores

    @cached_property
    def _cold_items(self) -> np.ndarray:
        """Ids of the items that no score can rest on: nobody met them in training."""
        met = np.bincount(self.history.indices, minlength=self.n_items)
        return np.flatnonzero(met == 0)


@dataclass(eq=False)
class FactorRecommender(Recommender):
    """Base of the models whose score is the inner product of two vectors, plus a bias.

    Attributes after `fit`
    ----------------------
    user_factors : array (n_users, factors) float32
    item_factors : array (n_items, factors) float32
    """

    item_biases: ClassVar[np.ndarray | None] = None
    user_levels: ClassVar[np.ndarray | None] = None  # changes scores, never their order

    def fit(self, train: Interactions, progress: bool = True) -> FactorRecommender:
        """As for every model; factors that grew beyond all bounds raise ValueError."""
        with np.errstate(over="ignore", invalid="ignore"):
            return super().fit(train, progress)

    def _check_learned(self) -> None:
        learned = (self.user_factors, self.item_factors, self.item_biases)
        if all(np.isfinite(array).all() for array in learned if array is not None):
            return
        if hasattr(self, "learning_rate"):
            name, got = "learning_rate", self.learning_rate
        else:
            name, got = "train.value", f"values up to {self.history.data.max():g}"
        raise ValueError(
            f"{name} must be smaller for {self!r}: the factors grew beyond all bounds, got {got}"
        )

    def _scores(self, users: np.ndarray) -> np.ndarray:
        scores = self.user_factors[users] @ self.item_factors.T
        if self.item_biases is not None:
            scores += self.item_biases
        if self.user_levels is not None:
            scores += self.user_levels[users][:, None]
        return scores

    def _recommend(
        self, users: np.ndarray, exclude_seen: bool, items: np.ndarray, scores: np.ndarray
    ) -> None:
        if items.shape[1] > FEW:
            return super()._recommend(users, exclude_seen, items, scores)
        biases = np.zeros(self.n_items, np.float32)
        if self.item_biases is not None:
            biases += self.item_biases
        biases[self._cold_items] = -np.inf
        known = np.arange(len(users))
        if self.needs_history:
            known = np.flatnonzero(np.diff(self.history.indptr)[users])
        with one_blas_thread():
            best_products(
                self.user_factors, self.item_factors, biases, self.history.indptr,
                self.history.indices, users, known, exclude_seen, items, scores,
            )  # fmt: skip
        if self.user_levels is not None:
            scores += self.user_levels[users][:, None]


def _largest_contributions(
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


def as_interactions(histories: Any, n_items: int) -> Interactions:
    """New users' histories as a log: Interactions, a CSR matrix or a list of item id lists."""
    if isinstance(histories, Interactions):
        if histories.n_items != n_items:
            raise ValueError(
                f"histories must be over n_items = {n_items} items, got {histories.n_items}"
            )
        return histories
    if sparse.issparse(histories):
        if histories.shape[1] != n_items:
            raise ValueError(
                f"histories must have n_items = {n_items} columns, got {histories.shape[1]}"
            )
        rows = histories.tocoo()
        return Interactions(rows.row, rows.col, None, rows.data, rows.shape[0], n_items)
    if not np.iterable(histories):
        raise ValueError(f"histories must be one list of items a person, got {histories!r}")
    lists = [validation.ids("histories", items, n_items) for items in histories]
    users = np.repeat(np.arange(len(lists)), [len(items) for items in lists])
    return Interactions(users, np.concatenate([*lists, []]), None, None, len(lists), n_items)


def progress_bar(steps: Iterable, what: str, show: bool) -> Iterable:
    """`steps`, with a bar on a terminal once the work has lasted half a second."""
    return tqdm(steps, desc=what, delay=0.5, leave=False, disable=None if show else True)


def hide_seen(scores: np.ndarray, history: sparse.csr_matrix, users: np.ndarray) -> None:
    """Set each user's seen items to -inf, in place."""
    _hide_seen(scores, history.indptr, history.indices, users)


@numba.njit(parallel=True, cache=True)
def _hide_seen(scores, indptr, indices, users):
    for row in numba.prange(len(users)):
        for position in range(indptr[users[row]], indptr[users[row] + 1]):
            scores[row, indices[position]] = -np.inf


@contextmanager
def one_blas_thread():
    """Keep matrix products on one thread, for loops that bring their own threads.

    Two pools of threads on the same cores wait for each other.
    """
    with _blas().limit(limits=1, user_api="blas"):
        yield


@cache
def _blas() -> ThreadpoolController:
    """The loaded linear algebra libraries; looking for them takes longer than one request."""
    import scipy.linalg  # noqa: F401  brings the library that compiled loops call

    return ThreadpoolController()


@contextmanager
def _threads(n_threads: int | None):
    """Let compiled loops and matrix products use at most `n_threads` threads."""
    if n_threads is None:
        yield
        return
    before = numba.get_num_threads()
    numba.set_num_threads(min(n_threads, numba.config.NUMBA_NUM_THREADS))
    try:
        with _blas().limit(limits=n_threads, user_api="blas"):
            yield
    finally:
        numba.set_num_threads(before)
