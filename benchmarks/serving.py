"""The latency budget of one list, stage by stage: `python -m benchmarks.serving`.

The capstone's pipeline (features of candidates, retrieval, ranking, re-ranking) makes lists for one
user after the other on one core, with one index after the other in turns, so that a slow moment of
the machine hits all. The model is trained on a synthetic log first, or read from --model.
"""

from __future__ import annotations

import os

for _name in ("NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402

from benchmarks.storage import machine, read, store  # noqa: E402
from newsreco.models.bundle import NewsModel, Settings, load_model  # noqa: E402
from newsreco.models.pipeline import RecommendationPipeline  # noqa: E402
from newsreco.synthetic import make_synthetic_log  # noqa: E402
from newsreco.training import fit_model  # noqa: E402

RESULTS = Path(__file__).with_name("results.json")
SIZES = {"n_articles": 100_000, "n_impressions": 100_000, "n_users": 20_000}
INDEXES = ("exact", "faiss")
USERS, WARM_UP, RESAMPLES = 2_000, 50, 1_000
STAGES = ("retrieve", "features", "rank", "rerank")  # in the order in which they run


def trained(folder: Path | None, sizes: dict[str, int] = SIZES) -> NewsModel:
    """The model of a folder, or one trained on a synthetic log, and saved there if it is given."""
    if folder is not None and folder.exists():
        return load_model(folder)
    model = fit_model(make_synthetic_log(**sizes, seed=0).log, Settings())
    if folder is not None:
        model.save(folder)
    return model


def measured(model: NewsModel, n_users: int = USERS) -> dict[str, Any]:
    """Milliseconds of each stage and of the whole list, for each index: p50 and p99."""
    pipelines = {index: RecommendationPipeline(model, index=index) for index in INDEXES}
    history = np.flatnonzero(model.state.arrays.user_clicks)
    users = np.random.default_rng(0).permutation(history)[: n_users + WARM_UP].tolist()
    times: dict[str, list[list[float]]] = {index: [] for index in INDEXES}
    for n, user in enumerate(users):
        for index in INDEXES if n % 2 else INDEXES[::-1]:
            start = time.perf_counter()
            seconds = pipelines[index].recommend(user).seconds
            total = time.perf_counter() - start
            times[index].append([*(seconds[stage] for stage in STAGES), total])
    milliseconds = {index: 1e3 * np.array(rows[WARM_UP:]) for index, rows in times.items()}
    setting = {"articles": len(model.articles), "users": len(users) - WARM_UP, "threads": 1}
    names = (*STAGES, "list")
    rows = [
        {"index": index, "stage": stage} | quantiles(column)
        for index, table in milliseconds.items()
        for stage, column in zip(names, table.T)
    ]
    return {"setting": setting, "rows": rows}


def quantiles(values: np.ndarray) -> dict[str, float]:
    """Median and 99th percentile, and the latter's 95 % bootstrap interval over requests."""
    draws = np.random.default_rng(0).choice(values, (RESAMPLES, len(values)))
    low, high = np.quantile(np.quantile(draws, 0.99, axis=1), [0.025, 0.975])
    p50, p99 = np.quantile(values, [0.5, 0.99])
    found = {"p50": p50, "p99": p99, "p99_low": low, "p99_high": high}
    return {name: round(float(value), 4) for name, value in found.items()}


def main() -> None:
    """Measure, print, and put the result beside the others."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=main.__doc__)
    parser.add_argument("--model", type=Path, help="folder of the model; made if it is not there")
    parser.add_argument("--train-only", action="store_true", help="save the model and stop")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where to write")
    options = parser.parse_args()
    model = trained(options.model)
    if options.train_only:
        return
    found = measured(model)
    for row in found["rows"]:
        print("{index:<7}{stage:<10}median {p50:7.3f} ms  p99 {p99:7.3f} ms".format(**row))
    here = machine(("numpy", "scipy", "numba", "faiss-cpu"))
    store(read(options.out) | {"serving": found | {"machine": here}}, options.out)


if __name__ == "__main__":
    main()
