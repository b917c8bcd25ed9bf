"""The decisions on versions: promoted, refused, forced, rolled back, each by whom, when and why.

Each is a tag of the registered model under a name of its own, so that two people who decide at
once lose nothing, and no decision is ever written over.
"""

from __future__ import annotations

import getpass
import json
import time
import uuid

import pandas as pd

from newsreco.config import REGISTERED_MODEL
from newsreco.tracking.client import mlflow_client
from newsreco.tracking.registry import registered

HISTORY = "history."
RESTORED = {"rolled back": "restored"}  # what happened to the version that serves again


def history(uri: str | None = None, name: str = REGISTERED_MODEL) -> pd.DataFrame:
    """Every decision, oldest first: `action`, `version`, `before`, `by`, `at`, `why`, numbers."""
    with mlflow_client(uri) as mlflow:
        tags = registered(mlflow.MlflowClient(), name).tags
    kept = sorted((key, text) for key, text in tags.items() if key.startswith(HISTORY))
    rows = [json.loads(text) for _, text in kept]
    columns = ["action", "version", "before", "by", "at", "why", "forced"]
    columns += ["metric", "gap", "low", "high", "users"]
    table = pd.DataFrame(rows, columns=columns)
    return table.astype({"version": int, "before": "Int64"})


def write(client, name: str, action: str, version: int, before: int | None, record: dict) -> None:
    """One decision, under a name that no other has: its moment and a random number."""
    at = time.time_ns()
    told = {"action": action, "version": version, "before": before, "by": who()}
    told |= {"at": f"{pd.Timestamp(at).floor('s').isoformat()}Z", **record}
    text = json.dumps(told)
    client.set_registered_model_tag(name, f"{HISTORY}{at:020d}.{uuid.uuid4().hex[:8]}", text)
    client.set_model_version_tag(name, str(version), "decision", RESTORED.get(action, action))
    client.set_model_version_tag(name, str(version), f"decision.{action}", text)
    if action in RESTORED and before is not None:
        client.set_model_version_tag(name, str(before), "decision", action)


def who() -> str:
    """The person who runs this."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may have no such person
        return "unknown"
