r"""Losses of next-item prediction: which items, and how many, a positive is compared with.

With scores :math:`s_j` and the observed item i, the full softmax compares i with all items,

.. math:: -\ln \frac{e^{s_i}}{\sum_j e^{s_j}}

Sampled losses compare it with k items N drawn uniformly from the others. Binary cross-entropy,
with one negative in SASRec as first published (Kang and McAuley 2018), asks for each item alone
whether it was chosen:

.. math:: -\frac{1}{k + 1} \Big( \beta \ln \sigma(s_i) + \sum_{j \in N} \ln (1 - \sigma(s_j)) \Big)

with :math:`\beta = 1`. Most of the negatives are never drawn, so :math:`\sigma(s_i)` comes out
near 1 for many items, which then cannot be ranked. gBCE (Petrov and Macdonald 2023) corrects this
by :math:`\beta = a (t (1 - 1/a) + 1/a)`, with a the fraction of the other items that is drawn;
t = 0 is binary cross-entropy, t = 1 makes :math:`\sigma` the true probability. Left out: in-batch
negatives, which `recsys.neural.two_tower` uses.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch.nn import functional as F

ROWS = 512  # positions whose scores are in the processor's cache together


def full_softmax(hidden: torch.Tensor, items: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Mean over n positions: `hidden` (n, f), embeddings of all `items` (m, f), `targets` (n,).

    On the CPU the gradient is computed with the loss, for ROWS positions at a time, so that the
    n x m scores never stand in memory.
    """
    if hidden.device.type == "cpu" and hidden.requires_grad:
        return FusedSoftmax.apply(hidden, items, targets)
    return F.cross_entropy((hidden @ items.T).float(), targets)


class FusedSoftmax(torch.autograd.Function):
    """The full softmax; a score's gradient is its probability, less 1 at the target."""

    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, items: torch.Tensor, targets: torch.Tensor
    ) -> torch.Tensor:
        gradients = torch.empty_like(hidden), torch.zeros_like(items)
        total = hidden.new_zeros(())
        for start in range(0, len(hidden), ROWS):
            h, target = hidden[start : start + ROWS], targets[start : start + ROWS, None]
            scores = h @ items.T  # (rows, m)
            highest, observed = scores.amax(1), scores.gather(1, target)[:, 0]
            p = torch.softmax(scores, 1, out=scores)
            total += (highest - observed - p.amax(1).log()).sum()  # -ln p at the target
            p.scatter_add_(1, target, p.new_full(target.shape, -1.0))
            torch.mm(p, items, out=gradients[0][start : start + ROWS])
            gradients[1].addmm_(p.T, h)
        ctx.save_for_backward(*(gradient / len(hidden) for gradient in gradients))
        return total / len(hidden)

    @staticmethod
    def backward(ctx: Any, outer: torch.Tensor) -> tuple:
        hidden, items = ctx.saved_tensors
        return hidden * outer, items * outer, None


def draw_negatives(n_items: int, targets: torch.Tensor, k: int) -> torch.Tensor:
    """For each target k of the other items, uniformly, with replacement: (n, k)."""
    shape = (len(targets), k)
    drawn = torch.randint(n_items - 1, shape, device=targets.device)
    return drawn + (drawn >= targets[:, None])  # the numbers from the target on move up by one


def binary_cross_entropy(
    hidden: torch.Tensor, items: torch.Tensor, targets: torch.Tensor, negatives: torch.Tensor,
    calibration: float = 0.0,
) -> torch.Tensor:  # fmt: skip
    """Mean of gBCE over n positions; `negatives` (n, k). `calibration` is t; 0 is plain BCE."""
    positive = (hidden * items[targets]).sum(1).float()
    negative = torch.einsum("nf,nkf->nk", hidden, items[negatives]).float()
    power = gbce_power(len(items), negatives.shape[1], calibration)
    losses = power * F.softplus(-positive) + F.softplus(negative).sum(1)
    return losses.mean() / (1 + negatives.shape[1])


def gbce_power(n_items: int, k: int, calibration: float) -> float:
    """The exponent beta of the positive's probability.

    >>> gbce_power(11, 1, 0.0), round(gbce_power(11, 1, 0.5), 6), gbce_power(11, 1, 1.0)
    (1.0, 0.55, 0.1)
    """
    fraction = k / (n_items - 1)
    return fraction * (calibration * (1 - 1 / fraction) + 1 / fraction)


def sampled_softmax(
    hidden: torch.Tensor, items: torch.Tensor, targets: torch.Tensor, drawn: torch.Tensor
) -> torch.Tensor:
    """Mean over n positions of the softmax against `drawn` (k,), the same items for all.

    Each drawn item stands for m / k items, so its term is multiplied by that (logQ correction,
    for a uniform q); one that is the target itself does not count.
    """
    positive = (hidden * items[targets]).sum(1, keepdim=True).float()
    negative = (hidden @ items[drawn].T).float() + math.log(len(items) / len(drawn))
    negative = negative.masked_fill(drawn[None] == targets[:, None], -torch.inf)
    scores = torch.cat([positive, negative], 1)
    return F.cross_entropy(scores, torch.zeros_like(targets))
