"""newsreco events backup, restore: the events of a service in one file."""

from __future__ import annotations

import argparse

from newsreco.cli.options import add_command, output_file
from newsreco.output import say


def add(commands: argparse._SubParsersAction) -> None:
    """The parsers of these commands."""
    events = commands.add_parser("events", help="back up and restore the events of a service")
    steps = events.add_subparsers(dest="step", required=True, metavar="STEP")
    backup = add_command(
        steps, "backup", "write all events to one file, while the service runs",
        "--database sqlite:///home/events.db --out events.jsonl.gz",
    )  # fmt: skip
    _add_database(backup)
    backup.add_argument(
        "--out", required=True, type=output_file, metavar="FILE",
        help="file to write; replaced only when it is complete",
    )  # fmt: skip
    backup.set_defaults(run=run_backup)
    restore = add_command(
        steps, "restore", "add the events of a backup to a database, all or nothing",
        "--database sqlite:///home/events.db --from events.jsonl.gz",
    )  # fmt: skip
    _add_database(restore)
    restore.add_argument(
        "--from", dest="file", required=True, metavar="FILE", help="file that a backup wrote"
    )
    restore.set_defaults(run=run_restore)


def _add_database(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--database", metavar="URL",
        help="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE "
        "(default: NEWSRECO_EVENTS_URL)",
    )  # fmt: skip


def run_backup(arguments: argparse.Namespace) -> int:
    """Write the file, and say what it holds."""
    from newsreco.api.events import EventStore
    from newsreco.api.events.backup import write_backup

    with EventStore(events_url(arguments), create=False) as store:
        counts = write_backup(store, arguments.out)
    say(f"{described(counts)} written to {arguments.out}")
    return 0


def run_restore(arguments: argparse.Namespace) -> int:
    """Check the whole file before the database is touched."""
    from newsreco.api.events import EventStore
    from newsreco.api.events.backup import check_backup, restore_backup

    held = check_backup(arguments.file)
    with EventStore(events_url(arguments)) as store:
        counts = restore_backup(store, arguments.file)
    say(f"the backup holds {described(held)}")
    say(f"the database grew by {described(counts)}")
    return 0


def events_url(arguments: argparse.Namespace) -> str:
    """The option, else the setting; ValueError without either."""
    from newsreco.config import read_config

    url = arguments.database or read_config().events_url
    if not url:
        raise ValueError("give the database of events with --database or NEWSRECO_EVENTS_URL")
    return url


def described(counts: dict[str, int]) -> str:
    """Numbers of rows in words."""
    words = {"deleted_users": "deleted users"}
    names = ("events", "lists", "articles", "deleted_users")
    return ", ".join(f"{counts[name]:,} {words.get(name, name)}" for name in names)
