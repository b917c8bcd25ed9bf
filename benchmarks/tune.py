"""`make tune`: the same random search for every model and every rival, on validation data.

Both sides of a race draw as many settings from the ranges of `benchmarks.spaces`. Each is fitted on
the training set, and what it reaches on the validation set is kept; no test set is looked at.
All is stored in settings.json after every try, so that an interruption costs one try at most.
`--table` compares the library's defaults with the best settings, on the test sets.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

os.environ.setdefault("NUMBA_NUM_THREADS", "2")

import numpy as np  # noqa: E402
from threadpoolctl import threadpool_limits  # noqa: E402
from tqdm import tqdm  # noqa: E402

from benchmarks import logs, spaces  # noqa: E402
from benchmarks.storage import machine, read, store  # noqa: E402

SETTINGS = Path(__file__).parent / "settings.json"
TRIES = 12
WIDE_TRIES = 24  # of each model on each log of the chapters
RACE_TRIES = {"ALS": 40, "BPR": 40, "WARP": 16}  # on both sides; fits of WARP take longest
RNG = 0  # of every fit
LIKES = ["synthetic", "latest-small likes", "100K likes", logs.LIKES_1M]
RATINGS = ["latest-small ratings", "100K ratings"]
DEFAULTS = {  # our models and the logs that their defaults are chosen on
    **dict.fromkeys(
        ("ImplicitALS", "BPR", "WARP", "SampledSoftmax", "ItemKNN", "UserKNN", "EASE"), LIKES
    ),
    "TwoTower": LIKES[:3],  # NumPy's steps are slow on a million pairs
    "PureSVD": LIKES,
    "Markov": LIKES,
    "Trending": LIKES[1:],  # the synthetic log's times are no seconds
    "BiasedMF": RATINGS,
}
RACES = {  # both sides, and the numbers of factors that they are raced at
    ("ImplicitALS", "implicit ALS"): (32, 64, 128, 256),
    ("BPR", "implicit BPR"): (32, 64, 128),
    ("WARP", "LightFM WARP"): (32, 64),
}
FIXED = {"BPR": {"negatives": "popular"}}  # in races, as the rival does
TUNED_FACTORS = 64  # where both sides are tuned for all their races; ALS at each of its sizes


@dataclass(frozen=True)
class Search:
    """The search of one model's settings on one log, with its number of factors free or given."""

    model: str
    log: str
    factors: int | None = None

    @property
    def name(self) -> str:
        return self.model if self.factors is None else f"{self.model}, {self.factors}"

    @property
    def wide(self) -> bool:
        """Whether it is a search for the chapters, over their ranges."""
        return self.log in logs.CHAPTERS

    @property
    def ranges(self) -> spaces.Ranges:
        """What its settings are drawn from."""
        chapter = spaces.RETURNING if self.log == logs.RETURNING_1M else spaces.WIDE
        return chapter if self.wide else spaces.SPACES

    @property
    def n_tries(self) -> int:
        if self.wide:
            return WIDE_TRIES
        family = self.model.removeprefix("Implicit").rpartition(" ")[2]
        return TRIES if self.factors is None else RACE_TRIES[family]

    @property
    def fixed(self) -> dict[str, Any]:
        """What is not searched: a race is run with the rival's way of drawing negatives."""
        return {} if self.factors is None else FIXED.get(self.model, {})

    def draw(self, number: int) -> dict[str, Any]:
        """Setting `number` of the search."""
        return spaces.draw(self.model, number, self.factors, self.ranges) | self.fixed

    @property
    def metric(self) -> str:
        return "rmse" if self.model == "BiasedMF" else "ndcg@10"

    def edges(self, setting: dict[str, Any]) -> dict[str, str]:
        """The hyperparameters whose value lies at the edge of its range."""
        return spaces.edges(self.model, setting, self.factors, self.ranges)

    def best(self, tries: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
        """The try with the best validation value; the first of equals."""
        valid = [one for one in tries if one["value"] is not None]
        sign = -1 if self.metric == "rmse" else 1
        return max(valid, key=lambda one: sign * one["value"], default=None)


def searches() -> list[Search]:
    """All of them: those for the defaults, those for the races, those for the chapters."""
    found = [Search(model, log) for model, names in DEFAULTS.items() for log in names]
    for sides, sizes in RACES.items():
        found += dict.fromkeys(race_search(side, size) for size in sizes for side in sides)
    found.append(Search("implicit ItemKNN", logs.LIKES_1M))
    return found + [Search(model, log) for log in logs.CHAPTERS for model in chapter_models(log)]


def chapter_models(log: str) -> tuple[str, ...]:
    """The models whose settings are searched on a chapter's log."""
    few = ("ContentBased", "UserKNN", "ItemKNN")
    return few if log == logs.ALL_FILMS else tuple(spaces.WIDE)


def race_search(model: str, factors: int) -> Search:
    """The search whose setting a side of a race takes."""
    return Search(model, logs.LIKES_1M, factors if "ALS" in model else TUNED_FACTORS)


def race_setting(model: str, factors: int, path: Path = SETTINGS) -> dict[str, Any]:
    """The tuned setting of one side of a race, with its number of factors."""
    setting = tuned(race_search(model, factors), path)
    return spaces.with_factors(setting, factors)


load = cache(logs.load)


def fit(model: str, train: Any, setting: dict[str, Any], rng: int = RNG) -> Any:
    """A fitted model of either side that can `recommend`."""
    if spaces.is_ours(model):
        return spaces.build(model, train, rng, **setting).fit(train, progress=False)
    from benchmarks.rivals import FIT, Ranked, writable

    history = writable(train)
    with threadpool_limits(1, "blas"):
        return Ranked(FIT[model](history, rng, **setting), history)


def value(search: Search, holdout: logs.Holdout, model: Any) -> float:
    """What a fitted model reaches on held-out data."""
    if search.metric == "rmse":
        return float(squared_errors(holdout, model).mean() ** 0.5)
    return float(holdout.ndcg(model).mean())


def squared_errors(holdout: logs.Holdout, model: Any) -> np.ndarray:
    """One value per held-out rating."""
    test = holdout.held_out
    return (model.predict(test.user, test.item).astype(np.float64) - test.value) ** 2


def attempt(search: Search, setting: dict[str, Any]) -> dict[str, Any]:
    """One try: the setting, its validation value, and the seconds of the fit."""
    holdout = load(search.log).validation
    start = time.perf_counter()
    try:
        model = holdout.with_histories(fit(search.model, holdout.train, setting))
        seconds = time.perf_counter() - start
        reached = value(search, holdout, model)
    except (ValueError, ArithmeticError, RuntimeError) as error:  # a setting that cannot be fitted
        return {"setting": setting, "value": None, "error": str(error)}
    if not np.isfinite(reached):
        return {"setting": setting, "value": None, "error": "not finite"}
    return {"setting": setting, "value": reached, "seconds": round(seconds, 3)}


def run(chosen: list[Search], tries: int | None, path: Path) -> None:
    """Try after try over all searches, so that they stay equally far; stored after each."""
    results = read(path)
    most = max(tries or search.n_tries for search in chosen)
    steps = [(n, s) for n in range(most) for s in chosen if n < (tries or s.n_tries)]
    for number, search in tqdm(steps, desc="tries", disable=None):
        entry = results.setdefault(search.log, {}).setdefault(search.name, {})
        done = entry.get("tries", [])[:]
        setting = search.draw(number)
        if number < len(done) and done[number]["setting"] == setting:
            continue
        done[number : number + 1] = [attempt(search, setting)]
        results[search.log][search.name] = summary(search, done)
        results["machine"] = machine()
        store(results, path)


def summary(search: Search, tries: list[dict[str, Any]]) -> dict[str, Any]:
    """What is stored of a search."""
    best = search.best(tries)
    setting = best["setting"] if best else None
    return {
        "metric": search.metric,
        "setting": setting,
        "value": best["value"] if best else None,
        "at_edge": search.edges(setting) if best else {},
        "n_tries": len(tries),
        "rng": RNG,
        "tries": tries,
    }


def tuned(search: Search, path: Path = SETTINGS) -> dict[str, Any]:
    """The best setting that is stored for a search."""
    try:
        setting = read(path)[search.log][search.name]["setting"]
    except KeyError:
        setting = None
    if setting is None:
        raise ValueError(f"no setting of {search.name} on {search.log} in {path}: run `make tune`")
    return setting


def run_stops(chosen: list[Search], path: Path) -> None:
    """The number of steps of each race of trained models whose two searches are done."""
    from benchmarks.stopping import stop

    pairs = [(*sides, size) for sides, sizes in RACES.items() for size in sizes]
    for ours, rival, size in tqdm(pairs, desc="steps", disable=None):
        if not {race_search(side, size) for side in (ours, rival)} <= set(chosen):
            continue
        settings = {side: race_setting(side, size, path) for side in (ours, rival)}
        results = read(path)
        name = Search(ours, logs.LIKES_1M, size).name
        if results.get("stops", {}).get(name, {}).get("settings") == settings:
            continue
        entry = stop(ours, rival, settings, load(logs.LIKES_1M).validation)
        results.setdefault("stops", {})[name] = entry | {"settings": settings}
        store(results, path)
        print(f"{name}: {entry['steps']} to NDCG@10 {entry['target']:.4f}")


def stopped(ours: str, rival: str, factors: int, path: Path = SETTINGS) -> dict[str, Any]:
    """The number of steps stored for both sides of a race."""
    name = Search(ours, logs.LIKES_1M, factors).name
    entry = read(path).get("stops", {}).get(name)
    if entry is None:
        raise ValueError(f"no number of steps of {name} and {rival} in {path}: run `make tune`")
    return entry


def main(arguments: list[str] | None = None) -> None:
    """Search the settings of every model and rival on validation data."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tune", description=main.__doc__)
    parser.add_argument(
        "--tries", type=int, help=f"settings per search; without it {TRIES}, for races {RACE_TRIES}"
    )
    parser.add_argument("--only", default="", help="searches with this word: a model or a log")
    parser.add_argument("--path", type=Path, default=SETTINGS, help="where settings are stored")
    parser.add_argument("--table", action="store_true", help="defaults beside tuned settings")
    options = parser.parse_args(arguments)
    if options.tries is not None and options.tries < 1:
        parser.error(f"--tries must be at least 1, got {options.tries}")
    word = options.only.lower()
    chosen = [s for s in searches() if word in f"{s.name} on {s.log}".lower()]
    if not chosen:
        parser.error(f"--only {options.only!r} names no search")
    warnings.filterwarnings("ignore", module="implicit")
    if options.table:
        from benchmarks.defaults import print_table

        print_table(chosen, options.path)
        return
    run(chosen, options.tries, options.path)
    run_stops(chosen, options.path)
    results = read(options.path)
    for search in chosen:
        print(line(search, results[search.log][search.name]))
    print(f"written to {options.path}")


def line(search: Search, entry: dict[str, Any]) -> str:
    """One search in one line."""
    if entry["setting"] is None:
        return f"{search.name:<20}{search.log:<22}no setting could be fitted"
    edge = ", ".join(f"{name} {end}" for name, end in entry["at_edge"].items())
    return (
        f"{search.name:<20}{search.log:<22}{entry['metric']} {entry['value']:.4f} "
        f"in {entry['n_tries']} tries: {json.dumps(entry['setting'])}"
        + (f"; at the edge of its range: {edge}" if edge else "")
    )


if __name__ == "__main__":
    main()
