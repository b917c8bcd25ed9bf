"""newsreco drift: the features of later impressions beside those of the training."""

from __future__ import annotations

import argparse

from newsreco.cli.data import add_reading, read_log
from newsreco.cli.options import add_command, add_options
from newsreco.output import json_text, say


def add(commands: argparse._SubParsersAction) -> None:
    """The parser of this command."""
    parser = add_command(
        commands,
        "drift",
        "compare the features of later impressions with those of the training",
        "--model model --data data --events sqlite:///home/events.db",
    )
    add_options(parser, "--model", "--data")
    parser.add_argument(
        "--events", metavar="URL",
        help="a service's events, which follow the data: the database of `newsreco serve`",
    )  # fmt: skip
    add_options(parser, "--seed", "--json")
    add_reading(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print one line per feature, largest PSI first."""
    from dataclasses import asdict

    from newsreco.cli.table import say_table
    from newsreco.cli.train import add_events
    from newsreco.evaluation import drift
    from newsreco.models.bundle import load_model
    from recsys.files import write_text

    model = load_model(arguments.model)
    log, _ = read_log(arguments)
    if arguments.events:
        log = add_events(log, arguments.events)
    found = drift.model_drift(model, log, arguments.seed)
    head = ("feature", "psi", "psi_95", "ks", "ks_95", "p", "size", "significant")
    significant = [drift.is_significant(one, len(found)) for one in found]
    rows = [
        (*asdict(one).values(), one.size, "yes" if yes else "no")
        for one, yes in zip(found, significant)
    ]
    say_table(head, rows)
    say(
        f"size: PSI from {drift.MODERATE} moderate, from {drift.LARGE} large; "
        f"significant: p at most {drift.LEVEL} / {len(found)}"
    )
    if arguments.json:
        write_text(arguments.json, json_text([asdict(one) for one in found], indent=2) + "\n")
    return 0
