"""LinUCB: equal to ridge regression with its width."""

import numpy as np
import pytest

from recsys.bandits import LinUCB


def test_linucb_is_ridge_regression_with_its_width():
    rng, bandit = np.random.default_rng(0), LinUCB(2, 3, alpha=0.7)
    X, r = rng.standard_normal((50, 3)), rng.standard_normal(50)
    for row, reward in zip(X, r):
        bandit.update(1, reward, row)
    A = np.eye(3) + X.T @ X
    theta = np.linalg.solve(A, X.T @ r)
    x = np.array([[1.0, -2.0, 0.5], [0.3, 0.0, 1.0]])  # a context per arm
    expected = [
        0.7 * np.linalg.norm(x[0]),
        theta @ x[1] + 0.7 * np.sqrt(x[1] @ np.linalg.solve(A, x[1])),
    ]
    np.testing.assert_allclose(bandit.scores(x[None])[0], expected)
    assert bandit.choose(x) == int(np.argmax(expected))


def test_linucb_learns_from_the_context_of_the_chosen_arm():
    bandit = LinUCB(2, 2, alpha=0)
    bandit.update(1, 1.0, [[5, 5], [0, 2]])
    np.testing.assert_allclose(bandit.theta[0], [[0, 0], [0, 0.4]])


def test_bad_contexts_are_refused():
    bandit = LinUCB(3, 2)
    for call in (bandit.choose, lambda context=None: bandit.update(0, 1, context)):
        with pytest.raises(ValueError, match="context must be given for LinUCB, got None"):
            call()
        for context in ([1.0], [[1.0, 0], [0, 1]], [], 1.0):
            with pytest.raises(ValueError, match=r"context must be of shape \(2,\) or \(3, 2\)"):
                call(context)
        with pytest.raises(ValueError, match="context must be finite, got nan"):
            call([1.0, np.nan])
    assert bandit.choose([0.0, 0.0]) == 0  # a vector of zeros says nothing: a tie
