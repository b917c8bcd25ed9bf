"""How many threads compiled loops and matrix products use, and how threads share a model."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache, wraps
from typing import Any

import numba
from threadpoolctl import LibController, ThreadpoolController

from recsys.compiled import forked_after_use


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
    """Let compiled loops and matrix products use at most `n_threads` threads; None: no limit.

    Loops are limited in this Python thread only, matrix products in the whole process.
    """
    if n_threads is None:
        yield
    elif forked_after_use():  # loops run on one thread
        with _blas_limit.hold(n_threads):
            yield
    else:
        before = numba.get_num_threads()
        numba.set_num_threads(min(n_threads, numba.config.NUMBA_NUM_THREADS))
        try:
            with _blas_limit.hold(n_threads):
                yield
        finally:
            numba.set_num_threads(before)


def one_blas_thread() -> AbstractContextManager[None]:
    """Keep matrix products on one thread, for loops that bring their own threads.

    Two pools of threads on the same cores wait for each other.
    """
    return _blas_limit.hold(1)


class BlasLimit:
    """The most threads of matrix products, which is one number for the whole process.

    Python threads may hold limits at the same time: the lowest one counts, and the last to leave
    restores the number of before.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._held: list[tuple[int, int]] = []  # of each holder: its thread and its limit
        self._lowest: int | None = None
        self._before: list[int] = []  # threads of each library

    @contextmanager
    def hold(self, n_threads: int) -> Iterator[None]:
        """Limit the threads inside a `with` block."""
        entry = threading.get_ident(), n_threads
        with self.lock:
            self._held.append(entry)
            self._apply()
        try:
            yield
        finally:
            with self.lock:
                self._held.remove(entry)
                self._apply()

    def _apply(self) -> None:
        lowest = min((n_threads for _, n_threads in self._held), default=None)
        if lowest == self._lowest:
            return
        if self._lowest is None:
            self._before = [library.get_num_threads() for library in _blas()]
        for library, before in zip(_blas(), self._before):
            set_blas_threads(library, before if lowest is None else lowest)
        self._lowest = lowest

    def after_fork(self) -> None:
        """Forget the other threads, which a forked process does not have, and release the lock."""
        self._held = [entry for entry in self._held if entry[0] == threading.get_ident()]
        self._apply()
        self.lock.release()


def set_blas_threads(library: LibController, n_threads: int) -> None:
    """Set the number of threads of a library from any Python thread.

    threadpoolctl 3.8 lets one Python thread at a time do so and ignores the others, but the last
    holder of a limit may be another thread than the first.
    """
    if hasattr(library, "clear_controlling_thread"):
        library.clear_controlling_thread(force=True)
    library.set_num_threads(n_threads)
    if hasattr(library, "clear_controlling_thread"):
        library.clear_controlling_thread(force=True)


@cache
def _blas() -> list[LibController]:
    """The loaded linear algebra libraries; finding them takes longer than one request."""
    import scipy.linalg  # noqa: F401  loads the library that compiled loops call

    return ThreadpoolController().select(user_api="blas").lib_controllers


_blas_limit = BlasLimit()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_blas_limit.lock.acquire,
        after_in_parent=_blas_limit.lock.release,
        after_in_child=_blas_limit.after_fork,
    )
