"""Dropout whose random numbers are cheap on the CPU: one random byte per element."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


class Dropout(nn.Module):
    """Set elements to zero with a probability, scale the others up; only while training.

    On the CPU the probability is rounded to a multiple of 1/256 (Srivastava et al. 2014).
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.device.type != "cpu":
            return F.dropout(x, self.p, self.training)
        dropped = round(256 * self.p)  # of the 256 values of a byte
        if not self.training or not dropped:
            return x
        words = torch.empty(-(-x.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
        bytes_ = words.view(torch.uint8)[: x.numel()].view(x.shape)
        return x * (bytes_ >= dropped).to(x.dtype).mul_(256 / (256 - dropped))
