"""newsreco sweep: one training for each combination of settings, compared."""

from __future__ import annotations

import argparse
import itertools
from typing import TYPE_CHECKING

from newsreco.cli.data import add_reading, read_log
from newsreco.cli.options import (
    EMBEDDERS,
    RANKERS,
    add_command,
    add_options,
    say_next,
    store_options,
)
from newsreco.output import say

if TYPE_CHECKING:
    from newsreco.models.bundle import Settings

SHOWN = ["ranker_auc", "ranker_auc_low", "ranker_auc_high", "ranker_ndcg_at_10"]


def add(commands: argparse._SubParsersAction) -> None:
    """The parser of this command."""
    sweep = add_command(
        commands,
        "sweep",
        "compare settings on validation data from before the held-out period",
        "--data data --half-life 1 3 10 --ranker logistic lambdamart",
    )
    sweep.add_argument(
        "--half-life", type=float, nargs="+", default=[1.0, 3.0, 10.0], metavar="DAYS",
        help="half-life of clicks, in days",
    )  # fmt: skip
    sweep.add_argument(
        "--embedder", nargs="+", choices=EMBEDDERS, default=["tfidf"], help="text embedders"
    )
    sweep.add_argument(
        "--ranker", nargs="+", choices=RANKERS, default=["logistic"], help="ranking models"
    )
    sweep.add_argument(
        "--sweep-name", default="sweep", metavar="NAME", help="name of the parent run"
    )
    add_options(sweep, "--data", "--test-fraction", "--seed", "--tracking-uri")
    add_reading(sweep)
    sweep.set_defaults(run=run_sweep)


def run_sweep(arguments: argparse.Namespace) -> int:
    """Train on all combinations; print metrics with intervals, highest AUC first."""
    import pandas as pd

    from newsreco.files import own_temporary_files
    from newsreco.models.bundle import Settings
    from newsreco.tracking.runs import run_name
    from newsreco.tracking.sweep import sweep, validation_log

    grid = itertools.product(arguments.half_life, arguments.embedder, arguments.ranker)
    rest = {"test_fraction": arguments.test_fraction, "seed": arguments.seed}
    settings = [Settings(*combination, **rest) for combination in grid]
    log, _ = read_log(arguments)
    validation = validation_log(log, arguments.test_fraction)
    uri, name = arguments.tracking_uri, arguments.sweep_name
    with own_temporary_files():
        results = sweep(validation, settings, uri=uri, name=name)
    rows = {run_name(r.settings): [r.metrics[metric] for metric in SHOWN] for r in results}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=SHOWN)
    say(table.sort_values("ranker_auc", ascending=False).round(4).to_string())
    best = max(results, key=lambda result: result.metrics["ranker_auc"]).settings
    say_next("train", *_train_options(best, arguments))
    return 0


def _train_options(best: Settings, arguments: argparse.Namespace) -> list[str]:
    """The options of a training with the best settings, on the same data."""
    options = [
        "--data",
        arguments.data,
        "--out",
        "model",
        "--half-life",
        f"{best.half_life_days:g}",
    ]
    options += ["--embedder", best.embedder, "--ranker", best.ranker, "--seed", str(best.seed)]
    options += ["--test-fraction", f"{best.test_fraction:g}"]
    return options + store_options(arguments)
