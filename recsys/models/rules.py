r"""Association rules: "baskets that hold j also hold i".

A *transaction* is the set of items of one user's history; a log of receipts is one in which each
receipt is a user. With :math:`n` transactions, of which :math:`n_j` hold item j and :math:`n_{ij}`
hold both, the rule :math:`j \to i` (Agrawal, Imieliński and Swami 1993) has

.. math:: \text{support} = \frac{n_{ij}}{n}, \qquad \text{confidence} = \frac{n_{ij}}{n_j}, \qquad
          \text{lift} = \frac{n_{ij} / n_j}{n_i / n}

Confidence estimates the probability of i given j. Lift compares it with the probability of i
without knowing anything: 1 if the two are independent, and the same in both directions (Brin,
Motwani, Ullman and Tsur 1997 call it interest). A rule is kept if its support and confidence reach
their minimum, and a user's score for i sums the confidence, or the lift, of the rules from their
history to i. No pair is more frequent than its rarer item, so items below the minimum support are
dropped before any pair is counted (the Apriori principle, Agrawal and Srikant 1994).

Left out: antecedents of several items, which is what Apriori and FP-growth are for, and order.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy import sparse

from recsys import validation
from recsys.interactions import Interactions
from recsys.models.base import Recommender, largest_contributions
from recsys.models.neighborhood import add_neighbor_rows
from recsys.threads import on_snapshot

if TYPE_CHECKING:
    import pandas as pd

MEASURES = ("confidence", "lift")
ROWS = 1024  # antecedents whose pairs are counted at once


@dataclass(eq=False)
class AssociationRules(Recommender):
    """Rules from one item to another, counted in the users' histories.

    The defaults had the highest mean of NDCG@10 relative to the best of 30 settings, on the
    validation sets of three logs; where few items reach that support, lower it.

    Parameters
    ----------
    min_support : float from 0 to 1
        Least fraction of the transactions that hold both items; at least one does.
    min_confidence : float from 0 to 1
        Least fraction of the antecedent's transactions that hold the consequent.
    measure : {"confidence", "lift"}
        What a rule adds to the score of its consequent.

    Attributes after `fit`
    ----------------------
    together : CSR matrix (n_items, n_items), float32
        Entry (j, i) is the number of transactions of the rule j -> i; only rules that are kept.
    item_count : array (n_items,) float64
        Number of transactions that hold each item.
    n_transactions : array (1,) int64
        Number of users with at least one item.
    """

    learned: ClassVar[tuple[str, ...]] = ("together", "item_count", "n_transactions")

    min_support: float = 0.02
    min_confidence: float = 0.1
    measure: str = "lift"

    def _fit(self, train: Interactions, progress: bool) -> None:
        self.item_count = np.bincount(self.history.indices, minlength=self.n_items) + 0.0
        self.n_transactions = np.array([np.count_nonzero(np.diff(self.history.indptr))])
        least = self.min_support * self.n_transactions[0]
        self.together = pair_counts(self.history, least, self.min_confidence)

    @cached_property
    def strengths(self) -> sparse.csr_matrix:
        """The measure of each rule: CSR matrix (n_items, n_items) float32, row j its antecedent."""
        return _with_data(self.together, self._measures()[self.measure])

    def _measures(self) -> dict[str, np.ndarray]:
        """Support, confidence and lift of the rules, in the order of `together.data`."""
        n = self.n_transactions[0]
        antecedent_count = np.repeat(self.item_count, np.diff(self.together.indptr))
        confidence = self.together.data / antecedent_count
        lift = confidence * n / self.item_count[self.together.indices]
        return {"support": self.together.data / n, "confidence": confidence, "lift": lift}

    def _scores(self, users: np.ndarray) -> np.ndarray:
        scores = np.zeros((len(users), self.n_items), np.float32)
        h, s = self.history, self.strengths
        add_neighbor_rows(h.indptr, h.indices, users, s.indptr, s.indices, s.data, scores)
        scores[scores == 0] = -np.inf  # no rule leads from the history to the item
        return scores

    @on_snapshot
    def fold_in(self, histories: Any) -> AssociationRules:
        """The model for new users, numbered from 0; the rules stay.

        `histories` is a list of item id lists, a CSR matrix or Interactions.
        """
        return self.with_histories(histories)

    @on_snapshot
    def rules(self, by: str = "confidence", k: int | None = None) -> pd.DataFrame:
        """The rules as a table, highest `by` first, ties to the lower ids.

        Parameters
        ----------
        by : {"support", "confidence", "lift"}
        k : int, optional
            Number of rules; all by default.

        Returns
        -------
        DataFrame
            Columns antecedent and consequent, labels of the training log or ids where it had
            none; support, confidence and lift.

        Examples
        --------
        Of four users, two chose both items, and one more chose item 0:

        >>> log = Interactions([0, 0, 1, 1, 2, 3], [0, 1, 0, 1, 0, 2])
        >>> AssociationRules().fit(log).rules().round(2)
           antecedent  consequent  support  confidence  lift
        0           1           0      0.5        1.00  1.33
        1           0           1      0.5        0.67  1.33
        """
        import pandas as pd

        self._check_fitted()
        validation.one_of("by", by, ("support", *MEASURES))
        k = self.together.nnz if k is None else validation.whole_number("k", k)
        j, i = self.together.nonzero()
        measures = self._measures()
        best = np.lexsort((i, j, -measures[by]))[:k]
        names = np.arange(self.n_items)
        if self.item_labels is not None:
            names = pd.Index(self.item_labels)
        columns = {"antecedent": names[j[best]], "consequent": names[i[best]]}
        return pd.DataFrame(columns | {name: values[best] for name, values in measures.items()})

    @on_snapshot
    def explain(self, user: int, item: int, k: int = 5) -> tuple[np.ndarray, np.ndarray]:
        """The antecedents in a user's history whose rules add most to a score, and how much.

        Returns `items` (k,) int32, largest contribution first, ties to the lower id, padded with
        -1, and `contributions` (k,) float32, the measure of their rules, padded with 0. With k at
        least the length of the history they sum to the score.
        """
        history = self._history_of(user, item)
        contributions = self.strengths[history.indices][:, [item]].toarray().ravel()
        return largest_contributions(history.indices, contributions, k)


def pair_counts(
    history: sparse.csr_matrix, least: float = 0.0, min_confidence: float = 0.0
) -> sparse.csr_matrix:
    """Number of rows that hold both of two items: CSR (n_items, n_items).

    Entry (j, i), j other than i, is kept if it is at least 1, `least` and
    `min_confidence` times the number of rows that hold j.

    >>> history = sparse.csr_matrix([[1, 1, 0], [1, 1, 1], [1, 0, 1]])
    >>> pair_counts(history, least=2).toarray().astype(int)
    array([[0, 2, 2],
           [2, 0, 0],
           [2, 0, 0]])
    """
    n_items = history.shape[1]
    item_count = np.bincount(history.indices, minlength=n_items)
    least = max(least, 1.0) - 1e-9  # so that 0.1 * 30 reaches 3
    frequent = np.flatnonzero(item_count >= least)  # the Apriori principle
    ones = np.ones(history.nnz)
    R = sparse.csr_matrix((ones, history.indices, history.indptr), history.shape)
    R = R[:, frequent]
    columns, blocks = R.T.tocsr(), []
    for start in range(0, len(frequent), ROWS):
        counts = (columns[start : start + ROWS] @ R).tocoo()
        j = start + counts.row
        own = np.maximum(least, min_confidence * item_count[frequent[j]] - 1e-9)
        kept = (counts.data >= own) & (j != counts.col)
        i = counts.col[kept]
        blocks.append((counts.data[kept], frequent[j[kept]], frequent[i]))
    data, j, i = (np.concatenate(parts) for parts in zip(([], [], []), *blocks))
    pairs = sparse.csr_matrix((data, (j, i)), (n_items, n_items), np.float32)
    pairs.sort_indices()
    return pairs


def _with_data(matrix: sparse.csr_matrix, data: np.ndarray) -> sparse.csr_matrix:
    parts = (data.astype(np.float32), matrix.indices, matrix.indptr)
    return sparse.csr_matrix(parts, shape=matrix.shape)
