"""The latency budget: every stage of every index, and quantiles of the numbers given."""

import os

import numpy as np
import pytest


@pytest.fixture
def serving(monkeypatch):
    """The module, which limits threads when it is imported; the limits are taken back."""
    before = dict(os.environ)
    from benchmarks import serving

    os.environ.clear()
    os.environ.update(before)
    return serving


def test_quantiles_are_those_of_the_values(serving):
    found = serving.quantiles(np.arange(1001.0))
    assert (found["p50"], found["p99"]) == (500, 990)
    assert 970 < found["p99_low"] < 990 < found["p99_high"] < 1000


def test_each_stage_of_each_index_is_measured(serving, tmp_path, monkeypatch):
    pytest.importorskip("faiss")
    sizes = {"n_articles": 100, "n_impressions": 600, "n_users": 80}
    model = serving.trained(tmp_path / "model", sizes)
    monkeypatch.setattr(serving, "WARM_UP", 3)
    found = serving.measured(serving.trained(tmp_path / "model"), n_users=20)
    assert found["setting"] == {"articles": len(model.articles), "users": 20, "threads": 1}
    stages = [(row["index"], row["stage"]) for row in found["rows"]]
    assert stages == [(i, s) for i in serving.INDEXES for s in (*serving.STAGES, "list")]
    for row in found["rows"]:
        assert 0 < row["p50"] <= row["p99"] and row["p99_low"] <= row["p99"] <= row["p99_high"]
