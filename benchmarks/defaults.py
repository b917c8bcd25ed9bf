"""The library's defaults: how they were chosen, and how they compare with tuned settings.

A model's default is the setting with the highest mean, over its logs, of the validation metric
relative to the best value tried on that log (for RMSE, the best value relative to it). The table
then fits default and tuned setting on the whole training sets and evaluates both on the test sets.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks import logs, spaces
from benchmarks.storage import read, store
from benchmarks.tune import Search, fit, load, squared_errors, tuned
from recsys import models
from recsys.bootstrap import bootstrap_ratios, interval

GOAL = 0.95  # of the tuned value, on average over the logs


def relative(search: Search, entry: dict[str, Any]) -> list[float]:
    """Each try's validation value relative to the best of the log; 0 where it failed."""
    best, metric = entry["value"], search.metric
    found = [one["value"] for one in entry["tries"]]
    return [0.0 if v is None else best / v if metric == "rmse" else v / best for v in found]


def choose(found: list[Search], results: dict[str, Any]) -> dict[str, Any]:
    """The setting of one model that is best over all its logs, by validation alone."""
    parts = [relative(search, results[search.log][search.name]) for search in found]
    tries = min(map(len, parts))
    means = np.mean([part[:tries] for part in parts], axis=0)
    number = int(np.argmax(means))
    return {
        "setting": spaces.draw(found[0].model, number),
        "relative": {search.log: round(part[number], 4) for search, part in zip(found, parts)},
        "mean": round(float(means[number]), 4),
        "n_tries": tries,
    }


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
    results = read(path)
    ours = [s for s in chosen if spaces.is_ours(s.model) and s.factors is None]
    for model in dict.fromkeys(search.model for search in ours):
        found = [search for search in ours if search.model == model]
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
