"""The decision history: versions promoted, refused, forced and rolled back, by whom, when and why.

Each decision is a tag of the registered model under a unique name, so that simultaneous decisions
are both kept and none is overwritten.
"""

from __future__ import annotations

import getpass
import json
import time
import uuid

import pandas as pd

from newsreco.config import REGISTERED_MODEL
from newsreco.output import json_text
from newsreco.tracking.client import mlflow_client
from newsreco.tracking.registry import registered_model

PREFIX = "history."
RESTORED = {"rolled back": "restored"}  # decision on the version that is back in production


def history(uri: str | None = None, name: str = REGISTERED_MODEL) -> pd.DataFrame:
    """Every decision, oldest first: `action`, `version`, `before`, `by`, `at`, `why`, numbers."""
    with mlflow_client(uri) as mlflow:
        tags = registered_model(mlflow.MlflowClient(), name).tags
    decisions = sorted((key, text) for key, text in tags.items() if key.startswith(PREFIX))
    rows = [json.loads(text) for _, text in decisions]
    columns = ["action", "version", "before", "by", "at", "why", "forced"]
    columns += ["metric", "difference", "low", "high", "users"]
    table = pd.DataFrame(rows, columns=columns)
    return table.astype({"version": int, "before": "Int64"})


def record_decision(
    client, name: str, action: str, version: int, before: int | None, details: dict
) -> None:
    """Record one decision, under a unique name of time and random number."""
    at = time.time_ns()
    decision = {"action": action, "version": version, "before": before, "by": current_user()}
    decision |= {"at": f"{pd.Timestamp(at).floor('s').isoformat()}Z", **details}
    text = json_text(decision)
    client.set_registered_model_tag(name, f"{PREFIX}{at:020d}.{uuid.uuid4().hex[:8]}", text)
    client.set_model_version_tag(name, str(version), "decision", RESTORED.get(action, action))
    client.set_model_version_tag(name, str(version), f"decision.{action}", text)
    if action in RESTORED and before is not None:
        client.set_model_version_tag(name, str(before), "decision", action)


def current_user() -> str:
    """Name of the operating system's user."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return "unknown"
