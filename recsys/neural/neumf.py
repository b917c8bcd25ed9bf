r"""NeuMF: a network in place of the inner product (He et al. 2017).

Two models share one output: generalised matrix factorization (GMF), the products of the numbers of
two vectors, and a multilayer perceptron (MLP) on two other vectors, side by side,

.. math:: \hat y_{ui} = \sigma\big( w^\top [\, p_u \odot q_i \,;\, \mathrm{MLP}(p'_u, q'_i) \,]
    + b \big), \qquad
    \min - \sum_{(u,i)} \Big( \ln \hat y_{ui} + \sum_{j} \ln (1 - \hat y_{uj}) \Big)

with a few random items j that the user has not interacted with for each pair, drawn anew in each
epoch. Rendle et al. (2020) repeated the experiments: a well-tuned inner product ranks better, an
MLP learns an inner product only with much data and many numbers, and since a score needs both
vectors, no index of items can be searched. The model is here to be compared. Left out:
pre-training of the two halves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch.nn.functional import binary_cross_entropy_with_logits

from recsys import validation
from recsys.interactions import Interactions
from recsys.neural.base import NeuralRecommender
from recsys.neural.pairs import Negatives, batches, on_device, pairs

NUMBERS_IN_MEMORY = 4_000_000  # of a hidden layer, while lists are computed


class GMFAndMLP(torch.nn.Module):
    """Vectors of both halves, the MLP's layers, and the weights of the output."""

    def __init__(self, n_users: int, n_items: int, factors: int, hidden: int, layers: int) -> None:
        super().__init__()
        widths = [max(1, hidden >> n) for n in range(layers)]
        self.users = torch.nn.Embedding(n_users, factors)  # p
        self.items = torch.nn.Embedding(n_items, factors)  # q
        self.mlp_users = torch.nn.Embedding(n_users, factors)
        self.mlp_items = torch.nn.Embedding(n_items, factors)
        for table in (self.users, self.items, self.mlp_users, self.mlp_items):
            torch.nn.init.normal_(table.weight, std=0.05)
        sizes = zip([2 * factors, *widths], widths)
        self.layers = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in sizes)
        self.output = torch.nn.Linear(factors + widths[-1], 1)

    def forward(self, users: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
        """The logits (n,) of n pairs."""
        inputs = torch.cat([self.mlp_users(users), self.mlp_items(items)], 1)
        return self._from_first(users, items, self.layers[0](inputs))

    def of_all_items(self, users: torch.Tensor) -> torch.Tensor:
        """The logits (n, n_items): the first layer is a sum of a user's and an item's part."""
        factors = self.users.embedding_dim
        of_user, of_item = self.layers[0].weight.split(factors, dim=1)
        user_part = self.mlp_users(users) @ of_user.T + self.layers[0].bias
        first = user_part[:, None] + (self.mlp_items.weight @ of_item.T)[None]
        items = torch.arange(self.items.num_embeddings, device=users.device)
        return self._from_first(users[:, None], items[None], first)

    def _from_first(
        self, users: torch.Tensor, items: torch.Tensor, first: torch.Tensor
    ) -> torch.Tensor:
        out = torch.relu(first)
        for layer in self.layers[1:]:
            out = torch.relu(layer(out))
        factors = self.users.embedding_dim
        of_product, of_mlp = self.output.weight[0].split([factors, out.shape[-1]])
        products = self.users(users) * self.items(items)
        return products @ of_product + out @ of_mlp + self.output.bias


@dataclass(eq=False)
class NeuMF(NeuralRecommender):
    """Matrix factorization and a perceptron with one output.

    Parameters are those of `NeuralRecommender`, with `batch_size` in pairs, negatives included,
    and

    hidden : int
        Width of the MLP's first layer; each further one has half of the one before.
    layers : int
        Number of the MLP's layers.
    n_negatives : int
        Items drawn for each pair.
    """

    factors: int = 32
    epochs: int = 20
    batch_size: int = 1024
    hidden: int = 64
    layers: int = 3
    n_negatives: int = 4

    def _check_parameters(self) -> None:
        super()._check_parameters()
        validation.whole_number("hidden", self.hidden)

    def _network(self) -> torch.nn.Module:
        sizes = self.n_users, self.n_items, self.factors, self.hidden, self.layers
        return GMFAndMLP(*sizes)

    def _training_batches(self, rng: np.random.Generator) -> Iterator[tuple]:
        return self._labelled(rng, rng, self.history, Negatives(self.history))

    def _validation_batches(self, held_out: Interactions) -> Iterable[tuple]:
        negatives = Negatives((self.history + held_out.matrix).tocsr())
        return self._labelled(None, np.random.default_rng(0), held_out.matrix, negatives)

    def _labelled(
        self,
        order: np.random.Generator | None,
        rng: np.random.Generator,
        history: sparse.csr_matrix,
        negatives: Negatives,
    ) -> Iterator[tuple]:
        """Users, items and labels: 1 for a pair of the history, 0 for a negative."""
        own_users, own_items = pairs(history)
        free = own_users[negatives.free[own_users] > 0]
        others = np.tile(free, self.n_negatives)
        users = np.concatenate([own_users, others])
        items = np.concatenate([own_items, negatives.draw(rng, others)])
        labels = (np.arange(len(users)) < len(own_users)).astype(np.float32)
        for batch in batches(order, len(users), self.batch_size):
            yield users[batch], items[batch], labels[batch]

    def _loss(self, network: torch.nn.Module, batch: tuple) -> torch.Tensor:
        users, items, labels = on_device(network, *batch)
        return binary_cross_entropy_with_logits(network(users, items).float(), labels)

    def _scores(self, users: np.ndarray) -> np.ndarray:
        width = max(self.hidden, self.factors)
        size = max(1, NUMBERS_IN_MEMORY // (self.n_items * width))
        scores = np.empty((len(users), self.n_items), np.float32)
        with torch.inference_mode():
            for start in range(0, len(users), size):
                (some,) = on_device(self.network, users[start : start + size].astype(np.int64))
                logits = self.network.of_all_items(some)
                scores[start : start + size] = logits.float().cpu().numpy()
        return scores
