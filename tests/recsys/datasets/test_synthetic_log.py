"""The fixed synthetic log: metrics measured once with straightforward code, stored here."""

import numpy as np
import pytest

from recsys import evaluate, leave_last_out, load_synthetic_log
from recsys.metrics import recall_at_k
from recsys.models import BPR, ContentBased, ImplicitALS, ItemKNN, Popularity, Random, Trending

FEATURES = load_synthetic_log().item_info["features"]


@pytest.fixture(scope="module")
def log():
    return leave_last_out(load_synthetic_log())


def mean_over_rng(make, log, seeds):
    reports = [evaluate(make(rng).fit(log[0], progress=False), *log) for rng in seeds]
    return {m: np.mean([r[f"{m}@10"] for r in reports]) for m in ("recall", "ndcg", "map")}


def test_log_has_the_expected_size():
    log = load_synthetic_log()
    assert (len(log), log.n_users, log.n_items, log.matrix.nnz) == (18_000, 300, 150, 11_180)
    assert len(set(log.titles)) == 150 and len(set(log.item_info["genre"])) == 8
    assert FEATURES.shape == (150, 8) and 1 < FEATURES.max() < 1.2
    train, test = leave_last_out(log)
    assert (len(train), len(test)) == (17_700, 300)


@pytest.mark.parametrize(
    "model, recall, ndcg, average_precision",
    [
        (Popularity(), 0.0733, 0.0321, 0.0200),
        (Trending(half_life=2000), 0.0767, 0.0339, 0.0210),
        (ContentBased(FEATURES, half_life=2000), 0.0733, 0.0335, 0.0218),
        (ItemKNN(n_neighbors=None), 0.0933, 0.0510, 0.0380),
    ],
    ids=lambda value: type(value).__name__,
)
def test_deterministic_models_reproduce_the_stored_metrics(
    model, recall, ndcg, average_precision, log
):
    report = evaluate(model.fit(log[0]), *log)
    found = [round(report[f"{name}@10"], 4) for name in ("recall", "ndcg", "map")]
    assert found == [recall, ndcg, average_precision]


@pytest.mark.parametrize(
    "make, recall, ndcg",
    [
        (lambda rng: ImplicitALS(32, 40.0, 0.1, iterations=15, rng=rng), 0.0956, 0.0464),
        (lambda rng: BPR(32, 0.05, 0.01, 30, rng=rng), 0.0989, 0.0479),
    ],
    ids=["ImplicitALS", "BPR"],
)
def test_randomly_initialised_models_agree_on_average(make, recall, ndcg, log):
    means = mean_over_rng(make, log, range(6))
    assert means["recall"] == pytest.approx(recall, abs=0.012)
    assert means["ndcg"] == pytest.approx(ndcg, abs=0.012)
    popular = evaluate(Popularity().fit(log[0]), *log)
    assert means["ndcg"] > popular["ndcg@10"] + 0.005


def test_random_model_has_the_expected_recall(log):
    """Ten random unseen items hold the target with probability 10 / unseen."""
    train, test = log
    seen = train.matrix[test.user].toarray() > 0
    reachable = ~seen[np.arange(300), test.item]
    expected = np.mean(reachable * 10 / (~seen).sum(axis=1))
    lists = [Random(rng=rng).fit(train).recommend(test.user, 10)[0] for rng in range(200)]
    recalls = [recall_at_k(items, test.matrix[test.user], 10).mean() for items in lists]
    assert np.mean(recalls) == pytest.approx(expected, abs=3 * np.std(recalls) / np.sqrt(200))
    assert 0.030 < expected < 0.035 and np.std(recalls) < 0.015


def test_report_states_the_reachable_fraction(log):
    report = evaluate(Popularity().fit(log[0]), *log)
    assert round(report.reachable, 3) == 0.367
    assert (report.n_reachable, report.n_targets) == (110, 300)
    assert "110 of 300 targets (36.7%) could have been recommended" in str(report)
