"""Histories as sequences, and what the models share that predict the next item from them.

A batch holds sequences of similar length, so that little of it is padding, which stands after the
last item. Left out: times between the items.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from scipy import sparse

from recsys import validation
from recsys.interactions import Interactions
from recsys.models.base import as_interactions
from recsys.neural import losses
from recsys.neural.base import NeuralRecommender
from recsys.split import by_user_and_time
from recsys.threads import on_snapshot

LOSSES = ("softmax", "bce", "gbce", "sampled_softmax")
SORTED = 16  # batches whose sequences are sorted by length together
USERS = 256  # encoded at once


@dataclass(eq=False)
class SequenceRecommender(NeuralRecommender):
    """Base of the models that read a user's history in order of time.

    Parameters
    ----------
    max_length : int
        Last items of a history that are read.
    loss : {"softmax", "bce", "gbce", "sampled_softmax"}
        See `recsys.neural.losses`.
    n_negatives : int
        Items drawn: for each position with "bce" and "gbce", for a batch with "sampled_softmax".
    calibration : float from 0 to 1
        gBCE's t.
    warmup_steps : int
        Steps in which the learning rate rises linearly.
    decay_steps : int, optional
        Steps after which the learning rate has halved, again and again. None: it stays.
    """

    learned: ClassVar[tuple[str, ...]] = ("sequence_items", "sequence_starts")

    max_length: int = 200
    loss: str = "softmax"
    n_negatives: int = 256
    calibration: float = 0.75
    dropout: float = 0.2
    warmup_steps: int = 100
    decay_steps: int | None = None

    def _check_parameters(self) -> None:
        super()._check_parameters()
        validation.one_of("loss", self.loss, LOSSES)
        validation.real_number("calibration", self.calibration, high=1.0)

    def _prepare(self, train: Interactions) -> None:
        if train.time is None:
            raise ValueError(f"train.time must be given for {type(self).__name__}, got None")
        if self.n_items < 2:
            raise ValueError(f"train must have at least 2 items, got {self.n_items}")
        self._set_sequences(train)

    def _set_sequences(self, log: Interactions) -> None:
        order = by_user_and_time(log)[0] if log.time is not None else np.arange(len(log))
        self.sequence_items = log.item[order].astype(np.int32)
        counts = np.bincount(log.user, minlength=log.n_users)
        self.sequence_starts = np.concatenate([[0], np.cumsum(counts)])

    @on_snapshot
    def fold_in(self, histories: Any) -> SequenceRecommender:
        """The model for new users, numbered from 0; nothing is learned from them.

        `histories` is a list of item id lists in order of time, or Interactions with times. A
        matrix has no order and raises ValueError.
        """
        self._check_fitted()
        log = as_interactions(histories, self.n_items)
        if log.time is None and (log is histories or sparse.issparse(histories)):
            raise ValueError(
                "histories must be lists in order of time, or Interactions with time, for "
                f"{type(self).__name__}, got {type(histories).__name__} without"
            )
        model = self.with_histories(log)
        model._set_sequences(log)
        return model

    def _windows(self, users: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
        """The last `length` items of each user, padded after the last, and their numbers."""
        ends = self.sequence_starts[users + 1]
        sizes = np.minimum(ends - self.sequence_starts[users], length)
        column = np.arange(max(int(sizes.max(initial=0)), 1))
        at = np.minimum((ends - sizes)[:, None] + column, len(self.sequence_items) - 1)
        items = self.sequence_items[at].astype(np.int64)
        return np.where(column < sizes[:, None], items, self.n_items), sizes

    def _training_batches(self, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """Users with at least two items, those of similar length together."""
        sizes = np.minimum(np.diff(self.sequence_starts), self.max_length + 1)
        users = rng.permutation(np.flatnonzero(sizes > 1))
        batches = []
        for start in range(0, len(users), SORTED * self.batch_size):
            some = users[start : start + SORTED * self.batch_size]
            some = some[np.argsort(sizes[some], kind="stable")]
            batches += np.array_split(some, -(-len(some) // self.batch_size))
        for number in rng.permutation(len(batches)):
            yield self._training_batch(batches[number], rng)

    def _training_batch(self, users: np.ndarray, rng: np.random.Generator) -> tuple:
        """Items that are read (n, length), the items to predict, and a mask of where."""
        windows, _ = self._windows(users, self.max_length + 1)
        return windows[:, :-1], windows[:, 1:], windows[:, 1:] < self.n_items

    def _loss(self, network: torch.nn.Module, batch: tuple) -> torch.Tensor:
        items, targets, where = (to_device(part, network) for part in batch)
        hidden, targets = network(items)[where], targets[where]  # (positions, factors)
        table = network.item_vectors()
        if self.loss == "softmax":
            return losses.full_softmax(hidden, table, targets)
        if self.loss == "sampled_softmax":
            drawn = torch.randint(self.n_items, (self.n_negatives,), device=hidden.device)
            return losses.sampled_softmax(hidden, table, targets, drawn)
        negatives = losses.draw_negatives(self.n_items, targets, self.n_negatives)
        calibration = self.calibration if self.loss == "gbce" else 0.0
        return losses.binary_cross_entropy(hidden, table, targets, negatives, calibration)

    def _validation_loss(self, network: torch.nn.Module, held_out: Interactions) -> float | None:
        """Mean of -ln p over the held-out rows, p by a softmax over all scores, for every loss."""
        rows = held_out.select(np.diff(self.sequence_starts)[held_out.user] > 0)
        users = np.unique(rows.user)
        total = 0.0
        for start in range(0, len(users), USERS):
            some = users[start : start + USERS]
            cells = rows.matrix[some].tocoo()
            logs = torch.log_softmax(torch.from_numpy(self._scores(some)), 1)
            total -= logs[cells.row, cells.col].sum().item()
        return total / rows.matrix.nnz if len(rows) else None

    def _schedule(self, step: int) -> float:
        risen = min(1.0, (step + 1) / max(self.warmup_steps, 1))
        return risen if self.decay_steps is None else risen * 0.5 ** (step / self.decay_steps)

    def _scores(self, users: np.ndarray) -> np.ndarray:
        scores = np.empty((len(users), self.n_items), np.float32)
        with torch.inference_mode():
            table = self.network.item_vectors()
            for start in range(0, len(users), USERS):
                some = slice(start, start + USERS)
                items, at = self._asked(users[some])
                hidden = self.network(to_device(items, self.network))
                last = hidden[torch.arange(len(at)), to_device(at, self.network)]
                scores[some] = (last @ table.T).float().cpu().numpy()
        return scores

    def _asked(self, users: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What the network reads to score the next item, and the position of the answer."""
        windows, sizes = self._windows(users, self.max_length)
        return windows, np.maximum(sizes - 1, 0)


def to_device(array: np.ndarray, network: torch.nn.Module) -> torch.Tensor:
    """The array as a tensor where the network is."""
    return torch.from_numpy(np.ascontiguousarray(array)).to(next(network.parameters()).device)
