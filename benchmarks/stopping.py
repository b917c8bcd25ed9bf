"""How long each side of a race trains: to the rival's best validation NDCG, and no longer.

The rival trains for the number of steps of its tuned setting, and its mean NDCG@10 over the seeds
is taken at the checkpoints. For BPR and WARP the highest is the target, and the rival stops where
it reaches it. For ALS, which has converged by then, the last is the target: its number of sweeps
was a part of the search. Ours, with its own tuned setting, stops at the first checkpoint whose mean
is at least the target.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks import spaces
from benchmarks.logs import Holdout
from benchmarks.rivals import FIT, Ranked, writable

SEEDS = 3
CHECKPOINTS = {
    "ALS": (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30),
    "SGD": (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100),
}
FAST = {"ImplicitALS": {"cg_steps": 1}}  # how ours runs in a race


def steps_name(model: str) -> str:
    """The hyperparameter that holds the number of sweeps or epochs."""
    return "iterations" if "iterations" in spaces.SPACES[model] else "epochs"


def checkpoints(model: str) -> tuple[int, ...]:
    return CHECKPOINTS["ALS" if "ALS" in model else "SGD"]


def stop(
    ours: str, rival: str, settings: dict[str, dict[str, Any]], holdout: Holdout, seeds: int = SEEDS
) -> dict[str, Any]:
    """Steps of both sides, the target and the two curves (steps, mean validation NDCG@10)."""
    their_curve = mean_curve(rival, settings[rival], holdout, seeds)
    considered = their_curve[-1:] if "ALS" in rival else their_curve
    target = max(reached for _, reached in considered)
    our_curve = []
    for steps in checkpoints(ours):
        our_curve.append((steps, mean_reached(ours, settings[ours], holdout, steps, seeds)))
        if our_curve[-1][1] >= target:
            break
    return {
        "target": target,
        "reached": our_curve[-1][1] >= target,
        "steps": {ours: _first_best(our_curve), rival: _first_best(considered)},
        "curves": {ours: our_curve, rival: their_curve},
        "seeds": seeds,
    }


def _first_best(curve: list[tuple[int, float]]) -> int:
    return max(curve, key=lambda point: point[1])[0]


def mean_reached(
    model: str, setting: dict[str, Any], holdout: Holdout, steps: int, seeds: int
) -> float:
    """Ours, trained for so many steps, on average over the seeds."""
    setting = setting | {steps_name(model): steps} | FAST.get(model, {})
    fits = (
        spaces.build(model, holdout.train, rng, **setting).fit(holdout.train, progress=False)
        for rng in range(seeds)
    )
    return float(np.mean([holdout.ndcg(fitted).mean() for fitted in fits]))


def mean_curve(
    model: str, setting: dict[str, Any], holdout: Holdout, seeds: int
) -> list[tuple[int, float]]:
    """The rival's (steps, NDCG@10) at the checkpoints, on average over the seeds."""
    last = setting[steps_name(model)]
    points = [*(steps for steps in checkpoints(model) if steps < last), last]
    history = writable(holdout.train)
    found: dict[int, list[float]] = {steps: [] for steps in points}

    def watch(step: int, fitted: Any) -> None:
        if step in found:
            found[step].append(float(holdout.ndcg(Ranked(fitted, history)).mean()))

    with threadpool_limits(1, "blas"):
        for rng in range(seeds):
            FIT[model](history, rng, watch, **setting)
    return [(steps, float(np.mean(reached))) for steps, reached in found.items()]
