"""Progress bars of long work."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from tqdm import tqdm


def progress_bar(steps: Iterable, label: str, show: bool) -> Iterable:
    """`steps`, with a bar once the work has lasted half a second; see `shows_bars`."""
    return tqdm(steps, desc=label, delay=0.5, leave=False, disable=not (show and shows_bars()))


def shows_bars() -> bool:
    """Whether bars are shown: on a terminal and in a notebook, unless TQDM_DISABLE is set."""
    if os.environ.get("TQDM_DISABLE", "0") not in ("", "0"):
        return False
    return in_notebook() or (sys.stderr is not None and sys.stderr.isatty())


def in_notebook() -> bool:
    """Whether a Jupyter kernel runs this code."""
    return "IPython" in sys.modules and hasattr(sys.modules["IPython"].get_ipython(), "kernel")
