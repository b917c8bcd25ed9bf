"""An extension of the book's builder: what a screen reader is told agrees with what is seen.

The pages of theme and notebooks have faults that axe-core finds: the titles of icons and the
search's shortcut count as part of a button's name, hidden cells have another name than they show,
and the entries of the bibliography are no items of their list.
"""

import re
from pathlib import Path

from sphinx.application import Sphinx

REPAIRS = [
    (r'(<i class="theme-switch [^>]*?) *title="[^"]*"', r"\1"),  # the icon's, not the button's
    (r'(<button class="btn search-button-field[^>]*?) title="Search" aria-label="Search"', r"\1"),
    (r'<summary aria-label="Toggle hidden content"', "<summary"),
    (r'(<div class="citation" id="[^"]*" role=)"doc-biblioentry"', r'\1"listitem"'),
]


def repaired(page: str) -> str:
    """The HTML of a page without these faults."""
    for pattern, better in REPAIRS:
        page = re.sub(pattern, better, page)
    return page


def repair_pages(app: Sphinx, error: Exception | None) -> None:
    """Repair all pages when they have been written."""
    if error is None and app.builder.format == "html":
        for path in Path(app.outdir).rglob("*.html"):
            path.write_text(repaired(path.read_text(encoding="utf-8")), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("build-finished", repair_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
