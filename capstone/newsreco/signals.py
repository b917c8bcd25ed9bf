"""SIGTERM and SIGHUP as an exception, so that a process that is asked to stop ends in order.

By default they end a process at once: temporary files stay, and a run in MLflow seems to go on.
"""

from __future__ import annotations

import contextlib
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator

NAMES = ("SIGTERM", "SIGHUP")  # Windows has no SIGHUP
PATIENCE = 2.0  # seconds in which a further signal does not interrupt the end


class Stopped(SystemExit):
    """The process was asked to stop; its exit status is 128 plus the signal's number."""

    def __init__(self, number: int):
        super().__init__(128 + number)
        self.name = signal.Signals(number).name


@contextlib.contextmanager
def raising_signals() -> Iterator[None]:
    """In the block, SIGTERM and SIGHUP raise `Stopped`.

    Only the main thread can set handlers, so in any other the block changes nothing. Nor does it
    change a signal that is ignored (`nohup`) or has a handler already.
    """
    numbers = []
    if threading.current_thread() is threading.main_thread():
        numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
        numbers = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    handler = _handler()
    for number in numbers:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _handler() -> Callable[..., None]:
    """A handler that lets a signal soon after another, as systemd sends them, pass."""
    last = -math.inf

    def raise_stopped(number: int, frame: object) -> None:
        nonlocal last
        before, last = last, time.monotonic()
        if last - before > PATIENCE:
            raise Stopped(number)

    return raise_stopped
