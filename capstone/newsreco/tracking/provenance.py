"""Which code, with which libraries, made a model."""

from __future__ import annotations

import subprocess
from importlib import metadata
from pathlib import Path

import newsreco
import recsys
from newsreco.models.bundle import Settings

SERVED = ("numpy", "scipy", "numba", "pandas", "tqdm")  # what reading and running a bundle needs
LIBRARIES = (*SERVED, "lightgbm", "mlflow")
SOURCES = [Path(package.__file__).parent for package in (newsreco, recsys)]


def code_version() -> str:
    """The commit of this package's source; with "+changed" where files differ from it.

    Where the source is in no repository, as after an installation, the package's version.
    """
    commit = _git("rev-parse", "--short=12", "HEAD")
    if not commit or not _git("ls-files", "--", __file__):
        return f"version {newsreco.__version__}"
    changed = _git("status", "--porcelain", "--", *map(str, SOURCES))
    return f"{commit}+changed" if changed else commit


def _git(*arguments: str) -> str:
    """What git prints; empty where there is no git, or no repository."""
    command = ["git", "-C", str(SOURCES[0]), *arguments]
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=10, check=True
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def libraries() -> dict[str, str]:
    """Installed versions, by name; those that are not installed are left out."""
    found = {"newsreco": newsreco.__version__, "recsys": recsys.__version__}
    for name in LIBRARIES:
        version = _version(name)
        if version:
            found[name] = version
    return found


def requirements(settings: Settings) -> list[str]:
    """What pip must install where a model is served, as "name==version"."""
    needed = [*SERVED, "recsys-course"]
    if settings.ranker == "lambdamart":
        needed.append("lightgbm")
    if settings.embedder == "sentence":
        needed.append("sentence-transformers")
    return [f"{name}=={version}" for name in needed if (version := _version(name))]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
