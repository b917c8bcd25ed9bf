"""Without the packages of requirements-neural.txt all else works, and what is left out is named."""

import os
import re
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

import check
import execute
import extras
import processor
from test_repository import ROOT, pins

HIDE = """
import sys
from importlib.machinery import PathFinder

class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        hidden = name.partition(".")[0] in {"torch", "pyspark"}
        return None if hidden else PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Finder
"""


@pytest.fixture
def without(tmp_path):
    """Run Python in the repository's root as if PyTorch and Spark were not installed."""
    (tmp_path / "sitecustomize.py").write_text(HIDE)
    path = os.pathsep.join([str(tmp_path), str(ROOT), str(ROOT / "scripts")])

    def run(*arguments):
        env = os.environ | {"PYTHONPATH": path}
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)

    return run


def test_the_models_say_what_they_need(without):
    done = without("-c", "import recsys.neural as n; n.MODULES['X'] = 'base'; n.X")
    assert "ImportError: recsys.neural needs PyTorch, which is not installed" in done.stderr


def test_the_tests_that_need_a_missing_package_are_not_collected(without):
    named = ["recsys/split.py", "recsys/neural", "tests/recsys/neural"]
    done = without("-m", "pytest", "-q", "--collect-only", "-p", "no:cacheprovider", *named)
    assert done.returncode == 0, done.stdout
    assert "recsys/neural" not in done.stdout and "recsys/spark.py" not in done.stdout
    assert "recsys/split.py::recsys.split.leave_last_out" in done.stdout


def test_what_is_left_out_is_named(without):
    done = without("-c", "import extras; print(extras.left_out())")
    assert "'tests/recsys/neural': 'needs PyTorch, which is not installed'" in done.stdout
    assert "'recsys/spark.py': 'needs Spark (pyspark), which is not installed'" in done.stdout


def test_the_library_s_step_names_what_is_there_and_left_out(monkeypatch):
    monkeypatch.setattr(check, "run", lambda _: 0)
    monkeypatch.setattr(check, "left_out", lambda: {"recsys/neural": "needs it", "no/such": "x"})
    assert check.library_step("library", []).skipped == ["recsys/neural: needs it"]


def test_the_names_are_those_of_the_requirements():
    assert set(extras.NAMES) == set(pins("requirements-neural.txt"))
    assert set(extras.NEEDED_BY) <= set(extras.NAMES)
    with pytest.raises(ValueError, match="must be of torch.*, got 'tensorflow'"):
        extras.why_missing("tensorflow")


def test_no_pin_has_a_local_label():
    assert not [v for name in ("requirements-neural.txt", "constraints.txt")
                for v in pins(name).values() if "+" in v]  # fmt: skip


@pytest.fixture
def chapters(tmp_path):
    """Three notebooks: one for all, one that needs PyTorch, one that needs Spark."""
    for number, packages in enumerate([[], ["torch"], ["pyspark"]]):
        metadata = {"recsys": {"packages": packages}}
        notebook = new_notebook(cells=[new_code_cell("x = 1")], metadata=metadata)
        nbformat.write(notebook, tmp_path / f"0{number}_chapter.ipynb")
    return tmp_path


@pytest.fixture
def ran(monkeypatch):
    """What was given to pytest: how it compares, and the notebooks' names."""
    calls = []

    def pytest_step(name, arguments):
        names = [os.path.basename(a) for a in arguments if a.endswith(".ipynb")]
        calls.append((arguments[2], names))
        return check.Step(name, passed=len(names), skipped=["one"])

    monkeypatch.setattr(check, "run", lambda _: 0)
    monkeypatch.setattr(check, "pytest_step", pytest_step)
    return calls


def one_rounds_otherwise(monkeypatch, plain, torch):
    monkeypatch.setattr(processor, "can_compare", lambda: plain)
    monkeypatch.setattr(processor, "can_compare_torch", lambda: torch)
    monkeypatch.setattr(extras, "installed", lambda package: package != "pyspark")


def test_a_chapter_without_its_package_is_skipped_by_name_in_ci_too(chapters, ran, monkeypatch):
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("RECSYS_DATA_DIR", "data")
    one_rounds_otherwise(monkeypatch, True, True)
    step = check.notebook_step("notebooks", chapters)
    assert ran == [("--nbval", ["00_chapter.ipynb", "01_chapter.ipynb"])]
    spark = "02_chapter.ipynb: needs Spark (pyspark), which is not installed"
    assert (step.passed, step.failed, step.skipped) == (2, [], ["one", spark])


