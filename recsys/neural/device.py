"""Where a network is trained, and what makes two trainings on one machine the same to the bit."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Iterator

import torch

_training = threading.Lock()  # torch has one random generator and one number of threads
NAMES = r"auto|cpu|mps|cuda(:\d+)?"


def check_device(name: str, value: str) -> str:
    """The name of a device, whether or not there is one here."""
    if not isinstance(value, str) or not re.fullmatch(NAMES, value):
        raise ValueError(f"{name} must be 'auto', 'cpu', 'cuda', 'cuda:1' or 'mps', got {value!r}")
    return value


def choose_device(value: str) -> torch.device:
    """The device of that name; "auto" is a CUDA GPU if there is one, else the CPU.

    Raises
    ------
    ValueError
        If the device asked for is not there.
    """
    if check_device("device", value) == "auto":
        value = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(value)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        found = torch.cuda.device_count()
        raise ValueError(f"device must be there, got {value!r}: PyTorch sees {found} CUDA GPUs")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise ValueError("device must be there, got 'mps': PyTorch sees no Apple GPU")
    return device


@contextlib.contextmanager
def repeatable(seed: int, device: torch.device, n_threads: int | None) -> Iterator[None]:
    """One training at a time, from one seed, by deterministic operations only.

    The random state, the number of threads and the choice of operations are as before afterwards.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS asks for it
    gpus = [device] if device.type == "cuda" else []
    with _training, torch.random.fork_rng(gpus):
        threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
        fill = torch.utils.deterministic.fill_uninitialized_memory
        torch.manual_seed(seed)
        torch.set_num_threads(n_threads or threads)
        torch.use_deterministic_algorithms(True)
        torch.utils.deterministic.fill_uninitialized_memory = False  # costs time, finds faults
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(strict)
            torch.utils.deterministic.fill_uninitialized_memory = fill
