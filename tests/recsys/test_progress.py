"""Progress bars show on a terminal and in a notebook, and nowhere else."""

import sys

import nbformat
import pytest
from nbclient import NotebookClient

from execute import environment
from recsys.progress import progress_bar, shows_bars

SLOW = """
import time
from recsys.progress import progress_bar
for _ in progress_bar(range(4), "ALS", True):
    time.sleep(0.3)
"""


@pytest.mark.parametrize("disabled, shown", [("", True), ("0", True), ("1", False)])
def test_a_bar_shows_in_a_notebook_unless_it_is_disabled(disabled, shown, tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(SLOW)])
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}})
    client.execute(env=environment() | {"TQDM_DISABLE": disabled})
    text = "".join(output.get("text", "") for output in notebook.cells[0].outputs)
    assert ("ALS:" in text) == shown and ("4" in text) == shown


@pytest.mark.parametrize("terminal", [True, False])
def test_a_bar_shows_on_a_terminal_only(terminal, monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    assert shows_bars() == terminal
    assert progress_bar(range(3), "steps", True).disable != terminal
    assert progress_bar(range(3), "steps", False).disable
    assert list(progress_bar(range(3), "steps", True)) == [0, 1, 2]


def test_stored_outputs_hold_no_bars():
    assert environment()["TQDM_DISABLE"] == "1"
