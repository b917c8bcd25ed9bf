"""WARP: its cell against the reference, the estimate of the rank, and the effect of training."""

import numpy as np
import pytest

from recsys import Interactions
from recsys.models import BPR, WARP, SampledSoftmax
from recsys.models.sgd import deal
from recsys.models.warp import rank_loss, warp_cell, warp_reference, warp_step


def given_parameters(n_users, n_items, factors, scale, rng):
    rows = [rng.normal(0, scale, (n, factors)).astype(np.float32) for n in (n_users, n_items)]
    rows.append(rng.normal(0, scale, n_items).astype(np.float32))
    squares = [1 + rng.random(n).astype(np.float32) for n in (n_users, n_items, n_items)]
    return tuple(rows), tuple(squares)


def copies(arrays, dtype):
    return tuple(array.astype(dtype) for array in arrays)


@pytest.mark.parametrize("trials", [1, 3, 60])
@pytest.mark.parametrize("reg", [0.0, 0.2])
def test_warp_cell_equals_the_reference(trials, reg, ragged):
    log, rng = ragged(60, 45, 400, 1), np.random.default_rng(0)
    pairs = log.matrix.tocoo()
    candidates, seed = np.arange(45, dtype=np.int32), np.uint64(9)
    rows, squares = given_parameters(60, 45, 6, 0.5, rng)
    reference = copies(rows, np.float64), copies(squares, np.float64)
    warp_reference(*reference, pairs.row, pairs.col, candidates, 0.1, reg, trials, seed)
    fast = copies(rows, np.float32), copies(squares, np.float32)
    cell = pairs.row.copy(), pairs.col.copy()
    learning_rate, reg = np.float32(0.1), np.float32(reg)
    warp_cell(*fast, rank_loss(45), *cell, candidates, learning_rate, reg, trials, seed)
    for before, found, expected in zip(rows + squares, sum(fast, ()), sum(reference, ())):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)
        assert np.abs(found - before).max() > 0.05


def test_warp_step_follows_the_gradient_of_the_hinge_loss():
    rng, reg, weight, step = np.random.default_rng(0), 0.3, 2.5, 1e-2
    start = rng.normal(size=3 * 4 + 2)

    def objective(p):
        x, y_i, y_j, b_i, b_j = p[:4], p[4:8], p[8:12], p[12], p[13]
        return weight * (1 - (b_i + x @ y_i) + (b_j + x @ y_j)) + reg / 2 * p @ p

    gradient = [(objective(start + h) - objective(start - h)) / 2e-6 for h in 1e-6 * np.eye(14)]
    p = start.astype(np.float32)
    rows = p[:4].reshape(1, 4).copy(), p[4:12].reshape(2, 4).copy(), p[12:].copy()
    squares = np.full(1, 4, np.float32), np.full(2, 9, np.float32), np.full(2, 16, np.float32)
    room = np.empty(4, np.float32)
    warp_step(rows, squares, 0, 0, 1, np.float32(weight), np.float32(step), np.float32(reg), room)
    moved = (np.concatenate([part.ravel() for part in rows]) - start) / step
    slower = np.repeat([2, 3, 4], [4, 8, 2])  # the root of what each row has seen
    np.testing.assert_allclose(moved, -np.array(gradient) / slower, rtol=1e-3, atol=1e-4)
    seen = [np.mean((weight * (start[4:8] - start[8:12])) ** 2), np.mean((weight * start[:4]) ** 2)]
    added = squares[0][0] - 4, squares[1][0] - 9, squares[1][1] - 9, squares[2][0] - 16
    np.testing.assert_allclose(added, [seen[0], seen[1], seen[1], weight**2], rtol=1e-5)


def test_rank_loss_is_a_sum_of_reciprocals():
    assert rank_loss(4).tolist() == pytest.approx([0, 1, 1.5, 11 / 6, 25 / 12])


