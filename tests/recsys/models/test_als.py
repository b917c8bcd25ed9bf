"""ImplicitALS: what its fit holds in memory, and how its sides are stored."""

import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from recsys import Interactions
from recsys.models import ImplicitALS
from recsys.models.als import check_confidence, column_counts, transposed


def random_log(n_pairs, value=None):
    pairs = np.unique(np.random.default_rng(0).integers(0, 2000 * 1000, n_pairs))
    return Interactions(pairs // 1000, pairs % 1000, None, value, 2000, 1000)


def test_a_fit_holds_less_than_one_more_copy_of_the_log():
    log = random_log(400_000)
    model = ImplicitALS(4, iterations=1, cg_steps=1).fit(log, progress=False)  # compiles
    log.matrix, log.fingerprint  # noqa: B018  both are made once, before
    tracemalloc.start()
    model.fit(log, progress=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak / log.matrix.nnz < 14  # bytes; a second copy with its values would add 8


@pytest.mark.parametrize("values", [[1, 1, 1, 1], [2, 2, 2, 2], [1, 2, 3, 0]])
def test_the_transposed_matrix_shares_equal_values(values):
    matrix = sparse.csr_matrix(
        (np.array(values, np.float32), ([0, 0, 1, 2], [3, 1, 1, 0])), shape=(4, 5)
    )
    found = transposed(matrix)
    assert found.toarray().tolist() == matrix.toarray().T.tolist()
    assert found.dtype == np.float32 and found.nnz == 4
    assert np.shares_memory(found.data, matrix.data) == (len(set(values)) == 1)


def test_columns_are_counted_in_parts():
    matrix = random_log(1_500_000).matrix
    counts = column_counts(matrix)
    assert counts.dtype == np.float32
    assert counts.tolist() == np.diff(matrix.tocsc().indptr).tolist()
    assert column_counts(sparse.csr_matrix((3, 2), dtype=np.float32)).tolist() == [0, 0]


def test_a_confidence_too_large_for_float32_is_refused():
    matrix = sparse.csr_matrix(np.array([[1e30, 1.0]], np.float32))
    check_confidence(matrix, 1e8)
    with pytest.raises(ValueError, match="alpha must be smaller for values up to 1e.30, got 1"):
        check_confidence(matrix, 1e9)
