"""Run the capstone's notebooks end to end, in order, each from a fresh kernel, by papermill.

python scripts/capstone.py                                  # as the book has them
python scripts/capstone.py --size small --seed 3            # with other parameters
python scripts/capstone.py --tracking-uri http://localhost:5000

Each run has a folder of its own, _build/capstone/0001 and so on: `results.json` with every result
that the notebooks record, NN_topic.html to read, NN_topic.ipynb to open, and NN_topic/ with what
the notebook itself wrote. _build/capstone/latest is a link to the last run that was completed.

Paths are relative to the folder that the command runs in. Each notebook's results name the data set
that they are of: the fingerprint of --data-folder, or "synthetic".
"""

import argparse
import json
import os
import platform
import re
import sys
import time
from importlib.metadata import version
from pathlib import Path

import nbformat

from execute import FOLDERS, KERNEL, QUIET_KERNEL, ROOT, environment, notebooks_in

PACKAGES = ("recsys-course", "numpy", "scipy", "numba", "lightgbm", "mlflow", "sqlalchemy")


def arguments(argv: list[str]) -> argparse.Namespace:
    """The command line's options; a parameter that is not given keeps the notebook's value."""
    parser = argparse.ArgumentParser(
        prog="make capstone", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument_group("parameters of the notebooks").add_argument
    add("--size", choices=("default", "small"), help="size of the synthetic data (SIZE)")
    add("--seed", type=int, help="seed of the synthetic data (SEED)")
    add(
        "--half-life",
        dest="half_life_days",
        type=float,
        metavar="DAYS",
        help="of clicks (HALF_LIFE)",
    )
    add("--embedder", choices=("tfidf", "sentence"), help="text embedder (EMBEDDER)")
    add(
        "--data-folder",
        type=absolute,
        metavar="DIR",
        help="a MIND folder for the chapter on data (DATA)",
    )
    add(
        "--tracking-uri",
        type=absolute_store,
        metavar="URI",
        help="MLflow's; '' is a fresh file (TRACKING_URI)",
    )
    parser.add_argument("--notebooks", type=Path, default=FOLDERS[1], metavar="FOLDER")
    parser.add_argument("--runs", type=Path, default=ROOT / "_build" / "capstone", metavar="FOLDER")
    return parser.parse_args(argv)


def absolute(folder: str) -> str:
    """The absolute path of a folder: each notebook runs in a folder of its own."""
    return folder and str(Path(folder).expanduser().absolute())


def absolute_store(uri: str) -> str:
    """The URI of an MLflow store, with an absolute path if it has one."""
    from newsreco.tracking.client import absolute_uri

    return uri and absolute_uri(uri)


def check_store(uri: str | None) -> None:
    """ValueError or OSError if MLflow cannot use the store; a missing database is made."""
    if uri:
        from newsreco.tracking.client import mlflow_client

        with mlflow_client(uri, create=True) as mlflow:
            mlflow.search_experiments(max_results=1)


def fingerprint_of(folder: str) -> str:
    """Fingerprint of a folder's log; ValueError if it has no clicks, or cannot be read."""
    from newsreco.data import load_mind

    log, _ = load_mind(folder, progress=False)
    if not log.impressions.clicked.any():
        raise ValueError(f"data must hold at least one click, got none in {folder!r}")
    return log.fingerprint()


def declared(path: Path) -> dict[str, str]:
    """The parameters that a notebook declares in its tagged cell: name -> value, as written."""
    from papermill import inspect_notebook

    return {name: about["default"] for name, about in inspect_notebook(str(path)).items()}


def new_run(runs: Path) -> Path:
    """A new folder with the next number; two runs at once get two."""
    runs.mkdir(parents=True, exist_ok=True)
    number = max((int(p.name) for p in runs.iterdir() if p.name.isdigit()), default=0)
    while True:
        number += 1
        try:
            (runs / f"{number:04d}").mkdir()
        except FileExistsError:
            continue
        return runs / f"{number:04d}"


def point_latest(run: Path) -> None:
    """Link `latest` to this run, atomically."""
    draft = run.parent / f".latest.{os.getpid()}"
    draft.symlink_to(run.name)
    draft.replace(run.parent / "latest")


def failure(error: Exception) -> str:
    """The cell that failed, and its error."""
    if not hasattr(error, "traceback"):
        return f"{type(error).__name__}: {error}"
    said = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(error.traceback)) or str(error)
    code = "\n".join(f"    {line}" for line in error.source.splitlines())
    return f"the cell [{error.exec_count}] failed:\n\n{code}\n\n{said}"


