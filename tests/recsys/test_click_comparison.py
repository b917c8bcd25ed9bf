"""Click probabilities compared, by user: against a bootstrap that copies rows."""

import numpy as np
import pytest

from recsys.click_comparison import compare_clicks, resampled_auc, resampled_log_loss
from recsys.metrics import auc, log_loss


def rows(n=600, n_users=20, seed=0):
    rng = np.random.default_rng(seed)
    p = rng.beta(2, 3, n)
    return p, (rng.random(n) < p).astype(float), rng.integers(0, n_users, n), rng


def test_resampled_metrics_are_those_of_the_copied_rows():
    p, labels, users, rng = rows()
    for scores in (p, p.round(1).clip(0.1, 0.9)):  # without and with ties
        draws = rng.multinomial(20, np.full(20, 1 / 20), 5)
        aucs = resampled_auc(labels, scores, users, draws)
        losses = resampled_log_loss(labels, scores, users, draws)
        for b, times in enumerate(draws):
            copied = np.repeat(np.arange(len(p)), times[users])
            assert aucs[b] == pytest.approx(auc(labels[copied], scores[copied]), abs=1e-12)
            expected = log_loss(labels[copied], scores[copied])
            assert losses[b] == pytest.approx(expected, abs=1e-12)


def test_the_better_model_is_significantly_better_and_a_copy_is_not():
    p, labels, users, rng = rows(4000)
    noisy = np.clip(p + rng.normal(0, 0.2, len(p)), 0.01, 0.99)
    table = compare_clicks({"base": noisy, "truth": p, "copy": noisy}, labels, users, "base")
    assert table.index.tolist() == ["base", "truth", "copy"]
    truth, copy = table.loc["truth"], table.loc["copy"]
    assert truth["log_loss"]["high"] < 0 < truth["auc"]["low"]
    assert truth["auc"]["mean"] == pytest.approx(auc(labels, p))
    expected = log_loss(labels, p) - log_loss(labels, noisy)
    assert truth["log_loss"]["difference"] == pytest.approx(expected)
    assert (copy["auc"][["difference", "low", "high"]] == 0).all()
    assert table.loc["base"].isna().sum() == 6


def test_more_models_widen_the_intervals():
    p, labels, users, rng = rows(2000)
    models = {"base": np.full(2000, 0.4), "truth": p}
    two = compare_clicks(models, labels, users, "base").loc["truth", "log_loss"]
    more = models | {f"copy {n}": p for n in range(8)}
    many = compare_clicks(more, labels, users, "base").loc["truth", "log_loss"]
    assert many["low"] < two["low"] < two["high"] < many["high"]


def test_users_are_resampled_and_not_rows():
    p, labels, _, _ = rows(1000)
    models = {"base": np.full(1000, 0.4), "truth": p}
    alone = compare_clicks(models, labels, np.arange(1000), "base").loc["truth", "auc"]
    order = np.argsort(p)  # users who differ in what they click
    users = np.empty(1000, int)
    users[order] = np.arange(1000) // 100
    together = compare_clicks(models, labels, users, "base").loc["truth", "auc"]
    assert together["high"] - together["low"] > 1.2 * (alone["high"] - alone["low"])


def test_wrong_arguments_are_refused():
    p, labels, users, _ = rows()
    with pytest.raises(ValueError, match="baseline must be one of"):
        compare_clicks({"a": p}, labels, users, "b")
    with pytest.raises(ValueError, match="users must have one entry per row, 600, got 599"):
        compare_clicks({"a": p}, labels, users[1:], "a")
