"""Every setting of newsreco, each with its default, read from the environment when asked for.

A variable that is empty counts as not set. Command-line options and arguments go first.
"""

from __future__ import annotations

import os
from typing import Literal

from pydantic import Field, PositiveFloat, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

EXPERIMENT = "newsreco"  # MLflow's experiment of the trainings
SVD_EXPERIMENT = "newsreco-svd"
REGISTERED_MODEL = "newsreco"
ALIAS = "production"  # the version that serves

MLFLOW_DEFAULTS = {  # MLflow's own variables; a value that is set already stays
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}


class Config(BaseSettings):
    """Settings from the environment; `database_url` is NEWSRECO_DATABASE_URL, and so on."""

    model_config = SettingsConfigDict(
        env_prefix="NEWSRECO_", env_ignore_empty=True, frozen=True, hide_input_in_errors=True
    )

    database_url: str = "sqlite:///newsreco.db"
    database_connect_timeout: PositiveFloat = 10.0  # seconds, PostgreSQL
    database_lock_timeout: PositiveFloat = 30.0  # seconds to wait for another writer, SQLite
    max_loss: float = Field(0.2, ge=0, le=1)  # fraction of lines, entries or clicks lost in data
    tracking_uri: str = Field("sqlite:///mlflow.db", validation_alias="MLFLOW_TRACKING_URI")
    tracking_timeout: PositiveFloat = 5.0  # seconds in which MLflow's store must answer
    claude_model: str = "claude-haiku-5-5"
    anthropic_api_key: SecretStr = Field(SecretStr(""), validation_alias="ANTHROPIC_API_KEY")
    api_key: SecretStr = SecretStr("")  # of writes and admin; a random one by default
    use_registry: bool = False  # serve the version in production instead of the home's bundle
    events_url: str = ""  # database of events; a file in the home by default
    explore: float = Field(0.05, ge=0, le=1)  # probability that a list's last position is random
    poll_seconds: PositiveFloat = 10.0  # between looks for a new version in production
    rate_limit: PositiveFloat = 30.0  # requests per second of one client, in the long run
    cors_origins: str = ""  # origins that may read the API, separated by commas
    ui: str = ""  # folder of the built web app; the one beside the package by default
    index: Literal["exact", "faiss", "qdrant"] = "exact"  # of candidate generation by content
    # Server of the index qdrant; in process by default. Each process has its own collection and
    # uploads all vectors for each batch of new articles; one that is killed leaves it behind.
    qdrant_url: str = ""
    qdrant_api_key: SecretStr = SecretStr("")
    results: str = ""  # file that collects a notebook's results; none by default


def read_config() -> Config:
    """The settings as the environment has them now; ValueError names a variable that is wrong."""
    try:
        return Config()
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"setting {first['loc'][0]}: {first['msg']}") from None


def set_mlflow_defaults() -> None:
    """Set what MLflow reads from the environment, where it is not set."""
    for name, value in MLFLOW_DEFAULTS.items():
        os.environ.setdefault(name, value)
