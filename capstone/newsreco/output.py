"""What leaves the program: text that no terminal executes, and JSON that every parser reads.

Titles, ids and reasons come from files that others wrote. A terminal obeys the control characters
in a text, XML forbids them, and JSON has no NaN. Everything that is printed, drawn or written as
JSON goes through one of these functions.
"""

from __future__ import annotations

import json
import math
import re
import sys
from typing import Any, TextIO

CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # but tab and line feed
    "\u2028\u2029\u202a-\u202e\u2066-\u2069"  # line ends and changes of direction
    "\ud800-\udfff\ufffe\uffff]"  # no characters of their own
)


def visible(text: object) -> str:
    r"""The text with every control character written out, as Python writes it.

    >>> visible("a title\x1b[2J")
    'a title\\x1b[2J'
    """
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), str(text))


def say(*words: object, file: TextIO | None = None) -> None:
    """Print words to a terminal, stdout by default, with their control characters written out."""
    print(*map(visible, words), file=file or sys.stdout)


def json_text(value: Any, indent: int | None = None) -> str:
    """A value as JSON, where a number that is not finite is null.

    Parameters
    ----------
    value : number, str, bool, None, list, tuple, dict or NumPy array, in each other
    indent : int, optional
        As for `json.dumps`.

    Raises
    ------
    ValueError
        If the value holds what JSON cannot.
    """
    return json.dumps(_to_json(value), indent=indent, allow_nan=False)


def _to_json(value: Any) -> Any:
    """The value in JSON's types: NumPy numbers and arrays have `tolist`."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, dict):
        return {str(key): _to_json(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_to_json(one) for one in value]
    raise ValueError(f"JSON holds numbers, texts, lists and dicts, got {type(value).__name__}")
