"""newsreco sample, check: a synthetic world in a folder; what is wrong with a folder of data."""

from __future__ import annotations

import argparse
import json


def add(commands: argparse._SubParsersAction) -> None:
    """The parsers of these commands."""
    sample = commands.add_parser("sample", help="write a synthetic world in the MIND schema")
    sample.add_argument("--out", required=True, help="new or empty folder, or an earlier sample")
    sample.add_argument("--seed", type=int, default=0)
    sample.add_argument(
        "--click-model",
        default="preference",
        help="preference, or random: clicks from which nothing can be learned",
    )
    sample.add_argument("--articles", type=int, default=300, help="(default: %(default)s)")
    sample.add_argument("--impressions", type=int, default=4_000, help="(default: %(default)s)")
    sample.add_argument("--users", type=int, default=400, help="(default: %(default)s)")
    sample.add_argument("--quiet", action="store_true", help="no progress bars")
    sample.set_defaults(run=run_sample)

    check = commands.add_parser("check", help="read a folder of data and report bad lines")
    check.add_argument("--data", required=True, help="folder with news.tsv and behaviors.tsv")
    check.add_argument("--strict", action="store_true", help="fail if any line is bad")
    check.add_argument("--json", help="file for the report")
    check.add_argument("--quiet", action="store_true", help="no progress bars")
    check.set_defaults(run=run_check)


def run_sample(arguments: argparse.Namespace) -> int:
    """Nothing is in the folder before all of it is."""
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
    print(f"synthetic data of seed {arguments.seed} written to {folder}")
    return 0


def run_check(arguments: argparse.Namespace) -> int:
    """Print the whole report; with --strict, 2 where anything was left out."""
    from newsreco.data import load_mind
    from recsys.files import write_text

    _, report = load_mind(arguments.data, progress=not arguments.quiet)
    print(report)
    if arguments.json:
        write_text(arguments.json, json.dumps(report.as_dict(), indent=2) + "\n")
    if arguments.strict and not report.clean:
        raise ValueError(f"{arguments.data} has bad lines; the first: {report.problems[0]}")
    return 0
