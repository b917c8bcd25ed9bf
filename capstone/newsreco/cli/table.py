"""A table for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from newsreco.output import say, visible


def say_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print columns under their headings; whole and decimal numbers are aligned to the right.

    Parameters
    ----------
    head : sequence of str
    rows : sequence of sequence
        Text, int, or float, which is shown with three decimals.
    """
    cells = [[f"{one:.3f}" if isinstance(one, float) else visible(one) for one in r] for r in rows]
    widths = [max(map(len, column)) for column in zip(head, *cells)]
    right = [isinstance(one, (int, float)) for one in (rows[0] if rows else head)]
    for line in (list(head), *cells):
        fitted = [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(line, widths, right)]
        say("  ".join(fitted).rstrip())
