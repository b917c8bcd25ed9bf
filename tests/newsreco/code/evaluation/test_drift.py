"""Drift of features: values by hand, an outside implementation, and how often nothing is found."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

from newsreco.api.events import Event, EventStore
from newsreco.cli import main
from newsreco.evaluation import drift
from newsreco.evaluation.drift import bin_edges, feature_drift, model_drift, psi
from newsreco.features.matrix import FEATURES
from newsreco.models.rankers import RANKERS
from newsreco.synthetic import write_sample
from newsreco.training import train


def one_drift(training, later, users=None, rng=0):
    """Drift of one feature; by default each row is of its own user."""
    training, later = np.asarray(training, np.float32), np.asarray(later, np.float32)
    if users is None:
        users = np.arange(len(training)), len(training) + np.arange(len(later))
    [found] = feature_drift(training[:, None], later[:, None], *users, ["x"], rng)
    return found


def test_psi_by_hand():
    """With the half rows 2, 4 and 4 of 10, and 5, 4 and 1 of 10."""
    counts = np.array([1.5, 3.5, 3.5]), np.array([4.5, 3.5, 0.5])
    by_hand = 0.3 * np.log(0.5 / 0.2) + -0.3 * np.log(0.1 / 0.4)
    assert psi(*counts) == pytest.approx(by_hand) == pytest.approx(0.690776)


def test_psi_does_not_depend_on_direction_or_on_bins_that_are_empty_in_both():
    one, other = np.array([4.0, 0, 9]), np.array([1.0, 0, 2])
    assert psi(one, other) == pytest.approx(psi(other, one))
    assert psi(one, other) == pytest.approx(psi(one[[0, 2]], other[[0, 2]]))


def test_bin_that_is_empty_in_training_gives_a_finite_psi():
    """With the half rows 10 and 0.5 of 10.5, and 10 and 5 of 15."""
    found = psi(np.array([9.5, 0]), np.array([9.5, 4.5]))
    p, q = np.array([10, 0.5]) / 10.5, np.array([10, 5]) / 15
    assert found == pytest.approx(((q - p) * np.log(q / p)).sum())


def test_an_edge_belongs_to_the_bin_below_it():
    edges = bin_edges(np.arange(100))
    assert edges.tolist() == [9, 19, 29, 39, 49, 59, 69, 79, 89]
    assert np.bincount(np.searchsorted(edges, np.arange(100))).tolist() == [10] * 10


@pytest.mark.parametrize("ones", [5, 50, 95])
def test_both_values_of_a_binary_feature_are_seen(ones):
    training = np.repeat([0.0, 1.0], [100 - ones, ones])
    cells = np.searchsorted(bin_edges(training), [0.0, 1.0])
    assert cells[0] != cells[1]
    found = one_drift(training, 1 - training)
    assert (found.psi == pytest.approx(0, abs=1e-9)) == (ones == 50)


def test_bins_are_those_of_the_training_rows():
    """Tenths of 100 training rows; all 900 later rows are in one of them. Half rows are added."""
    p, q = np.full(10, 10.5 / 105), np.full(10, 0.5 / 905)
    q[5] = 900.5 / 905
    by_hand = ((q - p) * np.log(q / p)).sum()
    assert one_drift(np.arange(100), np.full(900, 50)).psi == pytest.approx(by_hand)


def test_value_below_all_of_a_frequent_one_is_its_own_bin():
    edges = bin_edges(np.zeros(20))
    assert len(set(np.searchsorted(edges, [-1.0, 0.0, 1.0]))) == 3


def test_ks_by_hand_and_as_scipy_has_it():
    found = one_drift([1, 2, 3, 4], [3, 4, 5, 6])
    assert found.ks == pytest.approx(0.5), "two of four are below 3, and none of the later"
    draw = np.random.default_rng(0)
    for n, m in ((30, 40), (60, 9)):
        one, other = draw.integers(0, 12, n), draw.integers(1, 14, m)
        assert one_drift(one, other).ks == pytest.approx(ks_2samp(one, other).statistic)
    one, other = draw.normal(size=5000), draw.normal(0.3, size=2000)
    assert one_drift(one, other).ks == pytest.approx(ks_2samp(one, other).statistic, abs=0.01)


def test_p_of_all_permutations_by_hand():
    """Five users, one of them later: the largest value alone gives the largest KS, as does the
    smallest, so two in five permutations are as extreme."""
    found = one_drift([1, 2, 3, 4], [5])
    assert found.ks == 1.0 and found.ks_95 == 1.0
    assert found.p == pytest.approx(0.4, abs=0.05)


def test_p_is_at_least_one_permutation():
    found = one_drift(np.zeros(50), np.ones(50))
    assert (found.ks, found.p) == (1.0, 0.001)
    assert found.psi == pytest.approx(2 * 50 / 51 * np.log(101), rel=1e-6)
    assert found.size == "large" and drift.is_significant(found, 15)


def test_without_drift_it_is_seldom_found():
    """Users differ, and each has ten correlated rows: p at most 0.05 in about 5 % of 200 logs."""
    draw, found = np.random.default_rng(1), []
    for n in range(200):
        level = draw.normal(size=60)
        user = np.repeat(np.arange(60), 10)
        values = level[user] + 0.3 * draw.normal(size=600)
        here = user < 40
        users = user[here], user[~here]
        found.append(one_drift(values[here], values[~here], users, rng=n).p <= 0.05)
    assert 2 <= sum(found) <= 22, "a binomial of 200 and 0.05 is outside once in 500 times"


def test_shift_is_found_and_comes_first():
    draw = np.random.default_rng(2)
    training, later = draw.normal(size=(2000, 3)), draw.normal(size=(1000, 3))
    later[:, 1] += 0.5
    users = draw.integers(0, 200, 2000), draw.integers(0, 200, 1000)
    found = feature_drift(training, later, *users, ["same", "shifted", "also the same"])
    assert [one.feature for one in found][0] == "shifted"
    assert [drift.is_significant(one, 3) for one in found] == [True, False, False]
    assert [one.size for one in found] == ["moderate", "small", "small"]
    assert all(one.ks < one.ks_95 and one.psi < one.psi_95 for one in found[1:])


@pytest.mark.parametrize(
    ("value", "size"), [(0.0999, "small"), (0.1, "moderate"), (0.2499, "moderate"), (0.25, "large")]
)
def test_sizes_by_the_thresholds(value, size):
    assert drift.Drift("x", value, 0, 0, 0, 1).size == size


@pytest.mark.parametrize(
    ("p", "n", "yes"), [(0.005, 10, True), (0.006, 10, False), (0.05, 1, True)]
)
def test_significance_is_of_all_features_together(p, n, yes):
    assert drift.is_significant(drift.Drift("x", 1, 0, 1, 0, p), n) is yes


def test_seed_decides_the_permutations():
    draw = np.random.default_rng(3)
    one, other = draw.normal(size=50), draw.normal(size=30)
    assert one_drift(one, other, rng=1) == one_drift(one, other, rng=1)
    assert one_drift(one, other, rng=1).psi_95 != one_drift(one, other, rng=2).psi_95


def test_rows_of_one_user_are_refused():
    with pytest.raises(ValueError, match="at least 2 users, got 1"):
        one_drift([1, 2], [3], users=(np.zeros(2, int), np.zeros(1, int)))


def test_training_part_is_what_the_ranker_learned(world, monkeypatch):
    """The features before the end of the training are those of `fit`, bit for bit."""
    seen = []
    fit = RANKERS["logistic"].fit
    monkeypatch.setattr(
        RANKERS["logistic"], "fit", lambda self, X, *rest: seen.append(X) or fit(self, X, *rest)
    )
    model = train(world.log, progress=False, lists=0).model
    monkeypatch.setattr(drift, "feature_drift", lambda *parts: seen.append(parts) or [])
    model_drift(model, world.log)
    rows, (training, later, training_user, later_user, names, _) = seen
    assert training.tobytes() == rows.tobytes() and names == FEATURES
    first = world.log.cut(world.log.cutoff_time(0.2))
    held_out = world.log.impressions.rows(first, len(world.log.impressions))
    assert len(later) == len(held_out.item)
    assert later_user.tolist() == held_out.user[held_out.impression].tolist()
    assert len(training_user) == len(training)


def test_log_without_later_or_earlier_impressions_is_refused(world):
    model = train(world.log, progress=False, lists=0).model
    cutoff = world.log.cutoff_time(0.2)
    with pytest.raises(ValueError, match="must hold impressions after the end of the training"):
        model_drift(model, world.log.before(cutoff))
    model.state.arrays.now[:] = world.log.impressions.time[0] - 1
    with pytest.raises(ValueError, match="must hold impressions until the end of the training"):
        model_drift(model, world.log)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A sample, and a model trained on all of it."""
    folder = tmp_path_factory.mktemp("drift")
    write_sample(folder / "data", 100, 600, 80, seed=1, progress=False)
    words = ["--data", str(folder / "data"), "--out", str(folder / "model"), "--refit", "--quiet"]
    assert main(["train", *words, "--no-tracking"]) == 0
    return folder


