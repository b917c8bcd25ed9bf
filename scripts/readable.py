"""An executed notebook as one page of HTML that needs no network and no builder.

The book renders the chapters; this is for the copies that `make capstone` leaves behind. MyST's
directives are turned into plain Markdown, figures get their alt text, and links to other chapters
lead to the repository.
"""

import re
import shutil
import tomllib
from importlib.metadata import files
from pathlib import Path, PurePosixPath
from posixpath import normpath

import nbformat
from nbconvert import HTMLExporter

from execute import ROOT, relative

MATHJAX = "mathjax.js"  # one file, beside the pages
TEMPLATE = """{% extends 'lab/index.html.j2' %}
{% block html_head_js %}{% endblock %}
{% block html_head_js_mermaidjs %}{% endblock %}
{% block data_png scoped %}<div class="jp-RenderedImage jp-OutputArea-output">
<img alt="{{ (output | get_metadata('alt') or '') | e }}"
src="data:image/png;base64,{{ output.data['image/png'] | e }}"></div>{% endblock %}
{% block html_head_js_mathjax %}
<script>MathJax = {tex: {inlineMath: [['$', '$'], ['\\\\(', '\\\\)']], tags: 'ams'}}</script>
<script src="mathjax.js"></script>
<style>main { max-width: 60rem; margin: auto } details { margin: 0 1em 1em }
img { max-width: 100%; height: auto }</style>
{% endblock %}"""
FENCE = re.compile(
    r"^(?P<fence>`{3,}|:{3,})\{(?P<kind>[\w:-]+)\}[ \t]*(?P<title>[^\n]*)\n"
    r"(?P<body>.*?)^(?P=fence)[ \t]*$",
    re.S | re.M,
)


def plain(text: str) -> str:
    """MyST Markdown as Markdown that every reader knows."""
    while (done := FENCE.sub(_directive, text)) != text:
        text = done
    text = re.sub(r"^\([\w:.-]+\)=[ \t]*\n", "", text, flags=re.M)
    text = re.sub(r"\{cite(?::\w+)?\}`([^`]+)`", r"[\1]", text)
    return re.sub(r"\{[\w:-]+\}`([^`<]+?)(?:\s*<[^>`]*>)?`", r"\1", text)


def _directive(found: re.Match) -> str:
    """One directive in words: formulas as formulas, solutions folded away."""
    kind, title = found["kind"], found["title"].strip()
    options = dict(re.findall(r"^:([\w-]+):[ \t]*(.*)$", found["body"], flags=re.M))
    body = re.sub(r"\A(?:[ \t]*:[\w-]+:[^\n]*\n)+", "", found["body"]).strip()
    if kind == "math":
        return f"$$\n{body}\n$$"
    if kind in ("image", "figure"):
        return f"![{options.get('alt', '')}]({title})\n\n{body}"
    if kind == "solution" or "dropdown" in options.get("class", ""):
        return f"<details><summary>{kind.capitalize()}</summary>\n\n{body}\n\n</details>"
    return f"**{kind.capitalize()}{': ' + title if title else ''}**\n\n{body}"


def links(text: str, page: Path, siblings: set[str]) -> str:
    """Links to pages of the same run lead there, the others to the repository."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    folder = PurePosixPath(relative(page)).parent

    def target(found: re.Match) -> str:
        name, anchor = found[1], found[2] or ""
        if re.match(r"[a-z][a-z0-9+.-]*:", name) or not name:
            return found[0]
        if name in siblings:
            return f"]({PurePosixPath(name).with_suffix('.html')}{anchor})"
        path = normpath((folder / name).as_posix())
        return f"]({project['urls']['Repository']}/blob/main/{path}{anchor})"

    return re.sub(r"\]\(([^)\s#]*)(#[^)\s]*)?\)", target, text)


def to_html(notebook: nbformat.NotebookNode, page: Path, siblings: set[str] = frozenset()) -> str:
    """The page of an executed notebook.

    page: where the notebook lies in the repository; siblings: the names of the run's notebooks.
    """
    notebook = nbformat.from_dict(notebook)
    notebook.metadata["title"] = page.stem
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = links(plain(cell.source), page, siblings)
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        for output in cell.get("outputs", []):
            output.setdefault("metadata", {})["alt"] = alt
    exporter = HTMLExporter(raw_template=TEMPLATE)
    return exporter.from_notebook_node(notebook)[0]


def copy_mathjax(folder: Path) -> None:
    """What sets the formulas, from the package that the book takes it from."""
    found = next(f for f in files("sphinx-mathjax-offline") if f.name == "tex-svg-full.js")
    shutil.copyfile(found.locate(), folder / MATHJAX)
