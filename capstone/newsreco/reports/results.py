"""Results that a notebook records for the program that runs it, such as `make capstone`.

The file named by the setting NEWSRECO_RESULTS gets one line of JSON per result. If it is not
set, as when the notebook is run by hand, nothing is written.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from newsreco.config import read_config
from newsreco.output import json_text


def record(name: str, value: Any) -> None:
    """Record one result.

    Parameters
    ----------
    name : str
        Such as "ranker_auc"; a later result of the same name replaces it.
    value : number, str, bool, None, list, tuple, dict or NumPy array
        A number that is not finite becomes null.

    Raises
    ------
    ValueError
        If the name is empty, or the value holds what JSON cannot.
    """
    if not isinstance(name, str) or not name:
        raise ValueError(f"name must be a word such as 'ranker_auc', got {name!r}")
    try:
        line = json_text({"name": name, "value": value})
    except ValueError as error:
        raise ValueError(f"{name} must be what JSON can hold: {error}") from None
    if path := read_config().results:
        with open(path, "a", encoding="utf-8") as file:
            file.write(line + "\n")


def read(path: str | Path) -> dict[str, Any]:
    """The results in a file that `record` wrote, by name; empty if there is no file."""
    path = Path(path)
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {result["name"]: result["value"] for result in map(json.loads, lines)}
