r"""LightGCN: vectors averaged over the graph of users and items (He et al. 2020).

A user is what they chose, an item who chose it. With :math:`d` the number of interactions and
:math:`\mathcal N` the neighbours, each layer is a weighted sum over the neighbours, without
weights of its own and without a nonlinearity, and the vectors are the mean of all layers:

.. math:: x_u^{(k+1)} = \sum_{i \in \mathcal N_u} \frac{y_i^{(k)}}{\sqrt{d_u d_i}}, \quad
    y_i^{(k+1)} = \sum_{u \in \mathcal N_i} \frac{x_u^{(k)}}{\sqrt{d_u d_i}}, \quad
    x_u = \frac{1}{K+1} \sum_{k=0}^{K} x_u^{(k)}

Only the vectors of layer 0 are learned, by the loss of BPR, with j a random item that the user has
not interacted with,

.. math:: - \ln \sigma(x_u^\top y_i - x_u^\top y_j)
    + \tfrac{\lambda}{2} \big( \|x_u^{(0)}\|^2 + \|y_i^{(0)}\|^2 + \|y_j^{(0)}\|^2 \big)

or by a softmax over i and items drawn for the whole batch (Bengio and Senécal 2003).

The graph is symmetric, so the gradient goes back over it as the vectors came: the same product
with a sparse matrix in both directions. It is computed once per batch, and is most of the cost, so
batches are large. Left out: the weighting of layers, and dropping edges at random.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch
from scipy import sparse
from torch.nn.functional import logsigmoid

from recsys import validation
from recsys.interactions import Interactions
from recsys.models.factor import FactorRecommender
from recsys.neural.base import NeuralRecommender
from recsys.neural.pairs import Negatives, batches, on_device, pairs
from recsys.threads import on_snapshot


class Vectors(torch.nn.Module):
    """The vectors of layer 0: users first, then items."""

    def __init__(self, n: int, factors: int) -> None:
        super().__init__()
        self.table = torch.nn.Parameter(torch.empty(n, factors))
        torch.nn.init.normal_(self.table, std=0.1)


class Propagation(torch.autograd.Function):
    """The mean of all layers; its own gradient, since the graph is symmetric."""

    @staticmethod
    def forward(context: Any, table: torch.Tensor, graph: Any, layers: int) -> torch.Tensor:
        context.graph, context.layers = graph, layers
        return mean_of_layers(table, graph, layers)

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> tuple:
        return mean_of_layers(gradient, context.graph, context.layers), None, None


def mean_of_layers(table: torch.Tensor, graph: Any, layers: int) -> torch.Tensor:
    """(E + A E + ... + A^K E) / (K + 1), as SciPy multiplies on the CPU, and torch elsewhere."""
    if table.device.type == "cpu":
        return torch.from_numpy(propagate(graph, table.detach().numpy(), layers))
    layer = total = table.detach().float()
    with torch.autocast(table.device.type, enabled=False):
        for _ in range(layers):
            layer = torch.sparse.mm(graph, layer)
            total = total + layer
    return total / (layers + 1)


def propagate(graph: sparse.csr_matrix, table: np.ndarray, layers: int) -> np.ndarray:
    """(E + A E + ... + A^K E) / (K + 1) for a graph A (n, n) and vectors E (n, factors)."""
    layer, total = table, table.copy()
    for _ in range(layers):
        layer = graph @ layer
        total += layer
    total /= np.float32(layers + 1)
    return total


def bipartite_graph(history: sparse.csr_matrix) -> sparse.csr_matrix:
    """The normalised adjacency (n, n) float32 of n = n_users + n_items nodes, users first."""
    edges = sparse.csr_matrix(
        (np.ones(history.nnz), history.indices, history.indptr), history.shape
    )
    graph = sparse.block_array([[None, edges], [edges.T, None]], format="csr")
    scale = inverse_roots(np.diff(graph.indptr))
    graph.data = np.repeat(scale, np.diff(graph.indptr)) * scale[graph.indices]
    return graph.astype(np.float32)


def inverse_roots(counts: np.ndarray) -> np.ndarray:
    """1 / sqrt(count), and 0 for none."""
    return np.where(counts > 0, 1 / np.sqrt(np.maximum(counts, 1)), 0.0)


@dataclass(eq=False)
class LightGCN(NeuralRecommender, FactorRecommender):
    """Vectors of users and items, averaged over the graph of interactions.

    Parameters are those of `NeuralRecommender`, with `batch_size` in pairs, and

    layers : int
        Steps on the graph.
    reg : float
        L2 regularisation of the layer-0 vectors of a batch.
    loss : "bpr" or "softmax"
    n_negatives : int
        Items drawn for a batch, for the softmax; BPR takes one per pair.

    Attributes after `fit`
    ----------------------
    user_factors : array (n_users, factors) float32
    item_factors : array (n_items, factors) float32
    neighbor_vectors : array (n_items, factors) float32
        What an item adds to the vector of a user who has it, before division by the root of
        the user's number of items: what `fold_in` needs.
    """

    learned: ClassVar[tuple[str, ...]] = ("user_factors", "item_factors", "neighbor_vectors")

    learning_rate: float = 0.005
    epochs: int = 100
    batch_size: int = 2048
    layers: int = 2
    reg: float = 1e-4
    loss: str = "bpr"
    n_negatives: int = 256

    def _check_parameters(self) -> None:
        super()._check_parameters()
        validation.one_of("loss", self.loss, ("bpr", "softmax"))

    def _network(self) -> torch.nn.Module:
        return Vectors(self.n_users + self.n_items, self.factors)

    def _training_batches(self, rng: np.random.Generator) -> Iterator[tuple]:
        return self._pair_batches(rng, rng, self.history, Negatives(self.history))

    def _validation_batches(self, held_out: Interactions) -> Iterable[tuple]:
        negatives = Negatives((self.history + held_out.matrix).tocsr())
        return self._pair_batches(None, np.random.default_rng(0), held_out.matrix, negatives)

    def _pair_batches(
        self,
        order: np.random.Generator | None,
        rng: np.random.Generator,
        history: sparse.csr_matrix,
        negatives: Negatives,
    ) -> Iterator[tuple]:
        """Users, items and negatives: one per pair, or those of the batch."""
        users, items = pairs(history)
        if self.loss == "bpr":  # no negative for a user who has all items
            usable = negatives.free[users] > 0
            users, items = users[usable], items[usable]
        for batch in batches(order, len(users), self.batch_size):
            u, i = users[batch], items[batch]
            if self.loss == "bpr":
                yield u, i, negatives.draw(rng, u)
            else:
                yield u, i, rng.integers(0, self.n_items, self.n_negatives)

    def _loss(self, network: torch.nn.Module, batch: tuple) -> torch.Tensor:
        u, i, j = on_device(network, *batch)
        graph = self._graph_on(network.table.device)
        vectors = Propagation.apply(network.table, graph, self.layers)
        first = network.table, u, i + self.n_users, j + self.n_users
        x, own, other = (vectors[at] for at in first[1:])
        if self.loss == "bpr":
            loss = bpr_loss(x, own, other)
        else:
            loss = softmax_loss(x, own, other, i[:, None] == j, self.n_items)
        squares = sum((first[0][at] ** 2).sum() / len(at) for at in first[1:])
        return loss + self.reg / 2 * squares

    @cached_property
    def graph(self) -> sparse.csr_matrix:
        """The normalised adjacency of the training log."""
        return bipartite_graph(self.history)

    @cached_property
    def _graphs(self) -> dict[torch.device, Any]:
        return {}

    def _graph_on(self, device: torch.device) -> Any:
        if device.type == "cpu":
            return self.graph
        if device not in self._graphs:
            g = self.graph
            parts = (torch.from_numpy(part) for part in (g.indptr, g.indices, g.data))
            self._graphs[device] = torch.sparse_csr_tensor(*parts, g.shape).to(device)
        return self._graphs[device]

    def _finish(self) -> None:
        if self.is_folded:  # the graph is not that of the folded-in users
            return
        table = self.network.table.detach().cpu().numpy()
        vectors = propagate(self.graph, table, self.layers)
        self.user_factors, self.item_factors = np.split(vectors, [self.n_users])
        before = propagate(self.graph, table, self.layers - 1)[self.n_users :]
        scale = inverse_roots(np.bincount(self.history.indices, minlength=self.n_items))
        scale *= self.layers / (self.layers + 1)
        self.neighbor_vectors = (before * scale[:, None]).astype(np.float32)

    @on_snapshot
    def fold_in(self, histories: Any) -> LightGCN:
        """The model for new users: what the graph gives them from layer 1 on.

        A user's vector is the sum of their items' `neighbor_vectors`, divided by the root of
        their number; without a layer 0 of their own, and without changing any item.
        `histories` is a list of item id lists, a CSR matrix or Interactions.
        """
        model = self.with_histories(histories)
        for name in ("graph", "_graphs"):
            model.__dict__.pop(name, None)
        history = model.history.astype(bool).astype(np.float32)
        scale = inverse_roots(np.diff(history.indptr)).astype(np.float32)
        model.user_factors = scale[:, None] * (history @ self.neighbor_vectors)
        return model


def bpr_loss(x: torch.Tensor, own: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """The mean of -ln sigma(x.y_i - x.y_j) over a batch's rows."""
    return -logsigmoid((x * (own - other)).sum(1)).mean()


def softmax_loss(
    x: torch.Tensor, own: torch.Tensor, drawn: torch.Tensor, is_own: torch.Tensor, n_items: int
) -> torch.Tensor:
    """The mean of -ln softmax over the own item and m items drawn uniformly from n_items.

    Each of the others is expected m / n_items times among the drawn, and weighs the inverse;
    `is_own` (n, m) marks draws of the own item, which are no negatives.
    """
    positive = (x * own).sum(1)
    scores = x @ drawn.T + np.log(n_items / len(drawn))
    scores = scores.masked_fill(is_own, -torch.inf)
    return (torch.logsumexp(torch.column_stack([positive, scores]), 1) - positive).mean()
