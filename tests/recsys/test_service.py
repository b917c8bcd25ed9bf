"""The library in a service: threads that read while a model is refitted."""

import subprocess
import sys
from pathlib import Path

from recsys import models

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "programs"


def run(program, *arguments, **environment):
    """The output lines of a program run in a process of its own, so that an abort is a failure."""
    command = [sys.executable, str(PROGRAMS / program), *arguments]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(Path.home())} | environment
    environment = {"PYTHONPATH": str(ROOT), "NUMBA_NUM_THREADS": "4"} | environment
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


def test_readers_see_one_whole_model_while_it_is_refitted():
    assert sorted(run("refit_while_reading.py")) == sorted(models.__all__)
