"""Figures that a notebook hands over to whoever runs it, such as `make capstone`.

The file named by the environment variable NEWSRECO_RESULTS gets one line of JSON a figure.
Where the variable is not set, as when a person runs the notebook, nothing is written.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from newsreco.config import read_config


def record(name: str, value: Any) -> None:
    """Hand over one figure.

    Parameters
    ----------
    name : str
        Such as "ranker_auc"; of two with the same name the later one counts.
    value : number, str, bool, None, list, tuple, dict or NumPy array
        What JSON can hold. A number that is not finite becomes null.

    Raises
    ------
    ValueError
        The name is empty, or the value holds something that JSON cannot.
    """
    if not isinstance(name, str) or not name:
        raise ValueError(f"name must be a word such as 'ranker_auc', got {name!r}")
    line = json.dumps({"name": name, "value": _plain(name, value)}, ensure_ascii=False)
    if path := read_config().results:
        with open(path, "a", encoding="utf-8") as file:
            file.write(line + "\n")


def read(path: str | Path) -> dict[str, Any]:
    """The metrics of a file that `record` wrote, by name; none where there is no file."""
    path = Path(path)
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {figure["name"]: figure["value"] for figure in map(json.loads, lines)}


def _plain(name: str, value: Any) -> Any:
    """The value in the types of JSON: NumPy's numbers and arrays have `tolist`."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(name, one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(name, one) for one in value]
    raise ValueError(f"{name} must be a number, text, list or dict, got {type(value).__name__}")
