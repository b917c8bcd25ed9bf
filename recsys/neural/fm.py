r"""Factorization machines and DeepFM: click probabilities from sparse fields.

A factorization machine (Rendle 2010) is a logistic regression with all products of two features,
where the weight of a product is the inner product of two learned vectors: pairs that no training
row holds get a weight too. With the row's sparse vector x,

.. math:: s(x) = w_0 + \sum_i w_i x_i + \sum_{i < j} \langle v_i, v_j \rangle \, x_i x_j

The double sum takes time linear in the row's features, because

.. math:: \sum_{i < j} \langle v_i, v_j \rangle x_i x_j
    = \frac{1}{2} \Big( \big| \sum_i x_i v_i \big|^2 - \sum_i x_i^2 |v_i|^2 \Big).

DeepFM (Guo et al. 2017) adds to s(x) the output of a perceptron on the fields' vectors, side by
side, which are the same vectors: there is one set of embeddings. Left out: field-aware machines
(Juan et al. 2016), sparse optimizers.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn.functional import embedding_bag

from recsys import validation
from recsys.neural.click_model import ClickModel

INITIAL = 0.01  # standard deviation of the embeddings


class PairwiseProducts(torch.nn.Module):
    """The factorization machine: a bias, a weight and a vector per feature."""

    def __init__(self, n_features: int, n_fields: int, factors: int) -> None:
        super().__init__()
        self.n_fields = n_fields
        self.bias = torch.nn.Parameter(torch.zeros(()))
        self.linear = torch.nn.Parameter(torch.zeros(n_features, 1))
        self.embeddings = torch.nn.Parameter(torch.empty(n_features, factors))
        torch.nn.init.normal_(self.embeddings, std=INITIAL)

    def forward(self, *rows: torch.Tensor) -> torch.Tensor:
        """The logits (n,) of rows given as features, bags and parts, see `as_field_bags`."""
        return self.products(self.pooled(self.embeddings, *rows), *rows)

    def pooled(
        self, table: torch.Tensor, features: torch.Tensor, bags: torch.Tensor, parts: torch.Tensor
    ) -> torch.Tensor:
        """The sum of x_i times row i of a table (n_features, d), per field: (n, n_fields, d)."""
        sums = embedding_bag(features, table, bags, mode="sum", per_sample_weights=parts)
        return sums.view(-1, self.n_fields, table.shape[1])

    def products(
        self, vectors: torch.Tensor, features: torch.Tensor, bags: torch.Tensor, parts: torch.Tensor
    ) -> torch.Tensor:
        """s(x), from the fields' vectors (n, n_fields, factors)."""
        lengths = (self.embeddings**2).sum(1, keepdim=True)  # |v_i|^2, (n_features, 1)
        own = self.pooled(lengths, features, bags, parts**2).sum((1, 2))
        pairs = ((vectors.sum(1) ** 2).sum(1) - own) / 2
        return self.bias + self.pooled(self.linear, features, bags, parts).sum((1, 2)) + pairs

    def penalty(self) -> torch.Tensor:
        """The sum of the squares of weights and embeddings."""
        return (self.linear**2).sum() + (self.embeddings**2).sum()


class SharedEmbeddings(PairwiseProducts):
    """DeepFM: the machine, plus a perceptron on its vectors."""

    def __init__(
        self, n_features: int, n_fields: int, factors: int, widths: list[int], dropout: float
    ) -> None:
        super().__init__(n_features, n_fields, factors)
        layers: list[torch.nn.Module] = []
        for inputs, outputs in zip([n_fields * factors, *widths], widths):
            layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
            layers += [torch.nn.Dropout(dropout)]
        self.deep = torch.nn.Sequential(*layers, torch.nn.Linear(widths[-1], 1))

    def forward(self, *rows: torch.Tensor) -> torch.Tensor:
        """The logits (n,)."""
        vectors = self.pooled(self.embeddings, *rows)
        return self.products(vectors, *rows) + self.deep(vectors.flatten(1))[:, 0]


@dataclass(eq=False)
class FactorizationMachine(ClickModel):
    """Logistic regression with all products of two features, factorized.

    Parameters are those of `ClickModel`.
    """

    def _network(self) -> torch.nn.Module:
        return PairwiseProducts(int(self.starts[-1]), len(self.names), self.factors)


@dataclass(eq=False)
class DeepFM(ClickModel):
    """A factorization machine and a perceptron that share their embeddings.

    Parameters are those of `ClickModel`, and

    hidden : int
        Width of each hidden layer of the perceptron.
    layers : int
        Number of its hidden layers.
    dropout : float
        Probability with which a hidden number is left out while training.
    """

    hidden: int = 64
    layers: int = 2
    dropout: float = 0.2

    def _check_parameters(self) -> None:
        super()._check_parameters()
        validation.whole_number("hidden", self.hidden)

    def _network(self) -> torch.nn.Module:
        sizes = int(self.starts[-1]), len(self.names), self.factors
        return SharedEmbeddings(*sizes, self.layers * [self.hidden], self.dropout)
