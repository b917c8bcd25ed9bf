"""newsreco features build, train, evaluate, infer: the feature store, and the SVD system on it."""

from __future__ import annotations

import argparse
import json

HOUR = 3600.0


def add(commands: argparse._SubParsersAction) -> None:
    """The parsers of these commands."""
    features = commands.add_parser(
        "features", help="the feature store: build it; train, judge and ask the SVD system on it"
    )
    steps = features.add_subparsers(dest="step", required=True, metavar="STEP")
    for add_step in (_add_build, _add_train, _add_evaluate, _add_infer):
        step = add_step(steps)
        step.add_argument(
            "--database",
            help="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE (default: "
            "NEWSRECO_DATABASE_URL, else sqlite:///newsreco.db)",
        )


def _add_build(steps: argparse._SubParsersAction) -> argparse.ArgumentParser:
    build = steps.add_parser("build", help="write features of a folder of data, window by window")
    build.add_argument("--data", required=True, help="folder with news.tsv and behaviors.tsv")
    build.add_argument("--window-hours", type=float, default=1.0, help="(default: %(default)s)")
    build.add_argument(
        "--delay-minutes", type=float, default=15.0,
        help="from the end of a window until the store has it (default: %(default)s)",
    )  # fmt: skip
    build.add_argument("--half-life", type=float, default=3.0, help="days (default: %(default)s)")
    build.add_argument("--until", type=float, help="leave out windows that end later, seconds UTC")
    build.add_argument("--strict", action="store_true", help="stop at the first bad line")
    build.add_argument("--quiet", action="store_true", help="no progress bars")
    build.set_defaults(run=run_build)
    return build


def _add_train(steps: argparse._SubParsersAction) -> argparse.ArgumentParser:
    train = steps.add_parser("train", help="factorise what the store knew at a moment")
    train.add_argument("--out", required=True, help="folder of the model; replaced only when done")
    train.add_argument("--at", type=float, help="moment, seconds UTC (default: see --data)")
    train.add_argument("--data", help="instead of --at: cut this data where its last part begins")
    train.add_argument(
        "--test-fraction", type=float, default=0.2, help="that part (default: %(default)s)"
    )
    train.add_argument("--factors", type=int, default=8, help="(default: %(default)s)")
    train.add_argument("--reg", type=float, default=0.05, help="(default: %(default)s)")
    train.add_argument("--epochs", type=int, default=30, help="(default: %(default)s)")
    train.add_argument("--seed", type=int, default=0)
    train.set_defaults(run=run_train)
    return train


def _add_evaluate(steps: argparse._SubParsersAction) -> argparse.ArgumentParser:
    judge = steps.add_parser("evaluate", help="Precision@k and Recall@k on what came afterwards")
    judge.add_argument("--model", required=True, help="folder that train wrote")
    judge.add_argument("--data", required=True, help="folder that holds the clicks after training")
    judge.add_argument("-k", type=int, default=5, help="length of the lists (default: %(default)s)")
    judge.add_argument("--json", help="file for all metrics")
    judge.add_argument("--report", help="file for the performance report (Markdown)")
    judge.add_argument("--quiet", action="store_true", help="no progress bars")
    judge.set_defaults(run=run_evaluate)
    return judge


def _add_infer(steps: argparse._SubParsersAction) -> argparse.ArgumentParser:
    infer = steps.add_parser("infer", help="recommend to one person from what the store knows")
    infer.add_argument("--model", required=True, help="folder that train wrote")
    infer.add_argument("--user", required=True, help="as in the data, such as U1004")
    infer.add_argument("-k", type=int, default=5, help="(default: %(default)s)")
    infer.add_argument(
        "--at", type=float, help="moment, seconds UTC (default: when the store last learned)"
    )
    infer.set_defaults(run=run_infer)
    return infer


def _store(arguments: argparse.Namespace, create: bool = False):
    from newsreco.feature_store import FeatureStore, database_url

    return FeatureStore(database_url(arguments.database), create=create)


def run_build(arguments: argparse.Namespace) -> int:
    """Write the windows that are missing."""
    from newsreco.data import load_mind
    from newsreco.feature_store.build import DAY, Schedule, build

    if not arguments.window_hours * 60 >= 1:
        raise ValueError(f"--window-hours must be at least a minute, got {arguments.window_hours}")
    schedule = Schedule(
        arguments.window_hours * HOUR, arguments.delay_minutes * 60, arguments.half_life * DAY
    )
    until = float("inf") if arguments.until is None else arguments.until
    with _store(arguments, create=True) as store:  # first, for a wrong address is found at once
        log, _ = load_mind(arguments.data, arguments.strict, progress=not arguments.quiet)
        built = build(store, log, schedule, until, progress=not arguments.quiet)
    print(
        f"{built.windows:,} windows written ({built.rows:,} rows), {built.skipped:,} there already"
    )
    return 0


def run_train(arguments: argparse.Namespace) -> int:
    """Train as of a moment; MLflow gets the settings where it is there."""
    from newsreco.data import load_mind
    from newsreco.files import locked
    from newsreco.models.svd import SVDSettings, train_svd
    from newsreco.tracking.svd import track_svd
    from recsys.bundle import check_folder

    if (arguments.at is None) == (arguments.data is None):
        raise ValueError("give either --at, a moment, or --data, to cut it by --test-fraction")
    settings = SVDSettings(
        factors=arguments.factors, reg=arguments.reg, epochs=arguments.epochs, seed=arguments.seed
    )
    at = arguments.at
    if at is None:
        at = load_mind(arguments.data, progress=False)[0].cutoff_time(arguments.test_fraction)
    check_folder(arguments.out)
    with locked(arguments.out), _store(arguments) as store:
        system = train_svd(store, at, settings)
        system.save(arguments.out)
    print(f"trained on {len(system.items):,} articles as of {at:.0f}: {arguments.out}")
    print(track_svd("svd-train", system, {}, {}))
    return 0


def run_evaluate(arguments: argparse.Namespace) -> int:
    """The evaluation, its metrics and its report."""
    from newsreco.data import load_mind
    from newsreco.evaluation.svd import evaluate_svd
    from newsreco.models.svd import load_svd
    from newsreco.reports.svd import performance_report
    from newsreco.tracking.svd import track_svd
    from recsys.files import write_text

    system = load_svd(arguments.model)
    log, _ = load_mind(arguments.data, progress=not arguments.quiet)
    with _store(arguments) as store:
        evaluation = evaluate_svd(store, log, system, arguments.k)
    metrics, report = evaluation.metrics(), performance_report(evaluation)
    for name, value in metrics.items():
        print(f"{name:{max(map(len, metrics))}}  {round(value, 4)}")
    if arguments.json:
        write_text(arguments.json, json.dumps(metrics, indent=2) + "\n")
    if arguments.report:
        write_text(arguments.report, report)
    print(track_svd("svd-evaluate", system, metrics, {"performance.md": report}))
    return 0


def run_infer(arguments: argparse.Namespace) -> int:
    """One person's list: rank, article, score."""
    from newsreco.models.svd import load_svd

    system = load_svd(arguments.model)
    with _store(arguments) as store:
        moment = store.now() if arguments.at is None else arguments.at
        items, scores = system.recommend(store, arguments.user, moment, arguments.k)
    for rank, (item, score) in enumerate(zip(items, scores), 1):
        print(f"{rank:2}  {item:12}  {score:.3f}")
    return 0
