"""Product quantization: codes and tables against plain NumPy."""

import numpy as np
import pytest

from recsys.retrieval.product_quantization import (
    CODEWORDS,
    ProductQuantizer,
    add_entries,
    fill_table,
)


def encode_reference(vectors, codebooks):
    """The nearest codeword of each piece, by all distances."""
    M, piece, _ = codebooks.shape
    padded = np.zeros((len(vectors), M * piece))
    padded[:, : vectors.shape[1]] = vectors
    pieces = padded.reshape(len(vectors), M, piece, 1)
    return ((pieces - codebooks[None]) ** 2).sum(axis=2).argmin(axis=2)  # (n, M)


def some_vectors(n=700, d=10, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


@pytest.mark.parametrize("code_bytes", [1, 2, 3, 5, 10])
def test_codes_are_the_nearest_codewords(code_bytes):
    vectors = some_vectors()
    quantizer = ProductQuantizer(code_bytes, iterations=2).fit(vectors, rng=0)
    codes = quantizer.encode(vectors)
    assert codes.dtype == np.uint8 and codes.shape == (700, code_bytes)
    assert quantizer.codebooks.shape == (code_bytes, -(-10 // code_bytes), CODEWORDS)
    expected = encode_reference(vectors, quantizer.codebooks)
    assert (codes == expected).mean() > 0.999  # all but ties within rounding


@pytest.mark.parametrize("code_bytes", [1, 2, 3, 4, 5, 7, 10, 16])
def test_sums_of_table_entries_are_the_products_with_decoded_vectors(code_bytes):
    vectors, query = some_vectors(), some_vectors(1, seed=1)[0]
    quantizer = ProductQuantizer(code_bytes, iterations=1).fit(vectors, rng=0)
    codes = quantizer.encode(vectors)
    table = np.full((code_bytes, CODEWORDS), 7, np.float32)
    fill_table(quantizer.codebooks, query, table)
    products = np.full(len(codes), 5, np.float32)  # added to what is there
    add_entries(table, np.ascontiguousarray(codes.T), products)
    decoded = quantizer.decode(codes)
    assert decoded.shape == vectors.shape
    np.testing.assert_allclose(products, 5 + decoded @ query, rtol=1e-4, atol=1e-4)


def test_few_different_pieces_are_kept_exactly():
    vectors = np.random.default_rng(0).integers(0, 3, (5000, 6)).astype(np.float32)
    quantizer = ProductQuantizer(3, iterations=6).fit(vectors[:400], rng=0)
    np.testing.assert_array_equal(quantizer.decode(quantizer.encode(vectors)), vectors)


def test_more_bytes_err_less():
    vectors = some_vectors(2000, 16)
    errors = []
    for code_bytes in (1, 2, 4, 8, 16):
        quantizer = ProductQuantizer(code_bytes, iterations=3).fit(vectors, rng=0)
        errors.append(((quantizer.decode(quantizer.encode(vectors)) - vectors) ** 2).mean())
    assert all(after < 0.85 * before for before, after in zip(errors, errors[1:]))


def test_the_seed_decides():
    vectors = some_vectors()
    books = [ProductQuantizer(2, 1).fit(vectors, rng=seed).codebooks for seed in (0, 0, 1)]
    assert np.array_equal(books[0], books[1]) and not np.array_equal(books[0], books[2])


def test_invalid_arguments_are_refused():
    with pytest.raises(ValueError, match="code_bytes must be at least 1"):
        ProductQuantizer(0)
    with pytest.raises(ValueError, match="iterations must be at least 0"):
        ProductQuantizer(4, iterations=-1)
    with pytest.raises(ValueError, match="vectors must be finite, got nan"):
        ProductQuantizer(1).fit([[np.nan]])
