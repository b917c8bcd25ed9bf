"""newsreco register, promote, rollback, status: the version in production."""

from __future__ import annotations

import argparse

from newsreco.cli.data import add_reading, read_log
from newsreco.cli.options import METRICS, add_command, add_options, say_next, store_options
from newsreco.output import say


def add(commands: argparse._SubParsersAction) -> None:
    """The parsers of these commands."""
    register = add_command(
        commands, "register", "register a trained model as a version", "--model model"
    )
    which = register.add_mutually_exclusive_group(required=True)
    which.add_argument("--model", metavar="FOLDER", help="folder written by `newsreco train`")
    which.add_argument("--run-id", metavar="ID", help="id of the training's run in MLflow")
    register.set_defaults(run=run_register)

    promote = add_command(
        commands,
        "promote",
        "put a version into production if it is significantly better",
        "2 --data data",
    )
    promote.add_argument("version", type=int, help="number of the version")
    promote.add_argument(
        "--data", metavar="FOLDER", help="folder with impressions later than both trainings"
    )
    promote.add_argument("--metric", choices=METRICS, default="ranker_auc", help="metric compared")
    promote.add_argument("--force", action="store_true", help="promote anyway, and record it")
    _add_why(promote)
    add_reading(promote)
    promote.set_defaults(run=run_promote)

    rollback = add_command(
        commands, "rollback", "put the previous version back into production", '--why "bad data"'
    )
    _add_why(rollback)
    rollback.set_defaults(run=run_rollback)

    status = add_command(
        commands, "status", "list the versions and the decisions", "--name newsreco"
    )
    status.set_defaults(run=run_status)
    for parser in (register, promote, rollback, status):
        add_options(parser, "--tracking-uri")
        parser.add_argument("--name", default="newsreco", help="name of the registered model")


def _add_why(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--why", default="", metavar="TEXT", help="reason to record")


def run_register(arguments: argparse.Namespace) -> int:
    """Print the number of the version, and how to promote it."""
    from newsreco.files import own_temporary_files
    from newsreco.tracking.registry import production_version, register

    store = arguments.tracking_uri, arguments.name
    with own_temporary_files():
        version = register(arguments.run_id, arguments.model, *store)
    say(f"version {version} of {arguments.name}")
    production = production_version(*store)
    if version != production:
        log = [] if production is None else ["--data", "FOLDER"]
        say_next("promote", str(version), *log, *store_options(arguments))
    return 0


def run_promote(arguments: argparse.Namespace) -> int:
    """Compare the version with the one in production, and promote or refuse it."""
    from newsreco.tracking.promotion import promote
    from newsreco.tracking.registry import check_version

    store = arguments.tracking_uri, arguments.name
    check_version(arguments.version, *store)  # before anything is read
    log = None
    if arguments.data:
        log, _ = read_log(arguments)
    comparison = promote(
        arguments.version, log, arguments.metric, *store, arguments.force, arguments.why
    )
    say(f"{'promoted' if comparison.passes else 'promoted by force'}: {comparison}")
    return 0


def run_rollback(arguments: argparse.Namespace) -> int:
    """Print the version now in production."""
    from newsreco.tracking.promotion import rollback

    version = rollback(arguments.tracking_uri, arguments.name, arguments.why)
    say(f"version {version} of {arguments.name} is in production again")
    return 0


def run_status(arguments: argparse.Namespace) -> int:
    """Print the versions, and the decisions with the latest last."""
    from newsreco.tracking.history import history
    from newsreco.tracking.registry import status

    store = arguments.tracking_uri, arguments.name
    versions = status(*store).drop(columns="run").round(4)
    versions["registered"] = versions["registered"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    say(versions.to_string())
    decisions = history(*store).drop(columns="users").round(4)
    say("\n" + (decisions.to_string(index=False) if len(decisions) else "no decisions yet"))
    return 0
