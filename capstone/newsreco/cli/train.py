"""newsreco train, evaluate: a model from a folder of data, and its evaluation."""

from __future__ import annotations

import argparse
import sys
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
from newsreco.output import json_text, say

if TYPE_CHECKING:
    from newsreco.data import NewsLog
    from newsreco.models.bundle import Settings
    from newsreco.training import Result

OUTPUT = ("--json", "--report")


def add(commands: argparse._SubParsersAction) -> None:
    """The parsers of these commands."""
    train = add_command(
        commands,
        "train",
        "train a model on a folder of data, and evaluate it on the last impressions",
        "--data data --out model --report report",
    )
    add_options(train, "--data", "--out", *OUTPUT)
    add_reading(train)
    add_options(train, "--half-life")
    train.add_argument("--embedder", choices=EMBEDDERS, default="tfidf", help="text embedder")
    train.add_argument("--ranker", choices=RANKERS, default="logistic", help="ranking model")
    add_options(train, "--test-fraction", "--seed", "--tracking-uri")
    train.add_argument(
        "--refit", action="store_true", help="learn from the whole log after the evaluation"
    )
    train.add_argument(
        "--events", metavar="URL",
        help="learn from a service's events too: the database of `newsreco serve`, such as "
        "sqlite:///newsreco-home/events.db",
    )  # fmt: skip
    train.add_argument("--no-tracking", action="store_true", help="record nothing in MLflow")
    train.set_defaults(run=run_train)

    evaluate = add_command(
        commands,
        "evaluate",
        "evaluate a trained model on impressions later than its training",
        "--model model --data data",
    )
    add_options(evaluate, "--model", "--data", *OUTPUT)
    add_reading(evaluate)
    evaluate.set_defaults(run=run_evaluate)


def run_train(arguments: argparse.Namespace) -> int:
    """Train, evaluate and record; the model's folder appears when it is complete."""
    from newsreco.files import locked, own_temporary_files
    from newsreco.synthetic import read_ground_truth
    from newsreco.tracking.runs import tracked
    from newsreco.training import train
    from recsys.bundle import check_folder

    settings = settings_of(arguments)
    check_folder(arguments.out)  # before anything is read: a training may be long
    with own_temporary_files(), locked(arguments.out):
        log, report = read_log(arguments)
        truth = None if arguments.events else read_ground_truth(arguments.data, log)
        if arguments.events:
            log = add_events(log, arguments.events)
        with tracked(settings, arguments.tracking_uri, off=arguments.no_tracking) as run:
            result = train(log, settings, truth, progress=not arguments.quiet)
            result.metrics.update(report.metrics())
            result.model.save(arguments.out)
            run.log(result, log, arguments.data)
        show(result, arguments)
    if run.id is not None:
        say(f"recorded as run {run.id} of experiment {run.experiment}")
        say_next("register", "--run-id", run.id, *store_options(arguments))
    return 0


def add_events(log: NewsLog, url: str) -> NewsLog:
    """The log with the events of a service; their number on stderr."""
    from newsreco.api.events import EventStore
    from newsreco.api.events.log import with_events

    with EventStore(url, create=False) as store:
        grown = with_events(log, store)
    n = len(grown.impressions) - len(log.impressions)
    say(f"{n} impressions more with the events, {len(grown.articles)} articles", file=sys.stderr)
    return grown


def settings_of(arguments: argparse.Namespace) -> Settings:
    """The training's settings."""
    from newsreco.models.bundle import Settings

    return Settings(
        half_life_days=arguments.half_life,
        embedder=arguments.embedder,
        ranker=arguments.ranker,
        test_fraction=arguments.test_fraction,
        seed=arguments.seed,
        refit=arguments.refit,
    )


def run_evaluate(arguments: argparse.Namespace) -> int:
    """Evaluate without training."""
    from newsreco.evaluation.model import evaluate
    from newsreco.models.bundle import load_model
    from newsreco.models.matching import match
    from newsreco.synthetic import read_ground_truth
    from newsreco.training import Result

    model = load_model(arguments.model)
    log, report = read_log(arguments)
    truth, matched = read_ground_truth(arguments.data, log), match(model, log)
    if matched.log is not log:
        say(f"matched by id: {matched}", file=sys.stderr)
    evaluation, metrics = evaluate(matched.model, matched.log, truth)
    show(Result(matched.model, metrics | report.metrics(), [], evaluation), arguments)
    return 0


def show(result: Result, arguments: argparse.Namespace) -> None:
    """Print the metrics; write them and the report where the options say."""
    from recsys.files import write_text

    say(metrics_text(result.metrics))
    if arguments.json:
        write_text(arguments.json, json_text(result.metrics, indent=2) + "\n")
    if arguments.report:
        from newsreco.reports.page import write_report

        say(f"report: {write_report(result, arguments.report)}")


def metrics_text(metrics: dict[str, float]) -> str:
    """One line for each metric, with its interval if it has one."""
    ends = {f"{name}_{end}" for name in metrics for end in ("low", "high")}
    shown = {name: value for name, value in metrics.items() if name not in ends}
    width, lines = max(map(len, shown)), []
    for name, value in shown.items():
        line = f"{name:{width}}  {round(value, 4):<7}"
        if f"{name}_low" in metrics:
            line += f" ({metrics[f'{name}_low']:.4f} to {metrics[f'{name}_high']:.4f})"
        lines.append(line.rstrip())
    return "\n".join(lines)
