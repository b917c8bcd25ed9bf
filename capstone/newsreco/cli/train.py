"""newsreco train, evaluate: a model from a folder of data, and its evaluation."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from newsreco.files import locked
from recsys.files import write_text

if TYPE_CHECKING:
    from newsreco.data import LoadReport
    from newsreco.training import Result


def add(commands: argparse._SubParsersAction) -> None:
    """The parsers of these commands."""
    train = commands.add_parser(
        "train", help="learn a model from a folder of data, and judge it on the last impressions"
    )
    train.add_argument("--data", required=True, help="folder with news.tsv and behaviors.tsv")
    train.add_argument("--out", required=True, help="folder of the model; replaced only when done")
    train.add_argument("--json", help="file for all metrics")
    train.add_argument("--report", help="folder for a report in HTML and Markdown")
    train.add_argument("--half-life", type=float, default=3.0, help="days (default: %(default)s)")
    train.add_argument("--embedder", default="tfidf", help="tfidf or sentence")
    train.add_argument("--ranker", default="logistic", help="logistic or lambdamart")
    train.add_argument(
        "--test-fraction", type=float, default=0.2, help="held out (default: %(default)s)"
    )
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--strict", action="store_true", help="stop at the first bad line")
    train.add_argument("--quiet", action="store_true", help="no progress bars")
    train.add_argument("--tracking-uri", help="default: MLFLOW_TRACKING_URI, or mlflow.db")
    train.add_argument("--no-tracking", action="store_true", help="leave no record in MLflow")
    train.set_defaults(run=run_train)

    judge = commands.add_parser("evaluate", help="judge a trained model on later impressions")
    judge.add_argument("--model", required=True, help="folder that train wrote")
    judge.add_argument("--data", required=True, help="the training data, or data that continues it")
    judge.add_argument("--json", help="file for all metrics")
    judge.add_argument("--report", help="folder for a report in HTML and Markdown")
    judge.add_argument("--strict", action="store_true", help="stop at the first bad line")
    judge.add_argument("--quiet", action="store_true", help="no progress bars")
    judge.set_defaults(run=run_evaluate)


def run_train(arguments: argparse.Namespace) -> int:
    """Nothing is written before all of it is there."""
    from newsreco.data import load_mind
    from newsreco.models.bundle import Settings
    from newsreco.synthetic import read_ground_truth
    from newsreco.tracking.runs import tracked
    from newsreco.training import train
    from recsys.bundle import check_folder

    settings = Settings(
        half_life_days=arguments.half_life,
        embedder=arguments.embedder,
        ranker=arguments.ranker,
        test_fraction=arguments.test_fraction,
        seed=arguments.seed,
    )
    check_folder(arguments.out)  # before anything is read: a training may be long
    with locked(arguments.out):
        log, report = load_mind(arguments.data, arguments.strict, progress=not arguments.quiet)
        tell(report)
        truth = read_ground_truth(arguments.data, log)
        with tracked(settings, arguments.tracking_uri, off=arguments.no_tracking) as run:
            result = train(log, settings, truth, progress=not arguments.quiet)
            result.model.save(arguments.out)
            run.log(result, log, arguments.data)
        show(result, arguments)
    return 0


def run_evaluate(arguments: argparse.Namespace) -> int:
    """The evaluation alone."""
    from newsreco.data import load_mind
    from newsreco.models.bundle import load_model
    from newsreco.synthetic import read_ground_truth
    from newsreco.training import Result, evaluate

    model = load_model(arguments.model)
    log, report = load_mind(arguments.data, arguments.strict, progress=not arguments.quiet)
    tell(report)
    evaluation, metrics = evaluate(model, log, read_ground_truth(arguments.data, log))
    show(Result(model, metrics, [], evaluation), arguments)
    return 0


def tell(report: LoadReport) -> None:
    """One line on stderr where something of the data was left out."""
    if not report.clean:
        print(report.short(), file=sys.stderr)


def show(result: Result, arguments: argparse.Namespace) -> None:
    """Print the metrics, and write them and the report where that was asked for."""
    metrics = result.metrics
    ends = {f"{name}_{end}" for name in metrics for end in ("low", "high")}
    shown = {name: value for name, value in metrics.items() if name not in ends}
    width = max(map(len, shown))
    for name, value in shown.items():
        line = f"{name:{width}}  {round(value, 4):<7}"
        if f"{name}_low" in metrics:
            line += f" ({metrics[f'{name}_low']:.4f} to {metrics[f'{name}_high']:.4f})"
        print(line.rstrip())
    if arguments.json:
        write_text(arguments.json, json.dumps(result.metrics, indent=2) + "\n")
    if arguments.report:
        from newsreco.reports.page import write_report

        print(f"report: {write_report(result, arguments.report)}")
