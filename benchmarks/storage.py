"""Files of results: written in one step, with the machine that they come from."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("numpy", "scipy", "numba", "pandas", "polars")
RIVALS = ("implicit", "lightfm-next", "ranx", "ir-measures", "scikit-surprise")


def read(path: Path) -> dict[str, Any]:
    """The stored results; none where there is no file yet."""
    return json.loads(path.read_text()) if path.is_file() else {}


def store(results: dict[str, Any], path: Path) -> None:
    """Write the results in one step, so that an interruption leaves the old file."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(results, indent=1) + "\n")
    draft.replace(path)


def machine(packages: tuple[str, ...] = PACKAGES + RIVALS) -> dict[str, Any]:
    """What the results were measured on."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = cpuinfo.read_text().splitlines()
        names = [line.split(":")[1].strip() for line in lines if "model name" in line]
        model = names[0] if names else model
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages if installed(name)},
    }


def installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True
