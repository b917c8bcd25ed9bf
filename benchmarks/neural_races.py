"""Seconds per epoch of our neural models beside a peer's, each side a process of its own.

The sides take turns, with the same log, setting and threads; the first epoch of each run warms up
and does not count. Quality is NDCG@10 on the same held-out rows, seen items left out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.logs import LIKES_1M, load, mean_interval
from recsys import Interactions, load_movielens
from recsys.datasets import split_sequences
from recsys.metrics import ndcg_at_k

HERE = Path(__file__).parent / "neural_rivals"
ENVIRONMENTS = Path(__file__).parents[1] / "data" / "cache"
K = 10
SEQUENCES = "1m-sequences"
SASREC = {
    "factors": 64, "blocks": 2, "heads": 2, "dropout": 0.2, "max_length": 200, "loss": "softmax",
    "learning_rate": 0.001, "batch_size": 128, "epochs": 4, "n_threads": 2,
}  # fmt: skip
LIGHTGCN = {
    "factors": 64, "layers": 3, "reg": 1e-4, "learning_rate": 0.005, "batch_size": 8192,
    "epochs": 4, "n_threads": 2,
}  # fmt: skip
RACES = {
    "SASRec": ("rectools", SEQUENCES, SASREC),
    "LightGCN": ("recbole", LIKES_1M, LIGHTGCN),
}


def race(name: str, runs: int) -> dict[str, Any]:
    """Train both sides in turns: seconds per epoch, their ratio, and both sides' quality."""
    rival, log, setting = RACES[name]
    python = environment(rival)
    train, test = holdout(log)
    found: dict[str, list] = {side: [] for side in ("ours", rival)}
    lists = {}
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        np.savez(at / "log.npz", user=train.user, item=train.item, time=train.time)
        (at / "setting.json").write_text(json.dumps({"model": name, "setting": setting}))
        for turn in range(max(2, runs // 2)):
            for side in list(found)[:: 1 - 2 * (turn % 2)]:
                lists[side] = trained(sys.executable if side == "ours" else python, side, at)
                seconds = json.loads((at / f"{side}.json").read_text())["seconds"]
                found[side] += seconds[1:]
    users = np.unique(test.user)
    values = {side: ndcg_at_k(items[users], test.matrix[users], K) for side, items in lists.items()}
    return {
        "what": name,
        "rival": rival,
        "setting": setting,
        "seconds_per_epoch": found,
        "ratio": median(found[rival]) / median(found["ours"]),
        "ndcg_at_10": {side: float(value.mean()) for side, value in values.items()},
        "difference": list(mean_interval(values["ours"] - values[rival])),
    }


def holdout(name: str) -> tuple[Interactions, Interactions]:
    """Training and test rows of a log; every item has a row in training."""
    if name == SEQUENCES:
        train, _, test = split_sequences(load_movielens(name))
    else:
        log = load(name).test
        train, test = log.train, log.held_out
    known = np.bincount(train.item, minlength=train.n_items) > 0
    number = np.cumsum(known) - 1
    rows = [part.select(known[part.item]) for part in (train, test)]
    sizes = {"n_users": train.n_users, "n_items": int(known.sum())}
    return tuple(
        Interactions(part.user, number[part.item], time=part.time, **sizes) for part in rows
    )


def trained(python: str, side: str, folder: Path) -> np.ndarray:
    """The lists (n_users, 10) of one side, trained in a process of its own."""
    root = str(Path(__file__).parents[1])
    command = [python, str(HERE / "train.py"), side, str(folder)]
    variables = os.environ | ({"PYTHONPATH": root} if side == "ours" else {})
    done = subprocess.run(command, env=variables, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{side} could not be trained:\n{done.stderr[-2000:]}")
    return np.load(folder / f"{side}.npy")


def environment(rival: str) -> str:
    """The Python of a rival's own environment, made where it is missing."""
    folder = ENVIRONMENTS / rival
    python = folder / "bin" / "python"
    if not (folder / "ready").is_file():
        venv.create(folder, clear=True, with_pip=True)
        install = [str(python), "-m", "pip", "install", "-q", "-r", str(HERE / f"{rival}.txt")]
        subprocess.run(install, check=True)
        (folder / "ready").touch()
    return str(python)


def line(row: dict[str, Any]) -> str:
    """One race, for the screen."""
    ours, theirs = (median(values) for values in row["seconds_per_epoch"].values())
    low, high = row["difference"]
    quality = " / ".join(f"{value:.4f}" for value in row["ndcg_at_10"].values())
    return (
        f"{row['what']:<10}ours {ours:6.1f} s/epoch, {row['rival']} {theirs:6.1f} "
        f"(ratio {row['ratio']:.2f})  NDCG@10 {quality}, difference {low:+.4f} to {high:+.4f}"
    )
