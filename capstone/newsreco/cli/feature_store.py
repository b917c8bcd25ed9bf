"""newsreco features build: the feature store."""

from __future__ import annotations

import argparse

from newsreco.cli.data import add_reading, read_log
from newsreco.cli.options import add_command, add_options, utc_time
from newsreco.output import say


def add(commands: argparse._SubParsersAction) -> None:
    """The parser of this command."""
    features = commands.add_parser("features", help="build the feature store")
    steps = features.add_subparsers(dest="step", required=True, metavar="STEP")
    build = add_command(
        steps,
        "build",
        "write the features of a folder of data, window by window",
        "--data data --window-hours 6",
    )
    add_options(build, "--data", "--database", "--half-life")
    build.add_argument("--window-hours", type=float, default=1.0, help="length of a window")
    build.add_argument(
        "--delay-minutes", type=float, default=15.0,
        help="from the end of a window until the store has its features",
    )  # fmt: skip
    build.add_argument(
        "--until", type=utc_time, metavar="TIME",
        help="leave out windows that end after this time (ISO 8601, UTC)",
    )  # fmt: skip
    add_reading(build)
    build.set_defaults(run=run_build)


def run_build(arguments: argparse.Namespace) -> int:
    """Write the windows that are missing."""
    from newsreco.data.times import DAY, HOUR
    from newsreco.feature_store import FeatureStore, database_url
    from newsreco.feature_store.build import Schedule, build

    if not arguments.window_hours * 60 >= 1:
        raise ValueError(f"--window-hours must be at least a minute, got {arguments.window_hours}")
    schedule = Schedule(
        arguments.window_hours * HOUR, arguments.delay_minutes * 60, arguments.half_life * DAY
    )
    until = float("inf") if arguments.until is None else arguments.until
    with FeatureStore(database_url(arguments.database)) as store:  # first, to refuse a wrong URL
        log, _ = read_log(arguments)
        built = build(store, log, schedule, until, progress=not arguments.quiet)
    written = f"{built.windows:,} windows written ({built.rows:,} rows)"
    say(f"{written}, {built.skipped:,} already built")
    return 0
