"""One section of a report: a heading, a sentence, a table, and a figure of the same values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Section:
    """`figure` is an SVG; `alt` says in words what it shows."""

    key: str
    title: str
    text: str
    table: pd.DataFrame | None = None
    figure: str = ""
    alt: str = ""


def with_interval(mean: float, low: float, high: float, sign: str = "") -> str:
    """A mean and its interval, such as "0.612 (0.601 to 0.623)"."""
    return f"{mean:{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})"


def alt_text(what: str, values: pd.Series, form: str = ".3f") -> str:
    """What a figure shows, in words: its name and all its values."""
    return f"{what}: " + ", ".join(f"{name} {value:{form}}" for name, value in values.items())
