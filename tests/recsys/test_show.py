"""show prints source code unchanged."""

import importlib
import inspect

import pytest

from recsys import metrics, models, show
from recsys.models import ItemKNN
from recsys.models.als import als_half_step
from recsys.show import Source


@pytest.mark.parametrize("kind", [getattr(models, kind) for kind in models.__all__])
def test_class_is_shown_as_in_its_file(kind, capsys):
    show(kind)
    shown = capsys.readouterr().out
    assert shown.startswith("@dataclass") and "def _fit(" in shown
    assert f"class {kind.__name__}(" in shown
    assert shown.strip() in inspect.getsource(importlib.import_module(kind.__module__))


def test_compiled_functions_methods_and_modules_are_shown(capsys):
    show(als_half_step, ItemKNN.fold_in)
    shown = capsys.readouterr().out
    assert "def als_half_step(" in shown and "\ndef fold_in(self, histories" in shown
    show(metrics.classification)
    assert '"""Metrics of predicted clicks: AUC' in capsys.readouterr().out


def test_notebook_output_is_markdown():
    assert Source("x = 1")._repr_markdown_() == "```python\nx = 1\n```"
    assert repr(Source("x = 1")) == "x = 1"


@pytest.mark.parametrize("thing", [3, "text", len, None])
def test_objects_without_source_are_refused(thing):
    with pytest.raises(ValueError, match="^show needs a function, class or module .*, got"):
        show(thing)


def test_call_without_arguments_is_refused():
    with pytest.raises(ValueError, match="^show needs at least one .*, got none"):
        show()
