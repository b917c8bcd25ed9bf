"""A directive of the book's pages that shows what a cell of a chapter printed or drew.

    ```{stored-output} notebooks/05_content 04ccfe7d
    :lines: 3
    ```

The page takes it from the notebook's stored output, which the tests compare with a new run, so that
no page repeats a number by hand. A cell that is not there, or printed nothing, is an error.
"""

from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parents[1]


def stored(chapter: str, cell_id: str) -> tuple[str, str | None, str]:
    """(text, picture as base64 or None, its alt text) of a cell, from the stored outputs.

    ValueError where the chapter has no such cell, or the cell has no output.
    """
    notebook = nbformat.read(ROOT / f"{chapter}.ipynb", as_version=4)
    cell = next((cell for cell in notebook.cells if cell.id == cell_id), None)
    if cell is None or not cell.get("outputs"):
        raise ValueError(f"{chapter} has no output of a cell {cell_id!r}")
    pictures = [o.data["image/png"] for o in cell.outputs if "image/png" in o.get("data", {})]
    texts = [o.get("text") or o.get("data", {}).get("text/plain", "") for o in cell.outputs]
    text = "\n".join(text.rstrip() for text in texts)
    alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
    return text, next(iter(pictures), None), alt


class StoredOutput(SphinxDirective):
    """`chapter` and the cell's `id`; a picture where the cell drew one, otherwise the text."""

    required_arguments = 2
    option_spec = {"lines": directives.positive_int}

    def run(self) -> list[nodes.Node]:
        chapter, cell_id = self.arguments
        self.env.note_dependency(str(ROOT / f"{chapter}.ipynb"))
        try:
            text, picture, alt = stored(chapter, cell_id)
        except (OSError, ValueError) as error:
            raise ExtensionError(str(error)) from error
        if picture:
            data = "".join(picture.split())
            uri = f"data:image/png;base64,{data}"
            return [nodes.image(uri=uri, alt=alt, candidates={}, classes=["mb-4"])]
        shown = "\n".join(text.splitlines()[: self.options.get("lines")])
        return [nodes.literal_block("", shown, language="none", classes=["stored-output"])]


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the directive known to Sphinx."""
    app.add_directive("stored-output", StoredOutput)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
