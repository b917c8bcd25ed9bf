r"""SASRec and BERT4Rec: one transformer over a user's items, trained for two objectives.

Item :math:`i_t` at position t of a history enters as the sum of two embeddings, and passes through
blocks of self-attention and a network of two layers, each added to its input (Vaswani et al. 2017):

.. math:: x_t = y_{i_t} + p_t, \qquad
    x \leftarrow x + \mathrm{attention}(\mathrm{norm}(x)), \qquad
    x \leftarrow x + \mathrm{feed}(\mathrm{norm}(x))

A head of attention is a weighted mean of the values, :math:`\sum_s a_{ts} v_s`, whose weights are
a softmax of :math:`q_t^\top k_s / \sqrt{f}` over the positions s that t may see. The score of item
j is the inner product :math:`\mathrm{norm}(x_t)^\top y_j` with the same embeddings.

- **SASRec** (Kang and McAuley 2018): t sees :math:`s \le t` and predicts the next item.
- **BERT4Rec** (Sun et al. 2019): t sees all positions; items are hidden at random and predicted
  from both sides. To recommend, a hidden item stands after the last.

The loss is a choice of its own, see `recsys.neural.losses`: much of what was reported as the gain
of one over the other was the gain of a softmax over one negative (Petrov and Macdonald 2023). Left
out: dropout of the attention weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from recsys import validation
from recsys.neural.dropout import Dropout
from recsys.neural.sequences import SequenceRecommender


class Block(nn.Module):
    """Self-attention, then a network of two layers, each added to its input."""

    def __init__(self, factors: int, heads: int, widening: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention, self.norm_feed = nn.LayerNorm(factors), nn.LayerNorm(factors)
        self.queries_keys_values = nn.Linear(factors, 3 * factors)
        self.out = nn.Linear(factors, factors)
        self.wide = nn.Linear(factors, widening * factors)
        self.narrow = nn.Linear(widening * factors, factors)
        self.dropout = Dropout(dropout)

    def forward(self, x: torch.Tensor, visible: torch.Tensor | None) -> torch.Tensor:
        """From x (n, length, f) to the same shape; `visible` masks keys, None: causal."""
        x = x + self.dropout(self.attention(self.norm_attention(x), visible))
        return x + self.dropout(self.narrow(F.gelu(self.wide(self.norm_feed(x)))))

    def attention(self, x: torch.Tensor, visible: torch.Tensor | None) -> torch.Tensor:
        n, length, f = x.shape
        parts = self.queries_keys_values(x).view(n, length, 3, self.heads, f // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)  # each (n, heads, length, f / heads)
        mean = F.scaled_dot_product_attention(q, k, v, visible, is_causal=visible is None)
        return self.out(mean.transpose(1, 2).reshape(n, length, f))


class Transformer(nn.Module):
    """Embeddings of items and positions, blocks, and a last normalisation.

    Item n_items is padding, and n_items + 1 the hidden item.
    """

    def __init__(
        self, n_items: int, max_length: int, factors: int, blocks: int, heads: int,
        widening: int, dropout: float, causal: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        self.n_items, self.causal = n_items, causal
        self.items = nn.Embedding(n_items + 2, factors)
        self.positions = nn.Embedding(max_length, factors)
        self.blocks = nn.ModuleList(Block(factors, heads, widening, dropout) for _ in range(blocks))
        self.norm, self.dropout = nn.LayerNorm(factors), Dropout(dropout)
        for table in (self.items, self.positions):
            nn.init.normal_(table.weight, std=0.02)

    def forward(self, items: torch.Tensor) -> torch.Tensor:
        """From items (n, length), padded after the last, to vectors (n, length, factors)."""
        positions = torch.arange(items.shape[1], device=items.device)
        x = self.dropout(self.items(items) + self.positions(positions))
        visible = None if self.causal else (items != self.n_items)[:, None, None]
        for block in self.blocks:
            x = block(x, visible)
        return self.norm(x)

    def item_vectors(self) -> torch.Tensor:
        """The embeddings of the items (n_items, factors)."""
        return self.items.weight[: self.n_items]


@dataclass(eq=False)
class TransformerRecommender(SequenceRecommender):
    """What SASRec and BERT4Rec share.

    Parameters
    ----------
    blocks, heads : int
        Blocks, and heads of attention in each; `heads` divides `factors`.
    dropout : float
        Of the embeddings and of what each block adds, while training.
    """

    blocks: int = 2
    heads: int = 2

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if self.factors % self.heads:
            raise ValueError(f"heads must divide factors = {self.factors}, got {self.heads}")

    def _transformer(self, widening: int, causal: bool) -> Transformer:
        return Transformer(
            self.n_items, self.max_length, self.factors, self.blocks, self.heads,
            widening, self.dropout, causal,
        )  # fmt: skip


@dataclass(eq=False)
class SASRec(TransformerRecommender):
    """Self-attention over the items before, trained to predict the next one.

    With loss "softmax" by default; "bce" with `n_negatives=1` is the published objective.
    Parameters as in `TransformerRecommender`, `SequenceRecommender` and `NeuralRecommender`.
    """

    def _network(self) -> Transformer:
        return self._transformer(widening=1, causal=True)


@dataclass(eq=False)
class BERT4Rec(TransformerRecommender):
    """Self-attention in both directions, trained to fill in hidden items.

    Parameters
    ----------
    mask_probability : float
        With which each item of a history is hidden while training; at least one is.

    The others as in `TransformerRecommender`, `SequenceRecommender` and `NeuralRecommender`.
    """

    mask_probability: float = 0.2

    def _check_parameters(self) -> None:
        super()._check_parameters()
        validation.real_number("mask_probability", self.mask_probability, high=1.0, open_low=True)

    def _network(self) -> Transformer:
        return self._transformer(widening=4, causal=False)

    def _training_batch(self, users: np.ndarray, rng: np.random.Generator) -> tuple:
        windows, sizes = self._windows(users, self.max_length)
        real = np.arange(windows.shape[1]) < sizes[:, None]
        hidden = real & (rng.random(windows.shape) < self.mask_probability)
        hidden[np.arange(len(users)), sizes - 1] |= ~hidden.any(axis=1)  # at least the last one
        return np.where(hidden, self.n_items + 1, windows), windows, hidden

    def _asked(self, users: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        windows, sizes = self._windows(users, self.max_length - 1)
        items = np.pad(windows, ((0, 0), (0, 1)), constant_values=self.n_items)
        items[np.arange(len(users)), sizes] = self.n_items + 1
        return items, sizes
