"""The library's defaults: how they were chosen, and how they compare with tuned settings.

Tried are the settings of the random search, which are the same on every log, and a few candidates:
round numbers and the defaults that were in use before. The best setting of a model is the one with
the highest mean, over its logs, of the validation metric relative to the best value tried on that
log (for RMSE, the best value relative to it). Within 1 % of its mean the default in use stays, and
then a candidate comes before a drawn setting. At most 250 neighbours are considered: more make the
model of a large catalogue dense. The table then fits default and tuned setting, the best
of the random search on that log alone, on the whole training sets and evaluates them on the test
sets. Not chosen here: Trending's half-life, which depends on how fast a catalogue changes, and
Markov's content_weight, which is 0 as long as no features are given.
"""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks import logs, spaces
from benchmarks.storage import read, store
from benchmarks.tune import Search, attempt, fit, load, squared_errors, tuned
from recsys import models
from recsys.bootstrap import bootstrap_ratios, interval

GOAL = 0.95  # of the tuned value, on average over the logs
TOLERANCE = 0.01  # of the mean, within which a default stays or a round setting is taken
MOST_NEIGHBORS = 250


CANDIDATES: dict[str, list[tuple]] = {  # values in the order of `spaces.SPACES`
    "ImplicitALS": [
        (64, 40.0, 0.1, 15), (64, 1.0, 10.0, 15), (32, 1.0, 10.0, 15), (64, 2.0, 30.0, 15),
    ],
    "BPR": [
        (64, 30, 0.05, 0.01), (64, 30, 0.05, 0.002), (64, 30, 0.08, 0.01), (64, 40, 0.1, 0.02),
        (64, 60, 0.05, 0.01), (64, 100, 0.05, 0.01), (64, 60, 0.05, 0.03), (32, 60, 0.05, 0.01),
        (64, 60, 0.05, 0.02), (32, 60, 0.05, 0.02), (32, 100, 0.05, 0.02),
    ],
    "WARP": [
        (64, 30, 0.05, 0.3, 50), (32, 30, 0.05, 0.3, 50), (64, 30, 0.1, 0.3, 50),
        (32, 30, 0.1, 0.5, 50), (64, 30, 0.05, 0.15, 50),
        (32, 30, 0.03, 0.1, 50), (32, 30, 0.03, 0.2, 50),
    ],
    "SampledSoftmax": [
        (64, 15, 0.2, 0.1, 31, True), (64, 15, 0.2, 0.3, 31, True), (32, 15, 0.2, 0.1, 31, True),
        (64, 15, 0.1, 0.1, 31, True), (64, 15, 0.2, 0.1, 127, True),
    ],
    "TwoTower": [
        (64, 15, 0.2, 0.1, 255), (64, 30, 0.1, 0.1, 255), (64, 30, 0.2, 0.1, 255),
        (32, 40, 0.2, 0.1, 255), (64, 30, 0.1, 0.1, 511), (64, 30, 0.2, 0.05, 511),
        (64, 50, 0.1, 0.15, 511),
    ],
    "ItemKNN": [
        (50, 0.0), (100, 0.0), (200, 0.0), (50, 5.0), (100, 5.0), (20, 5.0), (250, 0.0),
        (20, 10.0), (50, 10.0), (100, 10.0), (20, 2.0),
    ],
    "UserKNN": [(50, 0.0), (100, 0.0), (50, 5.0), (50, 2.0), (30, 5.0), (100, 2.0)],
    "EASE": [(200.0,), (300.0,), (500.0,)],
    "PureSVD": [(64,), (32,), (24,), (20,), (16,)],
    "BiasedMF": [
        (100, 20, 0.005, 0.02), (32, 20, 0.01, 0.05), (32, 40, 0.01, 0.1), (64, 40, 0.01, 0.1),
        (16, 40, 0.01, 0.1),
    ],
}  # fmt: skip


def candidates(model: str) -> list[dict[str, Any]]:
    return [dict(zip(spaces.SPACES[model], one, strict=True)) for one in CANDIDATES[model]]


def try_candidates(search: Search, path: Path) -> None:
    """Store what each candidate reaches on the validation set of one log."""
    for setting in candidates(search.model):
        results = read(path)
        entry = results.setdefault("candidates", {}).setdefault(search.log, {})
        done = entry.setdefault(search.model, [])
        if setting not in [one["setting"] for one in done]:
            done.append(attempt(search, setting))
            store(results, path)


def reached(search: Search, results: dict[str, Any]) -> dict[str, float]:
    """The validation value of each setting tried on the log, by the setting as JSON."""
    entry = results.get("candidates", {}).get(search.log, {}).get(search.model, [])
    tries = [*entry, *results[search.log][search.name]["tries"]]
    return {json.dumps(one["setting"]): one["value"] for one in tries if one["value"] is not None}


