"""Promotion to production, and rollback.

A candidate replaces the version in production only if it orders the same held-out impressions
significantly better: the 95 % confidence interval of the paired difference lies above zero (see
`newsreco.tracking.gate`). Every decision is recorded, refusals included.
"""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from newsreco.config import ALIAS, REGISTERED_MODEL
from newsreco.evaluation.impressions import check_metric
from newsreco.files import locked
from newsreco.tracking.client import mlflow_client, tracking_uri
from newsreco.tracking.gate import Comparison, Refused, compare_models
from newsreco.tracking.history import history, record_decision
from newsreco.tracking.registry import (
    find_production,
    load_version,
    production_version,
    versions,
)

if TYPE_CHECKING:
    from newsreco.data import NewsLog

LOCK_TIMEOUT = 10.0  # seconds to wait for another decision to end


def promote(
    version: int,
    log: NewsLog | None = None,
    metric: str = "ranker_auc",
    uri: str | None = None,
    name: str = REGISTERED_MODEL,
    force: bool = False,
    why: str = "",
) -> Comparison:
    """Put a version into production if it is better than the one there.

    Parameters
    ----------
    version : int
    log : NewsLog, optional
        To evaluate both on; required unless production is empty, or with `force`.
    metric : str
        "ranker_auc", "ranker_mrr", "ranker_ndcg_at_5" or "ranker_ndcg_at_10".
    force : bool
        Promote without proof; recorded with user, time and `why`.
    why : str

    Raises
    ------
    Refused
        The interval does not lie above zero; recorded, and production stays.
    ValueError
        The models cannot be compared, or production has changed in the meantime.
    """
    check_metric(metric)
    production = production_version(uri, name)
    if version == production:
        raise ValueError(f"version {version} of {name!r} is in production already")
    comparison = _compare(version, production, log, metric, uri, name, force)
    forced = force and not comparison.passes
    details = {"why": why, "forced": forced, **_numbers(comparison)}
    if not comparison.passes and not force:
        with mlflow_client(uri) as mlflow:
            client = mlflow.MlflowClient()
            record_decision(client, name, "refused", version, production, details)
        raise Refused(comparison)
    _switch(uri, name, "forced" if forced else "promoted", version, production, details)
    return comparison


def _compare(version, production, log, metric, uri, name, force) -> Comparison:
    """The comparison of the two versions; with `force`, an empty one if there can be none."""
    model = load_version(version, uri, name)
    if production is None:
        return Comparison(version, None, metric)
    try:
        if log is None:
            raise ValueError(
                f"log is needed (--data in a terminal): version {version} must outperform "
                f"version {production} on it"
            )
        found = compare_models(model, load_version(production, uri, name), log, metric)
    except ValueError:
        if not force:
            raise
        found = ()
    return Comparison(version, production, metric, *found)


def _numbers(comparison: Comparison) -> dict:
    """The comparison's numbers for the history; none if nothing was evaluated."""
    if not comparison.impressions:
        return {}
    numbers = {key: round(getattr(comparison, key), 6) for key in ("difference", "low", "high")}
    return {"metric": comparison.metric, **numbers, "users": comparison.users}


def rollback(uri: str | None = None, name: str = REGISTERED_MODEL, why: str = "") -> int:
    """Put the previous version back into production; returns its number.

    A second rollback goes one version further back. The version must still load; those that were
    deleted are passed over, also where it is production that was deleted.
    """
    current = production_version(uri, name)
    with mlflow_client(uri) as mlflow:
        kept = versions(mlflow.MlflowClient(), name)
    before = [v for v in _production_versions(history(uri, name), current) if v in kept]
    if not before:
        now = "" if current is None else f" before {current}"
        raise ValueError(f"{name!r} has no version that was in production{now} and still exists")
    load_version(before[-1], uri, name)
    _switch(uri, name, "rolled back", before[-1], current, {"why": why})
    return before[-1]


def _production_versions(decisions: pd.DataFrame, current: int | None) -> list[int]:
    """The versions in production before the current one; a rollback removes those after its own.

    The current one is None if it was deleted; then all count.
    """
    order: list[int] = []
    for _, row in decisions[decisions["action"] != "refused"].iterrows():
        if row["action"] == "rolled back" and row["version"] in order:
            while order[-1] != row["version"]:
                order.pop()
        else:
            order.append(int(row["version"]))
    if current is None:
        return order
    while order and order[-1] != current:  # recorded, but the alias was never moved
        order.pop()
    return order[:-1]


def _switch(uri, name, action, version, expected, details) -> None:
    """Move the alias, unless production is no longer the `expected` version."""
    with _lock(uri, name), mlflow_client(uri) as mlflow:
        client = mlflow.MlflowClient()
        current = find_production(client, name)
        if current != expected:
            raise ValueError(
                f"production has changed from version {expected} to {current} meanwhile: "
                "decide again"
            )
        record_decision(client, name, action, version, expected, details)
        client.set_registered_model_alias(name, ALIAS, str(version))


def _lock(uri: str | None, name: str) -> contextlib.AbstractContextManager[None]:
    """One decision at a time on this machine.

    Nothing locks between machines. There, the second look at production just before the alias
    moves prevents most conflicts, and both decisions stay recorded.
    """
    key = hashlib.sha256(f"{tracking_uri(uri)} {name}".encode()).hexdigest()[:16]
    return locked(Path(tempfile.gettempdir()) / f"newsreco-{key}", LOCK_TIMEOUT)
