r"""Two towers in PyTorch: vectors by features, with a choice of losses.

The model of `recsys.models.TwoTower`, whose NumPy code shows every gradient: with features
:math:`f_u` and :math:`f_i` (or ids), and a temperature :math:`\tau`,

.. math:: \hat r_{ui} = b_i + x_u^\top y_i / \tau, \qquad x_u = g(f_u), \quad (y_i, b_i) = h(f_i)

(Huang et al. 2013). With `normalize` both vectors have length 1. Each pair of a batch is trained
against negatives: the items of the other pairs, weighed by the inverse of their expected number in
the batch (logQ correction, Yi et al. 2019; Bengio and Senécal 2003), items drawn uniformly for the
batch, or one item each (BPR, Rendle et al. 2009). Left out: estimates of popularity on a stream,
and negatives that are hard on purpose.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch
from scipy import sparse
from torch.nn.functional import embedding_bag, logsigmoid, normalize

from recsys import validation
from recsys.interactions import Interactions
from recsys.models.factor import FactorRecommender
from recsys.models.sampled_softmax import log_popularity
from recsys.neural.base import NeuralRecommender
from recsys.neural.pairs import Negatives, as_bags, batches, on_device, pairs
from recsys.text import row_lengths
from recsys.threads import on_snapshot

LOSSES = ("in_batch_softmax", "sampled_softmax", "bpr")
ROWS = 4096  # feature rows embedded at once
FOLD_IN_STEPS = 200


class Tower(torch.nn.Module):
    """From sparse feature rows to vectors: one matrix, or two with a ReLU between."""

    def __init__(self, d: int, hidden: int | None, factors: int) -> None:
        super().__init__()
        self.first = torch.nn.Parameter(torch.empty(d, hidden or factors))
        torch.nn.init.normal_(self.first, std=0.1)
        self.last = torch.nn.Linear(hidden, factors, bias=False) if hidden else None

    def forward(self, columns: Any, starts: Any, values: Any) -> torch.Tensor:
        out = embedding_bag(columns, self.first, starts, mode="sum", per_sample_weights=values)
        return out if self.last is None else self.last(torch.relu(out))


class Towers(torch.nn.Module):
    """The users' tower and the items' tower, whose last number is the bias."""

    def __init__(
        self, d_users: int, d_items: int, hidden: int | None, factors: int, unit: bool, tau: float
    ) -> None:
        super().__init__()
        self.unit, self.tau = unit, tau
        self.users = Tower(d_users, hidden, factors)
        self.items = Tower(d_items, hidden, factors + 1)

    def of_users(self, *bags: torch.Tensor) -> torch.Tensor:
        """Vectors (n, factors), already divided by the temperature."""
        x = self.users(*bags).float()
        return (normalize(x) if self.unit else x) / self.tau

    def of_items(self, *bags: torch.Tensor) -> torch.Tensor:
        """Vectors and biases (n, factors + 1)."""
        y = self.items(*bags).float()
        return torch.cat([normalize(y[:, :-1]), y[:, -1:]], 1) if self.unit else y


@dataclass(eq=False)
class TwoTower(NeuralRecommender, FactorRecommender):
    """Vectors by features, trained to pick the observed item.

    Parameters are those of `NeuralRecommender`, with `batch_size` in pairs, and

    hidden : int, optional
        Width of a hidden layer with ReLU in each tower; None: linear towers.
    loss : "in_batch_softmax", "sampled_softmax" or "bpr"
    n_negatives : int
        Items drawn for a batch, for the sampled softmax.
    correction : bool
        Whether in-batch negatives are weighed by their inverse expected number (logQ).
    mask_seen : bool
        Whether the items of a user's own history are left out of their negatives.
    temperature : float
        What inner products are divided by.
    normalize : bool
        Whether vectors have length 1; then a temperature well below 1 is needed.
    reg : float
        L2 regularisation of the vectors and biases of a batch.
    user_features, item_features : array or sparse matrix (n, d), optional
        One row per user, per item; None: the ids.

    Attributes after `fit`
    ----------------------
    user_factors : array (n_users, factors) float32
    item_factors : array (n_items, factors) float32
    item_biases : array (n_items,) float32
    item_counts : array (n_items,) int64
    """

    learned: ClassVar[tuple[str, ...]] = (
        "user_features", "item_features", "user_factors", "item_factors", "item_biases",
        "item_counts",
    )  # fmt: skip

    learning_rate: float = 0.005
    batch_size: int = 512
    hidden: int | None = None
    loss: str = "in_batch_softmax"
    n_negatives: int = 512
    correction: bool = True
    mask_seen: bool = False
    temperature: float = 1.0
    normalize: bool = False
    reg: float = 0.1
    user_features: Any = field(default=None, repr=False)
    item_features: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("user_features", "item_features"):
            if getattr(self, name) is not None:
                setattr(self, name, _rows(name, getattr(self, name)))

    def _check_parameters(self) -> None:
        super()._check_parameters()
        validation.one_of("loss", self.loss, LOSSES)
        validation.real_number("temperature", self.temperature, open_low=True)
        validation.true_or_false("normalize", self.normalize)

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

    def _prepare(self, train: Interactions) -> None:
        self.item_counts = np.bincount(self.history.indices, minlength=self.n_items)
        self._all_rows("user", self.n_users), self._all_rows("item", self.n_items)

    def _network(self) -> torch.nn.Module:
        d = [self._columns(side) for side in ("user", "item")]
        return Towers(*d, self.hidden, self.factors, self.normalize, self.temperature)

    def _columns(self, side: str) -> int:
        """Features of a side, as in `fit`."""
        if self.weights:
            return len(self.weights[f"{side}s.first"])
        return self._all_rows(side, getattr(self, f"n_{side}s")).shape[1]

    def _training_batches(self, rng: np.random.Generator) -> Iterator[tuple]:
        return self._pair_batches(rng, rng, self.history, self.history)

    def _validation_batches(self, held_out: Interactions) -> Iterable[tuple]:
        known = (self.history + held_out.matrix).tocsr()
        return self._pair_batches(None, np.random.default_rng(0), held_out.matrix, known)

    def _pair_batches(
        self, order: Any, rng: np.random.Generator, history: sparse.csr_matrix, known: Any
    ) -> Iterator[tuple]:
        """Users, items, ids of the negatives, ln of their weights, which are masked."""
        negatives = Negatives(known)
        log_q = log_popularity(self.history.indices, self.n_items)
        users, items = pairs(history)
        if self.loss == "bpr":  # no negative for a user who has all items
            usable = negatives.free[users] > 0
            users, items = users[usable], items[usable]
        for batch in batches(order, len(users), self.batch_size):
            u, i = users[batch], items[batch]
            if self.loss == "bpr":
                yield u, i, negatives.draw(rng, u), None, None
                continue
            if self.loss == "in_batch_softmax":
                j = i
                log_weights = (log_q[i] + np.log(max(len(i) - 1, 1))) * self.correction
            else:
                j = rng.integers(0, self.n_items, self.n_negatives)
                log_weights = np.full(len(j), np.log(len(j) / self.n_items))
            masked = i[:, None] == j
            if self.mask_seen:
                masked |= known[u][:, j].toarray() > 0
            yield u, i, j, log_weights.astype(np.float32), masked

    def _loss(self, network: torch.nn.Module, batch: tuple) -> torch.Tensor:
        u, i, j, log_weights, masked = batch
        x = network.of_users(*self._bags(network, "user", u))
        own = network.of_items(*self._bags(network, "item", i))
        other = own if j is i else network.of_items(*self._bags(network, "item", j))
        if self.loss == "bpr":
            loss = bpr_loss(x, own, other)
        else:
            loss = softmax_loss(x, own, other, *on_device(network, log_weights, masked))
        squares = (x * self.temperature) ** 2, own**2
        return loss + self.reg / 2 * sum(square.sum() for square in squares) / len(u)

    def _bags(self, network: torch.nn.Module, side: str, ids: np.ndarray) -> list[torch.Tensor]:
        rows = getattr(self, f"{side}_features")
        if rows is None:
            bags = ids, np.arange(len(ids)), np.ones(len(ids), np.float32)
        else:
            bags = as_bags(rows[ids])
        return on_device(network, *bags)

    def _finish(self) -> None:
        if self.is_folded:  # the users are not those of the log
            return
        self.user_factors = self._embed("user", self._all_rows("user", self.n_users))
        items = self._embed("item", self._all_rows("item", self.n_items))
        self.item_factors = np.ascontiguousarray(items[:, :-1])
        self.item_biases = np.ascontiguousarray(items[:, -1])

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

    def _embed(self, side: str, rows: sparse.csr_matrix) -> np.ndarray:
        embed = getattr(self.network, f"of_{side}s")
        found = [np.empty((0, self.factors + (side == "item")), np.float32)]
        with torch.inference_mode():
            for start in range(0, rows.shape[0], ROWS):
                bags = on_device(self.network, *as_bags(rows[start : start + ROWS]))
                found.append(embed(*bags).cpu().numpy())
        return np.concatenate(found)

    def _embed_checked(self, side: str, features: Any) -> np.ndarray:
        self._check_fitted()
        rows, d = _rows(f"{side}_features", features), self._columns(side)
        if rows.shape[1] != d:
            raise ValueError(
                f"{side}_features must have {d} columns, as in fit, got shape {rows.shape}"
            )
        return self._embed(side, rows)

    @on_snapshot
    def embed_items(self, item_features: Any) -> np.ndarray:
        """Vectors of items by their features, known to `fit` or not: (n, factors + 1) float32.

        The last number is the bias; the inner product with a vector of `embed_users` is the score.
        """
        return self._embed_checked("item", item_features)

    @on_snapshot
    def embed_users(self, user_features: Any) -> np.ndarray:
        """Vectors of users by their features: (n, factors + 1) float32, the last number 1."""
        x = self._embed_checked("user", user_features)
        return np.column_stack([x, np.ones(len(x), np.float32)])

    @on_snapshot
    def fold_in(self, histories: Any, user_features: Any = None) -> TwoTower:
        """The model for new users, with the same items: by their features, or else by training.

        `histories` is a list of item id lists, a CSR matrix or Interactions. Without
        `user_features` (n, d) a user's vector is the one that predicts their own history best,
        by the softmax over all items with `reg`, whatever the loss of `fit` was.
        """
        model = self.with_histories(histories)
        model.user_features = None
        if user_features is None:
            model.user_factors = self._fitted_vectors(model.history)
            return model
        model.user_factors = self._embed_checked("user", user_features)
        if len(model.user_factors) != model.n_users:
            raise ValueError(
                f"user_features must have one row per history, {model.n_users}, "
                f"got {len(model.user_factors)}"
            )
        model.user_features = _rows("user_features", user_features)
        return model

    def _fitted_vectors(self, history: sparse.csr_matrix) -> np.ndarray:
        """Vectors (n, factors) of histories, with the items fixed, by Adam from zero."""
        counts = np.maximum(np.diff(history.indptr), 1)[:, None]
        targets = torch.from_numpy((history.astype(bool) / counts).astype(np.float32).toarray())
        targets[:, self.cold_items] = 0
        Y, b = torch.from_numpy(self.item_factors), torch.from_numpy(self.item_biases.copy())
        b[self.cold_items] = -1e9
        raw = torch.full((len(counts), self.factors), 1e-3, requires_grad=True)
        optimizer = torch.optim.Adam([raw], lr=0.05)
        for _ in range(FOLD_IN_STEPS if len(counts) else 0):
            x = (normalize(raw) if self.normalize else raw) / self.temperature
            log_p = torch.log_softmax(x @ Y.T + b, 1)
            loss = self.reg / 2 * (raw**2).sum() - (targets * log_p).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        x = raw.detach()
        return ((normalize(x) if self.normalize else x) / self.temperature).numpy()


def with_biases(x: torch.Tensor) -> torch.Tensor:
    """The users' vectors with a last number 1, which takes the bias."""
    return torch.cat([x, torch.ones_like(x[:, :1])], 1)


def bpr_loss(x: torch.Tensor, own: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """The mean of -ln sigma(r_ui - r_uj) over a batch's rows."""
    return -logsigmoid((with_biases(x) * (own - other)).sum(1)).mean()


def softmax_loss(
    x: torch.Tensor, own: torch.Tensor, other: torch.Tensor, log_weights: torch.Tensor,
    masked: torch.Tensor,
) -> torch.Tensor:  # fmt: skip
    """The mean of -ln softmax of the own item among itself and the others.

    Each of the m others is divided by its weight, its expected number in a batch; those that
    `masked` (n, m) marks are no negatives.
    """
    x = with_biases(x)
    positive = (x * own).sum(1)
    scores = (x @ other.T - log_weights).masked_fill(masked, -torch.inf)
    return (torch.logsumexp(torch.column_stack([positive, scores]), 1) - positive).mean()


def _rows(name: str, features: Any) -> sparse.csr_matrix:
    return sparse.csr_matrix(validation.features(name, features))
