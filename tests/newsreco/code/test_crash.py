"""`kill -9` at any step: nothing is half-written, and the next run leaves no other file behind.

Each task runs to its end once, which gives the steps at which it can be killed and what it leaves.
Then it is killed before steps spread over that run and, as often, at random times. Each part that
it left must be as before or as at the end, and the same command run again must end as the first
run did. `make crash` kills each task 20 times.
"""

import contextlib
import hashlib
import json
import operator
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from newsreco.models.bundle import load_model
from newsreco.tracking.client import mlflow_client
from newsreco.tracking.registry import load_version
from recsys import bundle

KILLS = int(os.environ.get("CRASH_KILLS", "2"))
ROOT = Path(__file__).parents[3]
VICTIM = Path(__file__).parents[1] / "victim.py"
STORE = "sqlite:///store/mlflow.db"


def run(folder: Path, death: str, words: str) -> subprocess.CompletedProcess:
    """Run a task in a folder until it ends or dies."""
    command = [sys.executable, str(VICTIM), death, *words.split()]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "capstone")))}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)


def complete(folder: Path, words: str) -> dict:
    """Run a task to its end; its number of steps and its seconds."""
    done = run(folder, "never", words)
    assert done.returncode == 0 and "not tracked" not in done.stderr, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def files(folder: Path) -> set[str]:
    """All paths in a folder but those of MLflow's runs, whose names are random."""
    paths = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    return {path for path in paths if not path.startswith("store/mlartifacts/")}


def read_model(folder: Path) -> dict[str, str]:
    """Checksum of the news model, verified."""
    if not (folder / "model").exists():
        return {}
    load_model(folder / "model")
    return {"model": bundle.read_manifest(folder / "model")["checksum"]}


def read_knn(folder: Path) -> dict[str, str]:
    """Checksum of the item-item model, verified."""
    if not (folder / "knn").exists():
        return {}
    bundle.load(folder / "knn")
    return {"knn": bundle.read_manifest(folder / "knn")["checksum"]}


def read_registry(folder: Path) -> dict[str, str]:
    """Fingerprint of each registered version, verified."""
    if not (folder / "store" / "mlflow.db").exists():
        return {}
    uri = f"sqlite:///{folder}/store/mlflow.db"
    with mlflow_client(uri) as mlflow:
        versions = [int(row.version) for row in mlflow.MlflowClient().search_model_versions()]
    return {str(version): load_version(version, uri).data_fingerprint for version in versions}


def read_features(folder: Path) -> dict[str, str]:
    """Hash of the rows of each window in each table of the feature store, but of the latest rows.

    These change with each window; they must be those of the other table.
    """
    parts: dict[str, list] = {}
    if not (folder / "features.db").exists():
        return {}
    with contextlib.closing(sqlite3.connect(folder / "features.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        database.row_factory = sqlite3.Row
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            if table.endswith("_latest"):
                check_latest_rows(database, table)
                continue
            for row in database.execute(f"SELECT * FROM {table} ORDER BY 1"):
                parts.setdefault(f"{table} {row['event_time']}", []).append(tuple(row))
    return {name: hashlib.sha256(repr(rows).encode()).hexdigest() for name, rows in parts.items()}


def check_latest_rows(database: sqlite3.Connection, table: str) -> None:
    """Each key of a view has its row with the latest times, and no other."""
    rows = map(dict, database.execute(f"SELECT * FROM {table.removesuffix('latest')}features"))
    latest: dict[tuple, dict] = {}
    for row in sorted(rows, key=lambda row: (row["event_time"], row["created_time"])):
        del row["id"]
        latest[tuple(value for value in row.values() if isinstance(value, str))] = row
    found = map(dict, database.execute(f"SELECT * FROM {table}"))
    order = operator.itemgetter(*next(iter(latest.values()), {"event_time": 0}))
    assert sorted(found, key=order) == sorted(latest.values(), key=order)


class Task(NamedTuple):
    """A command, and the function that reads what it leaves, part by part."""

    words: str
    read: Callable[[Path], dict[str, str]]


TASKS = {
    "train": Task(f"train --data data --out model --seed 2 --tracking-uri {STORE}", read_model),
    "update": Task("update --model model --data data", read_model),
    "save": Task("save knn 20", read_knn),
    "register": Task(f"register --model model --tracking-uri {STORE}", read_registry),
    "build": Task("features build --data data --database sqlite:///features.db", read_features),
}


@pytest.fixture(scope="session")
def start(tmp_path_factory):
    """A folder with data, a news model of them, and a model of the library."""
    folder = tmp_path_factory.mktemp("crash")
    complete(folder, "sample --out data --articles 60 --impressions 400 --users 40 --quiet")
    complete(folder, "train --data data --out model --seed 1 --no-tracking --quiet")
    complete(folder, "save knn 10")
    (folder / "store").mkdir()
    return folder


def deaths(n: int, whole: dict) -> list[str]:
    """n ways to die in a run: half of them before steps, half of them at random times."""
    steps = np.linspace(1, whole["steps"], -(-n // 2) + 2)[1:-1].round().astype(int)
    seconds = np.random.default_rng(0).uniform(0, whole["seconds"], n // 2)
    return [f"step {step}" for step in steps] + [f"second {second:.3f}" for second in seconds]


@pytest.mark.parametrize("name", TASKS)
def test_killed_task_leaves_nothing_half_written_and_its_next_run_is_as_if_never_killed(
    name, start, tmp_path
):
    task, before = TASKS[name], TASKS[name].read(start)
    shutil.copytree(start, first := tmp_path / "first")
    whole = complete(first, task.words)
    after = task.read(first)
    assert before != after

    for n, death in enumerate(deaths(KILLS, whole)):
        shutil.copytree(start, folder := tmp_path / str(n))
        assert run(folder, death, task.words).returncode == -signal.SIGKILL, death
        left = task.read(folder)
        assert before.keys() <= left.keys(), death
        assert left.items() <= before.items() | after.items(), death
        complete(folder, task.words)
        assert task.read(folder) == after, death
        assert files(folder) == files(first), death
        shutil.rmtree(folder)
