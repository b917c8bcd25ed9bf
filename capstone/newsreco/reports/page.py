"""The model's report: one HTML page that needs no other file, and the same in Markdown.

The same result gives the same bytes: nothing depends on when the report was written. Names of
categories come from the data and are not trusted: they are escaped, and never executed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from newsreco.reports import diagnostics, metrics, overview
from newsreco.reports.render import render
from newsreco.reports.section import Section
from recsys.files import write_text

if TYPE_CHECKING:
    from newsreco.training import Result


def write_report(result: Result, folder: str | Path) -> Path:
    """Write report.md with its figures, and report.html, into a folder; returns the HTML's path.

    Parameters
    ----------
    result : Result
        From `newsreco.training.train`.
    folder : path
        Made if it does not exist. Each file is replaced as a whole.
    """
    folder = Path(folder)
    found = sections(result)
    for section in found:
        if section.figure:
            write_text(folder / f"{section.key}.svg", section.figure)
    for name in ("report.md", "report.html"):
        write_text(folder / name, render(name, sections=found))
    return folder / "report.html"


def sections(result: Result) -> list[Section]:
    """All sections in reading order, without those that the result has no values for."""
    found = [
        overview.summary(result),
        overview.data(result),
        metrics.models(result),
        metrics.lists(result),
        diagnostics.calibration(result),
        *metrics.groups(result),
        diagnostics.weights(result),
        diagnostics.steps(result),
    ]
    return [section for section in found if section is not None]
