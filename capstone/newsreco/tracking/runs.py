"""Tracking: what to write down about a training, so that its metrics can be found again.

A run in MLflow holds what went in (settings, the data's fingerprint, the code's version), what
came out (metrics, the loss step by step, every impression's metrics) and the model itself, as a
bundle beside a short script that reads it: no pickle. After Zaharia et al. 2018. A training never
fails because of its record: what cannot be written is said in one line.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from newsreco.config import EXPERIMENT
from newsreco.models.bundle import Settings
from newsreco.tracking import contents as record
from newsreco.tracking.client import mlflow_client, sentence, tracking_uri

if TYPE_CHECKING:
    from newsreco.data import NewsLog
    from newsreco.training import Result


def say(text: str) -> None:
    """To stderr, where it does not mix with the metrics."""
    print(text, file=sys.stderr)


@dataclass(eq=False)
class Run:
    """One training's record; what cannot be recorded is said once and then left.

    Parameters
    ----------
    uri : str
    experiment : str
    say : callable
        Told the reason, in one line, if MLflow cannot be reached.
    id : str, optional
        MLflow's id of the run; None where there is no run.
    reason : str, optional
        Why it is not, or not wholly, recorded.
    """

    uri: str
    experiment: str = EXPERIMENT
    say: Callable[[str], None] = say
    id: str | None = None
    reason: str | None = None

    def begin(self, name: str, parameters: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        """Open the run."""

        def open_run(mlflow) -> None:
            client = mlflow.MlflowClient()
            where = record.experiment_id(client, self.uri, self.experiment)
            self.id = client.create_run(where, run_name=name, tags=dict(tags)).info.run_id
            texts = [mlflow.entities.Param(key, str(value)) for key, value in parameters.items()]
            client.log_batch(self.id, params=texts)

        self._attempt(open_run, create=True)

    def log(
        self, result: Result, log: NewsLog, source: str | Path | None = None, report: bool = True
    ) -> None:
        """Record what a training gave.

        Parameters
        ----------
        result : Result
        log : NewsLog
            The whole log, with the evaluation's part.
        source : path, optional
            The folder that the log came from.
        report : bool
            With the model's report and its metrics, which take longer than all else.
        """

        def log_all(mlflow) -> None:
            with mlflow.start_run(run_id=self.id, nested=True):
                record.log_result(mlflow, result, log, source, report)

        if self.id is not None:
            self._attempt(log_all)

    def end(self, status: str = "FINISHED") -> None:
        """Close the run; FAILED where part of it could not be recorded."""
        status = "FAILED" if self.reason else status
        if self.id is not None:
            self._attempt(lambda mlflow: mlflow.MlflowClient().set_terminated(self.id, status))

    def _attempt(self, action: Callable[[Any], None], create: bool = False) -> None:
        try:
            with mlflow_client(self.uri, create) as mlflow:
                action(mlflow)
        except Exception as error:  # whatever it is, the training is worth more than its record
            if self.reason is None:
                self.reason = sentence(error)
                self.say(f"not tracked: {self.reason}")


@contextlib.contextmanager
def tracked(
    settings: Settings,
    uri: str | None = None,
    experiment: str = EXPERIMENT,
    name: str | None = None,
    parent: Run | None = None,
    say: Callable[[str], None] = say,
    off: bool = False,
) -> Iterator[Run]:
    """A run around a training: `with tracked(settings) as run: ...; run.log(result, log)`.

    It ends as FINISHED, as FAILED where the block raises, as KILLED where it was interrupted.

    Parameters
    ----------
    settings : Settings
    uri : str, optional
        MLFLOW_TRACKING_URI by default, else `sqlite:///mlflow.db`.
    name : str, optional
        Of the run; made from the settings by default.
    parent : Run, optional
        The sweep that it belongs to; if that is not recorded, neither is this.
    off : bool
        Record nothing, and say nothing of it.
    """
    run = Run(tracking_uri(uri), experiment, say)
    if not off and (parent is None or parent.id is not None):
        tags = {"mlflow.parentRunId": parent.id} if parent else {}
        run.begin(name or title(settings), asdict(settings), tags)
    with closing(run):
        yield run


@contextlib.contextmanager
def closing(run: Run) -> Iterator[None]:
    """End the run as its block ends."""
    try:
        yield
    except BaseException as error:
        run.end("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
        raise
    run.end()


def title(settings: Settings) -> str:
    """A name that tells the settings.

    >>> title(Settings(half_life_days=0.5))
    'tfidf, logistic, 0.5 days'
    """
    unit = "day" if settings.half_life_days == 1 else "days"
    return f"{settings.embedder}, {settings.ranker}, {settings.half_life_days:g} {unit}"
