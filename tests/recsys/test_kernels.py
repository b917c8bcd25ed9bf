"""Each fast kernel equals its reference in plain NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recsys import Interactions, make_synthetic
from recsys.kernels import sort_into_cells
from recsys.models import BPR, EASE, ImplicitALS, ItemKNN
from recsys.models.als import als_loss, als_reference, extra_confidence
from recsys.models.bpr import bpr_cell, bpr_reference, bpr_step, draw_negatives
from recsys.models.ease import ease_reference
from recsys.models.neighborhood import item_neighbors_reference
from recsys.models.sgd import deal
from recsys.retrieval.exact import ORDERED, top_k, top_k_reference

SIZES = [(1, 1, 1, 0), (60, 45, 400, 1), (90, 130, 1500, 2)]


class Given(np.random.Generator):
    """A generator with given normal draws, to set the start of a fit."""

    def __init__(self, *arrays):
        super().__init__(np.random.PCG64(0))
        self.arrays = list(arrays)

    def normal(self, *args, **kwargs):
        return self.arrays.pop(0).copy()


# --- top k ----------------------------------------------------------------------------------

SPECIAL = [-np.inf, np.nan, np.inf, 0.0, -0.0, 0.1, 0.5, -1.0]


@given(
    scores=hnp.arrays(
        np.float32,
        st.tuples(st.integers(0, 4), st.integers(0, 90)),
        elements=st.sampled_from(SPECIAL),
    ),
    k=st.integers(1, 100),
)
def test_top_k_with_ties_nan_and_infinities(scores, k):
    items, best = top_k(scores, k)
    expected_items, expected_best = top_k_reference(scores, k)
    assert items.tolist() == expected_items.tolist()
    assert best.tolist() == expected_best.tolist()


@pytest.mark.parametrize("k", [1, 10, ORDERED, ORDERED + 1, 257, 1500])
def test_top_k_of_long_rows(k):
    scores = np.random.default_rng(0).normal(size=(50, 5000)).astype(np.float32)
    scores[:, 1000:2000] = scores[:, 3000:4000]  # each of these ties with a later column
    for found, expected in zip(top_k(scores, k), top_k_reference(scores, k)):
        assert (found == expected).all()


def test_top_k_raises_on_invalid_arguments():
    with pytest.raises(ValueError, match=r"^scores must be a matrix of numbers, got shape \(3,\)"):
        top_k(np.zeros(3), 1)
    with pytest.raises(ValueError, match="^k must be at least 1, got 0"):
        top_k(np.zeros((1, 3)), 0)


@pytest.mark.parametrize("exclude_seen", [True, False])
@pytest.mark.parametrize(
    "kind, n_items, k",
    [
        (ImplicitALS, 2500, 10),
        (ImplicitALS, 2500, ORDERED),
        (BPR, 2500, ORDERED + 1),
        (BPR, 2049, 257),
        (BPR, 700, 800),
        (BPR, 1024, 1),
    ],
)
def test_fused_products_equal_score_then_top_k(kind, n_items, k, exclude_seen, ragged):
    """Small whole numbers, so that every sum is exact and many scores tie."""
    log = ragged(130, n_items, 6000, seed=3)
    model = kind(2, **({"iterations": 0} if kind is ImplicitALS else {"epochs": 0})).fit(log)
    rng = np.random.default_rng(0)
    model.user_factors = rng.integers(-3, 4, (130, 5)).astype(np.float32)
    model.item_factors = rng.integers(-3, 4, (n_items, 5)).astype(np.float32)
    if kind is BPR:
        model.item_biases = rng.integers(-3, 4, n_items).astype(np.float32)
    users = rng.permutation(np.r_[np.arange(130), np.arange(40)])
    scores = model.user_factors[users] @ model.item_factors.T
    scores += model.item_biases if kind is BPR else 0
    history = log.matrix.toarray() > 0
    scores[:, ~history.any(axis=0)] = -np.inf
    scores[~history[users].any(axis=1)] = -np.inf
    np.testing.assert_array_equal(model.score(users), scores)
    if exclude_seen:
        scores[history[users]] = -np.inf
    for found, expected in zip(model.recommend(users, k, exclude_seen), top_k_reference(scores, k)):
        np.testing.assert_array_equal(found, expected)


# --- neighbours and EASE --------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("shrinkage", [0.0, 7.5])
@pytest.mark.parametrize("n_neighbors", [None, 4])
def test_item_neighbors_equal_the_reference(size, shrinkage, n_neighbors, ragged):
    log = ragged(*size)
    expected = item_neighbors_reference(log.matrix.toarray(), shrinkage)
    model = ItemKNN(n_neighbors, shrinkage).fit(log)
    found = model.similarity.toarray()
    if n_neighbors:
        items, values = top_k_reference(np.where(expected > 0, expected, -np.inf), n_neighbors)
        assert (np.diff(model.similarity.indptr) == (items >= 0).sum(axis=1)).all()
        thinned = np.zeros_like(expected)
        rows, positions = np.nonzero(items >= 0)
        thinned[rows, items[rows, positions]] = values[rows, positions]
        # Rounding may swap two neighbours that tie, so the values are compared in order.
        np.testing.assert_allclose(np.sort(found), np.sort(thinned), rtol=1e-5)
        expected = np.where(found > 0, expected, 0)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    history = (log.matrix.toarray() > 0).astype(float)
    scores = model.score(np.arange(log.n_users))
    np.testing.assert_allclose(np.where(np.isinf(scores), 0, scores), history @ expected, rtol=1e-4)


def test_shrinkage_by_hand():
    """Items 0 and 1: two users have both, three item 0 and two item 1."""
    log = Interactions([0, 0, 1, 1, 2], [0, 1, 0, 1, 0])
    assert ItemKNN().fit(log).similarity[0, 1] == pytest.approx(2 / np.sqrt(6))
    assert ItemKNN(shrinkage=3).fit(log).similarity[0, 1] == pytest.approx(2 / (np.sqrt(6) + 3))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("reg", [0.5, 200.0])
def test_ease_equals_the_reference(size, reg, ragged):
    log = ragged(*size)
    model = EASE(reg).fit(log)
    expected = ease_reference(log.matrix.toarray(), reg)
    np.testing.assert_allclose(model.item_weights, expected, rtol=1e-4, atol=1e-6)
    assert (np.diag(model.item_weights) == 0).all()


def test_ease_weights_minimise_the_objective(ragged):
    """Any small change of B off the diagonal makes the objective worse."""
    log, rng, reg = ragged(60, 45, 400, 1), np.random.default_rng(0), 3.0
    X = (log.matrix.toarray() > 0).astype(float)
    B = EASE(reg).fit(log).item_weights.astype(float)

    def objective(B):
        return np.sum((X - X @ B) ** 2) + reg * np.sum(B**2)

    for _ in range(20):
        change = rng.normal(0, 1e-3, B.shape)
        np.fill_diagonal(change, 0)
        assert objective(B + change) > objective(B)
    assert objective(B) < 0.9 * objective(np.zeros_like(B))


# --- ALS ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("reg_exponent", [0.0, 0.5, 1.0])
def test_als_fold_in_equals_the_reference(size, reg_exponent, ragged):
    """Folding in takes ten conjugate gradient steps: exact for five factors."""
    log, reg = ragged(*size), 0.3
    model = ImplicitALS(5, 10.0, reg, reg_exponent, iterations=4).fit(log)
    extra = extra_confidence(log.matrix, 10.0)
    expected = als_reference(model.item_factors, extra, reg, reg_exponent)
    found = model.fold_in(log).user_factors
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-4)
    assert (found[np.diff(log.matrix.indptr) == 0] == 0).all()


@pytest.mark.parametrize("reg_exponent", [0.0, 1.0])
def test_als_sweeps_equal_alternating_exact_solutions(reg_exponent, ragged):
    log, reg = ragged(60, 45, 400, 1), 0.1
    by_user = extra_confidence(log.matrix, 10.0)
    by_item = by_user.T.tocsr()
    rng = np.random.default_rng(5)
    X, Y = (rng.normal(0, 0.1, (n, 6)).astype(np.float32) for n in (60, 45))
    model = ImplicitALS(
        6, 10.0, reg, reg_exponent, iterations=3, cg_steps=30, momentum=0.0, rng=Given(X, Y)
    ).fit(log)
    for _ in range(3):
        X = als_reference(Y, by_user, reg, reg_exponent)
        Y = als_reference(X, by_item, reg, reg_exponent)
    X = als_reference(Y, by_user, reg, reg_exponent)  # the fit ends with the users
    np.testing.assert_allclose(model.user_factors @ model.item_factors.T, X @ Y.T, atol=0.01)


def test_momentum_reaches_the_loss_in_fewer_sweeps():
    train = make_synthetic()
    without = ImplicitALS(16, alpha=2.0, momentum=0.0, iterations=12).fit(train).loss(train)
    with_momentum = ImplicitALS(16, alpha=2.0, iterations=8).fit(train).loss(train)
    assert with_momentum < without


@pytest.mark.parametrize("reg_exponent", [0.0, 0.5, 1.0])
def test_als_loss_is_the_sum_over_all_pairs(reg_exponent, ragged):
    log, alpha, reg = ragged(60, 45, 400, 1), 10.0, 0.3
    model = ImplicitALS(4, alpha, reg, reg_exponent, iterations=2).fit(log)
    X, Y = model.user_factors.astype(float), model.item_factors.astype(float)
    r = log.matrix.toarray().astype(float)
    c = 1 + alpha * r
    expected = np.sum(c * ((r > 0) - X @ Y.T) ** 2)
    expected += reg * np.sum(c.sum(axis=1) ** reg_exponent * np.sum(X**2, axis=1))
    expected += reg * np.sum(c.sum(axis=0) ** reg_exponent * np.sum(Y**2, axis=1))
    assert model.loss(log) == pytest.approx(expected, rel=1e-6)
    assert als_loss(
        model.user_factors,
        model.item_factors,
        extra_confidence(log.matrix, alpha),
        reg,
        reg_exponent,
    ) == model.loss(log)


def test_three_conjugate_gradient_steps_suffice(train):
    losses = [ImplicitALS(16, cg_steps=s).fit(train).loss(train) for s in (3, 40)]
    assert losses[0] < 1.02 * losses[1]
    start = ImplicitALS(16, iterations=0).fit(train).loss(train)
    assert losses[0] < 0.5 * start


def test_more_iterations_never_raise_the_loss(train):
    losses = [ImplicitALS(8, iterations=n, cg_steps=20).fit(train).loss(train) for n in range(6)]
    assert (np.diff(losses) < 0).all()


# --- BPR ------------------------------------------------------------------------------------


def test_bpr_step_follows_the_gradient():
    """A step is learning_rate times the gradient of ln sigma(margin) - reg/2 |parameters|^2."""
    rng, reg, learning_rate = np.random.default_rng(0), 0.2, 1e-2
    start = rng.normal(size=3 * 4 + 2)

    def objective(p):
        x, y_i, y_j, b_i, b_j = p[:4], p[4:8], p[8:12], p[12], p[13]
        margin = b_i - b_j + x @ (y_i - y_j)
        return -np.log1p(np.exp(-margin)) - reg / 2 * p @ p

    gradient = [(objective(start + h) - objective(start - h)) / 2e-6 for h in 1e-6 * np.eye(14)]
    p = start.astype(np.float32)
    X, Y, b = p[None, :4].copy(), p[4:12].reshape(2, 4).copy(), p[12:, None].copy()
    bpr_step(X, Y, b, 0, 0, 1, np.float32(learning_rate), np.float32(reg), np.empty(4, np.float32))
    moved = np.concatenate([X.ravel(), Y.ravel(), b.ravel()]) - start
    np.testing.assert_allclose(moved / learning_rate, gradient, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("reg", [0.0, 0.05])
def test_bpr_cell_equals_the_reference(reg, ragged):
    log, rng, step = ragged(60, 45, 400, 1), np.random.default_rng(0), 0.1
    pairs = log.matrix.tocoo()
    items_here, seed = np.arange(45, dtype=np.int32), np.uint64(9)
    X, Y = (rng.normal(0, 0.3, (n, 6)).astype(np.float32) for n in (60, 45))
    b = rng.normal(0, 0.3, 45).astype(np.float32)
    users, items = pairs.row.copy(), pairs.col.copy()
    negatives = draw_negatives(users, items, items_here, seed)
    assert (users != pairs.row).any() and (negatives >= 0).mean() > 0.97
    triples = np.column_stack([users, items, negatives])[negatives >= 0]
    expected = [array.astype(np.float64) for array in (X, Y, b)]
    bpr_reference(*expected, triples, step, reg)
    found = [X.copy(), Y.copy(), b[:, None].copy()]
    cell = pairs.row.copy(), pairs.col.copy()
    bpr_cell(*found, *cell, items_here, np.float32(step), np.float32(reg), seed)
    found[2] = found[2][:, 0]
    for before, fast, reference in zip((X, Y, b), found, expected):
        np.testing.assert_allclose(fast, reference, atol=1e-4)
        assert np.abs(fast - before).max() > 0.05


def one_epoch(log, seed=0, **more):
    """Each user's positives and negatives in one epoch, read from the change of their vector.

    User vectors start at zero and item vectors at the unit vectors, so a tiny step for (u, i, j)
    adds step / 2 to the i-th and takes step / 2 from the j-th number of user u's vector.
    """
    n, m = log.n_users, log.n_items
    rng = Given(np.zeros((n, m)), np.eye(m))
    rng.bit_generator.state = np.random.PCG64(seed).state
    model = BPR(m, learning_rate=2e-6, reg=0.0, epochs=1, rng=rng, **more)
    model.fit(log, progress=False)
    return model.user_factors * 1e6


@pytest.mark.parametrize("size", [(60, 45, 400, 1), (150, 200, 3000, 2), (20, 16, 100, 3)])
def test_an_epoch_uses_every_pair_once_with_unobserved_negatives(size, ragged):
    log = ragged(*size)
    observed = log.matrix.toarray() > 0
    counts = one_epoch(log)
    np.testing.assert_allclose(counts, np.round(counts), atol=0.01)
    assert (counts[~observed] <= 0.01).all()
    positives = counts[observed]
    # A pair whose negative was not found in the tries is skipped; the rest move by exactly 1.
    assert set(np.round(positives)) <= {0.0, 1.0}
    assert (np.round(positives) == 1).mean() > 0.97
    assert round(counts.sum()) == 0  # as many negatives as positives


def test_negatives_come_from_all_unobserved_items(ragged):
    log = ragged(60, 48, 400, 1)
    observed = log.matrix.toarray() > 0
    drawn = -sum(np.where(observed, 0, one_epoch(log, seed)) for seed in range(60)).round()
    for user in np.flatnonzero(observed.any(axis=1)):
        counts = drawn[user][~observed[user]]
        assert (counts > 0).mean() > 0.9
        assert counts.max() < 6 * counts.mean() + 5


def test_popular_negatives_are_drawn_in_proportion_to_their_pairs(ragged):
    log, n_epochs = ragged(60, 48, 400, 1), 60
    observed = log.matrix.toarray() > 0
    epochs = [one_epoch(log, seed, negatives="popular") for seed in range(n_epochs)]
    drawn = -sum(np.where(observed, 0, counts) for counts in epochs).round()
    weights = np.where(observed, 0, observed.sum(axis=0))  # (users, items)
    draws = n_epochs * observed.sum(axis=1, keepdims=True)
    expected = draws * weights / weights.sum(axis=1, keepdims=True)
    assert (drawn[expected == 0] == 0).all()
    totals = expected.sum(axis=0)
    assert totals.max() > 5 * np.sort(totals)[5]
    assert (abs(drawn.sum(axis=0) - totals) < 5 * np.sqrt(totals) + 0.03 * totals + 1).all()


@pytest.mark.parametrize("n_blocks", [1, 3, 8])
def test_cells_of_a_diagonal_share_no_user_and_no_item(n_blocks, ragged):
    log, rng = ragged(90, 130, 1500, 2), np.random.default_rng(0)
    pairs = log.matrix.tocoo()
    user_block, item_block = deal(rng, 90, n_blocks)[0], deal(rng, 130, n_blocks)[0]
    assert np.ptp(np.bincount(item_block, minlength=n_blocks)) <= 1
    ptr, users, items = sort_into_cells(pairs.row, pairs.col, user_block, item_block, n_blocks)
    assert sorted(zip(users, items)) == sorted(zip(pairs.row, pairs.col))
    for diagonal in range(n_blocks):
        seen_users, seen_items = set(), set()
        for row in range(n_blocks):
            cell = row * n_blocks + (row + diagonal) % n_blocks
            mine = slice(ptr[cell], ptr[cell + 1])
            assert not seen_users & set(users[mine]) and not seen_items & set(items[mine])
            seen_users |= set(users[mine])
            seen_items |= set(items[mine])


def test_bpr_ranks_observed_items_above_the_others(train):
    """Probability that an observed item is scored above another: 0.5 before training."""
    observed = train.matrix.toarray() > 0

    def auc(epochs):
        scores = BPR(16, epochs=epochs).fit(train, progress=False).score(np.arange(300))
        means = [(s[m][:, None] > s[~m]).mean() for s, m in zip(scores, observed)]
        return np.mean(means)

    assert abs(auc(0) - 0.5) < 0.03
    assert auc(1) < auc(5) < auc(30)
    assert auc(30) > 0.85


def test_bpr_without_unobserved_items_learns_nothing():
    """A full matrix has no negatives, and the search for them ends."""
    log = Interactions(np.repeat(np.arange(5), 20), np.tile(np.arange(20), 5))
    model = BPR(4, epochs=3, rng=Given(np.ones((5, 4)), np.ones((20, 4)))).fit(log)
    assert (model.user_factors == 1).all() and (model.item_biases == 0).all()
