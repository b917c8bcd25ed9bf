"""Neural models: quality by minute of training on MovieLens-1M sequences, and epochs beside peers.

`python -m benchmarks --only neural` takes about two hours on two cores, and goes on where it was
stopped: each model's checkpoint lies under data/cache. Test and validation NDCG@10 are those of
Petrov and Macdonald (2023): full ranking, each user's last item, items of the history kept in the
lists; beside them the same with those items left out, as in the rest of the book.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks.logs import mean_interval
from benchmarks.storage import machine
from recsys import Interactions, load_movielens
from recsys.datasets import split_sequences
from recsys.metrics import ndcg_at_k, recall_at_k
from recsys.neural import BERT4Rec, SASRec
from recsys.neural.sequences import SequenceRecommender

K = 10
THREADS = 2
MANY = 100_000  # epochs; the minutes end the training
MINUTES = 20.0
FOLDER = Path(__file__).parents[1] / "data" / "cache" / "neural"
SETTING = {  # chosen for the first of CURVES on validation, in five trials of five minutes
    "factors": 128, "blocks": 2, "heads": 4, "max_length": 200, "dropout": 0.1,
    "learning_rate": 0.001, "batch_size": 16,
}  # fmt: skip
CURVES = {
    "SASRec, softmax": (SASRec, {"loss": "softmax"}),
    "SASRec, BCE, 1 negative": (SASRec, {"loss": "bce", "n_negatives": 1}),
    "BERT4Rec, softmax": (BERT4Rec, {"loss": "softmax"}),
    "SASRec, gBCE, 256 negatives": (SASRec, {"loss": "gbce"}),
}


def run(runs: int = 5) -> dict[str, Any]:
    """Curves, peak and races, as stored under "neural"."""
    from benchmarks import neural_races

    torch.set_num_threads(THREADS)
    peak = peak_flops()
    print(f"peak of a product of float32 matrices, {THREADS} threads: {peak / 1e9:.0f} GFLOP/s")
    curves = []
    for name in CURVES:
        curves.append(curve(name, peak))
        print(line(curves[-1]))
    races = [neural_races.race(name, runs) for name in neural_races.RACES]
    for race in races:
        print(neural_races.line(race))
    here = machine(("numpy", "scipy", "torch"))
    return {"machine": here, "setting": SETTING | {"minutes": MINUTES, "threads": THREADS},
            "peak_gflops": peak / 1e9, "curves": curves, "races": races}  # fmt: skip


def curve(name: str, peak: float) -> dict[str, Any]:
    """Train for MINUTES; after each minute the quality on the validation users."""
    train, held_out, test = split_sequences(load_movielens("1m-sequences"))
    kind, setting = CURVES[name]
    folder = FOLDER / "".join(c if c.isalnum() else "-" for c in name)
    model = kind(epochs=MANY, n_threads=THREADS, rng=0, **SETTING | setting)
    rows: dict[str, list[float]] = {}
    minutes = 0.0
    while minutes < MINUTES:
        spent = until_next_minute(minutes)
        model.fit(train, validation=held_out, checkpoint=folder, on_epoch=spent)
        records = model.training_history
        minutes = sum(record["seconds"] for record in records) / 60
        for key, value in {
            "minutes": minutes,
            "steps": sum(record["steps"] for record in records),
            "validation_loss": records[-1]["validation_loss"],
            "ndcg_at_10": float(ndcg(model, held_out, exclude_seen=False).mean()),
            "ndcg_at_10_unseen": records[-1]["validation_ndcg_at_10"],
        }.items():
            rows.setdefault(key, []).append(value)
        print(f"{name}: {minutes:.1f} min, NDCG@10 {rows['ndcg_at_10'][-1]:.4f}", flush=True)
    known = model.fold_in(train.append(held_out))
    return {"model": name, "setting": setting} | rows | tested(known, test) | speed(model, peak)


def until_next_minute(spent: float) -> Callable[[dict[str, float]], bool]:
    """For `on_epoch`: end the training when a minute more was spent, or all of MINUTES."""
    seconds = [60 * spent]
    end = 60 * min(np.floor(spent) + 1, MINUTES)

    def ends(record: dict[str, float]) -> bool:
        seconds[0] += record["seconds"]
        return seconds[0] >= end

    return ends


def ndcg(model: SequenceRecommender, held_out: Interactions, exclude_seen: bool) -> np.ndarray:
    """NDCG@10 of each user with held-out rows."""
    users = np.unique(held_out.user)
    items, _ = model.recommend(users, K, exclude_seen=exclude_seen)
    return ndcg_at_k(items, held_out.matrix[users], K)


def tested(model: SequenceRecommender, test: Interactions) -> dict[str, Any]:
    """NDCG@10 on the test set with 95 % intervals over users, items of the history kept or not."""
    found = {}
    for suffix, exclude in (("", False), ("_unseen", True)):
        values = ndcg(model, test, exclude)
        found["test_ndcg_at_10" + suffix] = float(values.mean())
        found["test_interval" + suffix] = list(mean_interval(values))
    users = np.unique(test.user)
    items, _ = model.recommend(users, K, exclude_seen=False)
    return found | {"test_recall_at_10": float(recall_at_k(items, test.matrix[users], K).mean())}


def speed(model: SequenceRecommender, peak: float) -> dict[str, float]:
    """Seconds per epoch, positions per second, and the arithmetic of a second over the peak."""
    seconds = median(record["seconds"] for record in model.training_history)
    lengths = np.minimum(np.diff(model.sequence_starts), model.max_length + 1)
    positions = int((lengths - 1)[lengths > 1].sum())
    f = model.factors
    widening, predicted = (4, model.mask_probability) if isinstance(model, BERT4Rec) else (1, 1)
    block = 2 * (4 + 2 * widening) * f**2 + 4 * f * float(np.average(lengths, weights=lengths)) / 2
    scored = model.n_items if model.loss == "softmax" else 1 + model.n_negatives
    flops = 3 * (model.blocks * block + predicted * 2 * f * scored)  # forward, and twice backward
    return {
        "seconds_per_epoch": seconds,
        "tokens_per_second": positions / seconds,
        "flops_per_token": flops,
        "peak_fraction": flops * positions / seconds / peak,
        "parameters": model.n_parameters,
    }


def peak_flops(n: int = 2048, runs: int = 9) -> float:
    """Floating-point operations per second of a product of two n x n matrices, the median."""
    a, b = torch.randn(n, n), torch.randn(n, n)
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        a @ b
        seconds.append(time.perf_counter() - start)
    return 2 * n**3 / median(seconds)


def line(row: dict[str, Any]) -> str:
    """One model, for the screen."""
    low, high = row["test_interval"]
    return (
        f"{row['model']:<28}{row['minutes'][-1]:5.1f} min {row['steps'][-1]:>7} steps  "
        f"{row['seconds_per_epoch']:5.1f} s/epoch {row['tokens_per_second']:8,.0f} tokens/s "
        f"({row['peak_fraction']:.0%} of peak)  test NDCG@10 {row['test_ndcg_at_10']:.4f} "
        f"({low:.4f} to {high:.4f}), seen left out {row['test_ndcg_at_10_unseen']:.4f}"
    )
