"""The structure of the packages: one-way imports, private names, few entries at the top."""

import subprocess
import sys

import pytest

from execute import ROOT
from structure import PACKAGES, Package, components


@pytest.fixture(params=PACKAGES)
def package(request):
    return Package(request.param, ROOT / PACKAGES[request.param])


def test_components_are_found_in_order_of_imports():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set(), "e": {"e"}}
    assert components(graph) == [{"d"}, {"b", "c"}, {"a"}, {"e"}]


def test_structure_of_a_small_package(tmp_path):
    files = {
        "__init__.py": "from small.a import f",
        "py.typed": "",
        "a.py": "if TYPE_CHECKING:\n    from small import b\ndef f(x):\n    '''Doc.'''\n    x._y\n",
        "b.py": "def g():\n    from small.c import _h\n    from small import a\n",
        "c.py": "import small.b\n_h = 1\ndef k(x):\n    return x._h, x._asdict(), self._z\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    small = Package("small", tmp_path)
    assert small.entries == ["a.py", "b.py", "c.py"] and small.n_layers == 2
    assert small.cycles == [["small.b", "small.c"]]
    assert small.private == ["small.a: x._y", "small.b: from small.c import _h"]
    assert small.functions[0] == (3, "small.b.g") and small.n_lines == 13


def test_there_are_no_import_cycles(package):
    assert package.cycles == []


def test_no_private_name_crosses_a_file(package):
    assert package.private == []


def test_newsreco_has_at_most_16_entries_at_the_top():
    assert len(Package("newsreco", ROOT / PACKAGES["newsreco"]).entries) <= 16


def test_packages_are_typed(package):
    assert (package.folder / "py.typed").is_file()


def test_importing_bootstrap_imports_no_model():
    code = "import sys, recsys.bootstrap; print([m for m in sys.modules if 'recsys.models' in m])"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert found.stdout == "[]\n", found.stderr
