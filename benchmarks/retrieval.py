"""Vector search: recall@10 against queries per second, ours beside faiss and hnswlib.

`python -m benchmarks --only retrieval` runs this part alone. Every engine gets the same vectors,
the same 1,000 queries in one call, and the same threads. Settings that trade recall for speed (ef,
n_probe) are walked through; each point is the median of several runs, the engines in turns. Two
curves are compared at equal recall, where the logarithm of the speed is interpolated.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import numba
import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.storage import machine
from benchmarks.vector_engines import (
    CODE_BYTES,
    EF_CONSTRUCTION,
    ENGINES,
    RESCORE,
    RESCORED,
    D,
    Engine,
    K,
    M,
)

N_QUERIES = 1_000
LISTS = {100_000: 1024, 1_000_000: 2048}  # of inverted files
BUILDS = (
    (100_000, 1, (1,)),
    (100_000, 2, (2,)),
    (1_000_000, 2, (1, 2)),
)  # n, threads: build, search
SMALL_ONLY = ("faiss IVF-PQ, own lists", "faiss HNSW")  # a million would take minutes more
PAIRS = (
    ("exact", "faiss flat"),
    ("IVF", "faiss IVF"),
    ("IVF-PQ", "faiss IVF-PQ"),
    ("IVF-PQ, re-scored", "faiss IVF-PQ, refined"),
    ("HNSW", "hnswlib"),
    ("HNSW", "faiss HNSW"),
)
RECALLS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)


def catalogue(n: int, n_queries: int = N_QUERIES, rng: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Factors of n generated items (n, 64) and of users (n_queries, 64), float32.

    An item points to one of n / 100 topics, a user to the mean of three, both with noise. The
    variance of coordinate j falls as j^-0.8, and all lean to one side, as factors do. Users have
    length 1, items a log-normal one.
    """
    rng = np.random.default_rng(rng)
    deviation = np.arange(1, D + 1) ** -0.4
    topics = rng.normal(size=(max(8, n // 100), D)) * deviation
    topics[:, 0] += 0.5

    def near(rows: int, n_topics: int) -> np.ndarray:
        own = topics[rng.integers(len(topics), size=(rows, n_topics))].mean(axis=1)
        own += 0.8 * n_topics**-0.5 * rng.normal(size=(rows, D)) * deviation
        return own / np.linalg.norm(own, axis=1, keepdims=True)

    items = near(n, 1) * rng.lognormal(0, 0.3, (n, 1))
    return items.astype(np.float32), near(n_queries, 3).astype(np.float32)


def description(vectors: np.ndarray) -> dict[str, list[float]]:
    """Quantiles of the lengths over their median, and the largest fractions of the variance."""
    norms = np.linalg.norm(vectors, axis=1)
    norms = np.quantile(norms[norms > 0], (0.05, 0.25, 0.5, 0.75, 0.95, 1.0))
    squares = np.linalg.eigvalsh(vectors.T @ vectors)[::-1]
    return {
        "norms": (norms / norms[2]).round(3).tolist(),
        "squares": (squares / squares.sum())[[0, 1, 3, 7, 15, 31, 63]].round(4).tolist(),
    }


def run(builds: tuple = BUILDS, lists: dict[int, int] = LISTS, runs: int = 5) -> dict[str, Any]:
    """All that is stored under `retrieval`; prints each row once it is measured."""
    rows: list[dict[str, Any]] = []
    for n, build_threads, search_threads in builds:
        vectors, queries = catalogue(n)
        built = dict(build(vectors, lists[n], build_threads))
        for n_threads in search_threads:
            for name, points in measure({k: e for k, (e, _) in built.items()}, queries,
                                        n_threads, runs).items():  # fmt: skip
                engine, seconds = built[name]
                about = {"engine": name, "n": n, "threads": n_threads}
                about |= {"build_threads": build_threads, "build_seconds": round(seconds, 3)}
                rows.append(about | {"bytes": round(engine.n_bytes / n, 1), "points": points})
                print(line(rows[-1]), flush=True)
    ratios = equal_recall(rows)
    for row in ratios:
        print(
            "{n:>9,} vectors, {threads} threads, recall {recall:.2f}: {ours} / {theirs} "
            "{ratio:.2f} times the queries per second".format(**row)
        )
    return {
        "machine": machine(("numpy", "scipy", "numba", "faiss-cpu", "hnswlib")),
        "setting": {
            "d": D, "k": K, "queries": N_QUERIES, "runs": runs, "lists": {str(n): lists[n] for n in
            lists}, "code_bytes": CODE_BYTES, "rescore": RESCORE, "m": M,
            "ef_construction": EF_CONSTRUCTION,
        },
        "catalogue": description(catalogue(min(lists))[0]),
        "rows": rows,
        "ratios": ratios,
    }  # fmt: skip


def build(vectors: np.ndarray, lists: int, n_threads: int) -> Iterator[tuple[str, Any]]:
    """Each engine by name, with the seconds that it took."""
    small = catalogue(2_000)[0]
    with threads(n_threads):
        for name, make in ENGINES.items():
            if len(vectors) > min(LISTS) and name in SMALL_ONLY:
                continue
            if not name.startswith(("faiss", "hnswlib")):
                make(small, 16).search(small, 10)  # compiles
            start = time.perf_counter()
            engine = make(vectors, lists)
            seconds = time.perf_counter() - start
            yield name, (engine, seconds)
            for also, (base, extend) in RESCORED.items():
                if base == name:
                    yield also, (extend(vectors, engine), seconds)


def measure(
    engines: dict[str, Engine], queries: np.ndarray, n_threads: int, runs: int
) -> dict[str, list[dict[str, Any]]]:
    """The points of each engine's curve: setting, recall@10, queries per second."""
    truth = engines["exact"].search(queries, 0)
    found: dict[tuple[str, int], float] = {}
    seconds: dict[tuple[str, int], list[float]] = {}
    with threads(n_threads):
        for turn in range(-1, runs):  # the first is not timed
            for name, engine in engines.items():
                for setting in engine.settings:
                    start = time.perf_counter()
                    items = engine.search(queries, setting)
                    elapsed = time.perf_counter() - start
                    if turn < 0:
                        found[name, setting] = recall(items, truth)
                    else:
                        seconds.setdefault((name, setting), []).append(elapsed)
    points: dict[str, list[dict[str, Any]]] = {name: [] for name in engines}
    for (name, setting), times in seconds.items():
        speeds = [round(len(queries) / t, 1) for t in (median(times), max(times), min(times))]
        point = dict(zip(("per_second", "low", "high"), speeds))
        points[name].append({"setting": setting, "recall": found[name, setting]} | point)
    return points


def recall(items: np.ndarray, truth: np.ndarray) -> float:
    """The fraction of the true best items (m, K) that were found (m, K).

    >>> recall(np.array([[3, 1], [5, -1]]), np.array([[1, 2], [4, 5]]))
    0.5
    """
    return float((truth[:, :, None] == items[:, None, :]).any(axis=2).mean())


def equal_recall(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Our queries per second over the rival's, for each pair and each recall that both reach."""
    curves = {(row["engine"], row["n"], row["threads"]): row["points"] for row in rows}
    ratios = []
    for n, n_threads in dict.fromkeys((row["n"], row["threads"]) for row in rows):
        for ours, theirs in PAIRS:
            pair = [curves.get((name, n, n_threads), []) for name in (ours, theirs)]
            for level in (1.0,) if ours == "exact" else RECALLS:
                first, second = (speed_at(points, level) for points in pair)
                if first and second:
                    about = {"n": n, "threads": n_threads, "ours": ours, "theirs": theirs}
                    ratios.append(about | {"recall": level, "ratio": round(first / second, 3)})
    return ratios


def speed_at(points: list[dict[str, Any]], level: float) -> float | None:
    """The queries per second at a recall, between the two nearest points; None outside the curve.

    >>> curve = [{"recall": 0.5, "per_second": 100.0}, {"recall": 0.7, "per_second": 25.0}]
    >>> round(speed_at(curve, 0.6), 9), speed_at(curve, 0.8)
    (50.0, None)
    """
    for a, b in zip(points, points[1:] or points):
        if a["recall"] <= level <= b["recall"] or (len(points) == 1 and a["recall"] > 0.999):
            width = b["recall"] - a["recall"]
            part = (level - a["recall"]) / width if width else 0.0
            low, high = np.log(a["per_second"]), np.log(b["per_second"])
            return float(np.exp(low + part * (high - low)))
    return None


def line(row: dict[str, Any]) -> str:
    """One row of the table: the build, and the curve."""
    curve = "  ".join(f"{p['recall']:.3f} {p['per_second']:,.0f}/s" for p in row["points"])
    return (
        f"{row['n']:>9,} {row['threads']} thr. {row['engine']:<24} built in "
        f"{row['build_seconds']:6.1f} s on {row['build_threads']}  {row['bytes']:5.0f} bytes  "
        f"{curve}"
    )


@contextmanager
def threads(n: int) -> Iterator[None]:
    """Ours, faiss and hnswlib on n threads."""
    import faiss

    before = numba.get_num_threads()
    numba.set_num_threads(n)
    faiss.omp_set_num_threads(n)
    try:
        with threadpool_limits(n, user_api="blas"):
            yield
    finally:
        numba.set_num_threads(before)
