"""The command `newsreco`: every step of the capstone, each as a command of its own.

Each module named in `GROUPS` has one function, `add(commands)`, which adds its parsers and sets
`run`, a function of the parsed arguments. A module imports what is slow only when its command
runs, so that `newsreco --help` answers at once.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from newsreco import __version__

GROUPS = ("sample", "train", "recommend", "sweep", "registry", "feature_store", "ask")


def make_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="newsreco", description="A news recommender: data, training, registry, assistant."
    )
    parser.add_argument("--version", action="version", version=f"newsreco {__version__}")
    chosen = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for group in GROUPS:
        importlib.import_module(f"newsreco.cli.{group}").add(chosen)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 where it worked, 2 with a sentence on stderr where input was wrong."""
    arguments = make_parser().parse_args(argv)
    try:
        return arguments.run(arguments) or 0
    except BrokenPipeError:  # whoever read our output has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError) as error:
        print(f"newsreco {_step(arguments)}: {_told(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"newsreco {_step(arguments)}: interrupted", file=sys.stderr)
        return 130


def _step(arguments: argparse.Namespace) -> str:
    """The command, with its step where it has steps."""
    return " ".join(filter(None, (arguments.command, getattr(arguments, "step", None))))


def _told(error: Exception) -> str:
    """What went wrong; of the system's errors the file first, and no number."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    where = f"{str(error.filename)!r}: " if error.filename is not None else ""
    return where + error.strerror
