"""PureSVD: the singular values and scores of LAPACK and of SciPy's svds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse
from scipy.sparse.linalg import svds

from recsys import Interactions, make_synthetic
from recsys.models import PureSVD
from recsys.models.svd import BLOCK, most_columns, new_directions, singular_vectors, svd_reference


def rated(n_users, n_items, n_rows, seed=0):
    """A log with ratings, a long tail, empty rows and columns."""
    rng = np.random.default_rng(seed)
    user = (n_users * rng.random(n_rows) ** 2).astype(int)
    item = (n_items * rng.random(n_rows) ** 2).astype(int)
    keep = (user % 7 != 3) & (item % 9 != 4)
    value = rng.integers(1, 11, n_rows) / 2
    return Interactions(user[keep], item[keep], None, value[keep], n_users, n_items)


def searched(log, factors):
    """Whether the block Lanczos method runs, not the dense solver for small matrices."""
    return min(log.n_users, log.n_items) > most_columns(factors) + BLOCK


SIZES = [
    (1, 1, 1, 1), (30, 50, 300, 4), (50, 30, 300, 30),
    (400, 300, 6000, 10), (300, 700, 9000, 40), (700, 300, 9000, 40),
]  # fmt: skip


@pytest.mark.parametrize("n_users, n_items, n_rows, factors", SIZES)
def test_singular_values_and_scores_equal_the_reference(n_users, n_items, n_rows, factors):
    log = rated(n_users, n_items, n_rows)
    assert searched(log, factors) == (n_users > 100)
    model = PureSVD(factors).fit(log, progress=False)
    R = log.matrix.toarray().astype(float)
    sigma, V = svd_reference(R, factors)
    np.testing.assert_allclose(model.singular_values, sigma, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(model.user_factors, R @ model.item_factors, atol=1e-4)
    scores = model.user_factors @ model.item_factors.T
    np.testing.assert_allclose(scores, R @ V @ V.T, atol=1e-4)


def test_singular_values_and_scores_equal_svds():
    log, f = rated(1200, 900, 40_000), 32
    sigma, V = singular_vectors(log.matrix, f, np.random.default_rng(0))
    _, expected, Vt = svds(log.matrix.astype(float), k=f, random_state=0)
    np.testing.assert_allclose(sigma, expected[::-1], rtol=1e-9)
    R = log.matrix[:100].toarray().astype(float)
    np.testing.assert_allclose(R @ V @ V.T, R @ Vt.T @ Vt, atol=1e-4)
    np.testing.assert_allclose(V.T @ V, np.eye(f), atol=1e-9)


def test_another_start_changes_rounding_errors_only():
    log = rated(300, 700, 9000)
    assert searched(log, 20)
    one, other = (PureSVD(20, rng=rng).fit(log, progress=False) for rng in (0, 1))
    np.testing.assert_allclose(one.singular_values, other.singular_values, rtol=1e-6)
    np.testing.assert_allclose(one.item_factors, other.item_factors, atol=1e-4)  # signs too


@pytest.mark.parametrize("shape", [(40, 60), (60, 40), (300, 400), (400, 300)])
def test_signs_are_fixed(shape):
    model = PureSVD(3).fit(rated(*shape, 5000), progress=False)
    peaks = np.abs(model.item_factors).argmax(axis=0)
    assert (model.item_factors[peaks, range(3)] > 0).all()


@pytest.mark.parametrize("transposed", [False, True])
def test_repeated_singular_values_are_all_found(transposed):
    """40 disjoint groups: each has one singular value, repeated by others."""
    sizes = np.repeat([2, 3, 4, 5, 6, 7, 8, 9], 5)
    parts = [np.ones((9, n)) * 2 ** (n % 3) for n in sizes]
    R = sparse.block_diag(parts, format="csr")
    R = (R.T if transposed else R).tocsr().astype(np.float32)
    assert min(R.shape) > most_columns(20) + BLOCK
    sigma, V = singular_vectors(R, 20, np.random.default_rng(0))
    expected = np.sort([np.linalg.norm(part) for part in parts])[::-1][:20]
    np.testing.assert_allclose(sigma, expected, rtol=1e-9)
    np.testing.assert_allclose(V.T @ V, np.eye(20), atol=1e-9)


@pytest.mark.parametrize("n", [30, 400])
@pytest.mark.parametrize("rank", [1, 5, 20])
def test_columns_beyond_the_rank_are_zero(n, rank):
    rng = np.random.default_rng(0)
    R = (rng.integers(1, 4, (n, rank)) @ rng.integers(1, 4, (rank, n + 10))).astype(np.float32)
    sigma, V = singular_vectors(sparse.csr_matrix(R), 25, rng)
    expected, _ = svd_reference(R, rank)
    np.testing.assert_allclose(sigma[:rank], expected, rtol=1e-5)
    assert (sigma[rank:] == 0).all() and (V[:, rank:] == 0).all() and sigma.shape == (25,)
    np.testing.assert_allclose(R @ V @ V.T, R, rtol=1e-4)


@pytest.mark.parametrize("new", [0, 3])
def test_new_directions_are_orthogonal_where_nothing_is_new(new):
    """LAPACK returns the first columns of the identity for a block of zeros."""
    rng, known = np.random.default_rng(0), np.eye(300)[:, :40]
    for image in (np.zeros((300, 16)), known @ rng.normal(size=(40, 16))):
        image[:, :new] += rng.normal(size=(300, new))
        beyond = image - known @ (known.T @ image)
        block, R = new_directions(beyond, known, 1e-12, rng)
        every = np.hstack([known, block])
        np.testing.assert_allclose(every.T @ every, np.eye(56), atol=1e-12)
        np.testing.assert_allclose(block @ R, beyond, atol=1e-11)


def test_a_matrix_of_rank_two():
    """The search runs out of directions at once, and again after each random draw."""
    R = sparse.csr_matrix(([3.0, 2.0, 1.0, 1.0], ([0, 7, 7, 9], [0, 1, 2, 0])), shape=(500, 600))
    sigma, V = singular_vectors(R, 40, np.random.default_rng(0))
    np.testing.assert_allclose(sigma[:2], [np.sqrt(10), np.sqrt(5)], rtol=1e-9)
    assert (sigma[2:] == 0).all()
    np.testing.assert_allclose((R @ V @ V.T), R.toarray(), atol=1e-9)


def test_the_identity_has_equal_singular_values():
    sigma, V = singular_vectors(sparse.eye(500, format="csr"), 40, np.random.default_rng(0))
    np.testing.assert_allclose(sigma, 1)
    np.testing.assert_allclose(V.T @ V, np.eye(40), atol=1e-9)


def test_more_factors_than_the_rank_reconstruct_the_matrix():
    """64 factors of a matrix of 3 x 5: the columns beyond 3 are zero."""
    log = Interactions([0, 0, 1, 2, 2], [0, 1, 2, 3, 4], None, [5, 3, 4, 1, 2])
    model = PureSVD(64).fit(log, progress=False)
    assert model.user_factors.shape == (3, 64) and model.item_factors.shape == (5, 64)
    assert (model.singular_values > 0).sum() == 3 and (model.item_factors[:, 3:] == 0).all()
    np.testing.assert_allclose(model.score([0, 1, 2]), log.matrix.toarray(), atol=1e-5)


@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 9), st.integers(1, 9)),
        elements=st.integers(-3, 3).map(float),
    ),
    st.integers(1, 10),
)
def test_no_matrix_of_the_same_rank_is_nearer(R, factors):
    """Eckart and Young: the squared distance is the sum of the squares left out."""
    R[0, 0] = 1  # not all zeros
    _, V = singular_vectors(sparse.csr_matrix(R), factors, np.random.default_rng(0))
    every, _ = svd_reference(R, min(R.shape))
    distance = np.sum((R - R @ V @ V.T) ** 2)
    assert distance == pytest.approx(np.sum(every[factors:] ** 2), abs=1e-6)


def test_a_new_user_is_projected_onto_the_singular_vectors():
    log = make_synthetic(rng=1)
    model = PureSVD(5).fit(log, progress=False)
    folded = model.fold_in(Interactions([0, 0], [3, 8], None, [2.0, 1.0], 1, log.n_items))
    V = model.item_factors
    np.testing.assert_allclose(folded.user_factors[0], 2 * V[3] + V[8], atol=1e-6)
