"""The command `newsreco`: every step of the capstone, each as a command of its own.

A module of `newsreco.commands` has one function, `add(commands)`, which adds its parsers and
sets `run`, a function of the parsed arguments. It is imported only when the command line is, and
imports what is slow only when it runs, so that `newsreco --help` answers at once.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence

from newsreco import __version__, commands


def make_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="newsreco", description="A news recommender: data, training, registry, assistant."
    )
    parser.add_argument("--version", action="version", version=f"newsreco {__version__}")
    chosen = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in pkgutil.iter_modules(commands.__path__):
        importlib.import_module(f"{commands.__name__}.{module.name}").add(chosen)
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


if __name__ == "__main__":
    sys.exit(main())
