"""newsreco sweep: one training for each of several settings, compared."""

from __future__ import annotations

import argparse
import itertools


def add(commands: argparse._SubParsersAction) -> None:
    """The parser of this command."""
    sweep = commands.add_parser(
        "sweep", help="try settings on what comes before the evaluation, and compare them"
    )
    sweep.add_argument("--data", required=True, help="folder with news.tsv and behaviors.tsv")
    sweep.add_argument("--half-life", type=float, nargs="+", default=[1.0, 3.0, 10.0], help="days")
    sweep.add_argument("--embedder", nargs="+", default=["tfidf"], help="tfidf, sentence")
    sweep.add_argument("--ranker", nargs="+", default=["logistic"], help="logistic, lambdamart")
    sweep.add_argument(
        "--test-fraction",
        type=float,
        default=0.2,
        help="kept for the evaluation (default: %(default)s)",
    )
    sweep.add_argument("--seed", type=int, default=0)
    sweep.add_argument("--sweep-name", default="sweep", help="of the run that holds the others")
    sweep.add_argument("--tracking-uri", help="default: MLFLOW_TRACKING_URI, or mlflow.db")
    sweep.add_argument("--quiet", action="store_true", help="no progress bars")
    sweep.set_defaults(run=run_sweep)


def run_sweep(arguments: argparse.Namespace) -> int:
    """Train on all combinations; print metrics with intervals, best first."""
    import pandas as pd

    from newsreco.data import load_mind
    from newsreco.models.bundle import Settings
    from newsreco.tracking.runs import run_name
    from newsreco.tracking.sweep import sweep, validation_log

    grid = itertools.product(arguments.half_life, arguments.embedder, arguments.ranker)
    rest = {"test_fraction": arguments.test_fraction, "seed": arguments.seed}
    choices = [Settings(*settings, **rest) for settings in grid]
    log, _ = load_mind(arguments.data, progress=not arguments.quiet)
    past = validation_log(log, arguments.test_fraction)
    results = sweep(past, choices, uri=arguments.tracking_uri, name=arguments.sweep_name)
    names = ["ranker_auc", "ranker_auc_low", "ranker_auc_high", "ranker_ndcg_at_10"]
    rows = {run_name(r.settings): [r.metrics[name] for name in names] for r in results}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=names)
    print(table.sort_values("ranker_auc", ascending=False).round(4).to_string())
    return 0
