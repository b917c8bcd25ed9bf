r"""Tables of articles that go together, learned from clicks: two that retrievers follow.

Both are sparse matrices S whose row j names what to recommend to somebody who clicked j:

- item_item: shrunk cosine, the people who clicked both against those who clicked either
  (Deshpande and Karypis 2004), the strongest few of each row;
- sequence: of all that was clicked on the visit after one with j, the share of i, a Markov
  chain over visits (Shani, Heckerman and Brafman 2005).

A person's score for i sums over their recent clicks :math:`\sum_j w_j S_{ji}`. Left out: the time
between two clicks, and what was shown and not clicked.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from newsreco.data import NewsLog
from recsys import Interactions
from recsys.compiled import compiled
from recsys.models import ItemKNN
from recsys.retrieval.exact import select_row

NEIGHBORS = 50
SHRINKAGE = 10.0
Tables = dict[str, sparse.csr_matrix]


def fit_tables(past: NewsLog) -> Tables:
    """Both tables of a log, by name: CSR matrices (n_items, n_items) float32."""
    return {"item_item": co_clicks(past), "sequence": visit_transitions(past)}


def co_clicks(past: NewsLog) -> sparse.csr_matrix:
    """Similarity by common readers, of all clicks of a log and those of before it."""
    clicks = past.clicks()
    earlier = np.repeat(np.arange(past.n_users), np.diff(past.history_start))
    user = np.concatenate([earlier, clicks.user])
    item = np.concatenate([past.history_item, clicks.item])
    if len(user) == 0:
        return sparse.csr_matrix((past.n_items, past.n_items), dtype=np.float32)
    pairs = Interactions(user, item, n_users=past.n_users, n_items=past.n_items)
    return ItemKNN(NEIGHBORS, shrinkage=SHRINKAGE).fit(pairs, progress=False).similarity


def visit_transitions(past: NewsLog) -> sparse.csr_matrix:
    """Shares of what was clicked on the next visit with a click, of each article clicked."""
    shown = past.impressions
    rows = np.flatnonzero(shown.clicked)
    visits, visit = np.unique(shown.impression[rows], return_inverse=True)
    order = np.argsort(shown.user[visits], kind="stable")  # each person's visits, in time
    size = len(visits), past.n_items
    pairs = np.ones(len(rows), np.float32), (visit, shown.item[rows])
    clicks = sparse.csr_matrix(pairs, shape=size)[order]
    same = np.flatnonzero(np.diff(shown.user[visits[order]]) == 0)
    counts = (clicks[same].T @ clicks[same + 1]).tocsr()  # each click, then each of the next
    counts.sort_indices()
    total = np.asarray(counts.sum(axis=1)).ravel()
    counts.data /= np.repeat(total, np.diff(counts.indptr))
    return counts


def follow(
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
        Best first, ties to the lower id; -1 where the rows name fewer.
    scores : array (k,) float32
    """
    items = np.full(k, -1, np.int32)
    scores = np.full(k, -np.inf, np.float32)
    weights = np.asarray(weights, np.float32)
    best_of_rows(table.indptr, table.indices, table.data, sources, weights, allowed, items, scores)
    return items, scores


@compiled
def best_of_rows(ptr, cols, values, sources, weights, allowed, items, scores):
    """Add up rows of a CSR table; fill the best allowed columns, which arrive as -1 and -inf."""
    sums = np.full(len(allowed), -np.inf, np.float32)
    for s in range(len(sources)):
        for p in range(ptr[sources[s]], ptr[sources[s] + 1]):
            i = cols[p]
            if allowed[i]:
                sums[i] = max(sums[i], np.float32(0)) + weights[s] * values[p]
    select_row(sums, 0, items, scores)


def best_of_rows_reference(
    table: sparse.csr_matrix, sources: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """The sums of all columns, (n_items,) float64, in plain NumPy."""
    return np.asarray(weights, float) @ table[sources].toarray().astype(float)