def test_the_rank_is_estimated_from_the_number_of_draws():
    """One user, whose observed item ranks below 25 of 100 others: steps weigh about L(25).

    With a learning rate too small to change a rank, its bias grows by the weight of each step.
    """
    rows = np.zeros((1, 1), np.float32), np.zeros((101, 1), np.float32), np.zeros(101, np.float32)
    biases = rows[2]
    biases[1:26], biases[26:] = 5.0, -5.0  # above and far below item 0
    squares = tuple(np.ones(n, np.float32) for n in (1, 101, 101))
    candidates, loss = np.arange(101, dtype=np.int32), rank_loss(101)
    weights, step = [], np.float32(1e-6)
    for seed in range(400):
        before = float(biases[0])
        squares[2][:] = 1
        pair = np.zeros(1, np.int32), np.zeros(1, np.int32)
        warp_cell(
            rows, squares, loss, *pair, candidates, step, np.float32(0), 1000, np.uint64(seed)
        )
        weights.append((float(biases[0]) - before) / 1e-6)
    ranks = np.array([100 // t for t in range(1, 101)])
    probabilities = 25 / 101 * (76 / 101) ** np.arange(100)
    expected = np.sum(probabilities * loss[ranks])
    assert np.mean(weights) == pytest.approx(expected, rel=0.05)
    assert loss[24] < expected < loss[60]  # 1 / T is biased upwards


def test_a_pair_without_violation_is_skipped(ragged):
    log = ragged(60, 45, 400, 1)
    pairs = log.matrix.tocoo()
    observed = log.matrix.toarray() > 0
    rows = np.eye(60, dtype=np.float32), np.where(observed, 3.0, 1.9).T.astype(np.float32).copy()
    rows = *rows, np.zeros(45, np.float32)
    squares = tuple(np.ones(n, np.float32) for n in (60, 45, 45))
    before = copies(rows, np.float32)
    cell, candidates = (pairs.row.copy(), pairs.col.copy()), np.arange(45, dtype=np.int32)
    step, none, seed = np.float32(0.1), np.float32(0), np.uint64(3)
    warp_cell(rows, squares, rank_loss(45), *cell, candidates, step, none, 100, seed)
    assert all((a == b).all() for a, b in zip(before, rows))
    rows[1][:] = np.where(observed, 3.0, 2.1).T  # now every other item violates the margin
    warp_cell(rows, squares, rank_loss(45), *cell, candidates, step, none, 100, seed)
    assert all((a != b).any() for a, b in zip(before, rows))


def test_more_trials_skip_fewer_pairs(train):
    """Squares grow with each step, so their sum counts the steps."""
    rng = np.random.default_rng(0)
    rows, squares = given_parameters(300, 150, 4, 0.5, rng)
    pairs, seen = train.matrix.tocoo(), []
    block, members, _ = deal(rng, 150, 1)
    assert (block == 0).all()
    for trials in (1, 5, 50):
        moved, grown = copies(rows, np.float32), copies(squares, np.float32)
        cell = pairs.row.copy(), pairs.col.copy()
        warp_cell(
            moved, grown, np.ones(151, np.float32), *cell, members,
            np.float32(1e-6), np.float32(0), trials, np.uint64(1),
        )  # fmt: skip
        seen.append((grown[2] - squares[2]).sum() / 2)  # each step weighs 1, on two biases
    assert seen[0] < 0.8 * seen[1] and seen[1] < seen[2] <= pairs.nnz + 1


def test_warp_ranks_observed_items_at_the_top(train):
    observed, users = train.matrix.toarray() > 0, np.arange(300)

    def precision(model):
        items, _ = model.fit(train, progress=False).recommend(users, 10, exclude_seen=False)
        return np.take_along_axis(observed, items, axis=1).mean()

    precisions = [precision(WARP(8, epochs=epochs)) for epochs in (0, 2, 20)]
    assert precisions[0] < precisions[1] < precisions[2]
    assert precisions[2] > 0.8


def test_warp_without_unobserved_items_learns_nothing():
    log = Interactions(np.repeat(np.arange(5), 20), np.tile(np.arange(20), 5))
    model = WARP(4, epochs=3).fit(log)
    start = WARP(4, epochs=0).fit(log)
    assert (model.user_factors == start.user_factors).all() and (model.item_biases == 0).all()


def test_a_violation_found_late_weighs_as_rank_1():
    """With 3 items (3 - 1) / T rounds to 0 from the third draw on; the step is still taken."""
    rows = np.zeros((1, 1), np.float32), np.zeros((3, 1), np.float32), np.zeros(3, np.float32)
    rows[2][1] = -5.0  # only item 2 violates the margin
    squares = tuple(np.ones(n, np.float32) for n in (1, 3, 3))
    candidates, loss, found = np.arange(3, dtype=np.int32), rank_loss(3), []
    for seed in range(200):
        rows[2][[0, 2]], squares[2][:] = 0, 1
        pair = np.zeros(1, np.int32), np.zeros(1, np.int32)
        step, none = np.float32(1e-3), np.float32(0)
        warp_cell(rows, squares, loss, *pair, candidates, step, none, 50, np.uint64(seed))
        found.append(round(float(rows[2][0]) / 1e-3, 3))
    assert set(found) == {1.0, 1.5}  # L(1), and L(2) at the first draw
    assert 0.22 < found.count(1.5) / 200 < 0.45  # one draw in three


@pytest.mark.parametrize("kind", [BPR, WARP, SampledSoftmax])
def test_each_epoch_has_its_own_cells_and_seed(kind, train):
    model = kind(2, epochs=6).fit(train, progress=False)

    def dealt(rng):
        epochs = model._dealt_epochs(np.random.default_rng(rng), progress=False)
        return [(members.tobytes(), int(seed)) for (*_, members, _), seed in epochs]

    cells, seeds = zip(*dealt(0))
    assert len(set(cells)) == len(set(seeds)) == 6
    assert dealt(0) == list(zip(cells, seeds))
    assert not set(seeds) & {seed for _, seed in dealt(1)}
