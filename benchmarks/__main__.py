"""`python -m benchmarks`: one table on the screen, every result in results.json."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

os.environ.setdefault("NUMBA_NUM_THREADS", "2")

from tqdm import tqdm  # noqa: E402

from benchmarks.storage import machine, read, store  # noqa: E402

HERE = Path(__file__).parent
PARTS = ("retrieval",)  # modules, the words for --only, and the keys of their results
LONG = ("neural", "table", "distributed")  # the same, but run only where --only names them
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
    """Run all races, or those that --only names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument("--runs", type=int, default=5, help="timed runs of each side (5 or more)")
    parser.add_argument(
        "--only",
        default="",
        help=f"run only races with this word (BPR, capstone ...), or one of {PARTS + LONG}",
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
    if word in PARTS + LONG:
        store_part(word, options.out, options.runs)
        return
    rows, name = run_races(parser, word, options.runs)
    starts = [] if options.only else [first_call(model) for model in ("ImplicitALS", "BPR")]
    for start in starts:
        print(
            f"{start['model']:<12} first fit and recommend in a fresh checkout "
            f"{start['fresh']:.1f} s, in a later process {start['later']:.2f} s; "
            f"import {start['import']:.2f} s"
        )
    results = {"machine": machine(), "data": name, "contests": rows, "first_call": starts}
    if not options.only:
        store(results | stored_parts(options.out), options.out)  # safe if what follows fails
        results |= growth_and_loops() | {"top_k": top_k_rows()}
    elif options.out.is_file():
        results = merge(read(options.out), results)
    store(results | stored_parts(options.out), options.out)
    if not options.only:
        for part in PARTS:
            store_part(part, options.out, options.runs)
        store_news(news, options.out)
    print(f"written to {options.out}")


def run_races(parser: argparse.ArgumentParser, word: str, runs: int) -> tuple[list[dict], str]:
    """The rows of the races that `word` names, and the name of their log."""
    try:
        from benchmarks.races import races
    except ImportError as error:
        sys.exit(f"{error}. `make bench` installs the rivals first.")
    from benchmarks.harness import run
    from benchmarks.logs import LIKES_1M, load
    from benchmarks.quality import RefusedRace

    warnings.filterwarnings("ignore", module="implicit")
    holdout = load(LIKES_1M).test
    holdout.train.fingerprint  # noqa: B018  computed once, outside the timings
    print(f"{LIKES_1M}: {holdout.train!r}; 2 threads each; medians of {runs} alternating runs")
    chosen = {what: race for what, race in races(holdout).items() if word in what.lower()}
    if not chosen:
        parser.error(f"--only {word!r} names no race")
    rows = []
    for what, race in tqdm(chosen.items(), desc="races", disable=None):
        try:
            rows.append(run(what, race(), runs))
            tqdm.write(line(rows[-1]))
        except (ConnectionError, RefusedRace) as error:  # costs one row, not all
            tqdm.write(f"{what:<36}left out: {error}")
    return rows, LIKES_1M


def growth_and_loops() -> dict[str, Any]:
    """Arithmetic of the hottest loops, and time and memory from 1 to 25 M pairs."""
    from benchmarks.growth import growth, growth_summary, loops

    results: dict[str, Any] = {"loops": loops(), "growth": []}
    for loop in results["loops"]:
        print("{loop:<22}{reached:6.1f} of {limit:.0f} {unit}".format(**loop))
    for row in growth():
        results["growth"].append(row)
        print(
            f"{row['model']:<10}{row['side']:<8}{row['pairs']:>12,} pairs "
            f"{row['seconds']:8.2f} s  {row['peak_mb']} MB above the log"
        )
    results["growth_summary"] = growth_summary(results["growth"])
    for row in results["growth_summary"]:
        memory = "unknown" if row["memory"] is None else f"{row['memory']:.2f} of the rival's"
        print(
            "{model:<10}{pairs:,} pairs: time per pair grows {ours:.2f} times, the rival's "
            "{theirs:.2f}; peak memory ".format(**row)
            + memory
        )
    return results


def top_k_rows() -> list[dict[str, Any]]:
    """Top k of 50,000 items, by k and method, relative to the bare product."""
    from benchmarks import top_k

    rows = top_k.rows()
    for row in rows:
        print(top_k.line(row))
    return rows


def stored_parts(path: Path) -> dict[str, Any]:
    """The parts of the stored results that the races leave as they are."""
    parts = ("capstone", "load", "serving", *PARTS, *LONG)
    return {name: part for name, part in read(path).items() if name in parts}


def store_part(name: str, path: Path, runs: int) -> None:
    """Run the module of a part, and put what it finds beside the other results."""
    part = import_module(f"benchmarks.{name}")
    store(read(path) | {name: part.run(runs=runs)}, path)


def store_news(chosen: list[str], path: Path) -> None:
    """Time the capstone and put its rows beside the others, one by one: each takes minutes."""
    from benchmarks import newsroom

    here = machine(("numpy", "scipy", "numba", "lightgbm", "mlflow"))
    for row in newsroom.rows(chosen):
        print(newsroom.line(row))
        results = read(path)
        old = results.get("capstone", {"rows": []})["rows"]
        kept = {one["what"]: one for one in [*old, row | {"machine": here}]}
        rows = [kept[what] for what in newsroom.ROWS if what in kept]
        store(results | {"capstone": {"rows": rows}}, path)


def merge(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The stored results with the races that were run again, from the same machine only."""
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
        f"{name} {value:.5g} / {row['quality']['theirs'][name]:.5g}"
        for name, value in row["quality"]["ours"].items()
    )
    if "comparison" in row:
        quality += "  difference {low:+.4f} to {high:+.4f} (margin {margin:.4f})".format(
            **row["comparison"]
        )
        quality += "  non-inferior" if row["comparison"]["non_inferior"] else "  NOT SHOWN"
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
            times.append([float(value) for value in done.stdout.split()])
    return {
        "model": model, "import": min(t[0] for t in times), "fresh": times[0][1],
        "later": min(t[1] for t in times[1:]),
    }  # fmt: skip


if __name__ == "__main__":
    main()
