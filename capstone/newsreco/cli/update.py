"""newsreco update: a trained model brought up to date, without retraining."""

from __future__ import annotations

import argparse

from newsreco.cli.data import add_reading, read_log
from newsreco.cli.options import add_command, add_options
from newsreco.output import json_text, say


def add(commands: argparse._SubParsersAction) -> None:
    """The parser of this command."""
    parser = add_command(
        commands,
        "update",
        "bring a model's counters and articles up to date with later data, without retraining",
        "--model model --data today",
    )
    add_options(parser, "--model", "--data")
    parser.add_argument(
        "--out", metavar="FOLDER", help="folder of the updated model (default: that of --model)"
    )
    add_options(parser, "--json")
    add_reading(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the updated model; its folder is replaced when it is complete."""
    from newsreco.files import locked
    from newsreco.models.bundle import load_model
    from newsreco.models.update import update
    from recsys.bundle import check_folder
    from recsys.files import write_text

    out = arguments.out or arguments.model
    check_folder(out)
    with locked(out):
        model = load_model(arguments.model)
        log, report = read_log(arguments)
        updated = update(model, log)
        updated.model.save(out)
    say(updated)
    if arguments.json:
        write_text(arguments.json, json_text(updated.counts() | report.metrics(), indent=2) + "\n")
    return 0
