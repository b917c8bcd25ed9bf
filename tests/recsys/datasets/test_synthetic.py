"""Synthetic interactions: sizes, distributions and titles are those asked for."""

import numpy as np
import pytest

from recsys import load_synthetic_log, make_synthetic
from recsys.datasets import synthetic


def test_sizes_are_those_requested():
    log = make_synthetic(40, 30, 5, 700, rng=3)
    assert (len(log), log.n_users, log.n_items) == (700, 40, 30)
    assert log.time.tolist() == list(range(700)) and log.value is None
    genres, counts = np.unique(log.item_info["genre"], return_counts=True)
    assert len(genres) == 5 and (counts == 6).all()
    assert make_synthetic(1, 1, 1, 1).matrix.toarray().tolist() == [[1]]


def test_same_rng_gives_the_same_log():
    one, same, other = (
        make_synthetic(rng=4),
        make_synthetic(rng=np.random.default_rng(4)),
        make_synthetic(rng=5),
    )
    assert one.fingerprint == same.fingerprint != other.fingerprint
    assert one.titles.tolist() == same.titles.tolist()


def test_without_repeats_all_pairs_differ():
    log = make_synthetic(60, 50, 4, 1400, repeats=False, rng=1)
    assert len(log) == log.matrix.nnz == 1400
    assert make_synthetic(60, 50, 4, 1400, rng=1).matrix.nnz < 1400


def sorted_counts(weight):
    log = make_synthetic(2000, 200, 1, 60_000, popularity_weight=weight, preference_power=0, rng=0)
    return np.sort(np.bincount(log.item, minlength=200))


def test_popularity_has_the_requested_skew():
    flat, skewed = sorted_counts(0.0), sorted_counts(1.0)
    # Flat: Poisson counts around 300. Skewed: log-uniform from 1 to 50, mean 49 / ln 50.
    assert np.abs(flat - 300).max() < 5 * np.sqrt(300)
    assert skewed[-1] / skewed[0] == pytest.approx(50, rel=0.3)
    middle = np.median(skewed) / 300
    assert middle == pytest.approx(np.sqrt(50) / (49 / np.log(50)), rel=0.25)


@pytest.mark.parametrize("power", [0.0, 1.0, 6.0])
def test_preferences_have_the_requested_concentration(power):
    """Fraction of a user's interactions in their favourite of four equally popular genres."""
    log = make_synthetic(200, 40, 4, 200_000, popularity_weight=0, preference_power=power, rng=0)
    genre = np.unique(log.item_info["genre"], return_inverse=True)[1]
    counts = np.zeros((200, 4))
    np.add.at(counts, (log.user, genre[log.item]), 1)
    favourite = (counts.max(axis=1) / counts.sum(axis=1)).mean()
    preference = np.random.default_rng(1).random((20_000, 4)) ** power
    expected = (preference.max(axis=1) / preference.sum(axis=1)).mean()
    assert favourite == pytest.approx(expected, abs=0.035)
    assert counts.sum(axis=1).std() < 2 * np.sqrt(1000)  # users are equally active


@pytest.mark.parametrize("n_items, n_genres", [(150, 8), (3000, 8), (2000, 20), (60, 60)])
def test_titles_are_unique(n_items, n_genres):
    log = make_synthetic(5, n_items, n_genres, 10)
    assert len(set(log.titles)) == n_items
    assert all(title.startswith("The ") for title in log.titles)


@pytest.mark.parametrize(
    "options, message",
    [
        *(({name: 0}, f"{name} must be at least 1, got 0")
          for name in ("n_users", "n_items", "n_interactions")),
        ({"n_users": 2.5}, "n_users must be a whole number, got 2.5"),
        ({"n_genres": 0}, "n_genres must be between 1 and 150, got 0"),
        ({"n_genres": 151}, "n_genres must be between 1 and 150, got 151"),
        ({"popularity_weight": -1}, "popularity_weight must be .* at most 20, got -1"),
        ({"preference_power": np.nan}, "preference_power must be .* at most 20, got nan"),
        ({"rng": -1}, "rng must be a whole number of at least 0 or .*, got -1"),
        ({"rng": "x"}, "rng must be .*, got 'x'"),
        ({"n_interactions": 30_000, "repeats": False}, "n_interactions must be at most .*22500"),
        (
            {"n_users": 9, "n_items": 40, "n_interactions": 180, "repeats": False}
            | {"preference_power": 20, "popularity_weight": 20},
            "n_interactions must be lower .*, got 180",
        ),
    ],
)  # fmt: skip
def test_impossible_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        make_synthetic(**options)


def test_error_names_the_missing_bundled_log(monkeypatch, tmp_path):
    monkeypatch.setattr(synthetic, "REPOSITORY", tmp_path)
    with pytest.raises(ValueError, match="synthetic_log.npz"):
        load_synthetic_log()
