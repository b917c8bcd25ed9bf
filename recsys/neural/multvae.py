r"""Mult-VAE: a variational autoencoder of histories (Liang et al. 2018).

The encoder makes of a history :math:`x_u` (of length 1, each item left out with a probability) a
normal distribution of the user's vector z; the decoder makes of a draw z the probabilities
:math:`\pi(z)` of all items, by a softmax. The loss is the multinomial likelihood and the distance
of the distribution to the standard normal one,

.. math:: - \sum_i x_{ui} \ln \pi_i(z)
    + \beta\, \mathrm{KL}\big( \mathcal N(\mu_u, \sigma_u^2) \,\|\, \mathcal N(0, I) \big)

where :math:`\beta` grows from 0 (annealing), so that z is used before it is regularised, and stays
below 1. Lists use :math:`\mu_u` itself, without dropout or draw. A new user is a history like any
other, so `fold_in` needs no training. Left out: choosing beta by the peak of the validation metric.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch.nn.functional import dropout, embedding_bag, log_softmax

from recsys import validation
from recsys.interactions import Interactions
from recsys.neural.base import NeuralRecommender
from recsys.neural.pairs import as_bags, batches, on_device
from recsys.threads import on_snapshot


class Autoencoder(torch.nn.Module):
    """Items -> hidden -> mean and log variance (factors each); factors -> hidden -> items."""

    def __init__(self, n_items: int, hidden: int, factors: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))  # of the training
        self.input = torch.nn.Parameter(torch.empty(n_items, hidden))
        self.input_bias = torch.nn.Parameter(torch.zeros(hidden))
        torch.nn.init.xavier_normal_(self.input)
        self.code = torch.nn.Linear(hidden, 2 * factors)
        self.decoder = torch.nn.Linear(factors, hidden)
        self.output = torch.nn.Linear(hidden, n_items)
        for layer in (self.code, self.decoder, self.output):
            torch.nn.init.xavier_normal_(layer.weight)
            torch.nn.init.zeros_(layer.bias)

    def encode(self, columns: Any, starts: Any, values: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and log variance (n, factors) of histories given as bags."""
        values = dropout(values, self.dropout, self.training)
        bags = embedding_bag(columns, self.input, starts, mode="sum", per_sample_weights=values)
        return self.code(torch.tanh(bags + self.input_bias)).chunk(2, dim=1)

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        """The scores (n, n_items), before the softmax."""
        return self.output(torch.tanh(self.decoder(z)))

    def forward(self, columns: Any, starts: Any, values: Any) -> tuple[torch.Tensor, ...]:
        mean, log_variance = self.encode(columns, starts, values)
        z = mean
        if self.training:
            z = mean + torch.exp(log_variance / 2) * torch.randn_like(mean)
        return self.decode(z), mean, log_variance


@dataclass(eq=False)
class MultVAE(NeuralRecommender):
    """A variational autoencoder with a multinomial likelihood.

    Parameters are those of `NeuralRecommender`, with `batch_size` in users, and

    hidden : int
        Width of the hidden layer on each side.
    dropout : float
        Probability with which an item of a history is left out while training.
    beta : float
        Weight of the KL term at the end of the annealing.
    anneal_steps : int
        Steps over which the weight grows from 0 to beta.
    """

    factors: int = 128
    epochs: int = 100
    hidden: int = 512
    dropout: float = 0.5
    beta: float = 0.2
    anneal_steps: int = 500

    def _check_parameters(self) -> None:
        super()._check_parameters()
        validation.whole_number("hidden", self.hidden)
        validation.real_number("beta", self.beta)
        validation.whole_number("anneal_steps", self.anneal_steps, low=0)

    def _network(self) -> torch.nn.Module:
        return Autoencoder(self.n_items, self.hidden, self.factors, self.dropout)

    def _training_batches(self, rng: np.random.Generator) -> Iterator[tuple]:
        users = np.flatnonzero(np.diff(self.history.indptr))
        for batch in batches(rng, len(users), self.batch_size):
            yield users[batch], self.history

    def _validation_batches(self, held_out: Interactions) -> Iterable[tuple]:
        users = np.unique(held_out.user)
        for batch in batches(None, len(users), self.batch_size):
            yield users[batch], held_out.matrix

    def _loss(self, network: torch.nn.Module, batch: tuple) -> torch.Tensor:
        users, targets = batch
        logits, mean, log_variance = network(*self._inputs(network, users))
        row, item = on_device(network, *(at.astype(np.int64) for at in targets[users].nonzero()))
        likelihood = log_softmax(logits.float(), 1)[row, item].sum() / len(users)
        weight = self.beta
        if network.training:
            weight = anneal(int(network.steps), self.beta, self.anneal_steps)
            network.steps += 1
        return weight * kl_divergence(mean.float(), log_variance.float()) - likelihood

    def _inputs(self, network: torch.nn.Module, users: np.ndarray) -> list[torch.Tensor]:
        return on_device(network, *as_bags(unit_rows(self.history[users])))

    def _scores(self, users: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            mean, _ = self.network.encode(*self._inputs(self.network, users))
            return self.network.decode(mean).float().cpu().numpy()

    @on_snapshot
    def fold_in(self, histories: Any) -> MultVAE:
        """The model for new users, numbered from 0; their histories go through the encoder.

        `histories` is a list of item id lists, a CSR matrix or Interactions.
        """
        return self.with_histories(histories)


def anneal(step: int, beta: float, steps: int) -> float:
    """The weight of the KL term at a step, from 0.

    >>> [anneal(step, 0.2, 4) for step in (0, 1, 4, 9)]
    [0.0, 0.05, 0.2, 0.2]
    """
    return beta * min(1.0, step / steps) if steps else beta


def kl_divergence(mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """KL to the standard normal distribution, summed over the factors; the mean of the rows."""
    terms = torch.exp(log_variance) + mean**2 - 1 - log_variance
    return terms.sum(1).mean() / 2


def unit_rows(history: sparse.csr_matrix) -> sparse.csr_matrix:
    """The histories, each item once, as rows of length 1."""
    counts = np.diff(history.indptr)
    values = np.repeat(1 / np.sqrt(np.maximum(counts, 1)), counts).astype(np.float32)
    return sparse.csr_matrix((values, history.indices, history.indptr), history.shape)
