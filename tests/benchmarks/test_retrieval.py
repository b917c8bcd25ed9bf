"""The retrieval benchmark: recall, curves at equal recall, and a small run of all engines."""

import json

import numpy as np
import pytest

from benchmarks import retrieval
from benchmarks.vector_engines import ENGINES, RESCORED


def test_recall_counts_the_true_items_found():
    truth = np.array([[0, 1, 2], [3, 4, 5]])
    assert retrieval.recall(np.array([[2, 1, 0], [5, 9, 8]]), truth) == 4 / 6
    assert retrieval.recall(np.full((2, 3), -1), truth) == 0


def test_speed_is_interpolated_in_its_logarithm():
    curve = [{"recall": r, "per_second": s} for r, s in ((0.2, 1000.0), (0.6, 10.0), (0.8, 5.0))]
    assert retrieval.speed_at(curve, 0.4) == pytest.approx(100)
    assert retrieval.speed_at(curve, 0.6) == pytest.approx(10)
    assert retrieval.speed_at(curve, 0.1) is None and retrieval.speed_at(curve, 0.9) is None
    assert retrieval.speed_at([{"recall": 1.0, "per_second": 7.0}], 1.0) == pytest.approx(7)


def test_ratio_compares_pairs_of_one_size_and_number_of_threads():
    def row(engine, n, threads, speed):
        points = [{"recall": r, "per_second": speed} for r in (0.75, 0.85)]
        return {"engine": engine, "n": n, "threads": threads, "points": points}

    rows = [row("HNSW", 9, 1, 30.0), row("hnswlib", 9, 1, 20.0), row("hnswlib", 9, 2, 40.0)]
    expected = {"n": 9, "threads": 1, "ours": "HNSW", "theirs": "hnswlib"}
    assert retrieval.equal_recall(rows) == [expected | {"recall": 0.8, "ratio": 1.5}]


def test_catalogue_is_repeatable_and_its_users_have_length_one():
    items, users = retrieval.catalogue(500, 20)
    again, _ = retrieval.catalogue(500, 20)
    assert items.tobytes() == again.tobytes() and items.shape == (500, 64)
    np.testing.assert_allclose(np.linalg.norm(users, axis=1), 1, rtol=1e-5)
    assert 0.25 < np.log(np.linalg.norm(items, axis=1)).std() < 0.35


def test_every_engine_runs_and_finds(capsys):
    pytest.importorskip("hnswlib", reason="only `make bench` installs hnswlib, which is compiled")
    found = retrieval.run(builds=((3_000, 2, (1,)),), lists={3_000: 20}, runs=1)
    assert {row["engine"] for row in found["rows"]} == {*ENGINES, *RESCORED}
    json.dumps(found)
    for row in found["rows"]:
        recalls = [point["recall"] for point in row["points"]]
        compressed = row["engine"] in ("IVF-PQ", "faiss IVF-PQ", "faiss IVF-PQ, own lists")
        floor = 0.4 if compressed else 0.95
        assert recalls[-1] > floor, row["engine"]
        assert recalls == sorted(recalls) or row["engine"].startswith(("HNSW", "hnsw", "faiss"))
    exact = {row["engine"]: row["points"][-1]["recall"] for row in found["rows"]}
    assert exact["exact"] == exact["IVF"] == exact["faiss IVF"] == 1  # all lists were probed
    assert {ratio["ours"] for ratio in found["ratios"]} >= {"exact", "IVF", "HNSW"}
