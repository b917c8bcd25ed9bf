"""Write book/api.md, the library at a glance: every public name, one line, one example.

python scripts/api_page.py

The lines are the first of the docstrings. The names and the examples stand in api_examples.txt; a
test runs the examples, and compares the names with those of the library.
"""

import importlib
import inspect
import re
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "book" / "api.md"
EXAMPLES = Path(__file__).with_name("api_examples.txt")
HEAD = """\
# API at a glance

Every public name of the library, what it is, and one example; generated from the code, whose tests
run the examples. Here `data` is a log, `train` and `test` its two parts, `model` a fitted
`ImplicitALS`, `report` what `evaluate` returned, `genres` a matrix of item features, `lists`
recommended items, `policy` the probabilities of actions in each row of a log of actions.
`help(name)` has parameters, shapes, units and errors. [The library in one page](library.md) is a
tour, and the chapters explain the methods.
"""
VALUES = """\
## What a value means to each model

The `value` of an interaction is a rating, a count or a weight. Where it is ignored,
`Interactions.positives(min_value)` keeps the rows that mean a liking. Without values each row
counts 1.
"""


@dataclass
class Section:
    """A heading, the module of its names, and (name, example) of each."""

    title: str
    module: str
    rows: list[tuple[str, str]] = field(default_factory=list)

    def __str__(self) -> str:
        module = importlib.import_module(self.module)
        entries = [f"`{name}`\n: {summary(module, name)}\n\n  `{code}`" for name, code in self.rows]
        return "\n\n".join([f"## {self.title}\n\nfrom `{self.module}`", *entries])


def sections() -> list[Section]:
    """What api_examples.txt holds."""
    found: list[Section] = []
    for line in EXAMPLES.read_text(encoding="utf-8").splitlines():
        first, _, second = line.removeprefix("## ").partition(" | ")
        if line.startswith("## "):
            found.append(Section(first, second))
        elif second and not line.startswith("#"):
            found[-1].rows.append((first, second))
    return found


def summary(module: object, name: str) -> str:
    """The first sentence of a docstring, its formulas in the form of the page."""
    paragraph = inspect.getdoc(attrgetter(name)(module)).split("\n\n")[0]
    text = re.sub(r":math:`([^`]+)`", r"$\1$", " ".join(paragraph.split()))
    return re.sub(r"``?([^`]+)``?", r"`\1`", text)


def table_of_values() -> str:
    """The table in the docstring of `recsys.models`, in the form of the page."""
    lines = importlib.import_module("recsys.models").__doc__.splitlines()
    rules = [number for number, line in enumerate(lines) if line.startswith("====")]
    columns = [re.split(r"\s{2,}", line) for line in lines[rules[0] + 1 : rules[2]]]
    rows = [" | ".join(cells) for cells in columns if not cells[0].startswith("=")]
    return "\n".join(f"| {row} |" for row in [rows[0], "--- | --- | ---", *rows[1:]])


def page() -> str:
    """The whole page."""
    parts = [HEAD.rstrip(), *map(str, sections()), VALUES.rstrip(), table_of_values()]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
