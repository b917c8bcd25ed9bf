"""Text to vectors. So far: labels such as "Comedy|Drama" to columns of 0 and 1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse


def multi_hot(labels: Sequence[str], separator: str = "|") -> tuple[sparse.csr_matrix, list[str]]:
    """One column a distinct label, one row an entry; 1 where the entry has the label.

    Parameters
    ----------
    labels : sequence of str
        Each entry holds labels parted by `separator`; an empty entry has none.

    Returns
    -------
    matrix : CSR matrix (n, n_labels) float32
    names : list of str
        The labels of the columns, in sorted order.

    >>> matrix, names = multi_hot(["Comedy|Drama", "Drama", ""])
    >>> names
    ['Comedy', 'Drama']
    >>> matrix.toarray()
    array([[1., 1.],
           [0., 1.],
           [0., 0.]], dtype=float32)
    """
    parts = [[part for part in str(entry).split(separator) if part] for entry in labels]
    rows = np.repeat(np.arange(len(parts)), [len(row) for row in parts])
    flat = np.array([part for row in parts for part in row], dtype=str)
    names, columns = np.unique(flat, return_inverse=True)
    matrix = sparse.csr_matrix(
        (np.ones(len(flat), np.float32), (rows, columns)), shape=(len(parts), len(names))
    )
    matrix.data[:] = 1
    return matrix, names.tolist()
