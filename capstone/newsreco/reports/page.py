"""The model's report: one page of HTML that needs nothing else, and the same in Markdown.

Everything in it comes from a training's result. Nothing in it says when it was written, so the
same training gives the same bytes. Names of categories come from the data, which anybody may have
written: they are shown, never run.
"""

from __future__ import annotations

import base64
import html
from pathlib import Path
from typing import TYPE_CHECKING

from newsreco.files import write_text
from newsreco.reports.sections import Part, parts

if TYPE_CHECKING:
    import pandas as pd

    from newsreco.training import Result

TITLE = "Report of a news recommender"
CSS = """:root{color-scheme:light dark;--page:#fff;--ink:#1f2328;--line:#d0d7de;--quiet:#59636e}
@media (prefers-color-scheme:dark){
:root{--page:#0d1117;--ink:#e6edf3;--line:#3d444d;--quiet:#9198a1}}
body{background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif;margin:0 auto;
max-width:60rem;padding:1rem}p{max-width:48rem}h1,h2{line-height:1.2}h2{margin-top:2.5rem}
div{overflow-x:auto}table{border-collapse:collapse}
th,td{border-bottom:1px solid var(--line);padding:.3rem .8rem;text-align:right}
th:first-child,td:first-child{text-align:left}td{white-space:nowrap}
.data td{text-align:left;white-space:normal}th{font-weight:600}
tbody th{font-weight:400;min-width:min(9rem,35vw)}thead th{color:var(--quiet)}
img{max-width:100%;height:auto;margin-top:1rem}"""


def write_report(result: Result, folder: str | Path) -> Path:
    """Write report.md with its figures, and report.html, into a folder; returns the HTML's path.

    Parameters
    ----------
    result : Result
        Of `newsreco.training.train`.
    folder : path
        Made if need be. Each file is replaced as a whole.
    """
    folder = Path(folder)
    made = parts(result)
    for part in made:
        if part.figure:
            write_text(folder / f"{part.key}.svg", part.figure)
    write_text(folder / "report.md", to_markdown(made))
    write_text(folder / "report.html", to_html(made))
    return folder / "report.html"


def to_markdown(made: list[Part]) -> str:
    """The report with its figures as files beside it."""
    blocks = [f"# {TITLE}"]
    for part in made:
        blocks += [f"## {part.title}", part.text]
        if part.table is not None:
            blocks.append(_markdown_table(part.table))
        if part.figure:
            blocks.append(f"![{_quiet(part.alt)}]({part.key}.svg)")
    return "\n\n".join(blocks) + "\n"


def _markdown_table(table: pd.DataFrame) -> str:
    names = ["", *map(str, table.columns)]
    lines = [names, ["---", *["---:"] * len(table.columns)]]
    lines += [[str(name), *map(str, row)] for name, row in zip(table.index, table.to_numpy())]
    return "\n".join("| " + " | ".join(map(_quiet, line)) + " |" for line in lines)


def _quiet(text: str) -> str:
    """Text that Markdown shows as it is: no cell, link, image or tag begins in it."""
    for mark in "\\|[]*_`":  # the backslash first
        text = text.replace(mark, f"\\{mark}")
    return html.escape(" ".join(text.split()), quote=False)


def to_html(made: list[Part]) -> str:
    """The report as one file, its figures in it; no script, nothing fetched."""
    body = [f"<h1>{TITLE}</h1>"]
    for part in made:
        body.append(f"<section class={part.key}><h2>{html.escape(part.title)}</h2>")
        body.append(f"<p>{html.escape(part.text)}</p>")
        if part.table is not None:
            body.append(f"<div>{_html_table(part.table)}</div>")
        if part.figure:
            picture = base64.b64encode(part.figure.encode()).decode()
            alt = html.escape(part.alt)
            body.append(f'<img alt="{alt}" src="data:image/svg+xml;base64,{picture}">')
        body.append("</section>")
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    head += f"<title>{TITLE}</title><style>{CSS}</style>"
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>'
        + "\n".join(body)
        + ("\n</body></html>\n")
    )


def _html_table(table: pd.DataFrame) -> str:
    cells = "".join(f'<th scope="col">{html.escape(str(name))}</th>' for name in table.columns)
    rows = [f"<thead><tr><td></td>{cells}</tr></thead><tbody>"] if any(table.columns) else []
    for name, row in zip(table.index, table.to_numpy()):
        cells = "".join(f"<td>{html.escape(str(value))}</td>" for value in row)
        rows.append(f'<tr><th scope="row">{html.escape(str(name))}</th>{cells}</tr>')
    return "<table>" + "".join(rows) + "</tbody></table>"
