"""Code and pages speak the field's language: words of an earlier dialect do not come back."""

import re

import nbformat
import pytest

from execute import ROOT, all_notebooks, relative

# Built from pieces, so that this file does not hold what it looks for.
DIALECT = {
    "ex" + "am": "evaluation, test set or held-out period",
    "rehear" + "sal": "validation set",
    "yard" + "stick": "metric",
    "told " + "apart": "significantly different",
    "by " + "heart": "overfit",
    "con" + "testant": "model or baseline",
    "like" + "ness": "similarity",
    "peo" + "ple|per" + "son": "users",
    "wh" + "im": "random click model",
    "(?:have|has|had|never|not|users|was|were) m" + "et": "interacted with",
    "made-" + "up": "synthetic",
}
WORD = re.compile(rf"\b(?:{'|'.join(DIALECT)})s?\b", re.IGNORECASE)
IN_THE_NEWS = re.compile(r"(capstone/newsreco|tests/newsreco/code)/(synthetic|assistant)/")


PAGES = [ROOT / "README.md", *sorted((ROOT / "book").glob("*.md")), *all_notebooks()]


def code() -> list:
    folders = ("recsys", "capstone/newsreco", "benchmarks", "scripts", "tests")
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in files if not IN_THE_NEWS.match(relative(path))]


@pytest.mark.parametrize("path", code(), ids=relative)
def test_code_uses_the_field_s_words(path):
    found = {match.group().lower() for match in WORD.finditer(path.read_text(encoding="utf-8"))}
    assert not found, f"{relative(path)}: {sorted(found)}"


def page_text(path) -> str:
    """What a reader sees of a page, or of a notebook with its code, outputs and descriptions."""
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    cells = nbformat.read(path, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    printed = [o.get("text") or o.get("data", {}).get("text/plain", "") for o in outputs]
    described = [str(cell.metadata.get("mystnb", "")) for cell in cells]
    return "\n".join([*(cell.source for cell in cells), *printed, *described])


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_pages_use_the_field_s_words(path):
    found = {match.group().lower() for match in WORD.finditer(page_text(path))}
    assert not found, f"{relative(path)}: {sorted(found)}"


@pytest.mark.parametrize(
    "word", ["Ex-am", "two peo-ple", "a like-ness", "told a-part", "u has m-et"]
)
def test_the_search_finds_the_dialect(word):
    assert WORD.search(word.replace("-", ""))


@pytest.mark.parametrize("word", ["example", "personal", "hexameter", "likely"])
def test_the_search_leaves_other_words_alone(word):
    assert not WORD.search(word)
