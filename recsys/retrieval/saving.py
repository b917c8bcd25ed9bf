"""Saving an index: what its `state` holds, in a bundle that is verified when it is read.

The folder is laid out as that of a model, see `recsys.bundle`: a manifest that names the class, an
archive of arrays, and the sha256 of each file. A file that was cut short or changed is refused
before anything is read from it, and nothing in the folder can run.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recsys import bundle
from recsys.retrieval.index import VectorIndex


def save_index(index: VectorIndex, folder: str | Path) -> None:
    """Write an index into a folder, which must be new, empty or an earlier bundle.

    Parameters
    ----------
    index : VectorIndex
        Fitted. Any class whose `state` holds arrays of numbers or text.
    folder : path
        Replaced as a whole: whoever reads it finds the old index or the new one.
    """
    arrays = index.state()
    for name, array in arrays.items():
        if np.asarray(array).dtype.hasobject:
            raise ValueError(f"index.state() must hold arrays without objects, got {name!r}")
    bundle.save(folder, type(index), {}, "", {n: np.asarray(a) for n, a in arrays.items()})


def load_index(folder: str | Path) -> VectorIndex:
    """Read the index that `save_index` wrote.

    Raises
    ------
    ValueError
        If the folder holds no index, is incomplete, any file differs from what was saved, or the
        class is neither in `recsys` nor imported.
    """
    with bundle.restoring(folder):
        manifest, arrays = bundle.read(folder)
        cls = bundle.find_class(manifest["module"], manifest["class"], "from_state", "index")
        return cls.from_state(arrays)
