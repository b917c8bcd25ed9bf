"""What the neural recommenders share: fitting, validation, the trained network, saving.

A model writes `_network`, `_training_batches`, `_loss` and `_scores`, and reads beside its paper;
the loop is `recsys.neural.trainer`. The trained weights are arrays: a network is made of them when
it is first asked for, on the CPU, and no part of a saved model can run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from recsys import bundle, validation
from recsys.interactions import Interactions, check_log, check_same_labels
from recsys.metrics import ndcg_at_k
from recsys.models.base import Recommender
from recsys.models.filters import item_filter
from recsys.neural import trainer
from recsys.neural.device import check_device

WEIGHT = "weight/"  # of the names of weights in a bundle
NO_EFFECT = ("epochs", "device", "n_threads", "patience")  # on the first epochs

CHECKS = {
    "batch_size": lambda name, x: validation.whole_number(name, x),
    "patience": lambda name, x: x is None or validation.whole_number(name, x),
    "device": check_device,
    "dropout": lambda name, x: validation.real_number(name, x, high=0.99),
    "layers": lambda name, x: validation.whole_number(name, x),
    "blocks": lambda name, x: validation.whole_number(name, x),
    "heads": lambda name, x: validation.whole_number(name, x),
    "max_length": lambda name, x: validation.whole_number(name, x, low=2),
    "warmup_steps": lambda name, x: validation.whole_number(name, x, low=0),
    "decay_steps": lambda name, x: x is None or validation.whole_number(name, x),
}


@dataclass(eq=False)
class NeuralRecommender(Recommender):
    """Base of the models that PyTorch trains.

    Parameters
    ----------
    factors : int
        Length of the embeddings.
    learning_rate : float
    epochs : int
        Passes over the training data, at most.
    batch_size : int
    patience : int, optional
        Epochs without a better NDCG@10 on the validation set after which training stops; the
        weights of the best epoch are kept. None: all epochs, and the last weights.
    device : str
        "auto" (a CUDA GPU if there is one, else the CPU), "cpu", "cuda", "cuda:1" or "mps". Lists
        are computed on the CPU.
    rng : int or numpy.random.Generator
    n_threads : int, optional
        Threads of the training. The same number gives the same bits; another may round otherwise.

    Attributes after `fit`
    ----------------------
    weights : dict of arrays
        The trained network's, by name.
    training_history : list of dict
        One record per epoch: `epoch`, `loss`, `steps`, `learning_rate`, `seconds`, and with a
        validation set `validation_loss` and `validation_ndcg_at_10`.
    n_parameters : int
        Numbers that were learned.
    """

    factors: int = 64
    learning_rate: float = 0.001
    epochs: int = 20
    batch_size: int = 128
    patience: int | None = None
    device: str = "auto"
    rng: Any = 0
    n_threads: int | None = None

    weights: ClassVar[dict[str, np.ndarray]] = {}

    def _check_parameters(self) -> None:
        super()._check_parameters()
        for name, check in CHECKS.items():
            if hasattr(self, name):
                check(name, getattr(self, name))

    def fit(
        self,
        train: Interactions,
        progress: bool = True,
        validation: Interactions | None = None,
        checkpoint: str | Path | None = None,
        on_epoch: Callable[[dict[str, float]], bool | None] | None = None,
    ) -> NeuralRecommender:
        """Train on a log; an interrupted fit leaves the model as it was.

        Parameters
        ----------
        train : Interactions
            At least one row.
        progress : bool
            Show a progress bar on a terminal or in a notebook when the work is long.
        validation : Interactions, optional
            Held-out rows of users of the training log. After each epoch their loss and the
            NDCG@10 over all items, seen ones left out, are recorded.
        checkpoint : path, optional
            Folder that keeps the state after each epoch. If it holds one of the same model,
            parameters and data, training goes on there, and ends with the same bits as one that
            was never interrupted.
        on_epoch : callable, optional
            Called with each epoch's record; if it returns True, training ends there.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the loss is no longer finite, naming the step: `learning_rate` is too high. If the
            device asked for is not there, or the checkpoint is damaged or of another model.
        """
        check_log("train", train)
        _check_validation(train, validation, self.patience)
        return self._fit_apart(train, progress, validation, checkpoint, on_epoch)

    def _fit(
        self,
        train: Interactions,
        progress: bool,
        held_out: Interactions | None = None,
        checkpoint: str | Path | None = None,
        on_epoch: Callable[[dict[str, float]], bool | None] | None = None,
    ) -> None:
        rng = validation.random_generator(self.rng)
        self._prepare(train)
        trained = trainer.train(
            self._task(held_out), rng, self.epochs, self.patience, self.device, self.n_threads,
            checkpoint, on_epoch, progress,
        )  # fmt: skip
        self.weights, self.n_parameters = trained.weights, trained.n_parameters
        self.training_history = trained.records
        self.__dict__.pop("network", None)
        self._finish()

    def _task(self, held_out: Interactions | None) -> trainer.Task:
        return trainer.Task(
            type(self).__name__,
            self._identity(held_out),
            self._network,
            self._training_batches,
            self._loss,
            self._optimizer,
            None if held_out is None else lambda network: self._evaluate(network, held_out),
            self._schedule,
        )

    def _identity(self, held_out: Interactions | None) -> str:
        """Digest of all that the first epochs depend on."""
        fixed = {n: x for n, x in self.parameters.items() if n not in NO_EFFECT}
        logs = [self.data_fingerprint, held_out.fingerprint if held_out is not None else ""]
        text = json.dumps([type(self).__name__, bundle.to_json(fixed), logs], sort_keys=True)
        digest = hashlib.sha256(text.encode())
        for name in (field.name for field in fields(self) if field.name in self.learned):
            for array in bundle.flatten({name: getattr(self, name)}).values():
                digest.update(array.tobytes())
        return digest.hexdigest()

    def _prepare(self, train: Interactions) -> None:
        """Learn from the log what the network does not hold, such as sequences."""

    def _finish(self) -> None:
        """Derive from the network what lists are computed from, such as vectors."""

    def _network(self) -> torch.nn.Module:
        """A new network; every tensor that it needs is in its `state_dict`."""
        raise TypeError(f"{type(self).__name__} must define _network")

    def _training_batches(self, rng: np.random.Generator) -> Iterator[Any]:
        """The batches of one epoch, in random order."""
        raise TypeError(f"{type(self).__name__} must define _training_batches")

    def _loss(self, network: torch.nn.Module, batch: Any) -> torch.Tensor:
        """The mean loss of a batch."""
        raise TypeError(f"{type(self).__name__} must define _loss")

    def _validation_batches(self, held_out: Interactions) -> Iterable[Any]:
        """The held-out rows as batches, the same after each epoch; none, if there is no loss."""
        return ()

    def _optimizer(self, network: torch.nn.Module) -> torch.optim.Optimizer:
        return torch.optim.Adam(network.parameters(), lr=self.learning_rate)

    def _schedule(self, step: int) -> float:
        """The factor of the learning rate at a step, from 0."""
        return 1.0

    def _evaluate(self, network: torch.nn.Module, held_out: Interactions) -> dict[str, float]:
        """Loss and NDCG@10 of the held-out rows by a network in evaluation mode."""
        self.__dict__["network"] = network
        self._finish()
        users = np.unique(held_out.user)
        allowed = item_filter(self.history, users, True, None, None)
        items, _ = self.top_items(users, 10, allowed)
        record = {
            "validation_ndcg_at_10": float(ndcg_at_k(items, held_out.matrix[users], 10).mean())
        }
        loss = self._validation_loss(network, held_out)
        return record if loss is None else record | {"validation_loss": loss}

    def _validation_loss(self, network: torch.nn.Module, held_out: Interactions) -> float | None:
        """The mean loss of the held-out rows, without random numbers; None if there is none."""
        losses = [
            (len(batch[0]), self._loss(network, batch).item())
            for batch in self._validation_batches(held_out)
        ]
        if not losses:
            return None
        sizes, values = np.array(losses).T
        return float(np.average(values, weights=sizes))

    @cached_property
    def network(self) -> torch.nn.Module:
        """The trained network on the CPU, in evaluation mode."""
        with torch.device("meta"):  # without memory or random numbers
            network = self._network()
        network.load_state_dict(trainer.as_tensors(self.weights), assign=True)
        return network.eval()

    def state(self) -> dict[str, Any]:
        """All that the fitted model holds, by name: arrays, CSR matrices and lists."""
        weights = {WEIGHT + n.replace(".", "/"): array for n, array in self.weights.items()}
        history = [json.dumps(record) for record in self.training_history]
        counts = {"n_parameters": np.int64(self.n_parameters)}
        return super().state() | weights | counts | {"training_history": history}

    @classmethod
    def restore(cls, parameters: dict, fingerprint: str, arrays: dict) -> NeuralRecommender:
        """The model that `save` wrote; `recsys.load` calls this."""
        names = [name for name in arrays if name.startswith(WEIGHT)]
        weights = {name.removeprefix(WEIGHT).replace("/", "."): arrays.pop(name) for name in names}
        history = [json.loads(text) for text in arrays.pop("training_history", [])]
        n_parameters = int(arrays.pop("n_parameters"))
        model = super().restore(parameters, fingerprint, arrays)
        model.weights, model.training_history = weights, history
        model.n_parameters = n_parameters
        model._finish()
        return model


def _check_validation(
    train: Interactions, held_out: Interactions | None, patience: int | None
) -> None:
    if held_out is None:
        if patience is not None:
            raise ValueError(f"validation must be given with patience={patience}, got None")
        return
    check_log("validation", held_out)
    check_same_labels("train", train, "validation", held_out)
    sizes = (train.n_users, train.n_items), (held_out.n_users, held_out.n_items)
    if sizes[0] != sizes[1] or len(held_out) == 0:
        raise ValueError(
            f"validation must have rows, and the {sizes[0][0]} users and {sizes[0][1]} items of "
            f"train, got {len(held_out)} rows of {sizes[1][0]} users and {sizes[1][1]} items"
        )
