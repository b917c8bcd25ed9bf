"""`make capstone` on tiny notebooks: parameters, results, output files, failures."""

import json
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import capstone
import readable
import render
from execute import FOLDERS, KERNEL, ROOT, environment
from newsreco.data import load_mind
from newsreco.synthetic import write_sample

PARAMETERS = 'size = "default"\nseed = 0\nfolder = ""'


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a notebook of a title, parameters, and code cells."""
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NEWSRECO_RESULTS", raising=False)
    (tmp_path / "notebooks").mkdir()

    def write(name, *sources, parameters=PARAMETERS):
        tagged = new_code_cell(parameters, metadata={"tags": ["parameters"]})
        cells = [new_markdown_cell("# Title"), tagged, *map(new_code_cell, sources)]
        notebook = new_notebook(cells=cells, metadata={"kernelspec": KERNEL})
        nbformat.write(notebook, tmp_path / "notebooks" / f"{name}.ipynb")

    return write


@pytest.fixture
def run(tmp_path):
    """Run the notebooks: (exit status, the run's folder)."""

    def run(*options):
        folders = ["--notebooks", tmp_path / "notebooks", "--runs", tmp_path / "runs"]
        status = capstone.main([*map(str, folders), *options])
        found = sorted(p for p in tmp_path.glob("runs/*") if p.name.isdigit())
        return status, found[-1] if found else None

    return run


RECORD = "from newsreco.reports.results import record\n"


def test_a_run_passes_parameters_and_collects_results(write, run, capsys):
    write("20_one", RECORD + 'record("seed", seed)\nrecord("größe", size)')
    write("21_two", RECORD + 'record("x", 1.5)\nprint("☃", x)', parameters="x = 0")
    write("22_none", "1 + 1", parameters='size = "default"')
    status, folder = run("--seed", "7")
    assert status == 0 and folder.name == "0001"
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert results["given"] == {"seed": 7}
    one, two, none = results["notebooks"]
    assert one["results"] == {"seed": 7, "größe": "default"} and one["parameters"] == {"seed": 7}
    assert two["results"] == {"x": 1.5} and two["parameters"] == {}
    assert none["results"] == {} and none["seconds"] > 0
    assert results["seconds"] >= sum(row["seconds"] for row in results["notebooks"])
    assert "☃ 0" in (folder / "21_two.html").read_text(encoding="utf-8")
    assert render.loaded_from_the_network(folder) == []
    assert "[3/3] 22_none" in capsys.readouterr().out


def test_each_run_has_its_folder_and_latest_links_to_the_last(write, run, tmp_path):
    write("20_one", "open(folder + '/made.txt', 'w').close()")
    first = run()[1]
    (tmp_path / "runs" / "0007").mkdir()
    status, last = run()
    assert (first.name, last.name) == ("0001", "0008")
    assert (tmp_path / "runs" / "latest").resolve() == last
    assert (first / "20_one" / "made.txt").exists() and (first / "results.json").exists()


def test_a_failing_cell_is_shown_and_stops_the_run(write, run, tmp_path, capsys):
    write("20_one", "1")
    write("21_two", "print('before')", "numbers = {}\nnumbers['ключ']")
    write("22_three", "1")
    status, folder = run()
    out = capsys.readouterr().out
    assert status == 1
    assert "numbers['ключ']" in out and "KeyError" in out and "21_two failed" in out
    assert not (folder / "results.json").exists()
    assert not (folder / "22_three.ipynb").exists()
    assert not (tmp_path / "runs" / "latest").exists()
    assert "KeyError" in (folder / "21_two.html").read_text(encoding="utf-8")


def test_unknown_parameter_is_refused(write, run, capsys):
    write("20_one", "1", parameters="seed = 0")
    status, folder = run("--half-life", "2")
    assert status == 2 and folder is None
    assert "half_life_days" in capsys.readouterr().err


def test_a_folder_without_notebooks_is_refused(write, run, capsys):
    assert run() == (2, None)
    assert "no notebook" in capsys.readouterr().err


SHOW_DATA = (
    RECORD
    + """from newsreco.data import load_mind
log, _ = load_mind(data_folder, progress=False)
record("impressions", len(log.impressions))"""
)


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder of data, as a path relative to the working folder."""
    monkeypatch.chdir(tmp_path)
    write_sample("news", n_articles=50, n_impressions=50, n_users=20, progress=False)
    return Path("news")


def test_results_name_the_data_that_they_are_of(write, run, data):
    write("20_one", SHOW_DATA, parameters='data_folder = ""')
    write("21_two", "1")
    status, folder = run("--data-folder", "news")
    assert status == 0
    results = json.loads((folder / "results.json").read_text())
    one, two = results["notebooks"]
    assert one["data"] == load_mind(data, progress=False)[0].fingerprint()
    assert one["results"] == {"impressions": 50} and two["data"] == "synthetic"
    assert results["given"] == {"data_folder": str(data.absolute())}


def test_data_that_change_during_the_run_are_no_result(write, run, data, capsys):
    change = (
        "from pathlib import Path\nfile = Path(data_folder) / 'behaviors.tsv'\n"
        "lines = file.read_text().splitlines(keepends=True)\n"
        "file.write_text(''.join(lines[1:]))"
    )
    write("20_one", SHOW_DATA, change, parameters='data_folder = ""')
    status, folder = run("--data-folder", "news")
    assert status == 1 and not (folder / "results.json").exists()
    assert f"'{data.absolute()}' was changed during the run" in capsys.readouterr().out


def test_data_without_clicks_or_without_a_folder_are_refused_first(write, run, data, capsys):
    write("20_one", SHOW_DATA, parameters='data_folder = ""')
    assert run("--data-folder", "nothing") == (2, None)
    assert "nothing" in capsys.readouterr().err
    file = data / "behaviors.tsv"
    file.write_text(file.read_text().replace("-1", "-0"))
    assert run("--data-folder", "news") == (2, None)
    assert capsys.readouterr().err.startswith("make capstone: data must hold at least one click")


STORE = (
    "from newsreco.tracking.runs import tracked\nfrom newsreco.models.bundle import Settings\n"
    "with tracked(Settings(), tracking_uri) as run:\n    pass\nassert run.reason is None"
)


def test_relative_store_is_that_of_the_working_folder(write, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("20_one", STORE, parameters='tracking_uri = ""')
    status, folder = run("--tracking-uri", "sqlite:///runs.db")
    assert status == 0 and (tmp_path / "runs.db").exists()
    assert list((folder / "20_one").iterdir()) == []


@pytest.mark.parametrize("uri", ["./mlruns", "file:mlruns"])
def test_store_that_mlflow_refuses_is_named_before_the_first_notebook(
    write, run, tmp_path, monkeypatch, capsys, uri
):
    monkeypatch.chdir(tmp_path)
    write("20_one", STORE, parameters='tracking_uri = ""')
    assert run("--tracking-uri", uri) == (2, None)
    error = capsys.readouterr().err
    assert error.startswith("make capstone: MLflow at ") and error.count("\n") == 1
    assert str(tmp_path / "mlruns") in error


@pytest.mark.parametrize("path", sorted(FOLDERS[1].glob("*.ipynb")), ids=lambda p: p.name)
def test_capstone_notebooks_declare_their_parameters(path):
    names = {"size", "seed", "half_life_days", "embedder", "tracking_uri"}
    names |= {"data_folder", "folder"}
    found = capstone.declared(path)
    assert set(found) <= names, "scripts/capstone.py has no option for these"
    assert {"size", "seed"} <= set(found)
    tags = [tag for c in nbformat.read(path, 4).cells for tag in c.metadata.get("tags", [])]
    assert "raises-exception" not in tags, "papermill stops at an error; catch it in the cell"


MYST = """(label)=
## Head

````{exercise}
:label: ex-20-one
Do {cite:p}`key` and {term}`recall` with `code`.
````

```{solution} ex-20-one
:class: dropdown

Text with [a link](21_two.ipynb#part), [another](../../notebooks/04_baselines.ipynb), [x](https://x.org).
```

```{math}
a + b
```
"""


def test_myst_directives_become_markdown():
    text = readable.plain(MYST)
    assert "{" not in text and "(label)=" not in text and ":label:" not in text
    assert "**Exercise**\n\nDo [key] and recall with `code`." in text
    assert "<details><summary>Solution</summary>\n\nText with" in text
    assert "$$\na + b\n$$" in text


def test_links_are_to_the_run_or_the_repository():
    page = ROOT / "capstone" / "notebooks" / "20_data.ipynb"
    text = readable.links(MYST, page, {"21_two.ipynb"})
    assert "[a link](21_two.html#part)" in text
    assert "/blob/main/notebooks/04_baselines.ipynb)" in text
    assert "[x](https://x.org)" in text


def test_figures_of_the_html_keep_their_alt_text():
    cell = new_code_cell("plt.show()", metadata={"mystnb": {"image": {"alt": 'A "line" rises'}}})
    png = {"image/png": "iVBORw0KGgo="}
    cell.outputs = [nbformat.v4.new_output("display_data", data=png)]
    page = readable.to_html(new_notebook(cells=[cell]), ROOT / "capstone/notebooks/20_a.ipynb")
    assert 'alt="A &#34;line&#34; rises"' in page or "alt='A \"line\" rises'" in page
