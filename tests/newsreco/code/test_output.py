"""Printed text, XML and JSON: whatever a file holds, no terminal or parser trips over it."""

import ast
import json
import math
import unicodedata
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import newsreco
from newsreco.cli import main
from newsreco.output import json_text, visible
from newsreco.synthetic import write_sample

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e"


def is_clean(text):
    """Whether a terminal would only show it: Cc and Cs but tab and line feed, and overrides."""
    return not any(
        (unicodedata.category(c) in ("Cc", "Cs") and c not in "\t\n")
        or unicodedata.bidirectional(c) in ("RLO", "LRO", "RLE", "LRE", "PDF", "RLI", "LRI", "FSI")
        for c in text
    )


@given(st.text(st.characters(exclude_categories=())))
def test_visible_text_is_harmless_and_valid_xml(text):
    shown = visible(text)
    assert is_clean(shown)
    assert ElementTree.fromstring(f"<a>{escape(shown)}</a>").text in (shown, None)


@pytest.mark.parametrize("text", ["Zürich 東京 🙂", "a\tb\nc", "می‌خواهم", "👩‍🚀", ""])
def test_text_of_every_script_stays_as_it_is(text):
    assert visible(text) == text


def test_control_characters_are_written_out():
    assert visible("a\x1b[31mb\x00\x9b\u202e") == r"a\x1b[31mb\x00\x9b\u202e"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_every_value_becomes_valid_json_with_null_for_what_is_not_finite(value):
    def expected(one):
        if isinstance(one, float) and not math.isfinite(one):
            return None
        if isinstance(one, list):
            return [expected(part) for part in one]
        if isinstance(one, dict):
            return {key: expected(part) for key, part in one.items()}
        return one

    assert json.loads(json_text(value), parse_constant=pytest.fail) == expected(value)


def test_numpy_values_become_json_and_other_objects_are_refused():
    assert json_text({"a": np.float32("nan"), "b": np.arange(2)}) == '{"a": null, "b": [0, 1]}'
    with pytest.raises(ValueError, match="set"):
        json_text([{1, 2}])


def test_nothing_is_printed_or_written_as_json_elsewhere():
    package = Path(newsreco.__file__).parent
    found = {
        f"{path.relative_to(package)}:{node.lineno}"
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "json.dumps")
    }
    assert {place.partition(":")[0] for place in found} == {"output.py"}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Data whose titles, categories and article ids hold escapes, and a model trained on it."""
    folder = tmp_path_factory.mktemp("hostile")
    data = write_sample(folder / "data", n_articles=60, n_impressions=500, n_users=40,
                        progress=False)  # fmt: skip
    rows = [line.split("\t") for line in (data / "news.tsv").read_text().splitlines()]
    rows = [[row[0], row[1] + HOSTILE, row[2], HOSTILE + row[3], *row[4:]] for row in rows]
    (data / "news.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))
    model = folder / "model"
    words = ["train", "--data", str(data), "--out", str(model), "--no-tracking", "--quiet"]
    assert main([*words, "--report", str(folder / "report"), "--json", str(folder / "f.json")]) == 0
    return folder


def test_commands_print_no_escapes_of_the_data(hostile, capsys):
    for words in (
        ["recommend", "--model", f"{hostile}/model", "--user", "U\x1b[2J"],
        ["check", "--data", f"{hostile}/data", "--quiet"],
        ["recommend", "--model", f"{hostile}/\x1b[2J", "--user", "x"],
        ["evaluate", "--model", f"{hostile}/model", "--data", f"{hostile}/\x1b[2J", "--quiet"],
        ["recommend", "--model", "x", "--user", "y", "\x1b[2J"],
    ):
        main(words)
        printed = capsys.readouterr()
        assert printed.out + printed.err and is_clean(printed.out + printed.err), words


def test_reports_and_figures_hold_no_control_characters(hostile):
    files = sorted((hostile / "report").iterdir())
    assert {".html", ".md", ".svg"} == {file.suffix for file in files}
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert is_clean(text), file.name
        if file.suffix == ".svg":
            ElementTree.fromstring(text)
    assert r"\x1b" in (hostile / "report" / "report.html").read_text()
    assert r"\x1b" in (hostile / "report" / "category.svg").read_text()
