r"""What the networks that predict clicks share: checks, the log loss, training, saving.

A model writes `_network`. The rows are `recsys.fields.Fields`; the loop is `recsys.neural.trainer`.
With labels y in {0, 1} and logits s, the objective is

.. math:: - \sum_r \big( y_r \ln \sigma(s_r) + (1 - y_r) \ln (1 - \sigma(s_r)) \big)
    + \frac{\lambda}{2} \big( |w|^2 + |V|^2 \big)

divided by the number of rows. The layers of a perceptron are not part of the penalty.
"""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from recsys import bundle
from recsys.fields import Fields
from recsys.models.base import PARAMETER_CHECKS
from recsys.neural import trainer
from recsys.neural.base import CHECKS, NO_EFFECT, WEIGHT
from recsys.neural.field_batches import (
    LabelledRows,
    as_field_bags,
    check_same_fields,
    checked_labels,
    checked_validation,
    fingerprint,
    initialised,
    labelled,
    log_loss,
    mean_log_loss,
)
from recsys.neural.pairs import batches, on_device
from recsys.threads import on_snapshot
from recsys.validation import random_generator

ROWS_AT_ONCE = 16_384  # of a prediction


@dataclass(eq=False)
class ClickModel:
    """Base of the networks that predict clicks from fields.

    Parameters
    ----------
    factors : int
        Length of the embeddings.
    learning_rate : float
    epochs : int
        Passes over the training data, at most.
    batch_size : int
        Rows per step.
    reg : float
        Strength of the L2 regularisation of weights and embeddings, as for `LogisticRanker`.
    patience : int, optional
        Epochs without a lower loss on the validation set after which training stops; the weights
        of the best epoch are kept. None: all epochs, and the last weights.
    device : str
        "auto" (a CUDA GPU if there is one, else the CPU), "cpu", "cuda", "cuda:1" or "mps".
        Predictions are computed on the CPU.
    rng : int or numpy.random.Generator
    n_threads : int, optional
        Threads of the training.

    Attributes after `fit`
    ----------------------
    names : tuple of str
        Of the fields.
    starts : array (n_fields + 1,) int64
        First feature of each field, and the number of features.
    weights : dict of arrays
        The trained network's, by name.
    training_history : list of dict
        One record per epoch: `epoch`, `loss` (with the penalty), `steps`, `learning_rate`,
        `seconds`, and with a validation set `validation_loss` (without it).
    n_parameters : int
        Numbers that were learned.
    """

    factors: int = 16
    learning_rate: float = 0.003
    epochs: int = 20
    batch_size: int = 1024
    reg: float = 1.0
    patience: int | None = None
    device: str = "auto"
    rng: Any = 0
    n_threads: int | None = None

    def __post_init__(self) -> None:
        self._check_parameters()

    def _check_parameters(self) -> None:
        for name, value in self.parameters.items():
            check = (CHECKS | PARAMETER_CHECKS).get(name)
            if check is not None:
                check(name, value)

    @property
    def parameters(self) -> dict[str, Any]:
        """The values of all parameters, by name."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def fit(
        self,
        fields: Fields,
        clicked: Any,
        validation: tuple[Fields, Any] | None = None,
        progress: bool = True,
        checkpoint: str | Path | None = None,
        on_epoch: Callable[[dict[str, float]], bool | None] | None = None,
    ) -> ClickModel:
        """Train on rows with labels; an interrupted fit leaves the model as it was.

        Parameters
        ----------
        fields : Fields
            At least one row.
        clicked : array-like (n,) of bool, or of 0 and 1
        validation : (Fields, clicked), optional
            Held-out rows, of the same encoder; their log loss is recorded after each epoch.
        progress : bool
            Show a progress bar on a terminal or in a notebook when the work is long.
        checkpoint : path, optional
            Folder that keeps the state after each epoch. If it holds one of the same model,
            parameters and data, training goes on there, and ends with the same bits as one that
            was never interrupted.
        on_epoch : callable, optional
            Called with each epoch's record; if it returns True, training ends there.

        Raises
        ------
        ValueError
            If a label is neither 0 nor 1, the loss is no longer finite (naming the step:
            `learning_rate` is too high), the device asked for is not there, or the checkpoint is
            damaged or of another model.
        """
        self._check_parameters()  # they may have changed since
        labels = checked_labels("clicked", fields, clicked)
        held_out = checked_validation(fields, validation, self.patience)
        learner = copy.copy(self)
        learner._learn((fields, labels), held_out, progress, checkpoint, on_epoch)
        self.__dict__ = learner.__dict__
        return self

    def _learn(
        self,
        train: LabelledRows,
        held_out: LabelledRows | None,
        progress: bool,
        checkpoint: str | Path | None,
        on_epoch: Callable | None,
    ) -> None:
        self.__dict__.pop("network", None)
        fields, _ = train
        self.names, self.starts = fields.names, fields.starts
        self.data_fingerprint = fingerprint(train)
        trained = trainer.train(
            self._task(train, held_out), random_generator(self.rng), self.epochs, self.patience,
            self.device, self.n_threads, checkpoint, on_epoch, progress,
        )  # fmt: skip
        self.weights, self.n_parameters = trained.weights, trained.n_parameters
        self.training_history = trained.records

    def _task(self, train: LabelledRows, held_out: LabelledRows | None) -> trainer.Task:
        fields, labels = train

        def shuffled(rng: np.random.Generator) -> Iterator[tuple]:
            return labelled(train, batches(rng, len(fields), self.batch_size))

        def penalised(network: torch.nn.Module, batch: tuple) -> torch.Tensor:
            return log_loss(network, batch) + self.reg / (2 * len(fields)) * network.penalty()

        def evaluate(network: torch.nn.Module) -> dict[str, float]:
            return {"validation_loss": mean_log_loss(network, held_out)}

        return trainer.Task(
            type(self).__name__,
            self._identity(held_out),
            lambda: initialised(self._network(), fields.matrix, labels),
            shuffled,
            penalised,
            lambda network: torch.optim.Adam(network.parameters(), lr=self.learning_rate),
            None if held_out is None else evaluate,
            metric="validation_loss",
            lowest=True,
        )

    def _identity(self, held_out: LabelledRows | None) -> str:
        """Digest of all that the first epochs depend on."""
        fixed = {n: x for n, x in self.parameters.items() if n not in NO_EFFECT}
        data = [self.data_fingerprint, "" if held_out is None else fingerprint(held_out)]
        text = json.dumps([type(self).__name__, bundle.to_json(fixed), data], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def _network(self) -> torch.nn.Module:
        """A new network with `bias`, `linear`, `embeddings` and `penalty`."""
        raise TypeError(f"{type(self).__name__} must define _network")

    @on_snapshot
    def predict(self, fields: Fields) -> np.ndarray:
        """The probability of a click of each row: (n,) float32."""
        self._check_fitted()
        check_same_fields("fields", fields, self.names, self.starts)
        network = self._trained_network()
        found = [np.empty(0, np.float32)]
        with torch.inference_mode():
            for some in batches(None, len(fields), ROWS_AT_ONCE):
                inputs = on_device(network, *as_field_bags(fields.matrix[some], self.starts))
                found.append(torch.sigmoid(network(*inputs)).numpy())
        return np.concatenate(found)

    def _trained_network(self) -> torch.nn.Module:
        if "network" not in self.__dict__:
            with torch.device("meta"):  # without memory or random numbers
                network = self._network()
            network.load_state_dict(trainer.as_tensors(self.weights), assign=True)
            self.__dict__["network"] = network.eval()
        return self.__dict__["network"]

    @on_snapshot
    def save(self, folder: str | Path) -> None:
        """Write the fitted model to a folder that `recsys.load` reads; the encoder has its own."""
        self._check_fitted()
        arrays = {WEIGHT + n.replace(".", "/"): array for n, array in self.weights.items()}
        arrays |= {"names": list(self.names), "starts": self.starts}
        arrays["training_history"] = [json.dumps(record) for record in self.training_history]
        arrays["n_parameters"] = np.int64(self.n_parameters)
        bundle.save(folder, type(self), self.parameters, self.data_fingerprint, arrays)

    @classmethod
    def restore(cls, parameters: dict, fingerprint: str, arrays: dict) -> ClickModel:
        """The model that `save` wrote; `recsys.load` calls this."""
        model = cls(**parameters)
        model.weights = {
            name.removeprefix(WEIGHT).replace("/", "."): array
            for name, array in arrays.items()
            if name.startswith(WEIGHT)
        }
        model.names, model.starts = tuple(arrays["names"]), arrays["starts"]
        model.training_history = [json.loads(text) for text in arrays["training_history"]]
        model.n_parameters = int(arrays["n_parameters"])
        model.data_fingerprint = fingerprint
        return model

    def _check_fitted(self) -> None:
        if "weights" not in self.__dict__:
            raise ValueError(
                f"{type(self).__name__} must be fitted first: call fit(fields, clicked)"
            )
