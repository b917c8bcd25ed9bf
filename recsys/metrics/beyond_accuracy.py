r"""Metrics beyond accuracy: coverage, novelty, diversity, serendipity and calibration.

Of two models with the same recall, one may show all users the same ten items, and the other the
whole catalogue.
`recommended` is an array (n_users, k) of item ids, padded with -1, as `recommend` returns it.
Lists of another form, ids outside the catalogue and impossible counts raise ValueError.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from recsys import validation
from recsys.metrics.ranking import hits_at_k

CELLS_IN_MEMORY = 2_000_000  # feature values expanded at once; with float64, 16 MB
MANY_FEATURES = 4096  # from here on, those that no item of a block has are left out


def coverage(recommended: np.ndarray, n_items: int) -> float:
    """Fraction of the catalogue that appears in at least one list.

    >>> coverage(np.array([[0, 1], [0, 2]]), n_items=4)
    0.75
    """
    return float(np.count_nonzero(_exposure(recommended, n_items)) / n_items)


def gini(recommended: np.ndarray, n_items: int) -> float:
    r"""Gini index of how often each item is shown: 0 if all alike, near 1 if only a few are.

    With the counts sorted upwards, :math:`\sum_i (2i - n - 1) c_i / (n \sum_i c_i)`, i from 1.

    >>> gini(np.array([[0, 1], [2, 3]]), n_items=4)
    0.0
    """
    counts = np.sort(_exposure(recommended, n_items))
    weights = 2 * np.arange(1, n_items + 1) - n_items - 1
    return float(weights @ counts / (n_items * max(counts.sum(), 1)))


def popularity_bias(recommended: np.ndarray, item_users: np.ndarray, n_users: int) -> np.ndarray:
    """Mean fraction of users who interacted with the listed items, one value per user.

    Parameters
    ----------
    item_users : array (n_items,)
        How many of the `n_users` users interacted with each item in training.

    Returns
    -------
    array (n,) float64
        nan for an empty list. (Average recommendation popularity, Yin et al. 2012, as a fraction.)

    >>> popularity_bias(np.array([[0, 1]]), item_users=np.array([5, 3]), n_users=10)
    array([0.4])
    """
    counts, n_users = _user_counts(item_users, n_users)
    return _list_mean(recommended, counts / n_users)


def novelty(recommended: np.ndarray, item_users: np.ndarray, n_users: int) -> np.ndarray:
    r"""Mean self-information of the listed items in bits, one value per user.

    That of an item is :math:`-\log_2 p`, with p the fraction of users who interacted with it
    (Vargas and Castells 2011), or 1 / n_users for an item without interactions.

    >>> novelty(np.array([[0, 1]]), item_users=np.array([5, 10]), n_users=10)
    array([0.5])
    """
    counts, n_users = _user_counts(item_users, n_users)
    return _list_mean(recommended, -np.log2(np.maximum(counts, 1) / n_users))


def intra_list_diversity(recommended: np.ndarray, item_features: Any) -> np.ndarray:
    """Mean of 1 - cosine over all pairs in a list, one value per user (Ziegler et al. 2005).

    Parameters
    ----------
    item_features : array or sparse matrix (n_items, d)
        An item of zeros only has similarity 0 to all others.

    Returns
    -------
    array (n,) float64
        0 if all items are alike, 1 if no two share a feature; nan for lists of fewer than two
        items.

    >>> intra_list_diversity(np.array([[0, 1, 2]]), np.array([[1, 0], [1, 0], [0, 1]])).round(3)
    array([0.667])
    """
    features = _features(item_features)
    features = features.tocsr() if sparse.issparse(features) else features
    lists = validation.lists("recommended", recommended, features.shape[0])
    n = (lists >= 0).sum(axis=1)
    all_pairs, self_pairs = np.empty((2, len(lists)))
    for rows in _blocks(len(lists), lists.shape[1] * features.shape[1]):
        all_pairs[rows], self_pairs[rows] = _sums_of_cosines(lists[rows], features)
    pairs = n * (n - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(pairs > 0, 1 - (all_pairs - self_pairs) / pairs, np.nan)


def serendipity(recommended: np.ndarray, relevant: Any, expected: np.ndarray) -> np.ndarray:
    """Fraction of the k positions with a relevant, unexpected item (Ge et al. 2010).

    Parameters
    ----------
    relevant : list of sets or arrays, or CSR matrix
        As for the ranking metrics.
    expected : array (n, >= k) of int
        Lists of a baseline for the same users, such as the most popular items.

    >>> serendipity(np.array([[3, 7]]), [{3, 7}], expected=np.array([[7, 8]]))
    array([0.5])
    """
    recommended = validation.lists("recommended", recommended, columns=1)
    n_users, k = recommended.shape
    expected = validation.lists("expected", expected, columns=k)
    if len(expected) != n_users:
        raise ValueError(
            f"expected must have one list per user, shape ({n_users}, {k} or more), "
            f"got shape {expected.shape}"
        )
    hits, n = hits_at_k(recommended, relevant, k)
    unsurprising = np.zeros(hits.shape, bool)
    for column in expected[:, :k].T:
        unsurprising |= recommended == column[:, None]
    return np.where(n > 0, (hits & ~unsurprising).sum(axis=1) / k, np.nan)


def calibration(
    recommended: np.ndarray,
    history: sparse.csr_matrix,
    item_features: Any,
    smoothing: float = 0.01,
) -> np.ndarray:
    r"""Divergence of a list's genres from those of the history, per user (Steck 2018).

    The Kullback-Leibler divergence :math:`\sum_g p_g \ln (p_g / \tilde q_g)` in nats
    between the genres of the history, p, and of the list, q, with
    :math:`\tilde q = 0.99 q + 0.01 p`. An item counts in full for each of its genres,
    so one with many genres weighs more. Steck divides an item's weight among them: for
    that, divide each row of `item_features` by its sum.

    Parameters
    ----------
    history : CSR matrix (n, n_items)
        The same users' training interactions.
    item_features : array or sparse matrix (n_items, n_genres), not negative

    Returns
    -------
    array (n,) float64
        0 is perfectly calibrated; nan without history or list.

    >>> history = sparse.csr_matrix([[1.0, 1.0]])
    >>> calibration(np.array([[0]]), history, np.eye(2)).round(2)
    array([1.96])
    """
    smoothing = validation.real_number("smoothing", smoothing, open_low=True, high=1.0)
    genres = sparse.csr_matrix(_features(item_features, low=0.0))
    lists = validation.lists("recommended", recommended, genres.shape[0])
    history = _history(history, (len(lists), genres.shape[0]))
    rows, positions = np.nonzero(lists >= 0)
    shown = sparse.csr_matrix(
        (np.ones(len(rows)), (rows, lists[rows, positions])),
        (len(lists), genres.shape[0]),
    )
    divergence = np.empty(len(lists))
    for users in _blocks(len(lists), genres.shape[1]):
        counts = _used_columns(history[users] @ genres, shown[users] @ genres)
        p, q = (_distribution(part) for part in counts)
        divergence[users] = _divergence(p, (1 - smoothing) * q + smoothing * p)
    return divergence


def _divergence(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Kullback-Leibler divergence of each row; nan where a row holds nan."""
    with np.errstate(invalid="ignore", divide="ignore"):
        terms = np.where(p > 0, p * np.log(p / q), 0.0)
    return np.where(np.isnan(p).any(axis=1) | np.isnan(q).any(axis=1), np.nan, terms.sum(axis=1))


