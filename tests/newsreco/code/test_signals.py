"""SIGTERM and SIGHUP raise an exception in the main thread, where they would end the process."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from newsreco.signals import PATIENCE, Stopped, raising_signals


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_signal_raises_in_the_block_and_kills_again_after_it(name):
    number = getattr(signal, name)
    with pytest.raises(Stopped) as stop, raising_signals():
        os.kill(os.getpid(), number)
    assert stop.value.code == 128 + number and stop.value.name == name
    assert signal.getsignal(number) is signal.SIG_DFL


def test_second_signal_does_not_interrupt_the_end(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("newsreco.signals.time.monotonic", lambda: clock[0])
    with raising_signals():
        with pytest.raises(Stopped):
            os.kill(os.getpid(), signal.SIGTERM)
        clock[0] += PATIENCE / 2
        os.kill(os.getpid(), signal.SIGHUP)
        clock[0] += PATIENCE + 0.1
        with pytest.raises(Stopped):
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("handler", [signal.SIG_IGN, lambda number, frame: None])
def test_ignored_signals_and_own_handlers_stay(handler):
    before = signal.signal(signal.SIGHUP, handler)
    try:
        with raising_signals():
            assert signal.getsignal(signal.SIGHUP) is handler
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is handler
    finally:
        signal.signal(signal.SIGHUP, before)


def test_another_thread_changes_nothing():
    seen = []

    def block():
        with raising_signals():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=block)
    thread.start()
    thread.join()
    assert seen == [signal.SIG_DFL]


def test_exit_status_of_a_script_is_128_plus_the_signal():
    script = (
        "import os, signal\nfrom newsreco.signals import raising_signals\n"
        "with raising_signals(): os.kill(os.getpid(), signal.SIGTERM)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 143 and done.stderr == ""
