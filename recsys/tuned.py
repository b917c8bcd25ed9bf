"""The settings that `make tune` found, for the chapters: equal random search, validation data only.

They lie in benchmarks/settings.json of the repository, which an installed wheel does not hold.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys import validation

if TYPE_CHECKING:
    import pandas as pd

SETTINGS = Path(__file__).parents[1] / "benchmarks" / "settings.json"


def tuned_settings(log: str, path: Path = SETTINGS) -> dict[str, dict[str, Any]]:
    """The setting of each model with the best validation value on a log, by the model's name.

    Parameters
    ----------
    log : str
        A log as a chapter cuts it, such as "latest-small, last fifth".

    Examples
    --------
    >>> settings = tuned_settings("latest-small, last fifth")
    >>> sorted(settings["ItemKNN"])
    ['n_neighbors', 'shrinkage']
    """
    return {model: entry["setting"] for model, entry in _searches(log, path).items()}


def tuning_table(log: str, path: Path = SETTINGS) -> pd.DataFrame:
    """What the search on a log found: a row per model.

    Columns tries, the number of settings tried; the chosen setting's validation value under the
    name of its metric; setting; and at edge, the hyperparameters chosen in the outer twentieth of
    their range.
    """
    import pandas as pd

    return pd.DataFrame.from_dict(
        {
            model: {
                "tries": entry["n_tries"],
                entry["metric"]: entry["value"],
                "setting": _text(entry["setting"], " "),
                "at edge": _text(entry["at_edge"], ": "),
            }
            for model, entry in _searches(log, path).items()
        },
        orient="index",
    )


def _searches(log: str, path: Path) -> dict[str, dict[str, Any]]:
    """The stored searches of a log, without those that a race needs."""
    if not path.is_file():
        raise ValueError(f"{path.name} is part of the repository and is not installed here")
    stored = json.loads(path.read_text())
    found = {name: entry for name, entry in stored.items() if _is_log(entry)}
    return found[validation.one_of("log", log, sorted(found))]


def _is_log(entry: Any) -> bool:
    """Whether an entry of the file holds searches, not the machine or the defaults."""
    return all(isinstance(each, dict) and "tries" in each for each in entry.values())


def _text(values: dict[str, Any], between: str) -> str:
    return ", ".join(f"{name}{between}{value}" for name, value in values.items())