def choose(found: list[Search], results: dict[str, Any]) -> dict[str, Any]:
    """The setting of one model that is best over all its logs, by validation alone."""
    values = [reached(search, results) for search in found]
    if found[0].metric == "rmse":
        parts = [{s: min(v.values()) / value for s, value in v.items()} for v in values]
    else:
        parts = [{s: value / max(v.values()) for s, value in v.items()} for v in values]
    shared = [setting for setting in parts[0] if all(setting in part for part in parts)]
    means = {
        setting: float(np.mean([part[setting] for part in parts]))
        for setting in shared
        if json.loads(setting).get("n_neighbors", 0) <= MOST_NEIGHBORS
    }
    best = preferred(found[0].model, means)
    return {
        "setting": json.loads(best),
        "relative": {s.log: round(part[best], 4) for s, part in zip(found, parts, strict=True)},
        "mean": round(means[best], 4),
        "n_tries": len(shared),
    }


def preferred(model: str, means: dict[str, float]) -> str:
    """The best setting, or one within the tolerance that is in use or of round numbers."""
    least = max(means.values()) - TOLERANCE
    in_use = json.dumps(default_setting(model))
    if means.get(in_use, 0) >= least:
        return in_use
    round_ones = {s: means[s] for s in map(json.dumps, candidates(model)) if s in means}
    best = max(round_ones, key=round_ones.get, default=None)
    return best if best and round_ones[best] >= least else max(means, key=means.get)


def default_setting(model: str) -> dict[str, Any]:
    """The hyperparameters of the class as it stands."""
    kind = getattr(models, model)
    given = {field.name: field.default for field in fields(kind)}
    return {name: given[name] for name in spaces.SPACES[model]}


def compare(search: Search, path: Path) -> dict[str, Any]:
    """Default and tuned setting on the test set, and the default's difference from Popularity."""
    holdout = load(search.log).test
    settings = {"default": default_setting(search.model), "tuned": tuned(search, path)}
    fitted = {name: fit(search.model, holdout.train, s) for name, s in settings.items()}
    if search.metric == "rmse":
        errors = {name: squared_errors(holdout, model) for name, model in fitted.items()}
        return {name: float(e.mean() ** 0.5) for name, e in errors.items()} | {
            "popularity": None, "difference": mean_rating_difference(holdout, errors["default"])
        }  # fmt: skip
    ndcg = {name: holdout.ndcg(model) for name, model in fitted.items()}
    return {name: float(v.mean()) for name, v in ndcg.items()} | {
        "popularity": float(holdout.popularity.mean()),
        "difference": logs.mean_interval(ndcg["default"] - holdout.popularity),
    }


def mean_rating_difference(holdout: logs.Holdout, errors: np.ndarray) -> tuple[float, float]:
    """Interval of the mean squared error below that of the training mean, users resampled."""
    test = holdout.held_out
    baseline = (test.value - holdout.train.value.mean(dtype=np.float64)) ** 2
    size = test.n_users
    sums = np.bincount(test.user, baseline - errors, size)[:, None]
    counts = np.bincount(test.user, minlength=size)[:, None].astype(float)
    low, high = interval(bootstrap_ratios(sums, counts))
    return float(low[0]), float(high[0])


def print_table(chosen: list[Search], path: Path) -> None:
    """Choose the defaults, compare those in use with the tuned settings, print and store both."""
    ours = [s for s in chosen if s.model in CANDIDATES and s.factors is None]
    for model in dict.fromkeys(search.model for search in ours):
        found = [search for search in ours if search.model == model]
        for search in tqdm(found, desc=f"{model}, candidates", disable=None):
            try_candidates(search, path)
        results = read(path)
        choice = choose(found, results)
        print(f"{model}: best over {len(found)} logs {choice['setting']} ({choice['mean']:.1%})")
        results.setdefault("defaults", {})[model] = choice
        rows = {s.log: compare(s, path) for s in tqdm(found, desc=model, disable=None)}
        for search, row in zip(found, rows.values()):
            print(line(search, row))
        parts = [ratio(search, row) for search, row in zip(found, rows.values())]
        mean = float(np.mean(parts))
        print(f"  default in use {default_setting(model)}: {mean:.1%} of tuned (goal {GOAL:.0%})\n")
        choice |= {"in_use": default_setting(model), "test": rows, "test_mean": round(mean, 4)}
        store(results, path)


def ratio(search: Search, row: dict[str, Any]) -> float:
    """The default relative to the tuned setting; above 1 where it is better."""
    better, other = ("tuned", "default") if search.metric == "rmse" else ("default", "tuned")
    return row[better] / row[other]


def line(search: Search, row: dict[str, Any]) -> str:
    low, high = row["difference"]
    verdict = "below" if high < 0 else "above" if low > 0 else "no significant difference"
    against = "the mean rating" if search.metric == "rmse" else "Popularity"
    return (
        f"  {search.log:<22}{search.metric:<8} default {row['default']:.4f}  tuned "
        f"{row['tuned']:.4f}  ratio {ratio(search, row):.3f}; against {against} "
        f"{low:+.4f} to {high:+.4f} ({verdict})"
    )
