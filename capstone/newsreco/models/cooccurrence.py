r"""Co-occurrence of articles in clicks: two tables from which retrievers recommend.

Both are sparse matrices S whose row j holds what to recommend after a click on j:

- item_item: shrunk cosine between the users who clicked i and those who clicked j (Deshpande and
  Karypis 2004), the strongest neighbours of each row;
- sequence: of the clicks on the user's next impression after one with j, the fraction on i, a
  Markov chain over impressions (Shani, Heckerman and Brafman 2005).

A user's score for i sums over their recent clicks, :math:`\sum_j w_j S_{ji}`. Left out: the time
between two clicks, and what was shown and not clicked.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from newsreco.data import NewsLog
from newsreco.features.state import State
from recsys import Interactions
from recsys.compiled import compiled
from recsys.models import ItemKNN
from recsys.retrieval.exact import select_row, sort_best

NEIGHBORS = 50
SHRINKAGE = 10.0
TABLES = ("item_item", "sequence")
Tables = dict[str, sparse.csr_matrix]


def fit_tables(past: NewsLog) -> Tables:
    """Both tables of a log, by name: CSR matrices (n_items, n_items) float32."""
    clicks = past.clicks()
    earlier = np.repeat(np.arange(past.n_users), np.diff(past.history_start))
    user = np.concatenate([earlier, clicks.user])
    item = np.concatenate([past.history_item, clicks.item])
    time = np.concatenate([np.full(len(earlier), np.nan), clicks.time])
    return click_tables(user, item, time, past.n_items)


def tables_of_state(state: State) -> Tables:
    """Both tables of all clicks that a state has counted: those of `fit_tables`."""
    arrays, n = state.arrays, int(state.arrays.n_clicks[0])
    user = owners(arrays.user_newest, arrays.click_previous[:n])
    time = np.where(arrays.click_untimed[:n], np.nan, arrays.click_time[:n])
    return click_tables(user, arrays.click_item[:n], time, state.n_items)


def click_tables(user: np.ndarray, item: np.ndarray, time: np.ndarray, n_items: int) -> Tables:
    """Both tables of clicks (n,).

    A user's clicks of one time are one impression. Time nan is a click before the log: it has no
    order, and only item_item reads it.
    """
    timed = ~np.isnan(time)
    sequence = transition_table(user[timed], item[timed], time[timed], n_items)
    return dict(zip(TABLES, (co_clicks(user, item, n_items), sequence)))


def co_clicks(user: np.ndarray, item: np.ndarray, n_items: int) -> sparse.csr_matrix:
    """Item-item similarity by clicks (n,)."""
    if len(user) == 0:
        return sparse.csr_matrix((n_items, n_items), dtype=np.float32)
    pairs = Interactions(user, item, n_items=n_items)
    return ItemKNN(NEIGHBORS, shrinkage=SHRINKAGE).fit(pairs, progress=False).similarity


def transition_table(
    user: np.ndarray, item: np.ndarray, time: np.ndarray, n_items: int
) -> sparse.csr_matrix:
    """Fractions of the clicks on the user's next impression with a click, per article clicked."""
    order = np.lexsort((time, user))  # the clicks of each user, by time
    user, item, time = user[order], item[order], time[order]
    first = np.ones(len(order), bool)  # of its impression
    first[1:] = (np.diff(user) != 0) | (np.diff(time) != 0)
    row = np.cumsum(first) - 1
    pairs = np.ones(len(row), np.float32), (row, item)
    clicks = sparse.csr_matrix(pairs, shape=(int(first.sum()), n_items))
    same = np.flatnonzero(np.diff(user[first]) == 0)
    counts = (clicks[same].T @ clicks[same + 1]).tocsr()  # each click, then each of the next
    counts.sort_indices()
    total = np.asarray(counts.sum(axis=1)).ravel()
    counts.data /= np.repeat(total, np.diff(counts.indptr))
    return counts


@compiled
def owners(newest, previous):
    """The user of each click (n,), from the linked lists of clicks: a list's head has the user."""
    user = np.full(len(previous), -1, np.int64)
    for u in range(len(newest)):
        click = newest[u]
        while click >= 0:
            user[click] = u
            click = previous[click]
    return user


def best_of_rows(
    table: sparse.csr_matrix, sources: np.ndarray, weights: np.ndarray, k: int, allowed: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The k best allowed articles by the weighted sum of the sources' rows.

    Parameters
    ----------
    table : CSR matrix (n_items, n_items) float32
    sources : array (m,) of int
    weights : array (m,) of float
    allowed : array (n_items,) of bool

    Returns
    -------
    items : array (k,) int32
        Best first, ties to the lower id; padded with -1.
    scores : array (k,) float32
    """
    items = np.full(k, -1, np.int32)
    scores = np.full(k, -np.inf, np.float32)
    weights = np.asarray(weights, np.float32)
    _best_of_rows(table.indptr, table.indices, table.data, sources, weights, allowed, items, scores)
    return items, scores


@compiled
def _best_of_rows(ptr, cols, values, sources, weights, allowed, items, scores):
    """Add up rows of a CSR table; fill in the best allowed columns, initially -1 and -inf."""
    sums = np.full(len(allowed), -np.inf, np.float32)
    for s in range(len(sources)):
        for p in range(ptr[sources[s]], ptr[sources[s] + 1]):
            i = cols[p]
            if allowed[i]:
                sums[i] = max(sums[i], np.float32(0)) + weights[s] * values[p]
    select_row(sums, 0, items, scores)
    sort_best(items, scores)