def test_command_prints_the_drift_of_a_services_events(folder, capsys):
    arguments = ["drift", "--model", str(folder / "model"), "--data", str(folder / "data")]
    assert main([*arguments, "--quiet"]) == 2
    assert "impressions after the end of the training" in capsys.readouterr().err
    url = f"sqlite:///{folder}/events.db"
    ids = [line.split("\t")[0] for line in (folder / "data/news.tsv").read_text().splitlines()]
    with EventStore(url) as store:
        kinds = ("impression", "click")
        store.add(
            [Event(f"e{n}", f"U{n % 60}", ids[n % 90], kinds[n % 2], 4e9 + n) for n in range(600)]
        )
    file = folder / "drift.json"
    assert main([*arguments, "--quiet", "--events", url, "--json", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        "feature", "psi", "psi_95", "ks", "ks_95", "p", "size", "significant",
    ]  # fmt: skip
    assert sorted(line.split()[0] for line in lines[1:-1]) == sorted(FEATURES)
    values = [float(line.split()[1]) for line in lines[1:-1]]
    assert values == sorted(values, reverse=True) and file.exists()
    assert lines[-1] == (
        "size: PSI from 0.1 moderate, from 0.25 large; significant: p at most 0.05 / 15"
    )
    rows = {line.split()[0]: line.split()[1:] for line in lines[1:-1]}
    assert rows["age"][-2:] == ["large", "yes"], "all articles are decades old"
