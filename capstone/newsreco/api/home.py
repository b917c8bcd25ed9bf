"""A home: the folder with all that a service needs, made where it is missing.

data/       news.tsv and behaviors.tsv; a synthetic sample if there is none
model/      the trained model
mlflow.db   experiments and the registry
events.db   events, served lists, articles that arrived
clock.json  for a sample: how far its time is behind, so that its news are not old
secret      signs the browsers' cookies
"""

from __future__ import annotations

import json
import os
import secrets
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from newsreco.files import locked
from newsreco.output import json_text, say
from recsys.files import atomic_file, write_text


@dataclass(frozen=True)
class Home:
    """Paths of a home."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def model(self) -> Path:
        return self.folder / "model"

    @property
    def tracking_uri(self) -> str:
        return f"sqlite:///{(self.folder / 'mlflow.db').absolute()}"

    @property
    def events_url(self) -> str:
        return f"sqlite:///{(self.folder / 'events.db').absolute()}"

    def prepare(self) -> None:
        """Make the sample and the model if they are missing, one process at a time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with locked(self.folder / "home", timeout=600):
            if not self.data.exists() and not self.model.exists():
                self._make_sample()
            if not self.model.exists():
                self._train()
            if not (self.folder / "secret").exists():
                self._write_secret()

    def _make_sample(self) -> None:
        from newsreco.data import load_mind
        from newsreco.synthetic import write_sample

        say("no data yet: writing a synthetic sample")
        write_sample(self.data, progress=False)
        log, _ = load_mind(self.data, progress=False)
        write_clock(self.folder, float(log.impressions.time[-1]))

    def _train(self) -> None:
        from newsreco.data import load_mind
        from newsreco.models.bundle import Settings
        from newsreco.tracking.runs import tracked
        from newsreco.training import train

        say("no model yet: training one")
        settings = Settings(refit=True)
        log, _ = load_mind(self.data, progress=False)
        with tracked(settings, self.tracking_uri) as run:
            result = train(log, settings, progress=False)
            result.model.save(self.model)
            run.log(result, log, self.data)

    def _write_secret(self) -> None:
        with atomic_file(self.folder / "secret") as draft:
            draft.touch(0o600)
            draft.write_text(secrets.token_hex(32))

    def secret(self) -> str:
        """The key that signs cookies, the same for all workers and after a restart."""
        return (self.folder / "secret").read_text()

    def now(self) -> float:
        """Seconds UTC as the service counts them: for a sample, its own time goes on."""
        return time.time() - self.seconds_behind

    @cached_property
    def seconds_behind(self) -> float:
        """How far the home's time is behind."""
        path = self.folder / "clock.json"
        return json.loads(path.read_text())["seconds_behind"] if path.exists() else 0.0


def write_clock(folder: Path, last: float) -> None:
    """Let the time of a home go on from now as if it were `last` (seconds UTC)."""
    text = json_text({"seconds_behind": time.time() - last})
    write_text(folder / "clock.json", text + "\n")


def check_writable(folder: Path) -> None:
    """ValueError if the home cannot be made or written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"home {str(folder)!r} cannot be made: {error.strerror}") from None
    if not os.access(folder, os.W_OK):
        raise ValueError(f"home {str(folder)!r} cannot be written: choose another folder")
