"""Learning from new interactions without the log that a model was fitted to.

For counts and neighbours the result is that of a fit to both logs together; `ImplicitALS` starts
from its factors and approaches it. Left out: forgetting interactions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from recsys.interactions import Interactions, check_log, log_fingerprint
from recsys.models.base import Recommender


@dataclass(eq=False)
class UpdatableRecommender(Recommender):
    """Base of the models that define `_update`, and so have `partial_fit`."""

    def partial_fit(self, new_log: Interactions, progress: bool = True) -> UpdatableRecommender:
        """Learn from more interactions; an interrupted update leaves the model as it was.

        Parameters
        ----------
        new_log : Interactions
            New rows only. It numbers the known users and items as the training log does, and may
            have more of them: `Interactions.from_frame(..., like=train, unknown="add")`.
        progress : bool

        Returns
        -------
        self
        """
        self._check_fitted()
        check_log("new_log", new_log)
        self._check_parameters()
        self._check_extends(new_log)
        return self._learn_apart(UpdatableRecommender._learn_more, new_log, progress)

    def _learn_more(self, new_log: Interactions, progress: bool) -> None:
        self.row_digest = added_digests(self.row_digest, new_log.row_digest)
        fingerprint = log_fingerprint(new_log.n_users, new_log.n_items, self.row_digest)
        self._set_history(added_history(self.history, new_log.matrix), fingerprint)
        self.user_labels = new_log.user_labels or self.user_labels
        self.item_labels = new_log.item_labels or self.item_labels
        self._update(new_log, progress)

    def _check_extends(self, new_log: Interactions) -> None:
        """ValueError unless the log goes on where the training log ended."""
        if self.is_folded:
            raise ValueError("partial_fit needs the fitted model, got one that fold_in returned")
        for kind in ("user", "item"):
            known, size = getattr(self, f"{kind}_labels"), getattr(self, f"n_{kind}s")
            labels, new_size = getattr(new_log, f"{kind}_labels"), getattr(new_log, f"n_{kind}s")
            if new_size < size:
                raise ValueError(f"new_log must have at least {size} {kind}s, got {new_size}")
            if known is not None and (labels is None and new_size > size):
                raise ValueError(f"new_log must have {kind}_labels, as the training log, got None")
            known = list(range(size)) if known is None else known
            if labels is not None and labels[:size] != known:
                raise ValueError(
                    f"new_log must number the known {kind}s as the training log does: "
                    'from_frame(..., like=train, unknown="add")'
                )
        if bool(self.row_digest[2]) != (new_log.value is not None) and len(new_log):
            raise ValueError("new_log must have values if the training log has, and only then")

    def state(self) -> dict[str, Any]:
        """All that the fitted model holds, by name: arrays, CSR matrices and lists of labels."""
        return super().state() | {"row_digest": self.row_digest}


def added_history(history: sparse.csr_matrix, new: sparse.csr_matrix) -> sparse.csr_matrix:
    """The sum of two histories, of the shape of the second; stored zeros stay."""
    parts = [history.tocoo(), new.tocoo()]
    row, col, data = (
        np.concatenate([getattr(p, n) for p in parts]) for n in ("row", "col", "data")
    )
    return sparse.csr_matrix((data, (row, col)), new.shape)


def added_digests(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """The digest of the rows of two logs: rows and sums add up, the flags stay."""
    total = ours + theirs
    total[1:3] = ours[1:3]
    return total


def padded(array: np.ndarray, length: int) -> np.ndarray:
    """The array with zeros appended."""
    return np.concatenate([array, np.zeros(length - len(array), array.dtype)])
