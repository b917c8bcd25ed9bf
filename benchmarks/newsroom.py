"""The capstone, timed: training at full size, lists for single users, updates, all notebooks.

Each row runs in its own processes, to measure their peak memory:
`python -m benchmarks.newsroom serve MODEL` times the lists alone, on one core,
`python -m benchmarks.newsroom daily` the updates, and
`python -m benchmarks.newsroom measure COMMAND ...` a command.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TRAIN = "newsreco train, 1 M impressions and 100,000 articles"
SERVE = "two-stage recommendation for one user on 100,000 articles"
NOTEBOOKS = "make capstone at default size"
DAILY = "newsreco update, and training anew, once a day"
ROWS = (TRAIN, SERVE, DAILY, NOTEBOOKS)
SIZES = {"n_articles": 100_000, "n_impressions": 1_000_000, "n_users": 100_000}
TRAIN_SECONDS, TRAIN_MB = 600, 6_000
P99_MS, TIMES_AS_FAST = 10, 20
NOTEBOOKS_SECONDS = 240
DAILY_SIZES = (
    {"n_articles": 300, "n_impressions": 4_000, "n_users": 400},  # the default of `newsreco sample`
    {"n_articles": 10_000, "n_impressions": 100_000, "n_users": 10_000},
)
USERS, USERS_PLAIN = 1_000, 20  # whose lists are timed: ours, and the straightforward version's


def rows(chosen: list[str], sizes: dict[str, int] = SIZES) -> Iterator[dict[str, Any]]:
    """The chosen rows, in order; a model is trained if one of them needs it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if TRAIN in chosen or SERVE in chosen:
            row = training(folder, sizes)
            if TRAIN in chosen:
                yield row
        if SERVE in chosen:
            yield serving(folder / "model")
        if DAILY in chosen:
            yield {"what": DAILY, "sizes": in_own_process("daily")}
        if NOTEBOOKS in chosen:
            yield notebooks(folder / "runs")


def training(folder: Path, sizes: dict[str, int]) -> dict[str, Any]:
    """The command on a synthetic log, from start to stored model, in a new process."""
    from newsreco.synthetic import write_sample

    write_sample(folder / "data", **sizes)
    paths = ["--data", folder / "data", "--out", folder / "model", "--json", folder / "out.json"]
    command = [sys.executable, "-m", "newsreco", "train", "--no-tracking", *map(str, paths)]
    seconds, peak_mb = measured(command)
    metrics = json.loads((folder / "out.json").read_text())
    return {
        "what": TRAIN,
        "setting": sizes,
        "seconds": seconds,
        "target_seconds": TRAIN_SECONDS,
        "peak_mb": peak_mb,
        "target_mb": TRAIN_MB,
        "metrics": metrics,
    }


def serving(model: Path) -> dict[str, Any]:
    """One user's list after the other, in one process on one core."""
    targets = {"target_p99_ms": P99_MS, "target_ratio": TIMES_AS_FAST}
    return {"what": SERVE} | targets | in_own_process("serve", str(model), n_threads="1")


