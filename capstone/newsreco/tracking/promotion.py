"""Promotion: who may serve, and the way back.

A candidate replaces the version in production only if it orders the same held-out impressions
better, by an interval of the paired difference that lies above zero; see `newsreco.tracking.gate`. Each
decision is recorded, refusals too, and what a lock can guard is decided one at a time.
"""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from newsreco.config import ALIAS, REGISTERED_MODEL
from newsreco.evaluation.impressions import check_metric
from newsreco.files import locked
from newsreco.tracking.client import mlflow_client, tracking_uri
from newsreco.tracking.gate import Comparison, Refused, judge
from newsreco.tracking.history import history, write
from newsreco.tracking.registry import load_version, production_of, production_version

if TYPE_CHECKING:
    from newsreco.data import NewsLog

WAIT = 10.0  # seconds for another decision to end


def promote(
    version: int,
    log: NewsLog | None = None,
    metric: str = "ranker_auc",
    uri: str | None = None,
    name: str = REGISTERED_MODEL,
    force: bool = False,
    why: str = "",
) -> Comparison:
    """Let a version serve, if it beats the one that does.

    Parameters
    ----------
    version : int
    log : NewsLog, optional
        What both are judged on; needed unless nobody serves yet, or with `force`.
    metric : str
        "ranker_auc", "ranker_mrr", "ranker_ndcg_at_5" or "ranker_ndcg_at_10".
    force : bool
        Promote without having beaten production; recorded with who, when and `why`.
    why : str

    Raises
    ------
    Refused
        The interval does not lie above zero; recorded, and production stays.
    ValueError
        Nothing could be compared, or production has changed meanwhile.
    """
    check_metric(metric)
    rival = production_version(uri, name)
    if version == rival:
        raise ValueError(f"version {version} of {name!r} is in production already")
    model = load_version(version, uri, name)
    comparison_result = _verdict(version, model, rival, log, metric, uri, name, force)
    record = {
        "why": why,
        "forced": bool(force and not comparison_result.passes),
        **_told(comparison_result),
    }
    if not comparison_result.passes and not force:
        with mlflow_client(uri) as mlflow:
            write(mlflow.MlflowClient(), name, "refused", version, rival, record)
        raise Refused(comparison_result)
    _switch(uri, name, "forced" if record["forced"] else "promoted", version, rival, record)
    return comparison_result


def _verdict(version, model, rival, log, metric, uri, name, force) -> Comparison:
    """The evaluation; with `force`, whatever keeps it from being held keeps nobody."""
    if rival is None:
        return Comparison(version, None, metric)
    try:
        if log is None:
            raise ValueError(
                f"log is needed (--data in a terminal): version {version} must beat version "
                f"{rival} on it"
            )
        found = judge(model, load_version(rival, uri, name), log, metric)
    except ValueError:
        if not force:
            raise
        found = ()
    return Comparison(version, rival, metric, *found)


def _told(comparison_result: Comparison) -> dict:
    """The comparison_result's numbers, for the record."""
    if not comparison_result.impressions:
        return {}
    numbers = {end: round(getattr(comparison_result, end), 6) for end in ("gap", "low", "high")}
    return {"metric": comparison_result.metric, **numbers, "users": comparison_result.users}


def rollback(uri: str | None = None, name: str = REGISTERED_MODEL, why: str = "") -> int:
    """Let the version serve that did before; returns its number.

    Rolling back again goes one further back. The version must still load.
    """
    past = history(uri, name)
    now = production_version(uri, name)
    served = _served(past, now)
    if len(served) < 2:
        raise ValueError(f"{name!r} has no version that was in production before {now}")
    load_version(served[-2], uri, name)
    _switch(uri, name, "rolled back", served[-2], now, {"why": why})
    return served[-2]


def _served(past: pd.DataFrame, now: int | None) -> list[int]:
    """The versions in production one after the other; a rollback takes the last off."""
    served: list[int] = []
    for _, row in past[past["action"] != "refused"].iterrows():
        if row["action"] == "rolled back" and row["version"] in served:
            while served[-1] != row["version"]:
                served.pop()
        else:
            served.append(int(row["version"]))
    while served and served[-1] != now:  # recorded, but the alias was never moved
        served.pop()
    return served


def _switch(uri, name, action, version, rival, record) -> None:
    """Move the alias, unless somebody else has moved it since `rival` was looked up."""
    with _alone(uri, name), mlflow_client(uri) as mlflow:
        client = mlflow.MlflowClient()
        now = production_of(client, name)
        if now != rival:
            raise ValueError(
                f"production has changed from version {rival} to {now} meanwhile: decide again"
            )
        write(client, name, action, version, rival, record)
        client.set_registered_model_alias(name, ALIAS, str(version))


@contextlib.contextmanager
def _alone(uri: str | None, name: str) -> Iterator[None]:
    """One decision at a time on this machine; others wait a little.

    Between machines nothing can be locked: there, the second look at production, just before
    the alias moves, is what stops most, and both decisions stay recorded in any case.
    """
    what = hashlib.sha256(f"{tracking_uri(uri)} {name}".encode()).hexdigest()[:16]
    place = Path(tempfile.gettempdir()) / f"newsreco-{what}"
    end = time.monotonic() + WAIT
    with contextlib.ExitStack() as stack:
        while True:
            try:
                stack.enter_context(locked(place))
                break
            except ValueError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
        yield
