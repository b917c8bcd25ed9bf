"""Checkpoints: all that a training needs to go on as if it had never stopped.

A file of arrays, as NumPy writes them, and a text in JSON: weights, the optimizer's state, random
states, and the records of the epochs so far. It is replaced in one step, so a crash leaves the
last good one, and each array has a checksum. Left out: pickle, which runs what it reads.
"""

from __future__ import annotations

import json
import logging
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from recsys import validation
from recsys.files import atomic_file

FILE = "checkpoint.npz"
logger = logging.getLogger("recsys.neural")


@dataclass
class State:
    """The state of a training between two epochs.

    Attributes
    ----------
    identity : str
        What was trained on what: parameters and data.
    weights, best : dict of arrays
        The weights now, and those of the best epoch (the same, if none is preferred).
    optimizer : dict of arrays
        By "number of the parameter/name".
    random : dict
        Random states: "numpy" (JSON), "torch" and, on a GPU, "cuda" (arrays).
    records : list of dict
        One per epoch.
    """

    identity: str
    weights: dict[str, np.ndarray]
    best: dict[str, np.ndarray]
    optimizer: dict[str, np.ndarray]
    random: dict[str, Any]
    records: list[dict[str, float]]


def write(folder: str | Path, state: State) -> bool:
    """Write a checkpoint; where that fails, as on a full disk, say so in the log and go on.

    Returns whether it was written. An earlier checkpoint stays if not.
    """
    path = validation.path("checkpoint", folder) / FILE
    arrays = {f"weights/{name}": array for name, array in state.weights.items()}
    arrays |= {f"best/{name}": array for name, array in state.best.items()}
    arrays |= {f"optimizer/{name}": array for name, array in state.optimizer.items()}
    arrays |= {f"random/{n}": a for n, a in state.random.items() if n != "numpy"}
    text = {"identity": state.identity, "numpy": state.random["numpy"], "records": state.records}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as draft, draft.open("wb") as file:
            np.savez(file, text=np.array(json.dumps(text)), **arrays)
    except OSError as error:
        logger.warning("no checkpoint was written to %s: %s", path, error.strerror or error)
        return False
    return True


def read(folder: str | Path) -> State | None:
    """The checkpoint in a folder; None if there is none. ValueError for a damaged one."""
    path = validation.path("checkpoint", folder) / FILE
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = dict(stored)
        text = json.loads(str(arrays.pop("text")))
        parts: dict[str, dict] = {p: {} for p in ("weights", "best", "optimizer", "random")}
        for name, array in arrays.items():
            part, _, rest = name.partition("/")
            parts[part][rest] = array
        parts["random"]["numpy"] = text["numpy"]
        return State(text["identity"], **parts, records=text["records"])
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(
            f"checkpoint {str(path)!r} is damaged or cut short ({error}): delete it to begin anew"
        ) from None


def to_arrays(tensors: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """Copies of tensors, on whatever device, as arrays."""
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in tensors.items()}


def optimizer_arrays(optimizer: torch.optim.Optimizer) -> dict[str, np.ndarray]:
    """What an optimizer remembers of each parameter."""
    state = optimizer.state_dict()["state"]
    return to_arrays({f"{i}/{k}": t for i, of_one in state.items() for k, t in of_one.items()})


def restore_optimizer(optimizer: torch.optim.Optimizer, arrays: dict[str, np.ndarray]) -> None:
    """Give an optimizer back what it remembered."""
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, array in arrays.items():
        number, _, key = name.partition("/")
        state.setdefault(int(number), {})[key] = torch.tensor(array)
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})
