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
    return dict(zip(TABLES, (co_clicks(past), transition_table(past))))


def co_clicks(past: NewsLog) -> sparse.csr_matrix:
    """Item-item similarity by all clicks of a log and those before it."""
    clicks = past.clicks()
    earlier = np.repeat(np.arange(past.n_users), np.diff(past.history_start))
    user = np.concatenate([earlier, clicks.user])
    item = np.concatenate([past.history_item, clicks.item])
    if len(user) == 0:
        return sparse.csr_matrix((past.n_items, past.n_items), dtype=np.float32)
    pairs = Interactions(user, item, n_users=past.n_users, n_items=past.n_items)
    return ItemKNN(NEIGHBORS, shrinkage=SHRINKAGE).fit(pairs, progress=False).similarity


def transition_table(past: NewsLog) -> sparse.csr_matrix:
    """Fractions of the clicks on the user's next impression with a click, per article clicked."""
    shown = past.impressions
    rows = np.flatnonzero(shown.clicked)
    impressions, impression = np.unique(shown.impression[rows], return_inverse=True)
    order = np.argsort(shown.user[impressions], kind="stable")  # those of each user, by time
    size = len(impressions), past.n_items
    pairs = np.ones(len(rows), np.float32), (impression, shown.item[rows])
    clicks = sparse.csr_matrix(pairs, shape=size)[order]
    same = np.flatnonzero(np.diff(shown.user[impressions[order]]) == 0)
    counts = (clicks[same].T @ clicks[same + 1]).tocsr()  # each click, then each of the next
    counts.sort_indices()
    total = np.asarray(counts.sum(axis=1)).ravel()
    counts.data /= np.repeat(total, np.diff(counts.indptr))
    return counts


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
