"""The page "The library in one page" runs as it stands, and its tables say what the code does."""

import os
import re
import subprocess
import sys

import pytest

from execute import ROOT
from recsys import make_synthetic, models

PAGE = (ROOT / "book" / "library.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.S | re.M)
TABLES = re.findall(r"^\|(.*)\|$", PAGE, re.M)
ROWS = [[cell.strip() for cell in row.split("|")] for row in TABLES]
LAST_LINES = """
assert [len(each) for each in lists] == [3, 3, 3] and len(answer('u7')) == 3
assert train.item_labels[-1] == "Brand New" and model.n_items == train.n_items
"""


def test_the_blocks_of_code_run_in_order(tmp_path):
    command = [sys.executable, "-W", "error", "-c", "\n".join([*BLOCKS, LAST_LINES])]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "ndcg@20" in done.stdout and "difference_low" in done.stdout


def test_titles_of_the_synthetic_log_are_labels():
    titles = make_synthetic().titles.tolist()
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("method", ["similar_items", "similar_users", "partial_fit", "explain"])
def test_the_table_names_the_models_with_a_method(method):
    (named,) = [names.split(", ") for name, names, *_ in ROWS if name == f"`{method}`"]
    assert named == sorted(
        name for name in models.__all__ if hasattr(getattr(models, name), method)
    )


def test_every_model_folds_in():
    assert all(hasattr(getattr(models, name), "fold_in") for name in models.__all__)
