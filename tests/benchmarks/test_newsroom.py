"""Time and memory of whole commands."""

import subprocess
import sys

import pytest

from benchmarks.newsroom import measured

ALLOCATE = "block = bytearray(200_000_000); block[::4096] = b'x' * len(block[::4096])"


def test_the_peak_is_that_of_the_command_alone():
    block = bytearray(200_000_000)
    block[::4096] = b"x" * len(block[::4096])  # this process is larger than the command
    assert measured([sys.executable, "-c", "pass"])[1] < 100
    assert 200 < measured([sys.executable, "-c", ALLOCATE])[1] < 300


def test_a_command_that_fails_is_an_error():
    with pytest.raises(subprocess.CalledProcessError):
        measured([sys.executable, "-c", "raise SystemExit(3)"])
