"""The scripts behind `make notebooks` and `make test` do what they say when things go wrong."""

import os
import re
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import accessible
import check
import execute
import processor
import render


@pytest.fixture
def chapter(tmp_path):
    """Write a notebook of the given code cells; return its path."""

    def write(*sources, **metadata):
        cells = [new_markdown_cell("# Title"), *map(new_code_cell, sources)]
        path = tmp_path / "01_chapter.ipynb"
        nbformat.write(new_notebook(cells=cells, metadata=metadata), path)
        return path

    return write


def test_execute_stores_the_outputs_and_drops_the_noise(chapter):
    path = chapter("x = 6", "print(7 * x)", recsys={"data": []}, widgets={})
    ids = [cell.id for cell in nbformat.read(path, as_version=4).cells]
    assert execute.execute(path) == ""
    stored = nbformat.read(path, as_version=4)
    assert stored.cells[2].outputs[0].text == "42\n"
    assert [cell.get("execution_count") for cell in stored.cells] == [None, 1, 2]
    assert [cell.id for cell in stored.cells] == ids
    assert all(cell.metadata == {} for cell in stored.cells)
    assert stored.metadata.language_info == {"name": "python"}
    assert set(stored.metadata) == {"kernelspec", "language_info", "recsys"}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("import sys\nprint('careful', file=sys.stderr)", "careful"),
    ],
)
def test_execute_leaves_the_file_alone_where_a_cell_fails_or_warns(chapter, source, said):
    path = chapter("print(1)", source)
    before = path.read_bytes()
    assert said in execute.execute(path)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_notebook_without_ids_gets_lasting_ones():
    notebook = new_notebook(cells=[new_markdown_cell("# Title"), new_code_cell("x = 1")])
    for cell in notebook.cells:
        del cell["id"]
    assert [c.id for c in execute.clean(notebook, "03_metrics").cells] == [
        "03_metrics-00",
        "03_metrics-01",
    ]


def test_the_notebooks_of_the_capstone_come_after_the_chapters(tmp_path, monkeypatch):
    folders = [tmp_path / "notebooks", tmp_path / "capstone" / "notebooks"]
    for folder, names in zip(folders, [("01_b", "00_a"), ("20_c", "05_d")]):
        folder.mkdir(parents=True)
        for name in names:
            (folder / f"{name}.ipynb").touch()
    monkeypatch.setattr(execute, "ROOT", tmp_path)
    monkeypatch.setattr(execute, "FOLDERS", folders)
    assert [execute.relative(p) for p in execute.all_notebooks()] == [
        "notebooks/00_a.ipynb",
        "notebooks/01_b.ipynb",
        "capstone/notebooks/05_d.ipynb",
        "capstone/notebooks/20_c.ipynb",
    ]


