"""How many threads compiled loops and matrix products use, and how threads share a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from typing import Any

import numba
from threadpoolctl import ThreadpoolController


def on_snapshot(method: Callable) -> Callable:
    """Let a public method that reads a model see one whole state, even while `fit` runs.

    `fit` never changes what was learned: it assigns a new `__dict__`. So `self` is replaced by an
    object that keeps the `__dict__` of the time of the call. Both share it, cached values too.
    """

    @wraps(method)
    def read(self: Any, *args: Any, **kwargs: Any) -> Any:
        snapshot = object.__new__(type(self))
        snapshot.__dict__ = self.__dict__
        return method(snapshot, *args, **kwargs)

    return read


@contextmanager
def limit_threads(n_threads: int | None) -> Iterator[None]:
    """Let compiled loops and matrix products use at most `n_threads` threads; None: no limit."""
    if n_threads is None:
        yield
        return
    before = numba.get_num_threads()
    numba.set_num_threads(min(n_threads, numba.config.NUMBA_NUM_THREADS))
    try:
        with _blas().limit(limits=n_threads, user_api="blas"):
            yield
    finally:
        numba.set_num_threads(before)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep matrix products on one thread, for loops that bring their own threads.

    Two pools of threads on the same cores wait for each other.
    """
    with _blas().limit(limits=1, user_api="blas"):
        yield


@cache
def _blas() -> ThreadpoolController:
    """The loaded linear algebra libraries; finding them takes longer than one request."""
    import scipy.linalg  # noqa: F401  loads the library that compiled loops call

    return ThreadpoolController()
