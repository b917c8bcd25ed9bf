"""The training loop that all networks share: seeded, resumable, and stopped in time.

It knows nothing of recommendation: a `Task` says which network is trained on which batches by
which loss. An epoch is a pass over all batches; after it the task may be evaluated on validation
data, and the weights of the best epoch are kept (early stopping, Prechelt 1998). On a GPU the
products are computed in bfloat16, the weights stay in float32 (Micikevicius et al. 2018).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from recsys.neural import checkpoint as checkpoints
from recsys.neural.checkpoint import State, to_arrays
from recsys.neural.device import choose_device, repeatable
from recsys.progress import progress_bar

Record = dict[str, float]  # of one epoch


@dataclass(frozen=True)
class Task:
    """What is trained.

    Attributes
    ----------
    name : str
        For messages and the progress bar.
    identity : str
        Digest of the parameters and data; a checkpoint of another identity is refused.
    network : callable
        Returns a new network; its weights come from torch's global generator.
    batches : callable
        From a `numpy.random.Generator` the batches of one epoch, in random order.
    loss : callable
        From the network and a batch the mean loss, a scalar tensor.
    optimizer : callable
        From the network its optimizer.
    evaluate : callable, optional
        From the network, in evaluation mode, metrics by name.
    schedule : callable, optional
        From the number of the step (from 0) the factor of the learning rate; 1 by default.
    metric : str
        The metric that is best when highest, or with `lowest` when lowest.
    """

    name: str
    identity: str
    network: Callable[[], torch.nn.Module]
    batches: Callable[[np.random.Generator], Iterable[Any]]
    loss: Callable[[torch.nn.Module, Any], torch.Tensor]
    optimizer: Callable[[torch.nn.Module], torch.optim.Optimizer]
    evaluate: Callable[[torch.nn.Module], Record] | None = None
    schedule: Callable[[int], float] | None = None
    metric: str = "validation_ndcg_at_10"
    lowest: bool = False


@dataclass(frozen=True)
class Trained:
    """The weights that a training ended with, its records, and how many numbers were learned."""

    weights: dict[str, np.ndarray]
    records: list[Record]
    n_parameters: int


def train(
    task: Task,
    rng: np.random.Generator,
    epochs: int,
    patience: int | None = None,
    device: str = "auto",
    n_threads: int | None = None,
    checkpoint: str | Path | None = None,
    on_epoch: Callable[[Record], bool | None] | None = None,
    progress: bool = True,
) -> Trained:
    """Train a task's network; see `recsys.neural.base.NeuralRecommender.fit` for the arguments.

    Raises
    ------
    ValueError
        If the loss is not a finite number, naming epoch and step; the last checkpoint stays. If
        the device is not there, or the checkpoint is damaged or of another task.
    """
    place = choose_device(device)
    found = None if checkpoint is None else checkpoints.read(checkpoint)
    if found is not None:
        _check_same(task, found, checkpoint, epochs)
    with repeatable(int(rng.integers(2**63)), place, n_threads):
        loop = Loop(task, rng, place)
        if found is not None:
            loop.restore(found)
        for epoch in progress_bar(range(len(loop.records) + 1, epochs + 1), task.name, progress):
            if _exhausted(task, loop.records, patience):
                break
            record = loop.run_epoch(epoch)
            if checkpoint is not None:
                checkpoints.write(checkpoint, loop.state())
            if on_epoch is not None and on_epoch(dict(record)):
                break
        return loop.result(patience is not None)


class Loop:
    """A network, its optimizer and its random numbers, from epoch to epoch."""

    def __init__(self, task: Task, rng: np.random.Generator, device: torch.device) -> None:
        self.task, self.rng, self.device = task, rng, device
        self.network = task.network().to(device)
        self.optimizer = task.optimizer(self.network)
        self.rates = [group["lr"] for group in self.optimizer.param_groups]
        self.records: list[Record] = []
        self.best = to_arrays(self.network.state_dict())
        self.step = 0

    def run_epoch(self, epoch: int) -> Record:
        """A pass over all batches, then the evaluation; adds the epoch's record."""
        started, total, n = time.perf_counter(), 0.0, 0
        self.network.train()
        for batch in self.task.batches(self.rng):
            n += 1
            total += self._step(batch, epoch, n)
        self._check_weights(epoch)
        record = {"epoch": epoch, "loss": total / max(n, 1), "steps": n}
        record["learning_rate"] = self.optimizer.param_groups[0]["lr"]
        record["seconds"] = time.perf_counter() - started
        if self.task.evaluate is not None:
            record |= evaluated(self.task, self.network)
        self.records.append(record)
        if self.task.evaluate is None or best_epoch(self.task, self.records) == epoch:
            self.best = to_arrays(self.network.state_dict())
        return record

    def _step(self, batch: Any, epoch: int, number: int) -> float:
        if self.task.schedule is not None:
            factor = self.task.schedule(self.step)
            for group, rate in zip(self.optimizer.param_groups, self.rates):
                group["lr"] = rate * factor
        self.step += 1
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            loss = self.task.loss(self.network, batch)
        value = loss.item()
        if not math.isfinite(value):
            raise diverged(self.task, f"the loss was {value} at step {number} of epoch {epoch}")
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return value

    def _check_weights(self, epoch: int) -> None:
        for name, tensor in self.network.state_dict().items():
            if tensor.is_floating_point() and not torch.isfinite(tensor).all():
                raise diverged(self.task, f"{name} was not finite after epoch {epoch}")

    def state(self) -> State:
        """All that the next epoch depends on."""
        random = {"numpy": self.rng.bit_generator.state, "torch": torch.get_rng_state().numpy()}
        if self.device.type == "cuda":
            random["cuda"] = torch.cuda.get_rng_state(self.device).numpy()
        return State(
            self.task.identity, to_arrays(self.network.state_dict()), self.best,
            checkpoints.optimizer_arrays(self.optimizer), random, self.records,
        )  # fmt: skip

    def restore(self, state: State) -> None:
        """Go on from a state."""
        self.network.load_state_dict(as_tensors(state.weights))
        checkpoints.restore_optimizer(self.optimizer, state.optimizer)
        self.rng.bit_generator.state = state.random["numpy"]
        torch.set_rng_state(torch.from_numpy(state.random["torch"]))
        if self.device.type == "cuda" and "cuda" in state.random:
            torch.cuda.set_rng_state(torch.from_numpy(state.random["cuda"]), self.device)
        self.records, self.best = list(state.records), state.best
        self.step = int(sum(record["steps"] for record in self.records))

    def result(self, keep_best: bool) -> Trained:
        """The weights of the best epoch, or of the last."""
        weights = self.best if keep_best else to_arrays(self.network.state_dict())
        n_parameters = sum(p.numel() for p in self.network.parameters() if p.requires_grad)
        return Trained(weights, self.records, n_parameters)