def test_a_kernel_finds_both_packages_and_what_was_asked_for_first(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    path = execute.search_path(os.pathsep.join(["/elsewhere", ".", ""])).split(os.pathsep)
    ours = [str(execute.ROOT), str(execute.ROOT / "capstone")]
    assert path == ["/elsewhere", str(tmp_path), *ours]
    assert execute.search_path(os.pathsep.join(ours)).split(os.pathsep) == ours


def test_a_notebook_imports_the_capstone(chapter):
    path = chapter("import newsreco, recsys", "print(newsreco.__name__)")
    assert execute.execute(path) == ""


def test_unknown_data_is_an_error():
    with pytest.raises(ValueError, match="netflix/prize"):
        execute.why_missing("netflix/prize")
    assert "campaign must be one of" in execute.why_missing("open-bandit/bts/kids")


@pytest.fixture
def one_missing(chapter, monkeypatch):
    """One notebook, whose data cannot be had; no command is run."""
    path = chapter("x = 1")
    monkeypatch.setattr(check, "missing_data", lambda _: "no network")
    monkeypatch.setattr(check, "run", lambda _: 0)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("RECSYS_DATA_DIR", raising=False)
    return path.parent


def test_a_notebook_without_its_data_is_skipped_by_name(one_missing):
    step = check.notebook_step("notebooks", one_missing)
    assert step.failed == [] and step.skipped == ["01_chapter.ipynb: no network"]


def test_where_ci_promises_the_data_the_notebook_fails(one_missing, monkeypatch):
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("RECSYS_DATA_DIR", "data")
    step = check.notebook_step("notebooks", one_missing)
    assert step.skipped == [] and step.failed == ["01_chapter.ipynb: no network"]


def test_a_folder_without_notebooks_is_a_failure(one_missing):
    assert check.notebook_step("notebooks", one_missing / "none").failed


REPORT = """<testsuites><testsuite>
<testcase classname="a" name="good"/>
<testcase classname="a" name="bad"><failure message="no"/></testcase>
<testcase classname="a" name="broken"><error message="no"/></testcase>
<testcase classname="a" name="later"><skipped message="not here"/></testcase>
</testsuite></testsuites>"""


def test_the_report_of_pytest_is_read(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    step = check.Step("library")
    check.read_report(step, report)
    assert (step.passed, step.failed) == (1, ["a::bad", "a::broken"])
    assert step.skipped == ["a::later: not here"]


def test_a_run_that_ends_without_a_failure_named_is_a_failure(monkeypatch):
    monkeypatch.setattr(check, "run", lambda _: 5)
    assert check.pytest_step("library", []).failed == ["pytest stopped with exit status 5"]


def test_a_step_that_breaks_down_is_a_failure():
    def breaks(name):
        raise RuntimeError(name)

    assert check.timed(breaks, "style").failed == ["RuntimeError: style"]


def test_what_a_page_would_fetch_is_found(tmp_path):
    page = tmp_path / "page.html"
    page.write_text('<a href="https://x.org"><img src="plot.png"><script src="own.js"></script>')
    assert render.loaded_from_the_network(tmp_path) == []
    page.write_text("""<script async src="https://cdn.org/math.js"></script>
        <link rel="stylesheet" type="text/css" href='https://cdn.org/face.css'>""")
    assert len(render.loaded_from_the_network(tmp_path)) == 2


def page_of(name, links):
    """The HTML of a page with the given links to the one before and the one after."""
    return name + "".join(f'<a class="{kind}"\n href="{to}"></a>' for kind, to in links.items())


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A rendered book of two pages that passes every check."""
    (tmp_path / "_config.yml").write_text("repository: {url: https://github.com/a/b, branch: main}")
    (tmp_path / "_toc.yml").write_text(
        "{root: book/first, parts: [{chapters: [{file: notebooks/01_x}]}]}"
    )
    for folder in ("book", "notebooks"):
        (tmp_path / folder).mkdir()
    first = page_of("first", {"right-next": "../notebooks/01_x.html"})
    (tmp_path / "book/first.html").write_text(first)
    buttons = (
        "https://mybinder.org/v2/gh/a/b/main?urlpath=lab/tree/notebooks/01_x.ipynb",
        "https://colab.research.google.com/github/a/b/blob/main/notebooks/01_x.ipynb",
        "https://github.com/a/b/edit/main/notebooks/01_x.ipynb",
    )
    second = page_of("second", {"left-prev": "../book/first.html"})
    second += "".join(f'<a href="{button}">' for button in buttons)
    (tmp_path / "notebooks/01_x.html").write_text(second)
    index = 'Search.setIndex({"terms": {"half": [0]}, "titleterms": {"life": [0]}})'
    (tmp_path / "searchindex.js").write_text(index)
    monkeypatch.setattr(render, "ROOT", tmp_path)
    return tmp_path


# What breaks each check: the page, what stands there, what takes its place, what is said of it.
SPOILED = {
    "loaded_from_the_network": (
        "book/first.html",
        "first",
        '<img src="http://x.org/a.png">',
        "x.org",
    ),
    "large_pages": ("book/first.html", "first", "x" * 1_000_001, "has 1,000,"),
    "missing_buttons": ("notebooks/01_x.html", "/edit/", "/blob/", "no button to .*/edit/main"),
    "broken_order": ("notebooks/01_x.html", "first.html", "last.html", "notebooks/01_x: left-prev"),
    "lost_words": ("searchindex.js", "half", "quarter", "knows no 'half'"),
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_page_that_a_reader_could_not_use_is_named(name, book):
    check, (page, old, new, said) = getattr(render, name), SPOILED[name]
    assert check(book) == []
    (book / page).write_text((book / page).read_text().replace(old, new, 1))
    (problem,) = check(book)
    assert re.search(said, problem)


def test_every_check_of_a_page_is_shown_to_fail():
    assert set(SPOILED) == {check.__name__ for check in render.CHECKS}


def test_notebooks_are_compared_with_one_instruction_set():
    ask = "import numba, numpy._core._multiarray_umath as m; "
    ask += "print(numba.config.CPU_NAME, [m.__cpu_features__[n] for n in ('X86_V3', 'X86_V4')])"
    ask = f"import sys; sys.path.insert(0, 'scripts'); import execute, os, subprocess; {ask}; "
    ask += "os.environ.update(execute.environment()); sys.stdout.flush(); "  # a kernel's kernel
    ask += "len(sys.argv) < 2 and subprocess.run([sys.executable, '-c', sys.argv[0], 'last'])"
    nested = ask.replace("sys.argv[0]", repr(ask))
    done = subprocess.run(
        [sys.executable, "-c", nested], cwd=execute.ROOT, env=execute.environment(),
        capture_output=True, text=True,
    )  # fmt: skip
    wanted = "haswell [True, False]" if processor.can_compare() else "None"
    assert [line.startswith(wanted) for line in done.stdout.splitlines()] == [True, True]
    assert not done.stderr


def test_an_older_processor_is_left_alone(monkeypatch):
    monkeypatch.setitem(processor.__cpu_features__, processor.LEVEL, False)
    assert not processor.can_compare()
    assert processor.settings() == {}


def test_what_the_theme_tells_screen_readers_is_repaired():
    theme = '<button class="btn theme-switch-button" aria-label="Color mode">'
    theme += '<i class="theme-switch fa-solid" data-mode="light"  title="Light"></i></button>'
    search = '<button class="btn search-button-field" title="Search" aria-label="Search" id="s">'
    cell = '<details><summary aria-label="Toggle hidden content">Show</summary></details>'
    entry = '<div class="citation" id="id2" role="doc-biblioentry">'
    page = accessible.repaired("\n".join([theme, search, cell, entry])).splitlines()
    assert page[0] == theme.replace('  title="Light"', "")
    assert page[1] == '<button class="btn search-button-field" id="s">'
    assert page[2] == "<details><summary>Show</summary></details>"
    assert page[3] == '<div class="citation" id="id2" role="listitem">'
