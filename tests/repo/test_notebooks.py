"""Every chapter keeps every convention."""

import nbformat
import pytest

from conventions import CHECKS
from execute import all_notebooks, relative

NOTEBOOKS = all_notebooks()


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=relative)
def test_convention(path, check):
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    problems = check(notebook)
    assert not problems, f"{relative(path)}:\n" + "\n".join(f"  {p}" for p in problems)