def evaluated(task: Task, network: torch.nn.Module) -> Record:
    """The task's metrics; the random states stay as they are."""
    network.eval()
    with torch.inference_mode():
        return task.evaluate(network)


def best_epoch(task: Task, records: list[Record]) -> int:
    """The number of the best epoch, the first of equals.

    >>> task = Task("", "", None, None, None, None)
    >>> best_epoch(task, [{"validation_ndcg_at_10": x} for x in (0.1, 0.3, 0.3, 0.2)])
    2
    """
    sign = -1 if task.lowest else 1
    return 1 + int(np.argmax([sign * record[task.metric] for record in records]))


def diverged(task: Task, what: str) -> ValueError:
    """The error of a training that has left the finite numbers."""
    return ValueError(f"learning_rate must be smaller for {task.name}: {what}")


def as_tensors(arrays: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """Copies of arrays as tensors on the CPU."""
    return {name: torch.tensor(array) for name, array in arrays.items()}


def _exhausted(task: Task, records: list[Record], patience: int | None) -> bool:
    """Whether the last `patience` epochs were no better than one before them."""
    if patience is None or not records:
        return False
    return len(records) - best_epoch(task, records) >= patience


def _check_same(task: Task, found: State, folder: str | Path, epochs: int) -> None:
    if found.identity != task.identity:
        raise ValueError(
            f"checkpoint {str(folder)!r} must be of the same model, parameters and data, got "
            "another: use another folder"
        )
    if len(found.records) > epochs:
        raise ValueError(
            f"epochs must be at least {len(found.records)}, those of the checkpoint, got {epochs}"
        )
