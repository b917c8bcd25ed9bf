"""Tracking: a training recorded as a run in MLflow, so that its metrics can be traced back.

A run that is interrupted, or asked to stop by SIGTERM or SIGHUP, ends as KILLED. Where a process
had no time to say so, as after `kill -9`, the next run on that machine says it.

A run holds the inputs (settings, the data's fingerprint, the code's version), the results
(metrics, the loss at each step, the metrics of every impression) and the model itself, as a
bundle beside a short script that reads it. After Zaharia et al. 2018. A failure to record never
stops a training; it is logged in one line.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from newsreco.config import EXPERIMENT
from newsreco.models.bundle import Settings
from newsreco.signals import Stopped, raising_signals
from newsreco.tracking.artifacts import check_location, files_beside
from newsreco.tracking.client import error_message, mlflow_client, tracking_uri
from newsreco.tracking.contents import log_result

if TYPE_CHECKING:
    from newsreco.data import NewsLog
    from newsreco.training import Result

logger = logging.getLogger("newsreco.tracking")
PROCESS = "process"  # tag: machine and process id


@dataclass(eq=False)
class Run:
    """The record of one training: `with run:` ends it.

    It ends as FINISHED, as FAILED if the block raises, as KILLED if it is interrupted. Only the
    first failure to record is logged.

    Parameters
    ----------
    uri : str
    experiment : str
    id : str, optional
        MLflow's id of the run; None if there is no run.
    reason : str, optional
        Why the training is not, or not completely, recorded.
    """

    uri: str
    experiment: str = EXPERIMENT
    id: str | None = None
    reason: str | None = None

    def __enter__(self) -> Run:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        killed = error is not None and issubclass(error, (KeyboardInterrupt, Stopped))
        self.end("KILLED" if killed else "FAILED" if error else "FINISHED")

    def begin(self, name: str, parameters: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        """Open the run."""

        def open_run(mlflow) -> None:
            client = mlflow.MlflowClient()
            experiment = experiment_id(client, self.uri, self.experiment)
            end_abandoned(client, experiment)
            own = {PROCESS: f"{socket.gethostname()}:{os.getpid()}"}
            self.id = client.create_run(
                experiment, run_name=name, tags=own | dict(tags)
            ).info.run_id
            texts = [mlflow.entities.Param(key, str(value)) for key, value in parameters.items()]
            client.log_batch(self.id, params=texts)

        self.attempt(open_run, create=True)

    def log(
        self, result: Result, log: NewsLog, source: str | Path | None = None, report: bool = True
    ) -> None:
        """Record the result of a training.

        Parameters
        ----------
        result : Result
        log : NewsLog
            The whole log, held-out part included.
        source : path, optional
            The folder of the log.
        report : bool
            Include the report, which takes longer than everything else.
        """

        def log_all(mlflow) -> None:
            with mlflow.start_run(run_id=self.id, nested=True):
                log_result(mlflow, result, log, source, report)

        if self.id is not None:
            self.attempt(log_all)

    def end(self, status: str = "FINISHED") -> None:
        """Close the run; one that is FINISHED is FAILED if part of it could not be recorded."""
        status = "FAILED" if self.reason and status == "FINISHED" else status
        if self.id is not None:
            self.attempt(lambda mlflow: mlflow.MlflowClient().set_terminated(self.id, status))

    def attempt(self, action: Callable[[Any], None], create: bool = False) -> None:
        """Call `action` with the module `mlflow`; if it fails, keep and log the reason."""
        try:
            with mlflow_client(self.uri, create) as mlflow:
                action(mlflow)
        except Exception as error:  # of any kind: it must not stop the training
            if self.reason is None:
                self.reason = error_message(error)
                logger.warning("not tracked: %s", self.reason)


@contextlib.contextmanager
def tracked(
    settings: Settings,
    uri: str | None = None,
    experiment: str = EXPERIMENT,
    name: str | None = None,
    parent: Run | None = None,
    off: bool = False,
) -> Iterator[Run]:
    """A run around a training: `with tracked(settings) as run: ...; run.log(result, log)`.

    Parameters
    ----------
    settings : Settings
    uri : str, optional
        MLFLOW_TRACKING_URI by default, else `sqlite:///mlflow.db`.
    name : str, optional
        Of the run; `run_name(settings)` by default.
    parent : Run, optional
        The sweep it belongs to; if that is not recorded, neither is this.
    off : bool
        Record and log nothing.
    """
    with raising_signals(), Run(tracking_uri(uri), experiment) as run:
        if not off and (parent is None or parent.id is not None):
            tags = {"mlflow.parentRunId": parent.id} if parent else {}
            run.begin(name or run_name(settings), asdict(settings), tags)
        yield run


def run_name(settings: Settings) -> str:
    """Name of a run, made from the settings.

    >>> run_name(Settings(half_life_days=0.5))
    'tfidf, logistic, 0.5 days'
    """
    unit = "day" if settings.half_life_days == 1 else "days"
    return f"{settings.embedder}, {settings.ranker}, {settings.half_life_days:g} {unit}"


def experiment_id(client, uri: str, name: str) -> str:
    """Id of the experiment; a new one stores its files beside the database file."""
    found = client.get_experiment_by_name(name)
    if found is not None:
        if found.lifecycle_stage == "deleted":
            raise ValueError(
                f"experiment {name!r} was deleted: `mlflow experiments restore -x "
                f"{found.experiment_id}` brings it back"
            )
        check_location(uri, found.artifact_location, name)
        return found.experiment_id
    try:
        return client.create_experiment(name, artifact_location=files_beside(uri, name))
    except Exception:
        found = client.get_experiment_by_name(name)  # another process was faster
        if found is None:
            raise
        return found.experiment_id


def end_abandoned(client, experiment: str) -> None:
    """End as KILLED the runs of processes of this machine that are gone."""
    for run in client.search_runs([experiment], "attributes.status = 'RUNNING'"):
        host, _, number = run.data.tags.get(PROCESS, "").rpartition(":")
        if host == socket.gethostname() and not _is_running(int(number)):
            client.set_terminated(run.info.run_id, "KILLED")


def _is_running(process: int) -> bool:
    """Whether a process exists; on Windows, where asking would interrupt it, always yes."""
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # of another user
        return True
    return True
