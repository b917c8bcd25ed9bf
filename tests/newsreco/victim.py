"""Run a command and die on the way, without warning, as in a crash: `victim.py DEATH WORD...`.

DEATH is "never", "step 7", which dies just before the seventh step that writes, or "second 0.4",
which dies 0.4 seconds after the first such step. Steps are changes to files below the working
folder, and statements that change a SQLite database. A run that does not die prints their number,
and the seconds they took, as JSON in its last line.

The words are a newsreco command, or `save FOLDER NEIGHBORS` to save a model of the library.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import sqlalchemy as sa

CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.truncate"}
READS = ("SELECT", "PRAGMA", "EXPLAIN", "--")
WRITES = os.O_WRONLY | os.O_RDWR


class Steps:
    """Counts the steps that write, and ends the process at the chosen one."""

    def __init__(self, death: str, folder: Path):
        unit, _, at = death.partition(" ")
        self.step = int(at) if unit == "step" else None
        self.seconds = float(at) if unit == "second" else None
        self.folder, self.count, self.began = str(folder), 0, 0.0

    def watch(self, event: str, arguments: tuple) -> None:
        """An audit hook: Python calls it before it changes a file."""
        changes = event in CHANGES or (event == "open" and (arguments[2] or 0) & WRITES)
        if changes and not isinstance(arguments[0], int):  # a number is a file that is open already
            path = os.path.abspath(os.fsdecode(arguments[0]))
            if path.startswith(self.folder):
                self.take()

    def watch_databases(self) -> None:
        """Let SQLAlchemy call before each statement and commit."""

        @sa.event.listens_for(sa.Engine, "before_cursor_execute")
        def statement(_connection, _cursor, sql: str, *_) -> None:
            if not sql.lstrip().upper().startswith(READS):
                self.take()

        sa.event.listen(sa.Engine, "commit", lambda _connection: self.take())

    def take(self) -> None:
        """One step more; the last one, perhaps."""
        if not self.count:
            self.began = time.perf_counter()
            if self.seconds is not None:
                threading.Timer(self.seconds, die).start()
        self.count += 1
        if self.count == self.step:
            die()


def die() -> None:
    """End as `kill -9` does: nothing is cleaned up."""
    os.kill(os.getpid(), signal.SIGKILL)


def save(folder: str, n_neighbors: str) -> int:
    """Save a small model."""
    from recsys import make_synthetic
    from recsys.models import ItemKNN

    ItemKNN(n_neighbors=int(n_neighbors)).fit(make_synthetic(n_users=300)).save(folder)
    return 0


def main() -> int:
    """Run the command under the hook."""
    from newsreco.cli import main as newsreco

    death, *words = sys.argv[1:]
    steps = Steps(death, Path.cwd())
    sys.addaudithook(steps.watch)
    steps.watch_databases()
    status = save(*words[1:]) if words[0] == "save" else newsreco(words)
    print(json.dumps({"steps": steps.count, "seconds": time.perf_counter() - steps.began}))
    return status


if __name__ == "__main__":
    sys.exit(main())
