"""Find the links of a Markdown text that lead nowhere in the repository."""

import functools
import re
from pathlib import Path
from urllib.parse import unquote

import nbformat

from conventions import without_code

LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
LABEL = re.compile(
    r"^\(([\w:.-]+)\)=|^:(?:label|name):[ \t]*([\w:.-]+)|\{#([\w:.-]+)\}|\bid=\"([\w:.-]+)\"",
    re.M,
)


def read_text(path: Path) -> str:
    """The Markdown of a page, be it a .md file or the text cells of a notebook."""
    if path.suffix == ".ipynb":
        cells = nbformat.read(path, as_version=4).cells
        return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return path.read_text(encoding="utf-8")


def slug(title: str) -> str:
    """The anchor of a heading, as GitHub and MyST form it."""
    title = re.sub(r"[`*]|\]\([^)]*\)|\{[\w:-]+\}", "", title.strip().lower())
    return re.sub(r"[^\w\- ]", "", title).replace(" ", "-")


@functools.cache
def anchors(path: Path) -> frozenset[str]:
    """Everything in a page that a #link may name."""
    text = read_text(path)
    plain = re.sub(r"^(`{3,})[^{\n]*\n.*?^\1[ \t]*$", " ", text, flags=re.S | re.M)
    slugs = [slug(title) for title in re.findall(r"^#{1,6}[ \t]+(.+)$", plain, flags=re.M)]
    labels = [name for names in LABEL.findall(text) for name in names if name]
    return frozenset(slugs + labels)


def broken_links(text: str, page: Path, labels: frozenset[str] = frozenset()) -> list[str]:
    """The relative links in `text`, as it stands in `page`, whose file or anchor is not there.

    labels: names that any page of the book may use, such as those of exercises.
    """
    problems = []
    for target in LINK.findall(without_code(text)):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / unquote(name)).resolve() if name else page
        if not path.exists():
            problems.append(f"{target}: there is no such file")
        elif anchor and path.suffix in {".md", ".ipynb"}:
            known = anchors(path) | (labels if not name else frozenset())
            if anchor not in known:
                problems.append(f"{target}: there is no such anchor")
    return problems
