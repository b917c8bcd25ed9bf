r"""Two towers: users and items become vectors by features, and a score is their inner product.

Matrix factorization has a table of vectors, so it knows nothing of an item without interactions.
Here each side has a tower (`tower`), a function of features (Huang et al. 2013):

.. math:: \hat r_{ui} = b_i + x_u^\top y_i, \qquad x_u = g(f_u), \quad (y_i, b_i) = h(f_i)

Without features the ids are the features, and the model is matrix factorization with item biases.
A batch B of pairs is trained as in `sampled_softmax`: the items of the other pairs are the
negatives (Yi et al. 2019),

.. math:: \min \sum_{(u,i) \in B} \Big( - \hat r_{ui}
    + \ln \Big( e^{\hat r_{ui}} + \sum_{j \in B \setminus i} \frac{e^{\hat r_{uj}}}{m \, q_j} \Big)
    + \tfrac{\lambda}{2} \big( \|x_u\|^2 + \|y_i\|^2 + b_i^2 \big) \Big)

with m the number of other pairs and :math:`q_j` the fraction of all pairs with item j: the logQ
correction. Item j is expected m q_j times among the others, so the sum in the logarithm is, in
expectation, that over all items (Bengio and Senécal 2003). The own item is there for certain and
needs no correction; Yi et al. and `sampled_softmax` divide by its q as well.

Why no network on both vectors together? Because then nothing could be computed before the request:
an inner product lets all items' vectors wait in an index. Left out: normalised vectors with a
temperature, more layers, and estimates of q on a stream.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from recsys import validation
from recsys.interactions import Interactions
from recsys.models.sampled_softmax import SampledSoftmax, errors, log_popularity
from recsys.models.tower import Tower, random_tower
from recsys.text import row_lengths
from recsys.threads import on_snapshot, one_blas_thread

TOWERS = ("user_hidden_weights", "user_weights", "item_hidden_weights", "item_weights")


@dataclass(eq=False)
class TwoTower(SampledSoftmax):
    """Vectors by features, trained to pick the observed item out of a batch.

    Parameters
    ----------
    factors : int
        Length of the vectors.
    learning_rate, reg : float
        Initial step size of gradient descent, and L2 regularisation of the vectors and biases.
    epochs : int
        Passes over all pairs.
    n_negatives : int
        Other pairs in a batch, at most; their items are the negatives.
    correction : bool
        Whether negatives are weighed by their inverse expected number in a batch (logQ).
    rng : int or numpy.random.Generator
    n_threads : int, optional
        Changes the time, never the result.
    hidden : int, optional
        Width of a hidden layer with ReLU in each tower; None: linear towers.
    mask_seen : bool
        Whether the other items of a user's own history are left out of their negatives.
    user_features : array or sparse matrix (n_users, d), optional
        One row per user; None: the ids.
    item_features : array or sparse matrix (n_items, d), optional
        One row per item; None: the ids. Ids and features: put an identity matrix beside them. An
        item of zeros is never recommended.

    Attributes after `fit`
    ----------------------
    user_factors : array (n_users, factors) float32
    item_factors : array (n_items, factors) float32
    item_biases : array (n_items,) float32
    user_weights, item_weights : array (d or hidden, factors), (d or hidden, factors + 1) float32
        The last matrix of each tower; the last column gives the bias.
    user_hidden_weights, item_hidden_weights : array (d, hidden) float32, or None
    item_counts : array (n_items,) int64
        Pairs with each item.
    """

    learned: ClassVar[tuple[str, ...]] = (
        *SampledSoftmax.learned, "user_features", "item_features", *TOWERS,
    )  # fmt: skip
    user_hidden_weights: ClassVar[np.ndarray | None] = None
    item_hidden_weights: ClassVar[np.ndarray | None] = None

    learning_rate: float = 0.1
    reg: float = 0.15
    epochs: int = 50
    n_negatives: int = 511
    hidden: int | None = None
    mask_seen: bool = False
    user_features: Any = field(default=None, repr=False)
    item_features: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("user_features", "item_features"):
            if getattr(self, name) is not None:
                setattr(self, name, _rows(name, getattr(self, name)))

    def _fit(self, train: Interactions, progress: bool) -> None:
        rng = validation.random_generator(self.rng)
        F, G = self._all_rows("user", self.n_users), self._all_rows("item", self.n_items)
        users = random_tower(rng, F.shape[1], self.hidden, self.factors)
        items = random_tower(rng, G.shape[1], self.hidden, self.factors + 1)
        self.item_counts = np.bincount(self.history.indices, minlength=self.n_items)
        log_q = log_popularity(self.history.indices, self.n_items)
        pairs = self.history.tocoo()  # row: user, col: item
        with one_blas_thread():
            for _ in self._epochs(progress):
                for batch in batches(rng, len(pairs.row), self.n_negatives + 1):
                    u, i = pairs.row[batch], pairs.col[batch]
                    log_weights = log_q[i] + np.float32(np.log(max(len(i) - 1, 1)))
                    masked = self.history[u][:, i].toarray() > 0 if self.mask_seen else None
                    two_tower_step(
                        users, items, F[u], G[i], i, log_weights * self.correction, masked,
                        *self._step_sizes(),
                    )  # fmt: skip
        self.user_hidden_weights, self.user_weights = (None, *users.weights)[-2:]
        self.item_hidden_weights, self.item_weights = (None, *items.weights)[-2:]
        self.user_factors = self._tower("user").forward(F)[-1]
        self.item_factors, self.item_biases = _split(self._tower("item").forward(G)[-1])

    @on_snapshot
    def embed_items(self, item_features: Any) -> np.ndarray:
        """Vectors of items by their features, known to `fit` or not: (n, factors + 1) float32.

        `item_features` has the columns of those that `fit` had. The last number is the bias; the
        inner product with a vector of `embed_users` is the score.
        """
        return self._embed("item", item_features)

    @on_snapshot
    def embed_users(self, user_features: Any) -> np.ndarray:
        """Vectors of users by their features: (n, factors + 1) float32, the last number 1."""
        return with_one(self._embed("user", user_features))

    @on_snapshot
    def fold_in(self, histories: Any, user_features: Any = None) -> TwoTower:
        """The model for new users, with the same items: by their features, or else by training.

        `histories` is a list of item id lists, a CSR matrix or Interactions. Without
        `user_features` (n, d) the steps on a user's vector are those of `SampledSoftmax`:
        `epochs` passes over their own history, with the items fixed.
        """
        if user_features is None:
            model = super().fold_in(histories)
            model.user_features = None
            return model
        model = self.with_histories(histories)
        model.user_factors = self._embed("user", user_features)
        if len(model.user_factors) != model.n_users:
            raise ValueError(
                f"user_features must have one row per history, {model.n_users}, "
                f"got {len(model.user_factors)}"
            )
        model.user_features = _rows("user_features", user_features)
        return model

    @property
    def needs_history(self) -> bool:
        """Whether users without history get no list: not if they have features."""
        return self.user_features is None

    @cached_property
    def cold_items(self) -> np.ndarray:
        """Ids of the items that cannot be scored: without features or, by ids, interactions."""
        if self.item_features is None:
            return np.flatnonzero(self.item_counts == 0)
        return np.flatnonzero(row_lengths(self.item_features) == 0)

    def _scores(self, users: np.ndarray) -> np.ndarray:
        scores = super()._scores(users)
        scores[:, self.cold_items] = -np.inf
        return scores

    def _all_rows(self, side: str, n: int) -> sparse.csr_matrix:
        """The feature rows of a side; by ids, the identity matrix."""
        rows = getattr(self, f"{side}_features")
        if rows is None:
            return sparse.identity(n, np.float32, "csr")
        if rows.shape[0] != n:
            raise ValueError(
                f"{side}_features must have n_{side}s = {n} rows, got shape {rows.shape}"
            )
        return rows

    def _embed(self, side: str, features: Any) -> np.ndarray:
        self._check_fitted()
        rows, tower = _rows(f"{side}_features", features), self._tower(side)
        d = len(tower.weights[0])
        if rows.shape[1] != d:
            raise ValueError(
                f"{side}_features must have {d} columns, as in fit, got shape {rows.shape}"
            )
        return tower.forward(rows)[-1]

    def _tower(self, side: str) -> Tower:
        weights = getattr(self, f"{side}_hidden_weights"), getattr(self, f"{side}_weights")
        return Tower.with_weights(*(w for w in weights if w is not None))


def batches(rng: np.random.Generator, n: int, size: int) -> Iterator[np.ndarray]:
    """The numbers 0..n-1 in random order, in batches of at most `size`, as equal as can be."""
    yield from np.array_split(rng.permutation(n), -(-n // size))


def two_tower_step(
    users: Tower, items: Tower, F: sparse.csr_matrix, G: sparse.csr_matrix, ids: np.ndarray,
    log_weights: np.ndarray, masked: np.ndarray | None, learning_rate: float, reg: float,
) -> None:  # fmt: skip
    """One step of both towers, in place, on a batch of n pairs.

    F and G hold the feature rows of its users and items, `ids` (n,) the items' ids; ln (m q) of
    each item is in `log_weights` (n,).
    """
    user_layers, item_layers = users.forward(F), items.forward(G)
    X, Y = user_layers[-1], item_layers[-1]
    by_user, by_item = batch_gradients(X, Y, ids, log_weights, masked, reg)
    users.descend(users.gradients(F, user_layers, by_user), learning_rate)
    items.descend(items.gradients(G, item_layers, by_item), learning_rate)


def batch_gradients(
    X: np.ndarray, Y: np.ndarray, ids: np.ndarray, log_weights: np.ndarray,
    masked: np.ndarray | None, reg: float,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """The gradient of a batch's loss by its vectors X (n, f) and Y (n, f + 1).

    `masked` (n, n) marks the items that are no negatives of a pair; its diagonal is
    ignored.
    """
    n, X1 = np.arange(len(ids)), with_one(X)
    scores = X1 @ Y.T  # (n, n): row p holds user p's scores of the batch's items
    own = scores.diagonal().copy()
    scores -= log_weights
    if masked is not None:
        scores[masked] = -np.inf
    scores[n, n] = own
    error = errors(scores, ids)
    return (error @ Y)[:, :-1] + reg * X, error.T @ X1 + reg * Y


def with_one(X: np.ndarray) -> np.ndarray:
    """The vectors with a last number 1, which takes the item's bias in an inner product."""
    return np.column_stack([X, np.ones(len(X), X.dtype)])


def _split(Y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Item vectors (n, f) and biases (n,)."""
    return np.ascontiguousarray(Y[:, :-1]), np.ascontiguousarray(Y[:, -1])


def _rows(name: str, features: Any) -> sparse.csr_matrix:
    return sparse.csr_matrix(validation.features(name, features))
