r"""GRU4Rec: a recurrent network reads the history item by item (Hidasi et al. 2016).

Its state is a vector that each item changes by gates (Cho et al. 2014):

.. math:: h_t = \mathrm{GRU}(h_{t-1}, y_{i_t}), \qquad \hat r_{tj} = h_t^\top y_j

with the same embeddings :math:`y` at both ends. The whole past has to pass through one vector,
where self-attention looks back at each item. Left out: sessions that go on in other rows of a
batch; here a row is a user's history, and the losses are those of `recsys.neural.losses`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from recsys.neural.dropout import Dropout
from recsys.neural.sequences import SequenceRecommender


class Recurrent(nn.Module):
    """Embeddings of the items, and gated recurrent units."""

    def __init__(self, n_items: int, factors: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.n_items = n_items
        self.items = nn.Embedding(n_items + 1, factors)  # the last one is padding
        self.units = nn.GRU(factors, factors, layers, batch_first=True)
        self.dropout = Dropout(dropout)
        nn.init.normal_(self.items.weight, std=0.02)

    def forward(self, items: torch.Tensor) -> torch.Tensor:
        """From items (n, length), padded after the last, to states (n, length, factors)."""
        return self.dropout(self.units(self.dropout(self.items(items)))[0])

    def item_vectors(self) -> torch.Tensor:
        """The embeddings of the items (n_items, factors)."""
        return self.items.weight[: self.n_items]


@dataclass(eq=False)
class GRU4Rec(SequenceRecommender):
    """A recurrent network over the items before, trained to predict the next one.

    Parameters
    ----------
    layers : int
        Gated recurrent units on top of each other.
    dropout : float
        Of the embeddings and the states, while training.

    The others as in `SequenceRecommender` and `NeuralRecommender`.
    """

    layers: int = 1

    def _network(self) -> Recurrent:
        return Recurrent(self.n_items, self.factors, self.layers, self.dropout)
