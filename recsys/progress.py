"""Progress bars of long work."""

from __future__ import annotations

from collections.abc import Iterable

from tqdm import tqdm


def progress_bar(steps: Iterable, label: str, show: bool) -> Iterable:
    """`steps`, with a bar on a terminal once the work has lasted half a second."""
    return tqdm(steps, desc=label, delay=0.5, leave=False, disable=None if show else True)
