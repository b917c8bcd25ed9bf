"""Each check passes a small notebook that is in order and fails the same one when broken."""

import copy

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import conventions
import links
from execute import KERNEL

PNG = {"image/png": "iVBORw0KGgo=", "text/plain": "<Figure size 640x480 with 1 Axes>"}


def printed(text, name="stdout"):
    return new_output("stream", name=name, text=text)


@pytest.fixture
def good():
    """A chapter of 25 cells that breaks no rule."""
    prose = "Words that say something about users and items. " * 100
    cells = [
        new_markdown_cell(f"# Title\n\n{prose}"),
        new_code_cell("seed = 0", metadata={"tags": ["parameters"]}),
        new_code_cell("print(1)", outputs=[printed("1\n")]),
        new_code_cell(
            "plt.show()",
            metadata={"mystnb": {"image": {"alt": "A line that rises"}}},
            outputs=[new_output("display_data", data=PNG)],
        ),
        *[new_markdown_cell(f"## Section {n}\n\n{prose[:200]}") for n in range(18)],
        new_markdown_cell("### Detail\n\n![a map](map.svg)"),
        new_markdown_cell("## Summary\n\n- One thing."),
        new_markdown_cell("## Exercises\n\nRecall."),
    ]
    notebook = new_notebook(cells=cells, metadata={"kernelspec": KERNEL})
    for count, (_, cell) in enumerate(conventions.code_cells(notebook), 1):
        cell.execution_count = count
    return notebook


@pytest.mark.parametrize("check", conventions.CHECKS, ids=lambda check: check.__name__)
def test_a_good_notebook_passes(good, check):
    assert check(good) == []


def cell(number, **fields):
    """An edit of one cell: cell(3, source="x = 1")."""
    return lambda notebook: notebook.cells[number].update(fields)


def output(text, **kind):
    return cell(2, outputs=[printed(text, **kind)])


def result(text):
    data = {"text/plain": text}
    return cell(2, outputs=[new_output("execute_result", data=data, execution_count=2)])


def shown(code):
    data = {"text/markdown": f"```python\n{code}\n```", "text/plain": code}
    return cell(2, outputs=[new_output("display_data", data=data)])


def tag(name):
    return cell(2, metadata=nbformat.from_dict({"tags": [name]}))


HOME = "/" + "home/someone/book"
ERROR = new_output("error", ename="ValueError", evalue="no", traceback=[])
FIGURE = "```{figure} map.svg\nA caption.\n```"

