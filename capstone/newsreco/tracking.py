"""Tracking: what to write down about a training, so that its figures can be found again.

A run in MLflow holds what went in (settings, the data's fingerprint, the code's version), what
came out (figures, the loss step by step, every impression's metrics) and the model itself, as a
bundle beside a short script that reads it: no pickle. After Zaharia et al. 2018. A training never
fails because of its record: what cannot be written is said in one line.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from newsreco.connect import reach, sentence, tracking_uri
from newsreco.model import NewsModel, Settings
from newsreco.provenance import code_version, libraries, requirements

if TYPE_CHECKING:
    from newsreco.data import NewsLog
    from newsreco.training import Result

EXPERIMENT = "newsreco"
SCRIPT = Path(__file__).with_name("serving_model.py")
EXAM = "exam.npz"  # the artifact with every impression's metrics


def say(text: str) -> None:
    """To stderr, where it does not mix with the figures."""
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
            where = experiment_id(client, self.uri, self.experiment)
            self.id = client.create_run(where, run_name=name, tags=dict(tags)).info.run_id
            texts = [mlflow.entities.Param(key, str(value)) for key, value in parameters.items()]
            client.log_batch(self.id, params=texts)

        self._attempt(open_run, create=True)

    def log(self, result: Result, log: NewsLog, source: str | Path | None = None) -> None:
        """Record what a training gave.

        Parameters
        ----------
        result : Result
        log : NewsLog
            The whole log, with the exam's part.
        source : path, optional
            The folder that the log came from.
        """

        def log_all(mlflow) -> None:
            with mlflow.start_run(run_id=self.id, nested=True):
                mlflow.set_tags(tags_of(result, log))
                _log_numbers(mlflow, self.id, result)
                _log_data(mlflow, result, log, source)
                _log_files(mlflow, result)
                log_model(mlflow, result.model)

        if self.id is not None:
            self._attempt(log_all)

    def end(self, status: str = "FINISHED") -> None:
        """Close the run; FAILED where part of it could not be recorded."""
        status = "FAILED" if self.reason else status
        if self.id is not None:
            self._attempt(lambda mlflow: mlflow.MlflowClient().set_terminated(self.id, status))

    def _attempt(self, action: Callable[[Any], None], create: bool = False) -> None:
        try:
            with reach(self.uri, create) as mlflow:
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
    """
    run = Run(tracking_uri(uri), experiment, say)
    if parent is None or parent.id is not None:
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
    return f"{settings.embedder}, {settings.ranker}, {settings.half_life_days:g} days"


def metric_name(name: str) -> str:
    """A name that MLflow takes: it refuses the @ of ndcg@10.

    >>> metric_name("ndcg@10")
    'ndcg_at_10'
    """
    return name.replace("@", "_at_")


def tags_of(result: Result, log: NewsLog) -> dict[str, str]:
    """What the figures rest on: data, code, libraries, and the model's own seal."""
    return {
        "data_fingerprint": result.data_fingerprint,
        "log_fingerprint": log.fingerprint(),
        "synthetic": "yes" if "best_auc" in result.figures else "no",
        "code_version": code_version(),
    } | {f"library.{name}": version for name, version in libraries().items()}


def experiment_id(client, uri: str, name: str) -> str:
    """The experiment's id; a new one keeps its files beside the database file."""
    found = client.get_experiment_by_name(name)
    if found is not None:
        return found.experiment_id
    place = None
    if uri.startswith("sqlite:///"):
        file = Path(uri.removeprefix("sqlite:///").partition("?")[0]).absolute()
        place = (file.parent / "mlartifacts" / name).as_uri()
    try:
        return client.create_experiment(name, artifact_location=place)
    except Exception:
        found = client.get_experiment_by_name(name)  # somebody else was quicker
        if found is None:
            raise
        return found.experiment_id


def log_model(mlflow, model: NewsModel) -> None:
    """Add the model to the active run, and its seal and address `models:/...` as tags."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "bundle"
        model.save(bundle)
        seal = json.loads((bundle / "manifest.json").read_text())["seal"]
        info = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(SCRIPT),
            artifacts={"bundle": str(bundle)},
            signature=_signature(),
            pip_requirements=requirements(model.settings),
        )
    mlflow.set_tags({"bundle": seal, "model_uri": info.model_uri})


def _signature():
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema
    from mlflow.types.schema import Array

    return ModelSignature(
        inputs=Schema([ColSpec("string", "user"), ColSpec("double", "time", required=False)]),
        outputs=Schema([ColSpec(Array(DataType.string), "items")]),
        params=ParamSchema([ParamSpec("k", "long", 10)]),
    )


def _log_numbers(mlflow, run_id: str, result: Result) -> None:
    """The figures, and the ranker's steps with their numbers."""
    now = int(time.time() * 1000)
    metric = mlflow.entities.Metric
    found = [
        metric(metric_name(name), float(value), now, 0)
        for name, value in result.figures.items()
        if np.isfinite(value)
    ]
    for row in result.steps:
        losses = {name: value for name, value in row.items() if name != "step"}
        found += [
            metric(f"step_{metric_name(name)}", float(value), now, row["step"])
            for name, value in losses.items()
        ]
    client = mlflow.MlflowClient()
    for first in range(0, len(found), 1000):  # as many as one request may hold
        client.log_batch(run_id, metrics=found[first : first + 1000])


def _log_data(mlflow, result: Result, log: NewsLog, source: str | Path | None) -> None:
    """The two data sets, learned from and judged on, by their fingerprints."""
    from mlflow.data.code_dataset_source import CodeDatasetSource
    from mlflow.data.dataset_source_registry import resolve_dataset_source
    from mlflow.data.meta_dataset import MetaDataset

    place = CodeDatasetSource({}) if source is None else resolve_dataset_source(str(source))
    digests = {"training": result.data_fingerprint, "exam": log.fingerprint()}
    for context, digest in digests.items():
        mlflow.log_input(MetaDataset(place, name="news", digest=digest), context=context)


def _log_files(mlflow, result: Result) -> None:
    """Figures, all figures as JSON, and each impression's metrics."""
    from newsreco import figures

    mlflow.log_figure(figures.steps(result.steps), "figures/steps.png")
    mlflow.log_figure(figures.contestants(result.exam), "figures/contestants.png")
    mlflow.log_dict(result.figures, "figures.json")
    with tempfile.TemporaryDirectory() as folder:
        columns = {name: column.to_numpy() for name, column in result.per_impression.items()}
        np.savez_compressed(Path(folder) / EXAM, **columns)
        mlflow.log_artifact(str(Path(folder) / EXAM))
