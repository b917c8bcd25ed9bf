"""Reading a folder of data for a command: what was lost is reported, and too much of it stops."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from newsreco.cli.options import add_options
from newsreco.output import say

if TYPE_CHECKING:
    from newsreco.data import LoadReport, NewsLog


def add_reading(parser: argparse.ArgumentParser) -> None:
    """The options of `read_log`, other than --data."""
    add_options(parser, "--max-loss", "--strict", "--quiet")


def read_log(arguments: argparse.Namespace) -> tuple[NewsLog, LoadReport]:
    """The log of --data and its report; what was left out goes to stderr in a line.

    Raises
    ------
    ValueError
        If more of the data than --max-loss cannot be used.
    """
    from newsreco.config import read_config
    from newsreco.data import load_mind

    limit = read_config().max_loss if arguments.max_loss is None else arguments.max_loss
    log, report = load_mind(arguments.data, arguments.strict, progress=not arguments.quiet)
    report.check_loss(limit)
    for line in filter(None, (report.passed_over(), "" if report.clean else report.short())):
        say(line, file=sys.stderr)
    return log, report
