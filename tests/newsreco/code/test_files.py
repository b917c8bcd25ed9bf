"""The lock on a folder: exclusive while held, gone with its process."""

import signal
import subprocess
import sys

import pytest

from newsreco.files import locked


def test_lock_file_left_behind_by_an_ended_process_is_no_lock(tmp_path):
    (tmp_path / ".model.lock").touch()
    with locked(tmp_path / "model"):
        assert (tmp_path / ".model.lock").exists()
    assert not (tmp_path / ".model.lock").exists()


HOLD = """
import sys, time
from newsreco.files import locked
with locked(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_lock_of_a_killed_process_is_released(tmp_path):
    words = [sys.executable, "-c", HOLD, str(tmp_path / "model")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(ValueError, match="another process is writing"),
            locked(tmp_path / "model"),
        ):
            pass
        other.send_signal(signal.SIGKILL)
    with locked(tmp_path / "model"):
        pass
    assert list(tmp_path.iterdir()) == []