def test_where_pytorch_rounds_otherwise_its_chapters_run_and_that_is_said(
    chapters, ran, monkeypatch
):
    one_rounds_otherwise(monkeypatch, True, False)
    step = check.notebook_step("notebooks", chapters)
    assert ran == [("--nbval", ["00_chapter.ipynb"]), ("--nbval-lax", ["01_chapter.ipynb"])]
    assert step.passed == 2
    assert step.skipped[2].startswith("01_chapter.ipynb: its outputs were not compared: PyTorch")


def test_where_nothing_can_be_compared_one_line_says_so(chapters, ran, monkeypatch):
    one_rounds_otherwise(monkeypatch, False, False)
    step = check.notebook_step("notebooks", chapters)
    assert ran == [("--nbval-lax", ["00_chapter.ipynb", "01_chapter.ipynb"])]
    assert [s for s in step.skipped if "not compared" in s] == [step.skipped[1]]


def test_execute_skips_a_chapter_without_its_package(chapters, monkeypatch, capsys):
    monkeypatch.setattr(extras, "installed", lambda _: False)
    path = chapters / "01_chapter.ipynb"
    before = path.read_bytes()
    assert execute.main([str(path)]) == 0
    assert "skipped: needs PyTorch, which is not installed" in capsys.readouterr().out
    assert path.read_bytes() == before


def test_the_probe_tells_processors_apart():
    pytest.importorskip("torch", reason="needs PyTorch, which is not installed")
    if not processor.can_compare():
        pytest.skip("stored outputs are compared on x86-64 with AVX2 only")
    other = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"}
    found = [
        subprocess.run(
            [sys.executable, processor.__file__],
            env=os.environ | processor.settings() | more,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for more in ({}, {}, other)
    ]
    assert found[0] == found[1] != found[2]
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in found)
    assert processor.can_compare_torch() == (found[0] == processor.TRAINED)


def test_without_pytorch_nothing_is_compared(without):
    done = without("-c", "import processor; print(processor.can_compare_torch())")
    assert done.stdout == "False\n"


def test_pytorch_is_told_one_instruction_set():
    settings = processor.settings()
    if processor.can_compare():
        assert settings["ATEN_CPU_CAPABILITY"] == "avx2"
        assert settings["ONEDNN_MAX_CPU_ISA"] == "AVX2"
        assert settings["MKL_CBWR"] == "AVX2,STRICT"


SHELL = """
{included}
uname() {{ echo {system}; }}
command() {{ [ "$2" != nvidia-smi ] || {gpu}; }}
fake() {{ echo "$*" >&3; return 1; }}
requirements=a.txt pip=fake
{fetch_small_torch}
fetch_small_torch 3>&1
echo went on
"""


@pytest.mark.parametrize(
    "system, gpu, pin, fetched",
    [
        ("Linux", "false", "torch==2.13.0  # networks", True),
        ("Linux", "true", "torch==2.13.0", False),
        ("Darwin", "false", "torch==2.13.0", False),
        ("Linux", "false", "torchmetrics==1.0", False),
    ],
)
def test_setup_tries_the_small_build_first(tmp_path, system, gpu, pin, fetched):
    setup = (ROOT / "scripts/setup.sh").read_text()
    functions = {
        name: re.search(rf"^{name}\(\) \{{\n.*?^\}}$", setup, flags=re.M | re.S)[0]
        for name in ("included", "fetch_small_torch")
    }
    (tmp_path / "a.txt").write_text("-r b.txt\nx==1\n")
    (tmp_path / "b.txt").write_text(f"{pin}\n")
    script = SHELL.format(system=system, gpu=gpu, **functions)
    done = subprocess.run(
        ["sh", "-euc", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    *said, last = done.stdout.splitlines()
    assert last == "went on" and len(said) == fetched
    if fetched:
        assert said[0].startswith("install ") and said[0].endswith(" torch==2.13.0")
        assert "--no-deps" in said[0] and "--retries 0" in said[0]


@pytest.mark.parametrize("given, installs", [([], True), (["NEURAL=no"], False)])
def test_make_test_leaves_the_extra_out_where_asked(given, installs):
    done = subprocess.run(
        ["make", "-n", "test", *given], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ("setup.sh requirements-neural.txt" in done.stdout) == installs
    assert "setup.sh requirements-test.txt" in done.stdout


def test_the_image_needs_none_of_it():
    deploy = (ROOT / "capstone/deploy").glob("requirements*.txt")
    named = {name for path in deploy for name in re.findall(r"^([\w.-]+)", path.read_text(), re.M)}
    assert named and not named & set(extras.NAMES)
