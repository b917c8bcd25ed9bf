"""Provenance: the code and the libraries that made a model."""

from __future__ import annotations

import subprocess
from pathlib import Path

import newsreco
import recsys
from newsreco.models.bundle import Settings
from recsys.version import installed_version

SERVED = ("numpy", "scipy", "numba", "pandas", "tqdm")  # needed to read and serve a bundle
LIBRARIES = (*SERVED, "lightgbm", "mlflow")
SOURCES = [Path(package.__file__).parent for package in (newsreco, recsys)]


def code_version() -> str:
    """Commit of this package's source, with "+changed" if its files differ from the commit.

    Without a repository, as after an installation, the package's version.
    """
    commit = _git("rev-parse", "--short=12", "HEAD")
    if not commit or not _git("ls-files", "--", __file__):
        return f"version {newsreco.__version__}"
    changed = _git("status", "--porcelain", "--", *map(str, SOURCES))
    return f"{commit}+changed" if changed else commit


def _git(*arguments: str) -> str:
    """Output of git; empty without git or a repository."""
    command = ["git", "-C", str(SOURCES[0]), *arguments]
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=10, check=True
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def libraries() -> dict[str, str]:
    """Versions of the installed libraries, by name."""
    versions = {"newsreco": newsreco.__version__, "recsys": recsys.__version__}
    return versions | _installed(LIBRARIES)


def requirements(settings: Settings) -> list[str]:
    """Packages needed to serve a model, as "name==version"."""
    names = [*SERVED, "recsys-course"]
    if settings.ranker == "lambdamart":
        names.append("lightgbm")
    if settings.embedder == "sentence":
        names.append("sentence-transformers")
    return [f"{name}=={version}" for name, version in _installed(names).items()]


def _installed(names) -> dict[str, str]:
    return {name: version for name in names if (version := installed_version(name))}
