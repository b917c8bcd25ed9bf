"""newsreco features build, latest: the feature store."""

from __future__ import annotations

import argparse

from newsreco.cli.data import add_reading, read_log
from newsreco.cli.options import add_command, add_options, utc_time
from newsreco.output import json_text, say

VIEWS = ("user", "user_category", "item", "user_item")


def add(commands: argparse._SubParsersAction) -> None:
    """The parser of this command."""
    features = commands.add_parser("features", help="build and read the feature store")
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
        help="the data is complete until this time, so a window that ends later is left out "
        "(ISO 8601, UTC; default: the last impression)",
    )  # fmt: skip
    build.add_argument(
        "--known-at", type=utc_time, metavar="TIME",
        help="when impressions became known that came after their window was written "
        "(ISO 8601, UTC; default: now)",
    )  # fmt: skip
    add_reading(build)
    build.set_defaults(run=run_build)
    _add_latest(steps)


def _add_latest(steps: argparse._SubParsersAction) -> None:
    latest = add_command(
        steps, "latest", "print the latest features of a user, an article or a pair", "item N10022"
    )
    latest.add_argument("view", choices=VIEWS, help="which features")
    latest.add_argument(
        "key", nargs="+", help="id as in the data; user_category and user_item have two"
    )
    add_options(latest, "--database", "--json")
    latest.set_defaults(run=run_latest)


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
    with FeatureStore(database_url(arguments.database)) as store:  # first, to refuse a wrong URL
        log, _ = read_log(arguments)
        times = arguments.until, arguments.known_at
        built = build(store, log, schedule, *times, progress=not arguments.quiet)
    say(f"{built.windows:,} windows written ({built.rows:,} rows), {built.skipped:,} already built")
    if built.late:
        say(f"{built.late:,} late impressions added to windows already built")
    if built.waiting:
        say(f"{built.waiting:,} impressions left out, whose windows are still open: see --until")
    return 0


def run_latest(arguments: argparse.Namespace) -> int:
    """Print one entity's latest features."""
    from newsreco.data.times import iso_time
    from newsreco.feature_store import FeatureStore, database_url
    from recsys.files import write_text

    view, key = arguments.view, arguments.key
    with FeatureStore(database_url(arguments.database), create=False) as store:
        features = store.latest(view, key if len(key) == 1 else [tuple(key)]).iloc[0].to_dict()
    if features["event_time"] != features["event_time"]:  # nan
        raise ValueError(f"the store has no features of {view} {' '.join(key)!r}")
    features |= {name: iso_time(features[name]) for name in ("event_time", "created_time")}
    for name, value in features.items():
        say(f"{name:{max(map(len, features))}}  {value}")
    if arguments.json:
        write_text(arguments.json, json_text(features, indent=2) + "\n")
    return 0
