"""Loops compiled by Numba, so that they also work in threads, forked processes and containers.

Four things that `numba.njit` leaves to its user are settled here, once:

- The compiled code is kept on disk. Where no folder can be written to, each process compiles it
  anew, in memory.
- Under the threading layer "workqueue" two parallel loops at once would abort the process, so
  they wait for each other.
- A process forked after parallel loops have run would be killed at its first one by GNU OpenMP.
  There the same loops run on one thread. No result depends on the number of threads.
- A parallel loop is called from Python only, never from another compiled function.
"""

from __future__ import annotations

import logging
import os
import threading
import types
from collections.abc import Callable
from functools import cache, partial, wraps
from typing import Any

import numba
from numba import prange

__all__ = ["compiled", "forked_after_use", "prange"]

log = logging.getLogger(__name__)


def compiled(function: Callable | None = None, *, parallel: bool = False, **options: Any) -> Any:
    """Decorator that compiles a function at its first call.

    Parameters
    ----------
    parallel : bool
        Whether the iterations of `prange` loops are dealt to the threads.
    **options
        For `numba.njit`: fastmath, error_model, inline.
    """
    if function is None:
        return partial(compiled, parallel=parallel, **options)
    if parallel and not numba.config.DISABLE_JIT:
        return _on_threads(function, options)
    return _compile(function, **options)


def forked_after_use() -> bool:
    """Whether this process was forked from one in which parallel loops had run."""
    return _process.forked


class _Process:
    """What the parallel loops of a process must know about it."""

    def __init__(self, forked: bool):
        self.forked = forked
        self.guard: threading.RLock | None = threading.RLock()  # None: threads may run at once

    def check_threading_layer(self) -> None:
        """Drop the guard if the threading layer, known after the first loop, needs none."""
        if numba.threading_layer() != "workqueue":
            self.guard = None


_process = _Process(forked=False)


def _on_threads(function: Callable, options: dict) -> Callable:
    """A function that runs compiled on all threads, or on one in a forked process."""
    threaded = _compile(function, parallel=True, **options)

    @cache
    def serial() -> Callable:
        _warn_once(
            "This process was forked after parallel loops had run. They run on one thread here: "
            "start processes by 'spawn' or 'forkserver', or fork before the first fit or recommend."
        )
        return _compile(_renamed(function), **options)

    @wraps(function)
    def call(*arguments: Any) -> Any:
        if _process.forked:
            return serial()(*arguments)
        guard = _process.guard
        if guard is None:  # the usual case
            return threaded(*arguments)
        with guard:
            result = threaded(*arguments)
            _process.check_threading_layer()
            return result

    call.py_func = function
    return call


def _compile(function: Callable, **options: Any) -> Callable:
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError as error:
        if "cannot cache" not in str(error):
            raise
        _warn_once(
            "No folder for compiled code can be written to, so each process compiles it anew. Set "
            "NUMBA_CACHE_DIR to one that can."
        )
        return numba.njit(**options)(function)


def _renamed(function: Callable) -> Callable:
    """The function by another name, since the cache goes by name and not by options."""
    same = types.FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__,
        function.__closure__,
    )  # fmt: skip
    same.__qualname__ = f"{function.__qualname__}_serial"
    return same


@cache
def _warn_once(message: str) -> None:
    log.warning(message)


def _after_fork() -> None:
    global _process
    try:
        numba.threading_layer()
        used = True
    except ValueError:  # not started yet
        used = False
    _process = _Process(used)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
