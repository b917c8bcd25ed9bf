"""Null test and minimum function of a trained model."""

import json

import pytest

from newsreco.cli import main
from newsreco.models.bundle import Settings
from newsreco.synthetic import make_synthetic_log
from newsreco.training import train


@pytest.mark.parametrize("seed", range(5))
def test_random_clicks_give_auc_half(seed, tmp_path):
    """The whole pipeline, from files: AUC 0.5 within 3 standard errors."""
    data, metrics = tmp_path / "data", tmp_path / "metrics.json"
    sample = ["sample", "--out", str(data), "--seed", str(seed), "--click-model", "random"]
    assert main(sample) == 0
    model = ["--out", str(tmp_path / "model"), "--json", str(metrics), "--quiet"]
    assert main(["train", "--data", str(data), *model, "--no-tracking"]) == 0
    found = json.loads(metrics.read_text())
    assert 0 < found["ranker_auc_se"] < 0.02
    assert abs(found["ranker_auc"] - 0.5) < 3 * found["ranker_auc_se"]


@pytest.mark.parametrize("ranker", ["logistic", "lambdamart"])
def test_ranker_beats_the_displayed_order_on_preference_clicks(ranker):
    world = make_synthetic_log(seed=0)
    found = train(world.log, Settings(ranker=ranker), world.truth, progress=False).metrics
    assert found["gain_over_displayed_order_low"] > 0
    assert found["ranker_auc"] < found["best_possible_auc"], (
        "no ranker beats the true probabilities"
    )
    assert found["fraction_of_best_possible"] > 0.5
