"""The benchmark of distributed training: extrapolation by hand, a small run of each engine."""

import json
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import distributed
from benchmarks.extrapolation import line_through, reach


def rows_of(engine, sizes, megabytes, seconds):
    """Measurements without noise, but for one part in 1,000."""
    noise = (0.999, 1.001)
    return [
        {
            "engine": engine, "pairs": n, "rest": [0.0, 0.0],
            "sweep": [seconds(n) * x / distributed.SWEEPS for x in noise],
            "peak_mb": [megabytes(n) * x for x in noise],
        }
        for n in sizes
    ]  # fmt: skip


def test_a_line_is_fitted_by_weighted_least_squares():
    x, y = np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 50.0])
    line = line_through(x, y, weights=np.array([1.0, 1.0, 1e-9]))  # as without the last
    np.testing.assert_allclose(line.coefficients, [1, 2], atol=1e-6)
    # by hand, for (0, 0), (1, 2), (2, 1): slope 1/2, intercept 1/2, residual variance 3/2
    line = line_through(x, np.array([0.0, 2.0, 1.0]))
    np.testing.assert_allclose(line.coefficients, [0.5, 0.5])
    np.testing.assert_allclose(line.covariance, [[1.25, -0.75], [-0.75, 0.75]])
    assert line.freedom == 1


def test_the_limit_is_where_the_line_of_memory_reaches_it():
    """1,024 MB and 2^-10 MB per pair; 1e-6 s per pair: 16 GB hold 15 * 2^20 pairs."""
    sizes = (10**5, 10**6, 10**7)
    rows = rows_of("X", sizes, lambda n: 1024 + n / 1024, lambda n: 1e-6 * n)
    rows += rows_of("Y", sizes, lambda n: 7.0 * n, lambda n: 7.0 * n)
    limits = list(distributed.ends("X", rows))
    assert [row["gb"] for row in limits] == [16, 64, 256]
    low, middle, high = limits[0]["pairs"]
    assert middle == pytest.approx(15 * 2**20, rel=0.01) and low < middle < high
    assert limits[0]["hours"][1] == pytest.approx(15 * 2**20 * 1e-6 / 3600, rel=0.01)
    assert limits[2]["pairs"][1] == pytest.approx(255 * 2**20, rel=0.01)
    assert limits[0]["bytes_per_pair"] == pytest.approx(1024, rel=0.01)
    assert limits[0]["exponent"][1] == pytest.approx(1, abs=0.01)


def test_noise_widens_the_interval():
    x = np.array([1e5, 1e6, 1e7])
    exact = np.repeat(x, 2) * np.tile([0.999, 1.001], 3)
    noisy = np.repeat(x, 2) * np.tile([0.8, 1.2], 3)
    widths = []
    for y in (exact, noisy):
        pairs = np.repeat(x, 2)
        memory = line_through(pairs, 100 + y / 1e3, 1 / (100 + y / 1e3))
        low, _, high = reach(memory, line_through(np.log(pairs), np.log(y)), 1e5)["pairs"]
        widths.append(high / low)
    assert 1 < widths[0] < 1.01 and widths[1] > 1.1


def test_the_difference_is_paired_by_user():
    values = {"a": np.tile([0.0, 1.0], 50), "b": np.tile([0.1, 1.1], 50)}
    found = distributed.difference(values, "b", "a")
    assert found["difference"] == pytest.approx(0.1)
    assert found["low"] == pytest.approx(0.1) and found["high"] == pytest.approx(0.1)


def test_settings_at_an_end_of_their_range_are_named():
    setting = {"factors": 128, "alpha": 1.0, "reg": 0.003}
    assert distributed.at_edge(setting) == {"factors": "high", "reg": "low"}


@pytest.mark.parametrize("engine", distributed.ENGINES)
def test_a_fit_in_its_own_process_is_measured(engine, tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "log.npz"
    columns = {"user": rng.integers(0, 50, 900), "item": rng.integers(0, 40, 900)}
    np.savez(path, **columns, sizes=[50, 40])
    command = [sys.executable, "-m", "benchmarks.distributed", engine, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert set(found) == {"sweep", "rest", "peak_mb"}
    # Java alone holds more than 200 MB
    assert found["peak_mb"] > (50 if engine == "ImplicitALS" else 350)
