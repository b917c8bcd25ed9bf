"""Show source code as it is, so that the page and the code that runs cannot disagree."""

from __future__ import annotations

import inspect
import sys
import textwrap
from typing import Any


class Source:
    """Source code that a notebook renders with colours and a terminal prints."""

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
    source = Source("\n\n".join(_source(thing) for thing in objects))
    if "IPython" in sys.modules and sys.modules["IPython"].get_ipython() is not None:
        sys.modules["IPython"].display.display(source)
    else:
        print(source)


def _source(thing: Any) -> str:
    thing = getattr(thing, "py_func", thing)  # what Numba compiled
    try:
        return textwrap.dedent(inspect.getsource(thing)).rstrip()
    except (TypeError, OSError):
        raise ValueError(
            f"show needs a function, class or module with source, got {thing!r}"
        ) from None
