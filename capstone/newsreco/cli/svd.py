"""newsreco svd train, evaluate, recommend: matrix factorization on the feature store."""

from __future__ import annotations

import argparse

from newsreco.cli.data import add_reading, read_log
from newsreco.cli.options import add_command, add_k, add_options, output_file, utc_time
from newsreco.cli.table import say_table
from newsreco.output import json_text, say


def add(commands: argparse._SubParsersAction) -> None:
    """The parsers of these commands."""
    svd = commands.add_parser("svd", help="train, evaluate and use an SVD on the feature store")
    steps = svd.add_subparsers(dest="step", required=True, metavar="STEP")
    _add_train(steps)
    _add_evaluate(steps)
    _add_recommend(steps)


def _add_train(steps: argparse._SubParsersAction) -> None:
    train = add_command(
        steps,
        "train",
        "factorize what the store knew at a time",
        "--at 2025-03-10T12:00:00Z --out svd",
    )
    cutoff = train.add_mutually_exclusive_group(required=True)
    cutoff.add_argument("--at", type=utc_time, metavar="TIME", help="that time (ISO 8601, UTC)")
    cutoff.add_argument(
        "--data",
        metavar="FOLDER",
        help="data whose held-out period begins at that time; its titles are kept for lists",
    )
    train.add_argument("--factors", type=int, default=8, help="number of factors")
    train.add_argument("--reg", type=float, default=0.05, help="regularization")
    train.add_argument("--epochs", type=int, default=30, help="passes over the ratings")
    add_options(train, "--test-fraction", "--out", "--seed", "--database")
    add_reading(train)
    train.set_defaults(run=run_train)


def _add_evaluate(steps: argparse._SubParsersAction) -> None:
    evaluate = add_command(
        steps,
        "evaluate",
        "compute Precision@k and Recall@k on later clicks",
        "--model svd --data data --report svd.md",
    )
    add_k(evaluate, 5)
    add_options(evaluate, "--model", "--data", "--json", "--database")
    add_reading(evaluate)
    evaluate.add_argument(
        "--report", type=output_file, metavar="FILE", help="write a report in Markdown"
    )
    evaluate.set_defaults(run=run_evaluate)


def _add_recommend(steps: argparse._SubParsersAction) -> None:
    recommend = add_command(
        steps,
        "recommend",
        "recommend articles to one user from what the store knew at a time",
        "--model svd --user U1243 -k 5",
    )
    recommend.add_argument("--user", required=True, help="id as in the data, such as U1243")
    add_k(recommend, 5)
    recommend.add_argument(
        "--at", type=utc_time, metavar="TIME",
        help="that time (ISO 8601, UTC; default: the last update of the store)",
    )  # fmt: skip
    add_options(recommend, "--model", "--database")
    recommend.set_defaults(run=run_recommend)


def open_store(arguments: argparse.Namespace):
    """The feature store, which must exist."""
    from newsreco.feature_store import FeatureStore, database_url

    return FeatureStore(database_url(arguments.database), create=False)


def run_train(arguments: argparse.Namespace) -> int:
    """Train as of a time; MLflow records the settings if it answers."""
    from newsreco.data.times import iso_time
    from newsreco.files import locked
    from newsreco.models.svd import SVDSettings, train_svd
    from newsreco.tracking.svd import track_svd
    from recsys.bundle import check_folder

    settings = SVDSettings(
        factors=arguments.factors, reg=arguments.reg, epochs=arguments.epochs, seed=arguments.seed
    )
    at, titles = arguments.at, None
    if at is None:
        log, _ = read_log(arguments)
        at = log.cutoff_time(arguments.test_fraction)
        titles = dict(zip(log.articles.ids, log.articles.title))
    check_folder(arguments.out)
    with locked(arguments.out), open_store(arguments) as store:
        system = train_svd(store, at, settings, titles)
        system.save(arguments.out)
    say(f"trained on {len(system.items):,} articles as of {iso_time(at)}: {arguments.out}")
    _say_tracked(track_svd("svd-train", system, {}, {}))
    return 0


def _say_tracked(message: str) -> None:
    """Print the message; if there is none, the failure has been logged."""
    if message:
        say(message)


def run_evaluate(arguments: argparse.Namespace) -> int:
    """Print the metrics; write them and the report where the options say."""
    from newsreco.evaluation.svd import evaluate_svd
    from newsreco.models.svd import load_svd
    from newsreco.reports.svd import performance_report
    from newsreco.tracking.svd import track_svd
    from recsys.files import write_text

    system = load_svd(arguments.model)
    log, loaded = read_log(arguments)
    with open_store(arguments) as store:
        evaluation = evaluate_svd(store, log, system, arguments.k)
    metrics = evaluation.metrics() | loaded.metrics()
    report = performance_report(evaluation)
    for name, value in metrics.items():
        say(f"{name:{max(map(len, metrics))}}  {round(value, 4)}")
    if arguments.json:
        write_text(arguments.json, json_text(metrics, indent=2) + "\n")
    if arguments.report:
        write_text(arguments.report, report)
    _say_tracked(track_svd("svd-evaluate", system, metrics, {"performance.md": report}))
    return 0


def run_recommend(arguments: argparse.Namespace) -> int:
    """Print one user's list; a new user gets what is viewed and clicked most."""
    from newsreco.data.times import iso_time
    from newsreco.models.svd import load_svd

    system = load_svd(arguments.model)
    with open_store(arguments) as store:
        at = store.now() if arguments.at is None else arguments.at
        time = system.live_time(store, at)
        is_new = store.snapshot("user_item", time, user_id=arguments.user).empty
        items, scores = system.recommend(store, arguments.user, time, arguments.k)
    if is_new:
        say(f"{arguments.user} is a new user: trending articles")
    if time < at:
        say(f"nothing is newer than the articles of {iso_time(time)}: the freshest of all")
    titles = dict(zip(system.items, system.titles or ()))
    rows = zip(range(1, len(items) + 1), scores.tolist(), items, (titles.get(i, "") for i in items))
    say_table(("rank", "views x rating", "article", "title" if titles else ""), list(rows))
    return 0