def run_one(path: Path, run: Path, given: dict[str, object], data: str) -> dict[str, object]:
    """Run a notebook into the run's folder: its parameters, data, results and seconds.

    `data` is the fingerprint of the data folder; ValueError if the notebook read other data.
    """
    from papermill import execute_notebook

    from newsreco.reports.results import read

    own = run / path.stem
    own.mkdir()
    names = declared(path)
    parameters = {name: value for name, value in given.items() if name in names}
    if "folder" in names:
        parameters["folder"] = str(own)
    results = own / "results.jsonl"
    os.environ["NEWSRECO_RESULTS"] = str(results)
    started = time.perf_counter()
    execute_notebook(
        str(path), str(run / path.name), parameters, kernel_name=KERNEL["name"], cwd=str(own),
        progress_bar=False, execution_timeout=600, extra_arguments=QUIET_KERNEL,
    )  # fmt: skip
    seconds = round(time.perf_counter() - started, 2)
    parameters.pop("folder", None)
    read_folder = bool(parameters.get("data_folder"))
    if read_folder and fingerprint_of(parameters["data_folder"]) != data:
        raise ValueError(f"{parameters['data_folder']!r} was changed during the run: run it again")
    return {
        "notebook": path.stem, "parameters": parameters, "seconds": seconds,
        "data": data if read_folder else "synthetic", "results": read(results),
    }  # fmt: skip


def write_pages(run: Path, sources: list[Path]) -> None:
    """An HTML page of each notebook that was executed, completely or in part."""
    from readable import copy_mathjax, to_html

    copy_mathjax(run)
    names = {path.name for path in sources}
    for path in sources:
        if (executed := run / path.name).exists():
            page = to_html(nbformat.read(executed, as_version=4), path, names)
            executed.with_suffix(".html").write_text(page, encoding="utf-8")


def write_results(run: Path, given: dict[str, object], rows: list[dict], seconds: float) -> None:
    """Write results.json, atomically."""
    from recsys.files import write_text

    versions = {name: version(name) for name in PACKAGES}
    results = {
        "run": int(run.name),
        "given": given,
        "python": platform.python_version(),
        "versions": versions,
        "seconds": round(seconds, 2),
        "notebooks": rows,
    }
    write_text(run / "results.json", json.dumps(results, indent=1, ensure_ascii=False) + "\n")


def main(argv: list[str]) -> int:
    """Run all; the exit status is 1 if a notebook failed, 2 if there is nothing to run."""
    options = arguments(argv)
    paths = notebooks_in(options.notebooks.resolve())
    given = {
        name: value for name, value in vars(options).items()
        if name not in ("notebooks", "runs") and value is not None
    }  # fmt: skip
    known = {name for path in paths for name in declared(path)}
    if not paths or (unknown := set(given) - known):
        why = f"no notebook has the parameter {min(unknown)!r}" if paths else "no notebook"
        print(f"{why} in {options.notebooks}", file=sys.stderr)
        return 2
    os.environ.update(environment())
    try:
        data = fingerprint_of(options.data_folder) if options.data_folder else ""
        check_store(options.tracking_uri)
    except (ValueError, OSError) as error:
        print(f"make capstone: {error}", file=sys.stderr)
        return 2
    started, run, rows = time.perf_counter(), new_run(options.runs.resolve()), []
    problem = ""
    for number, path in enumerate(paths, 1):
        print(f"[{number}/{len(paths)}] {path.stem:24}", end="", flush=True)
        try:
            rows.append(run_one(path, run, given, data))
        except Exception as error:  # a cell's error, a kernel that died, a time-out
            problem = failure(error)
            print(" FAILED\n", flush=True)
            break
        print(f"{rows[-1]['seconds']:6.1f} s", flush=True)
    write_pages(run, paths)
    if problem:
        print(f"{problem}\n\n{path.stem} failed; what was executed is in {run}")
        return 1
    seconds = time.perf_counter() - started
    write_results(run, given, rows, seconds)
    point_latest(run)
    count = sum(len(row["results"]) for row in rows)
    print(f"{len(rows)} notebooks, {count} results, {seconds:.0f} s: {run / 'results.json'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
