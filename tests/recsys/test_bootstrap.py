"""Bootstrap intervals: coverage, pairing and reproducibility."""

import numpy as np
import pytest

from recsys.bootstrap import RESAMPLES, bootstrap_means, bootstrap_ratios, interval


def test_interval_of_a_proportion_is_close_to_the_normal_one():
    n, p = 1000, 0.3
    values = (np.arange(n) < n * p).astype(float)[:, None]
    low, high = interval(bootstrap_means(values))
    half = 1.96 * np.sqrt(p * (1 - p) / n)
    assert low[0] == pytest.approx(p - half, abs=0.15 * half)
    assert high[0] == pytest.approx(p + half, abs=0.15 * half)
    narrow = interval(bootstrap_means(values), level=0.5)
    assert np.diff(np.ravel(narrow)) == pytest.approx(2 * half * 0.6745 / 1.96, rel=0.15)


def test_interval_covers_the_true_mean_in_95_percent():
    rng, covered = np.random.default_rng(0), 0
    for _ in range(400):
        low, high = interval(bootstrap_means((rng.random((150, 1)) < 0.4).astype(float)))
        covered += low[0] <= 0.4 <= high[0]
    assert 0.92 <= covered / 400 <= 0.98


def test_resamples_are_reproducible_paired_and_ignore_nan():
    rng = np.random.default_rng(0)
    values = rng.random((80, 3))
    means = bootstrap_means(values)
    assert means.shape == (RESAMPLES, 3)
    assert (means == bootstrap_means(values)).all()
    assert (means == bootstrap_means(values[rng.permutation(80)])).all()
    assert (means != bootstrap_means(values, rng=1)).any()
    together = bootstrap_means(np.column_stack([values[:, 0], values[:, 0] + 1]))
    np.testing.assert_allclose(together[:, 1] - together[:, 0], 1)  # the same users in both
    holes = values[:, :1].copy()
    holes[::2] = np.nan
    assert np.mean(bootstrap_means(holes)) == pytest.approx(np.nanmean(holes), abs=0.01)
    assert np.isnan(bootstrap_means(np.full((5, 1), np.nan))).all()


def test_ratios_depend_on_the_seed_and_resample_users_whole():
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 6, (90, 1)).astype(float)
    sums = counts * rng.normal(2.0, 0.5, (90, 1))
    ratios = bootstrap_ratios(sums, counts)
    assert (ratios == bootstrap_ratios(sums, counts)).all()
    assert (ratios != bootstrap_ratios(sums, counts, rng=1)).mean() > 0.99
    assert len(np.unique(ratios)) > 0.99 * RESAMPLES
    assert ratios.mean() == pytest.approx(sums.sum() / counts.sum(), abs=0.01)
    # the standard error of a ratio of sums, by linearisation
    residuals = sums - counts * sums.sum() / counts.sum()
    error = np.sqrt((residuals**2).sum()) / counts.sum()
    assert ratios.std() == pytest.approx(error, rel=0.1)


def test_each_row_is_drawn_equally_often():
    """The mean over all resamples of a row's indicator is 1 / n, at both ends too."""
    means = bootstrap_means(np.eye(40))
    assert np.abs(means.mean(axis=0) - 1 / 40).max() < 5 * np.sqrt(1 / 40 / 40 / RESAMPLES)