BROKEN = {
    "older format": ("check_format", lambda nb: nb.update(nbformat_minor=4)),
    "invalid": ("check_format", lambda nb: nb.cells[1].pop("outputs")),
    "another kernel": ("check_format", lambda nb: nb.metadata.kernelspec.update(name="py311")),
    "no kernel": ("check_format", lambda nb: nb.metadata.pop("kernelspec")),
    "no id": ("check_ids", lambda nb: nb.cells[4].pop("id")),
    "one id twice": ("check_ids", lambda nb: nb.cells[4].update(id=nb.cells[3].id)),
    "not executed": ("check_executed", cell(2, execution_count=None)),
    "out of order": ("check_executed", cell(2, execution_count=9)),
    "stderr": ("check_outputs", output("x", name="stderr")),
    "error": ("check_outputs", cell(2, outputs=[ERROR])),
    "address": ("check_outputs", result("<recsys.models.BPR object at 0x7f0dd1>")),
    "bare object": ("check_outputs", result("[<matplotlib.lines.Line2D>]")),
    "progress": ("check_outputs", output(" 40%|####      | 4/10")),
    "speed": ("check_outputs", output("312.5it/s")),
    "timing": ("check_outputs", output("Wall time: 3 s")),
    "milliseconds": ("check_outputs", output("took 12 ms")),
    "warning": ("check_outputs", output("RuntimeWarning: overflow")),
    "machine path": ("check_outputs", output(f"read {HOME}/data.csv")),
    "temporary path": ("check_outputs", output("read /tmp/abc")),
    "unknown tag": ("check_tags", tag("nbval-ignore-output")),
    "no parameters": ("check_tags", cell(1, metadata=nbformat.from_dict({}))),
    "parameters twice": ("check_tags", tag("parameters")),
    "nbval comment": ("check_tags", cell(2, source="# NBVAL_IGNORE_OUTPUT\nprint(1)")),
    "long cell": ("check_code", cell(2, source="x = 1\n" * 21)),
    "empty cell": ("check_code", cell(2, source="")),
    "pip": ("check_code", cell(2, source="!pip install recsys")),
    "pip magic": ("check_code", cell(2, source="%pip install recsys")),
    "pip module": ("check_code", cell(2, source="!python -m pip install recsys")),
    "wide cell": ("check_width", cell(2, source="x = 1  # " + "wide " * 17)),
    "wide source shown": ("check_width", shown("x = 1  # " + "wide " * 17)),
    "wide print": ("check_output_width", output("wide " * 18)),
    "wide result": ("check_output_width", result("wide " * 18)),
    "too few cells": ("check_size", lambda nb: nb.cells.pop(5)),
    "too many cells": ("check_size", lambda nb: nb.cells.extend(copy.deepcopy(nb.cells))),
    "too few words": ("check_size", cell(0, source="# Title")),
    "too many words": ("check_size", cell(0, source="# Title\n\n" + "word " * 2_500)),
    "words in code": ("check_size", cell(0, source="# T\n\n```\n" + "word " * 900 + "\n```")),
    "no title": ("check_skeleton", cell(0, source="Title")),
    "code first": ("check_skeleton", lambda nb: nb.cells.insert(0, nb.cells[2])),
    "two titles": ("check_skeleton", cell(22, source="# Another")),
    "a level left out": ("check_skeleton", cell(22, source="#### Deep")),
    "no summary": ("check_skeleton", cell(23, source="## End")),
    "no exercises": ("check_skeleton", cell(24, source="## End")),
    "title in code": ("check_skeleton", cell(23, source="```\n## Summary\n```")),
    "no alt": ("check_figures", cell(3, metadata=nbformat.from_dict({}))),
    "alt of one word": (
        "check_figures",
        cell(3, metadata=nbformat.from_dict({"mystnb": {"image": {"alt": "plot"}}})),
    ),
    "picture without alt": ("check_figures", cell(22, source="![](map.svg)")),
    "figure without alt": ("check_figures", cell(22, source=FIGURE)),
    "undeclared data": ("check_data", cell(2, source='load_movielens("latest-small")')),
    "undeclared log": ("check_data", cell(2, source='load_open_bandit("random", "men")')),
    "undeclared package": ("check_packages", cell(2, source="import torch")),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_notebook_fails(good, name):
    check, breaks = BROKEN[name]
    breaks(good)
    assert getattr(conventions, check)(good)


def test_every_check_is_shown_to_fail():
    assert {check for check, _ in BROKEN.values()} == {c.__name__ for c in conventions.CHECKS}


def test_a_tagged_error_is_allowed(good):
    good.cells[2].update(
        outputs=[ERROR], metadata=nbformat.from_dict({"tags": ["raises-exception"]})
    )
    assert conventions.check_outputs(good) == []


@pytest.mark.parametrize(
    "source, name",
    [
        ('load_movielens("latest-small")', "movielens/latest-small"),
        ('load_open_bandit("bts")', "open-bandit/bts/men"),
    ],
)
def test_declared_data_is_allowed(good, source, name):
    good.cells[2].source = source
    good.metadata["recsys"] = {"data": [name]}
    assert conventions.check_data(good) == []
    good.metadata["recsys"] = {"data": ["another/set"]}
    assert conventions.check_data(good)


@pytest.mark.parametrize(
    "source, package",
    [
        ("import torch", "torch"),
        ("x = 1\nfrom recsys.neural import SASRec", "torch"),
        ("from recsys import neural", "torch"),
        ("from pyspark.sql import SparkSession", "pyspark"),
        ("import recsys.spark", "pyspark"),
        ("import optuna", "optuna"),
        ("import torchless", None),
    ],
)
def test_packages_beyond_the_capstone_s_are_declared(good, source, package):
    good.cells[2].source = source
    assert bool(conventions.check_packages(good)) == (package is not None)
    good.metadata["recsys"] = {"packages": [package] if package else []}
    assert conventions.check_packages(good) == []
    good.metadata["recsys"] = {"packages": ["tensorflow"]}
    assert "tensorflow" in conventions.check_packages(good)[-1]


def test_words_leaves_out_code_and_formulas():
    text = "Two words.\n\n```python\nx = 1\n```\n\n$$a b c$$ `code` [here](there.md)"
    assert conventions.words(new_notebook(cells=[new_markdown_cell(text)])) == 3
    text = "```{exercise}\n:label: ex-one\nDo this now.\n```"
    assert conventions.words(new_notebook(cells=[new_markdown_cell(text)])) == 3


def test_links(tmp_path):
    page, other = tmp_path / "page.md", tmp_path / "other.md"
    page.write_text("# One\n\n(label)=\n## Two words, here\n")
    other.write_text("# Other\n\n## A `part`\n")
    fine = "[a](other.md) [b](other.md#a-part) [c](#two-words-here) [d](#label) [e](https://x.org)"
    assert links.broken_links(fine, page) == []
    assert links.broken_links("`[code](no.md)`", page) == []
    assert links.broken_links("[f](#ex-1)", page, frozenset({"ex-1"})) == []
    for broken in ("[a](no.md)", "![a](no.png)", "[b](other.md#no)", "[c](#no)", "[d](../no/)"):
        assert len(links.broken_links(broken, page)) == 1
