"""Showing source code in a notebook: the code on the page is the code that runs."""

from __future__ import annotations

import inspect
import sys
import textwrap
from typing import Any


class Source:
    """Source code, coloured in a notebook and as text on a terminal."""

    def __init__(self, text: str):
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return f"```python\n{self.text}\n```"


def show(*objects: Any) -> None:
    """Print the source of functions, classes or modules, compiled ones too.

    >>> from recsys.metrics import auc
    >>> show(auc)  # doctest: +ELLIPSIS
    def auc(labels: Any, scores: Any) -> float:
    ...
    """
    if not objects:
        raise ValueError("show needs at least one function, class or module, got none")
    source = Source("\n\n".join(_source(item) for item in objects))
    if "IPython" in sys.modules and sys.modules["IPython"].get_ipython() is not None:
        sys.modules["IPython"].display.display(source)
    else:
        print(source)


def _source(item: Any) -> str:
    item = getattr(item, "py_func", item)  # of a function compiled by Numba
    try:
        return textwrap.dedent(inspect.getsource(item)).rstrip()
    except (TypeError, OSError):
        raise ValueError(
            f"show needs a function, class or module with source, got {item!r}"
        ) from None
