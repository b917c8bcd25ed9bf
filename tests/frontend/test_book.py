"""The pages of the rendered book in a browser: readable by all, and no wider than a phone."""

import pytest
import yaml

import render
from execute import ROOT

TOC = yaml.safe_load((ROOT / "_toc.yml").read_text())
PAGES = [TOC["root"], *(page["file"] for part in TOC["parts"] for page in part["chapters"])]
WIDE = [TOC["root"], "notebooks/05_content", "book/references"]
TOO_WIDE = """
[...document.querySelectorAll("main *")].filter((element) => {
  const box = element.getBoundingClientRect();
  const scrolls = element.closest(":is(pre, table, .math, mjx-container, .text_html)");
  return box.width && box.right > innerWidth + 1 && !scrolls;
}).map((element) => element.outerHTML.slice(0, 120)).slice(0, 3)
"""


@pytest.fixture(scope="module")
def folder():
    """The rendered book; `make test` has rendered it just before."""
    if not (render.PAGES / "index.html").exists():
        assert render.main() == 0
    return render.PAGES


@pytest.fixture
def open_at(browser, folder):
    """A function that opens a page of the book at a width, light or dark."""
    contexts = []

    def open_at(name, width, theme):
        size = {"width": width, "height": 900}
        contexts.append(browser.new_context(viewport=size, color_scheme=theme))
        page = contexts[-1].new_page()
        page.goto((folder / f"{name}.html").as_uri())
        return page

    yield open_at
    for context in contexts:
        context.close()


@pytest.mark.parametrize("name", PAGES)
def test_page_on_a_phone_has_no_serious_fault_and_does_not_scroll_sideways(
    name, open_at, violations
):
    page = open_at(name, 390, "dark")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, page.evaluate(TOO_WIDE)


@pytest.mark.parametrize("name", WIDE)
def test_wide_page_in_the_light_has_no_serious_fault(name, open_at, violations):
    assert violations(open_at(name, 1280, "light")) == []
