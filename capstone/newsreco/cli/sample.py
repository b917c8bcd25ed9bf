"""newsreco sample, check: synthetic data in a folder; problems of a folder of data."""

from __future__ import annotations

import argparse

from newsreco.cli.options import CLICK_MODELS, add_command, add_options
from newsreco.output import json_text, say


def add(commands: argparse._SubParsersAction) -> None:
    """The parsers of these commands."""
    sample = add_command(
        commands, "sample", "write synthetic data in the MIND schema", "--out data --seed 1"
    )
    sample.add_argument(
        "--out", required=True, metavar="FOLDER", help="new or empty folder, or an earlier sample"
    )
    sample.add_argument(
        "--click-model",
        choices=CLICK_MODELS,
        default="preference",
        help="random: clicks from which nothing can be learned",
    )
    sample.add_argument("--articles", type=int, default=300, help="number of articles")
    sample.add_argument("--impressions", type=int, default=4_000, help="number of impressions")
    sample.add_argument("--users", type=int, default=400, help="number of users")
    add_options(sample, "--seed", "--quiet")
    sample.set_defaults(run=run_sample)

    check = add_command(
        commands, "check", "read a folder of data and report bad lines", "--data data --strict"
    )
    check.add_argument("--strict", action="store_true", help="fail if any line is bad")
    add_options(check, "--data", "--json", "--quiet")
    check.set_defaults(run=run_check)


def run_sample(arguments: argparse.Namespace) -> int:
    """Write the sample; the folder appears when it is complete."""
    from newsreco.synthetic import write_sample

    folder = write_sample(
        arguments.out,
        n_articles=arguments.articles,
        n_impressions=arguments.impressions,
        n_users=arguments.users,
        seed=arguments.seed,
        click_model=arguments.click_model,
        progress=not arguments.quiet,
    )
    say(f"synthetic data of seed {arguments.seed} written to {folder}")
    return 0


def run_check(arguments: argparse.Namespace) -> int:
    """Print the whole report; with --strict, fail if anything was left out."""
    from newsreco.data import load_mind
    from recsys.files import write_text

    _, report = load_mind(arguments.data, progress=not arguments.quiet)
    say(report)
    if arguments.json:
        write_text(arguments.json, json_text(report.as_dict(), indent=2) + "\n")
    if arguments.strict and not report.clean:
        raise ValueError(f"{arguments.data} has bad lines; the first: {report.problems[0]}")
    return 0