def _blocks(n_rows: int, cells_per_row: int) -> Iterator[slice]:
    """Slices of rows that together expand to at most CELLS_IN_MEMORY cells, or to one row."""
    size = max(1, CELLS_IN_MEMORY // max(cells_per_row, 1))
    return (slice(start, start + size) for start in range(0, n_rows, size))


def _exposure(recommended: np.ndarray, n_items: int) -> np.ndarray:
    """Number of lists that hold each item, (n_items,) int."""
    n_items = validation.whole_number("n_items", n_items)
    lists = validation.lists("recommended", recommended, n_items)
    return np.bincount(lists[lists >= 0], minlength=n_items)


def _user_counts(item_users: Any, n_users: int) -> tuple[np.ndarray, int]:
    """Number of users of each item, and of all users."""
    n_users = validation.whole_number("n_users", n_users)
    counts = validation.as_array("item_users", item_users)
    if counts.ndim != 1 or counts.size == 0:
        raise ValueError(f"item_users must have one count per item, got shape {counts.shape}")
    if validation.amounts("item_users", counts).max() > n_users:
        raise ValueError(f"item_users must be at most n_users = {n_users}, got {counts.max()}")
    return counts, n_users


def _list_mean(recommended: np.ndarray, item_values: np.ndarray) -> np.ndarray:
    """Mean of the listed items' values, nan for an empty list."""
    lists = validation.lists("recommended", recommended, len(item_values))
    shown = lists >= 0
    total = np.where(shown, item_values[np.maximum(lists, 0)], 0.0).sum(axis=1)
    return np.where(shown.any(axis=1), total / np.maximum(shown.sum(axis=1), 1), np.nan)


def _features(item_features: Any, low: float = -np.inf) -> np.ndarray | sparse.csr_matrix:
    """Features as a float64 matrix, one row per item: finite, and at least `low`."""
    table = validation.matrix("item_features", item_features).astype(np.float64)
    if 0 in table.shape:
        raise ValueError(
            f"item_features must have at least one row and one column, got shape {table.shape}"
        )
    validation.amounts("item_features", table.data if sparse.issparse(table) else table, low)
    return table


def _history(history: Any, shape: tuple[int, int]) -> sparse.csr_matrix:
    """A finite history with the users of the lists and the items of the features."""
    history = sparse.csr_matrix(validation.matrix("history", history))
    if history.shape != shape:
        raise ValueError(
            f"history must have the rows of recommended and one column per item, shape {shape}, "
            f"got {history.shape}"
        )
    return validation.all_finite("history", history)


def _used_columns(*parts: sparse.csr_matrix) -> Sequence[sparse.csr_matrix]:
    """CSR matrices, if they are wide without the columns that are empty in all of them."""
    if parts[0].shape[1] < MANY_FEATURES:
        return parts
    used = np.unique(np.concatenate([part.indices for part in parts]))
    return [part[:, used] for part in parts]


def _sums_of_cosines(lists: np.ndarray, features: Any) -> tuple[np.ndarray, np.ndarray]:
    """The cosines of a list's ordered pairs, summed, and those of each item with itself."""
    items, index = np.unique(np.maximum(lists, 0), return_inverse=True)
    used = features[items]  # rows of the listed items alone
    used = _used_columns(used)[0].toarray() if sparse.issparse(used) else used
    used = np.ascontiguousarray(used)
    norms = np.linalg.norm(used, axis=1, keepdims=True)
    used = used / np.where(norms > 0, norms, 1)  # rows of zeros stay
    vectors = used[index.reshape(lists.shape)] * (lists >= 0)[:, :, None]  # (n, k, d)
    return (vectors.sum(axis=1) ** 2).sum(axis=1), (vectors**2).sum(axis=(1, 2))


def _distribution(counts: sparse.csr_matrix) -> np.ndarray:
    """Rows scaled to sum 1, dense; nan where a row is empty."""
    dense = counts.toarray()
    total = dense.sum(axis=1, keepdims=True)
    return np.divide(dense, total, out=np.full_like(dense, np.nan), where=total > 0)
