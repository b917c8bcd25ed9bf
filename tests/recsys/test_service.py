"""The library in a service: threads, forked processes, and folders that cannot be written to."""

import copy
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from recsys import Interactions, models
from recsys.models import ItemKNN, Popularity

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "programs"
LOG = Interactions([0, 0, 0, 0, 1, 1, 2, 2, 2, 3], [0, 1, 2, 3, 0, 1, 0, 1, 2, 0])


def run(program, *arguments, **environment):
    """A program's output lines and log; in a process of its own, so that an abort is a failure."""
    command = [sys.executable, str(PROGRAMS / program), *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines(), done.stderr


def test_readers_see_one_whole_model_while_it_is_refitted():
    assert sorted(run("refit_while_reading.py")[0]) == sorted(models.__all__)


def test_a_copy_keeps_its_state_when_the_model_is_refitted():
    model = Popularity().fit(LOG)
    kept = copy.copy(model)
    model.fit(Interactions([0, 1], [1, 1]))
    assert kept.recommend(3, 3)[0].tolist() == [1, 2, 3]
    assert model.n_items == 2 and kept.n_items == 4


@pytest.mark.parametrize("layer", ["default", "workqueue"])
def test_two_threads_use_compiled_loops_at_once(layer):
    (line,), _ = run("use_in_threads.py", NUMBA_THREADING_LAYER=layer)
    name, *equal = line.split()
    assert equal == ["True", "True"]
    assert name == layer or layer == "default"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_processes_give_the_same_bits_and_those_forked_after_use_run_on_one_thread():
    lines, log = run("start_processes.py")
    assert lines == [
        "fork before use: True False",
        "fork after use: True True",
        "spawn: True False",
        "os.fork: True True",
        "parent: True False",
    ]
    assert log.count("forked after parallel loops had run") == 3  # once per forked process
    assert "'spawn' or 'forkserver'" in log


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_loading_a_model_is_no_use_so_a_preloading_server_keeps_its_threads(tmp_path):
    ItemKNN().fit(LOG).save(tmp_path / "model")
    lines, log = run("preload.py", tmp_path / "model", NUMBA_NUM_THREADS="3")
    assert lines == ["False 3 [1, 2, 3]"] and log == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_the_blas_limit_ends_with_its_last_holder():
    lines, _ = run("limit_blas.py")
    assert lines == ["child 3 4 1", "parent 4 3 1 1 1 1 4"]


def test_fit_works_where_no_cache_can_be_written(tmp_path):
    """A file in the place of each cache folder, since root may write to read-only folders."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "recsys", tmp_path / "recsys", ignore=ignored)
    for folder in [tmp_path, *(path for path in tmp_path.rglob("*") if path.is_dir())]:
        (folder / "__pycache__").touch()
    nowhere = dict.fromkeys(("HOME", "XDG_CACHE_HOME"), "/dev/null") | {"NUMBA_CACHE_DIR": ""}
    lines, log = run("fit_one_model.py", PYTHONPATH=str(tmp_path), **nowhere)
    assert lines == [str(tmp_path / "recsys"), "[1, 2, 3]"]
    assert log.count("No folder for compiled code can be written to") == 1
    assert "Set NUMBA_CACHE_DIR" in log


def test_recommend_scores_no_more_than_the_stated_number_at_once(monkeypatch):
    monkeypatch.setattr("recsys.models.base.SCORES_IN_MEMORY", 9)
    model, sizes = Popularity().fit(LOG), []

    def scores(self, users):
        sizes.append(len(users) * self.n_items)
        return np.zeros((len(users), self.n_items))

    monkeypatch.setattr(Popularity, "_scores", scores)
    model.recommend(np.arange(4), 2)
    assert sizes == [8, 8]
