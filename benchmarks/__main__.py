"""`python -m benchmarks`: one table on the screen, every figure in results.json."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("NUMBA_NUM_THREADS", "2")

from tqdm import tqdm  # noqa: E402

HERE = Path(__file__).parent
FIRST_CALL = """
import time
start = time.perf_counter()
import recsys
from recsys.models import *
imported = time.perf_counter()
train = recsys.make_synthetic(n_interactions=2000)
ready = time.perf_counter()
{model}().fit(train).recommend([0, 1])
print(imported - start, time.perf_counter() - ready)
"""


def main() -> None:
    """Run all contests, or those that --only names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument("--runs", type=int, default=5, help="timed runs of each side (5 or more)")
    parser.add_argument(
        "--only",
        default="",
        help="run only contests with this word, such as BPR or capstone, and keep the others",
    )
    parser.add_argument("--out", type=Path, default=HERE / "results.json", help="where to write")
    options = parser.parse_args()
    if options.runs < 5:
        parser.error(f"--runs must be at least 5 for a median worth quoting, got {options.runs}")

    from benchmarks import newsroom

    word = options.only.lower()
    news = [what for what in newsroom.ROWS if word in f"capstone: {what}".lower()]
    if options.only and news:  # needs no rival
        store_news(news, options.out)
        return
    try:
        from benchmarks.contests import Arena, contests
    except ImportError as error:
        sys.exit(f"{error}. `make bench` installs the rivals first.")
    from benchmarks.data import movielens_sized
    from benchmarks.harness import run

    warnings.filterwarnings("ignore", module="implicit")
    name, data = movielens_sized()
    print(f"{name}: {data!r}; 2 threads each; medians of {options.runs} alternating runs")
    arena = Arena(data)
    chosen = {what: c for what, c in contests().items() if options.only.lower() in what.lower()}
    if not chosen:
        parser.error(f"--only {options.only!r} names no contest")
    rows = []
    for what, contest in tqdm(chosen.items(), desc="contests", disable=None):
        try:
            rows.append(run(what, contest(arena), options.runs))
            tqdm.write(line(rows[-1]))
        except ConnectionError as error:  # data that is not at hand costs one row, not all
            tqdm.write(f"{what:<36}left out: {error}")
    starts = [] if options.only else [first_call(model) for model in ("ImplicitALS", "BPR")]
    for start in starts:
        print(
            f"{start['model']:<12} first fit and recommend in a fresh checkout "
            f"{start['fresh']:.1f} s, in a later process {start['later']:.2f} s; "
            f"import {start['import']:.2f} s"
        )
    results = {"machine": machine(), "data": name, "contests": rows, "first_call": starts}
    if not options.only:
        from benchmarks.growth import growth, loops

        store(results | stored_news(options.out), options.out)  # safe, whatever the rest brings
        results["loops"] = loops()
        for loop in results["loops"]:
            print("{loop:<22}{reached:6.1f} of {limit:.0f} {unit}".format(**loop))
        results["growth"] = []
        for row in growth():
            results["growth"].append(row)
            print(
                f"{row['model']:<10}{row['side']:<8}{row['pairs']:>12,} pairs "
                f"{row['seconds']:8.2f} s  {row['peak_mb']} MB above the log"
            )
    if options.only and options.out.is_file():
        results = merge(json.loads(options.out.read_text()), results)
    store(results | stored_news(options.out), options.out)
    if not options.only:
        store_news(news, options.out)
    print(f"written to {options.out}")


def stored_news(path: Path) -> dict[str, Any]:
    """The capstone's part of the stored results, which the contests leave as it is."""
    results = json.loads(path.read_text()) if path.is_file() else {}
    return {name: part for name, part in results.items() if name == "capstone"}


def store_news(chosen: list[str], path: Path) -> None:
    """Time the capstone and put its rows beside the others, one by one: each takes minutes."""
    from benchmarks import newsroom

    for row in newsroom.rows(chosen):
        print(newsroom.line(row))
        results = json.loads(path.read_text()) if path.is_file() else {}
        here = machine(("numpy", "scipy", "numba", "lightgbm", "mlflow"))
        found = results.get("capstone", {})
        old = found["rows"] if found.get("machine") == here else []
        kept = {one["what"]: one for one in [*old, row]}
        rows = [kept[what] for what in newsroom.ROWS if what in kept]
        store(results | {"capstone": {"machine": here, "rows": rows}}, path)


def store(results: dict[str, Any], path: Path) -> None:
    """Write the results in one step, so that an interruption leaves the old file."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(results, indent=1) + "\n")
    draft.replace(path)


def merge(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The stored results with the contests that were run again, from the same machine only."""
    if (old["machine"], old["data"]) != (new["machine"], new["data"]):
        return new
    again = {row["what"]: row for row in new["contests"]}
    rows = [again.pop(row["what"], row) for row in old["contests"]]
    return old | {"contests": rows + list(again.values())}


def line(row: dict[str, Any]) -> str:
    """One row of the table."""
    from statistics import median

    ours, theirs = (median(row["seconds"][side]) for side in ("ours", "theirs"))
    quality = "  ".join(
        f"{name} {figure:.5g} / {row['quality']['theirs'][name]:.5g}"
        for name, figure in row["quality"]["ours"].items()
    )
    memory = " / ".join(str(row["peak_mb"][side]) for side in ("ours", "theirs"))
    return (
        f"{row['what']:<36}{row['rival']:<12}ours {ours:7.3f} s  theirs {theirs:7.3f} s  "
        f"theirs/ours {row['ratio']:5.2f} (target {row['target']:g})  {memory} MB  {quality}"
    )


def first_call(model: str) -> dict[str, Any]:
    """Seconds of the first call with an empty compilation cache, and in a later process."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
        times = []
        for _ in range(3):
            command = [sys.executable, "-c", FIRST_CALL.format(model=model)]
            done = subprocess.run(command, env=environment, capture_output=True, check=True)
            times.append([float(figure) for figure in done.stdout.split()])
    return {
        "model": model, "import": min(t[0] for t in times), "fresh": times[0][1],
        "later": min(t[1] for t in times[1:]),
    }  # fmt: skip


PACKAGES = ("numpy", "scipy", "numba", "pandas", "polars")
RIVALS = ("implicit", "lightfm-next", "ranx", "ir-measures", "scikit-surprise")


def machine(packages: tuple[str, ...] = PACKAGES + RIVALS) -> dict[str, Any]:
    """What the figures were measured on."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = [
            x.split(":")[1].strip() for x in cpuinfo.read_text().splitlines() if "model name" in x
        ]
        model = names[0] if names else model
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages},
    }


if __name__ == "__main__":
    main()
