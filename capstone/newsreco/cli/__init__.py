"""The command `newsreco`: every step of the capstone, each as a command of its own.

Each module named in `GROUPS` has a function `add(commands)`, which adds its parsers and sets
`run`, a function of the parsed arguments. Slow imports are inside these functions, so that
`newsreco --help` answers at once.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from newsreco import __version__
from newsreco.cli.options import Parser
from newsreco.output import say
from newsreco.signals import Stopped, raising_signals

GROUPS = (
    "sample",
    "train",
    "update",
    "recommend",
    "sweep",
    "registry",
    "feature_store",
    "svd",
    "ask",
    "serve",
    "events",
    "drift",
)


def make_parser() -> argparse.ArgumentParser:
    """The parser of all commands, in the order of use."""
    parser = Parser(
        prog="newsreco",
        description="A news recommender: data, training, registry, feature store, assistant.",
        epilog="newsreco COMMAND --help shows a command's options, with an example.",
    )
    parser.add_argument("--version", action="version", version=f"newsreco {__version__}")
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", title="commands, in the order of use"
    )
    for group in GROUPS:
        importlib.import_module(f"newsreco.cli.{group}").add(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command: its exit status.

    0 if it succeeds, 2 with one sentence on stderr if its input is wrong, 128 plus the signal's
    number if it is stopped.
    """
    try:
        arguments = make_parser().parse_args(argv)
    except SystemExit as stop:  # help, the version, or a wrong option
        return stop.code
    command = " ".join(filter(None, (arguments.command, getattr(arguments, "step", None))))
    try:
        with raising_signals():
            return arguments.run(arguments) or 0
    except BrokenPipeError:  # the reader of our output has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError) as error:
        say(f"newsreco {command}: {describe(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        say(f"newsreco {command}: interrupted", file=sys.stderr)
        return 130
    except Stopped as stop:
        say(f"newsreco {command}: stopped by {stop.name}", file=sys.stderr)
        return stop.code


def describe(error: Exception) -> str:
    """What went wrong; for an error of the operating system, the file first and no number."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    file = f"{str(error.filename)!r}: " if error.filename is not None else ""
    return file + error.strerror
