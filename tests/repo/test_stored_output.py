"""Pages that show a chapter's stored output name a cell that has one."""

import re

import pytest

from execute import ROOT, relative
from stored_output import stored

DIRECTIVE = re.compile(r"^```\{stored-output\} (\S+) (\S+)$", re.M)
SHOWN = [
    (page, chapter, cell)
    for page in sorted((ROOT / "book").glob("*.md"))
    for chapter, cell in DIRECTIVE.findall(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(
    ("page", "chapter", "cell"), SHOWN, ids=[f"{relative(p)}: {c} {i}" for p, c, i in SHOWN]
)
def test_the_cell_has_an_output_and_a_picture_has_words(page, chapter, cell):
    text, picture, alt = stored(chapter, cell)
    assert len(alt.split()) > 3 if picture else text.strip()


def test_a_cell_without_output_is_refused():
    with pytest.raises(ValueError, match="no output of a cell 'parameters'"):
        stored("notebooks/00_primer", "parameters")


def test_text_is_the_stored_text():
    text, picture, _ = stored("notebooks/00_primer", "functions")
    assert text == "['Comet', 'Orbit', 'Parrot']" and picture is None
