"""newsreco register, promote, rollback, status: which model serves."""

from __future__ import annotations

import argparse


def add(commands: argparse._SubParsersAction) -> None:
    """The parsers of these commands."""
    register = commands.add_parser("register", help="make a trained model a version")
    which = register.add_mutually_exclusive_group(required=True)
    which.add_argument("--model", help="folder that train wrote")
    which.add_argument("--run-id", help="of the training, in MLflow")
    register.set_defaults(run=run_register)

    promote = commands.add_parser("promote", help="let a version serve, if it is better")
    promote.add_argument("version", type=int)
    promote.add_argument("--data", help="folder with impressions later than both trainings")
    promote.add_argument("--metric", default="ranker_auc", help="(default: %(default)s)")
    promote.add_argument("--force", action="store_true", help="promote anyway; it is recorded")
    promote.add_argument("--why", default="", help="the reason, for the record")
    promote.add_argument("--quiet", action="store_true", help="no progress bars")
    promote.set_defaults(run=run_promote)

    back = commands.add_parser("rollback", help="let the version serve that did before")
    back.add_argument("--why", default="", help="the reason, for the record")
    back.set_defaults(run=run_rollback)

    status = commands.add_parser("status", help="list the versions and the decisions on them")
    status.set_defaults(run=run_status)
    for parser in (register, promote, back, status):
        parser.add_argument("--tracking-uri", help="default: MLFLOW_TRACKING_URI, or mlflow.db")
        parser.add_argument("--name", default="newsreco", help="in the registry")


def run_register(arguments: argparse.Namespace) -> int:
    """Say which version it is."""
    from newsreco.tracking.registry import register

    where = arguments.tracking_uri, arguments.name
    version = register(arguments.run_id, arguments.model, *where)
    print(f"version {version} of {arguments.name}")
    return 0


def run_promote(arguments: argparse.Namespace) -> int:
    """Judge, and move the alias or refuse."""
    from newsreco.data import load_mind
    from newsreco.evaluation.impressions import check_metric
    from newsreco.tracking.promotion import promote
    from newsreco.tracking.registry import check_version

    check_metric(arguments.metric)  # before anything is read
    check_version(arguments.version, arguments.tracking_uri, arguments.name)
    log = None
    if arguments.data:
        log, _ = load_mind(arguments.data, progress=not arguments.quiet)
    comparison = promote(
        arguments.version,
        log,
        arguments.metric,
        arguments.tracking_uri,
        arguments.name,
        arguments.force,
        arguments.why,
    )
    print(f"{'promoted' if comparison.passes else 'promoted by force'}: {comparison}")
    return 0


def run_rollback(arguments: argparse.Namespace) -> int:
    """Say which version serves now."""
    from newsreco.tracking.promotion import rollback

    version = rollback(arguments.tracking_uri, arguments.name, arguments.why)
    print(f"version {version} of {arguments.name} is in production again")
    return 0


def run_status(arguments: argparse.Namespace) -> int:
    """Two tables: the versions, and what was decided, the latest last."""
    from newsreco.tracking.history import history
    from newsreco.tracking.registry import status

    where = arguments.tracking_uri, arguments.name
    print(status(*where).drop(columns="run").round(4).to_string())
    past = history(*where).drop(columns="users")
    print("\n" + past.round(4).to_string(index=False) if len(past) else "\nnothing decided yet")
    return 0
