"""Which items a request allows: candidates for all users, and items hidden from each."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from recsys.interactions import read_only
from recsys.kernels import hide_seen
from recsys.retrieval.exact import top_k


@dataclass(frozen=True)
class ItemFilter:
    """The items that may be recommended to each of n users.

    Attributes
    ----------
    hidden : CSR matrix with n_items columns
        Rows of items that are left out, in rising order.
    rows : array (n,) int32
        Each user's row of `hidden`.
    candidates : array int32, rising, or None
        The only items that may be recommended; None: all.
    """

    hidden: sparse.csr_matrix
    rows: np.ndarray
    candidates: np.ndarray | None = None

    def select(self, users: slice | np.ndarray) -> ItemFilter:
        """The filter of some of the users, by position."""
        return replace(self, rows=self.rows[users])

    def top_k(self, scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k best allowed items and their scores; `scores` (n, n_items) is overwritten."""
        hide_seen(scores, self.hidden.indptr, self.hidden.indices, self.rows)
        if self.candidates is not None:
            scores = scores[:, self.candidates]
        positions, best = top_k(scores, k)
        return self.ids(positions), best

    def ids(self, positions: np.ndarray) -> np.ndarray:
        """The items at positions among the candidates; -1 stays."""
        if self.candidates is None:
            return positions
        return np.append(self.candidates, np.int32(-1))[positions]

    def among_candidates(self) -> ItemFilter:
        """The filter with positions among the candidates in place of ids."""
        if self.candidates is None:
            return self
        hidden = self.hidden[self.rows][:, self.candidates]
        hidden.sort_indices()
        return ItemFilter(read_only(hidden), np.arange(len(self.rows), dtype=np.int32))


def item_filter(
    history: sparse.csr_matrix,
    users: np.ndarray,
    exclude_seen: bool,
    candidates: np.ndarray | None,
    excluded: np.ndarray | sparse.csr_matrix | None,
) -> ItemFilter:
    """The filter of a request for `users` (n,), from their histories and valid arguments.

    `excluded` holds ids for all users, or is a CSR matrix (n, n_items) with a row for each.
    """
    if candidates is not None:
        candidates = np.unique(candidates)
    if isinstance(excluded, np.ndarray):
        allowed = np.ones(history.shape[1], bool)
        allowed[excluded] = False
        candidates = np.arange(len(allowed), dtype=np.int32) if candidates is None else candidates
        candidates = candidates[allowed[candidates]]
    if not sparse.issparse(excluded):
        hidden = history if exclude_seen else read_only(sparse.csr_matrix((1, history.shape[1])))
        return ItemFilter(hidden, users if exclude_seen else np.zeros_like(users), candidates)
    parts = [history[users], excluded] if exclude_seen else [excluded]
    return ItemFilter(union(parts), np.arange(len(users), dtype=np.int32), candidates)


def union(matrices: list[sparse.csr_matrix]) -> sparse.csr_matrix:
    """CSR matrix with an entry wherever one of the matrices has one, even if it is zero."""
    rows, columns = np.hstack([[m.tocoo().row, m.tocoo().col] for m in matrices])
    ones = np.ones(len(rows), np.float32)
    return read_only(sparse.csr_matrix((ones, (rows, columns)), matrices[0].shape))
