"""How many threads compiled loops and matrix products use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numba
from threadpoolctl import ThreadpoolController


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