def in_own_process(*words: str, n_threads: str = "2") -> Any:
    """What `python -m benchmarks.newsroom` prints for these words."""
    limits = ("NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
    command = [sys.executable, "-m", "benchmarks.newsroom", *words]
    env = environment() | dict.fromkeys(limits, n_threads)
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def notebooks(runs: Path) -> dict[str, Any]:
    """All notebooks of the capstone as `make capstone` runs them."""
    script = ROOT / "scripts" / "capstone.py"
    command = [sys.executable, str(script), "--runs", str(runs)]
    seconds, peak_mb = measured(command)
    results = json.loads((runs / "latest" / "results.json").read_text(encoding="utf-8"))
    return {
        "what": NOTEBOOKS,
        "seconds": seconds,
        "target_seconds": NOTEBOOKS_SECONDS,
        "peak_mb": peak_mb,
        "notebooks": {row["notebook"]: row["seconds"] for row in results["notebooks"]},
    }


def environment() -> dict[str, str]:
    """Environment variables with which processes find the packages of this repository."""
    path = [os.environ.get("PYTHONPATH", ""), str(ROOT), str(ROOT / "capstone")]
    return dict(os.environ) | {"PYTHONPATH": os.pathsep.join(filter(None, path))}


def measured(command: list[str]) -> tuple[float, int]:
    """Seconds and peak megabytes of a command and its child processes.

    A small process starts it: the peak of a child includes that of the process it is forked from.
    """
    helper = [sys.executable, "-m", "benchmarks.newsroom", "measure", *command]
    done = subprocess.run(
        helper, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, check=True, text=True
    )
    seconds, peak_mb = json.loads(done.stdout.splitlines()[-1])
    return seconds, peak_mb


def measure(*command: str) -> tuple[float, int]:
    """The same, started by this process, whose own peak must be small."""
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with exit status {process.returncode}")
    return seconds, usage.ru_maxrss // (1024 if sys.platform.startswith("linux") else 1024**2)


def serve(model: str, n_users: int = USERS, n_plain: int = USERS_PLAIN) -> dict[str, Any]:
    """Milliseconds per list: median, p99, fraction of each stage; median of the straightforward."""
    import numpy as np

    from benchmarks.straightforward import PlainRecommender
    from newsreco.models.bundle import load_model
    from newsreco.models.pipeline import RecommendationPipeline

    served = RecommendationPipeline(load_model(model))
    slow = PlainRecommender(served)
    clicks = served.state.arrays.user_clicks
    users = np.random.default_rng(0).permutation(np.flatnonzero(clicks))[:n_users].tolist()
    for user in users[:20]:  # load compiled code and fill caches
        served.recommend(user)
    ours = np.empty(len(users))
    stages: dict[str, float] = {}
    for n, user in enumerate(users):
        start = time.perf_counter()
        found = served.recommend(user)
        ours[n] = time.perf_counter() - start
        for stage, seconds in found.seconds.items():
            stages[stage] = stages.get(stage, 0.0) + seconds
    theirs, same = [], []
    for user in users[:n_plain]:
        start = time.perf_counter()
        items = slow.recommend(user)
        theirs.append(time.perf_counter() - start)
        same.append(len(set(items) & set(served.recommend(user).items.tolist())) / len(items))
    return {
        "setting": {"users": len(users), "users_plain": len(theirs), "threads": 1},
        "median_ms": float(np.median(ours) * 1e3),
        "p99_ms": float(np.quantile(ours, 0.99) * 1e3),
        "fraction": {stage: seconds / ours.sum() for stage, seconds in stages.items()},
        "plain_median_ms": float(np.median(theirs) * 1e3),
        "ratio": float(np.median(theirs) / np.median(ours[: len(theirs)])),
        "same_articles": float(np.mean(same)),
    }


def daily() -> list[dict[str, Any]]:
    """Median seconds per day of the held-out period: of an update, and of training anew."""
    from newsreco.evaluation.daily import day_starts
    from newsreco.models.bundle import Settings
    from newsreco.models.update import update
    from newsreco.synthetic import make_synthetic_log
    from newsreco.training import fit_model

    rows, settings = [], Settings()
    for sizes in DAILY_SIZES:
        log = make_synthetic_log(**sizes, seed=0).log
        model = fit_model(log.before(log.cutoff_time(settings.test_fraction)), settings)
        update(model, log)  # load compiled code
        seconds = []
        for start in day_starts(log, model.state.now):
            past = log.before(start)
            began = time.perf_counter()
            model = update(model, past).model
            updated = time.perf_counter()
            fit_model(past, settings)
            seconds.append((updated - began, time.perf_counter() - updated))
        medians = [statistics.median(column) for column in zip(*seconds)]
        times = dict(zip(("update_seconds", "retrain_seconds"), medians))
        rows.append({"setting": sizes, "days": len(seconds)} | times)
    return rows


def line(row: dict[str, Any]) -> str:
    """One row of the table."""
    if row["what"] == DAILY:
        lines = [
            f"    {one['setting']['n_impressions']:,} impressions: update "
            f"{one['update_seconds']:.3f} s, training anew {one['retrain_seconds']:.2f} s, "
            f"medians of {one['days']} days"
            for one in row["sizes"]
        ]
        return "\n".join([row["what"], *lines])
    if row["what"] == SERVE:
        stages = ", ".join(f"{stage} {part:.0%}" for stage, part in row["fraction"].items())
        return (
            f"{row['what']}\n    median {row['median_ms']:.2f} ms, p99 {row['p99_ms']:.2f} ms "
            f"(target {row['target_p99_ms']}); {stages}\n    straightforward "
            f"{row['plain_median_ms']:.0f} ms, {row['ratio']:.0f} times as long "
            f"(target {row['target_ratio']}), {row['same_articles']:.0%} the same articles"
        )
    memory = f" (target {row['target_mb']})" if "target_mb" in row else ""
    return (
        f"{row['what']}\n    {row['seconds']:.0f} s (target {row['target_seconds']}), "
        f"{row['peak_mb']} MB{memory}"
    )


if __name__ == "__main__":
    what, *given = sys.argv[1:]
    print(json.dumps({"measure": measure, "serve": serve, "daily": daily}[what](*given)))
