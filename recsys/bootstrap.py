"""Bootstrap confidence intervals of means over users (Efron 1979).

As many users as there are get drawn with replacement, a thousand times, and the mean is taken of
each resample. The middle 95 % of these means is the percentile interval. All columns use the same
resamples, so the difference of two models is paired: compared on the same users.
"""

from __future__ import annotations

import numpy as np

from recsys import validation
from recsys.compiled import compiled, prange
from recsys.kernels import draw, mix

RESAMPLES = 1000


def bootstrap_means(values: np.ndarray, rng: int = 0) -> np.ndarray:
    """Means of RESAMPLES resamples of the rows, (RESAMPLES, m) float64.

    Parameters
    ----------
    values : array (n, m)
        One row per user; a nan is left out of its column's means.
    rng : int
        Seed of the resamples; the order of the rows does not matter.
    """
    values = validation.matrix("values", values).astype(np.float64)
    rng = validation.whole_number("rng", rng, low=0)
    values = values[np.lexsort(values.T[::-1])]
    present = ~np.isnan(values)
    return _resampled_ratios(np.hstack([np.where(present, values, 0.0), present]), rng)


def bootstrap_ratios(sums: np.ndarray, counts: np.ndarray, rng: int = 0) -> np.ndarray:
    """Total sums divided by total counts over RESAMPLES resamples of the rows: (RESAMPLES, m).

    A cluster bootstrap, for means over something of which each user has several, such as
    impressions: those of one user are correlated, so users are resampled with all of theirs.

    Parameters
    ----------
    sums, counts : array (n, m)
        One row per user: the sum of their values, and the number of them.
    rng : int
    """
    sums, counts = validation.matrix("sums", sums), validation.matrix("counts", counts)
    if sums.shape != counts.shape:
        raise ValueError(f"counts must have the shape of sums, {sums.shape}, got {counts.shape}")
    rng = validation.whole_number("rng", rng, low=0)
    table = np.hstack([sums, counts]).astype(np.float64)
    return _resampled_ratios(table[np.lexsort(table.T[::-1])], rng)


def _resampled_ratios(table: np.ndarray, rng: int) -> np.ndarray:
    """Ratios of the first half of the columns to the second, each summed over the rows drawn."""
    table = np.ascontiguousarray(table)
    totals = np.empty((RESAMPLES, table.shape[1]))
    _resample(table, np.uint64(rng), totals)
    sums, counts = np.split(totals, 2, axis=1)
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)


def interval(means: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Percentile interval: ends (m,) of the middle `level` of the resampled (b, m)."""
    level = validation.real_number("level", level, high=1.0)
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(means, [tail, 100 - tail], axis=0)
    return low, high


@compiled(parallel=True)
def _resample(table, seed, totals):
    n, m = table.shape
    for b in prange(len(totals)):
        state = mix(seed + np.uint64(b + 1) * np.uint64(0x9E3779B97F4A7C15))
        totals[b] = 0
        for _ in range(n):
            state, row = draw(state, n)
            for c in range(m):
                totals[b, c] += table[row, c]
