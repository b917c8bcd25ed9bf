"""Run notebooks from a fresh kernel and store their outputs in place.

python scripts/execute.py                              # all of them
python scripts/execute.py notebooks/03_metrics.ipynb   # this one

A notebook is written only when every cell ran and none wrote to stderr, so a failure
leaves the file as it was. What differs from run to run (timings, kernel versions) is not stored.
"""

import functools
import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

import extras
import processor

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = (ROOT / "notebooks", ROOT / "capstone" / "notebooks")
PACKAGES = (ROOT, ROOT / "capstone")  # what holds recsys, and what holds newsreco
QUIET_KERNEL = ["--log-level=ERROR"]  # of its own messages
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
KEPT_OF_NOTEBOOK = ("recsys", "mystnb")
KEPT_OF_CELL = ("tags", "mystnb")
LOADERS = {"movielens": "load_movielens", "open-bandit": "load_open_bandit"}
TRY_TO_LOAD = """
import sys
from recsys import datasets
try:
    getattr(datasets, sys.argv[1])(*sys.argv[2:])
except (OSError, ValueError) as error:
    print(error)
    sys.exit(3)
"""


def all_notebooks() -> list[Path]:
    """The chapters, then the capstone's, each in the order of their numbers."""
    return [path for folder in FOLDERS for path in notebooks_in(folder)]


def notebooks_in(folder: Path) -> list[Path]:
    """A folder's notebooks by number; what an editor has half-written is hidden by its dot."""
    return sorted(path for path in folder.glob("*.ipynb") if path.name[0] != ".")


def relative(path: Path) -> str:
    """A file's name as one would type it: from the repository's root where it lies in it."""
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name


@functools.cache
def why_missing(dataset: str) -> str:
    """Why this data set cannot be had here; empty where it can. Other errors are raised."""
    family, *names = dataset.split("/")
    if family not in LOADERS:
        known = ", ".join(f"'{name}/...'" for name in LOADERS)
        raise ValueError(f"data must be one of {known}, not {dataset!r}")
    command = [sys.executable, "-c", TRY_TO_LOAD, LOADERS[family], *names]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        return "not loaded within 300 s"
    if done.returncode == 3:
        return " ".join(done.stdout.split()) or "no reason given"
    if done.returncode:
        raise RuntimeError(f"loading {dataset} failed:\n{done.stderr}")
    return ""


def needs_of(path: Path, kind: str) -> list[str]:
    """What the notebook's metadata asks for under `recsys`: its "data" or its "packages"."""
    metadata = nbformat.read(path, as_version=4).metadata
    return list(metadata.get("recsys", {}).get(kind, []))


def packages_of(path: Path) -> list[str]:
    """The packages of requirements-neural.txt that the notebook needs."""
    return needs_of(path, "packages")


def missing_packages(path: Path) -> str:
    """Which of the notebook's packages are not installed: '' or a sentence."""
    return "; ".join(why for name in packages_of(path) if (why := extras.why_missing(name)))


def missing_data(path: Path) -> str:
    """Which data the notebook's metadata asks for and cannot be had: '' or a sentence."""
    needs = {name: why_missing(name) for name in needs_of(path, "data")}
    return "; ".join(f"{name} is not to be had ({why})" for name, why in needs.items() if why)


def environment() -> dict[str, str]:
    """What a kernel sees: the same everywhere, whatever the reader's own settings are."""
    settings = {k: v for k, v in os.environ.items() if k != "MPLBACKEND"}
    return (
        settings
        | processor.settings()
        | {
            "PYTHONPATH": search_path(settings.get("PYTHONPATH", "")),
            "OPENBLAS_NUM_THREADS": "1",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            "TQDM_DISABLE": "1",  # stored outputs hold no progress bars
            "MLFLOW_DISABLE_TELEMETRY": "true",  # nothing that runs here calls home
            "GIT_PYTHON_REFRESH": "quiet",  # git is not needed to track a model
        }
    )


def search_path(inherited: str) -> str:
    """Where a kernel, which starts in another folder, finds the packages; the inherited first."""
    folders = [os.path.abspath(folder) for folder in inherited.split(os.pathsep) if folder]
    folders += [str(folder) for folder in PACKAGES]
    return os.pathsep.join(dict.fromkeys(folders))


def clean(notebook: nbformat.NotebookNode, stem: str) -> nbformat.NotebookNode:
    """Keep what a reader or a test needs; drop what changes from run to run."""
    kept = {k: notebook.metadata[k] for k in KEPT_OF_NOTEBOOK if k in notebook.metadata}
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": KERNEL, "language_info": {"name": "python"}, **kept}
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells):
        cell.metadata = nbformat.from_dict(
            {k: cell.metadata[k] for k in KEPT_OF_CELL if k in cell.metadata}
        )
        cell.setdefault("id", f"{stem[:50]}-{number:02d}")
    return notebook


def stderr_of(notebook: nbformat.NotebookNode) -> list[str]:
    """What the cells wrote to stderr, cell by cell."""
    return [
        f"cell {number}: {output.text.strip()}"
        for number, cell in enumerate(notebook.cells)
        for output in cell.get("outputs", [])
        if output.get("name") == "stderr"
    ]


def write(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Replace the file in one step, so that an interruption leaves the old one."""
    nbformat.validate(notebook)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        nbformat.write(notebook, temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def execute(path: Path) -> str:
    """Run one notebook and store it. Returns what went wrong; '' where nothing did."""
    notebook = clean(nbformat.read(path, as_version=4), path.stem)
    resources = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(
        notebook, kernel_name="python3", resources=resources, timeout=600, coalesce_streams=True
    )
    client.extra_arguments = QUIET_KERNEL
    try:
        client.execute(env=environment())
    except CellExecutionError as error:
        return str(error)
    if written := stderr_of(notebook):
        return "a stored output must not hold stderr:\n" + "\n".join(written)
    write(clean(notebook, path.stem), path)
    return ""


def main(arguments: list[str]) -> int:
    """Run the notebooks named, or all; the exit status is 1 if one of them failed."""
    failed = 0
    for path in [Path(a).resolve() for a in arguments] or all_notebooks():
        started = time.monotonic()
        try:
            missing = missing_packages(path) or missing_data(path)
            problem = "" if missing else execute(path)
        except Exception as error:  # the notebooks after this one still count
            missing, problem = "", f"{type(error).__name__}: {error}"
        word = "FAILED" if problem else f"skipped: {missing}" if missing else "stored"
        print(f"{relative(path):40} {time.monotonic() - started:5.0f} s  {word}", flush=True)
        if problem:
            failed += 1
            print(problem, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
