"""Rendering of the templates in `templates/`, by Jinja2."""

from __future__ import annotations

import base64
import html
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from newsreco.output import visible


def render(name: str, **values: Any) -> str:
    """The template NAME.j2 with these values; HTML is escaped, control characters written out."""
    environment = Environment(
        loader=PackageLoader("newsreco.reports"),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"base64": _base64, "markdown": _markdown}
    return visible(environment.get_template(f"{name}.j2").render(values))


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _markdown(text: object) -> str:
    """Text that Markdown shows as it is: no cell, link, image or tag begins in it."""
    text = " ".join(str(text).split())
    for mark in "\\|[]*_`":  # the backslash first
        text = text.replace(mark, f"\\{mark}")
    return html.escape(text, quote=False)
