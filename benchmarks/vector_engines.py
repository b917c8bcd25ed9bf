"""The engines of the retrieval benchmark: ours, faiss's and hnswlib's, behind one function.

faiss's inverted files get lists by distance, probed by inner product, as ours do. With the lists
that it makes itself for the inner product, which ignore the lengths of vectors, it finds less
(`faiss IVF-PQ, own lists` shows how much). Both sides compress to 16 bytes, with 8 bits per piece.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

from recsys.retrieval import ExactIndex, HNSWIndex, IVFIndex, IVFPQIndex

D, K, CODE_BYTES, RESCORE = 64, 10, 16, 8
M, EF_CONSTRUCTION = 16, 200
ONCE = (0,)  # the setting of an engine that has none
PROBES = (1, 3, 8, 20, 50, 128)
BEAMS = (10, 20, 40, 80, 160, 320)
Search = Callable[[np.ndarray, int], np.ndarray]  # queries, setting -> items (m, K)


@dataclass
class Engine:
    """An engine with its vectors: `search` is timed, `n_bytes` is what it holds."""

    search: Search
    settings: tuple[int, ...]
    n_bytes: int
    index: Any = None


def exact(vectors: np.ndarray, lists: int) -> Engine:
    index = ExactIndex().fit(vectors)
    return Engine(lambda queries, _: index.search(queries, K)[0], ONCE, held(index))


def ivf(vectors: np.ndarray, lists: int) -> Engine:
    return probing(IVFIndex(lists).fit(vectors))


def ivfpq(vectors: np.ndarray, lists: int) -> Engine:
    return probing(IVFPQIndex(lists, code_bytes=CODE_BYTES, rescore=0).fit(vectors))


def ivfpq_rescored(vectors: np.ndarray, compressed: Engine) -> Engine:
    """The same lists and codes, and the vectors."""
    index = IVFPQIndex.from_state(compressed.index.state() | {"exact": vectors})
    index.rescore = RESCORE
    return probing(index)


def probing(index: IVFIndex) -> Engine:
    def search(queries: np.ndarray, n_probe: int) -> np.ndarray:
        index.n_probe = n_probe
        return index.search(queries, K)[0]

    return Engine(search, PROBES, held(index), index)


def hnsw(vectors: np.ndarray, lists: int) -> Engine:
    index = HNSWIndex(m=M, ef_construction=EF_CONSTRUCTION).fit(vectors)

    def search(queries: np.ndarray, ef: int) -> np.ndarray:
        index.ef = ef
        return index.search(queries, K)[0]

    return Engine(search, BEAMS, held(index))


def faiss_flat(vectors: np.ndarray, lists: int) -> Engine:
    import faiss

    index = faiss.IndexFlatIP(D)
    index.add(vectors)
    return Engine(lambda queries, _: index.search(queries, K)[1], ONCE, faiss_bytes(index))


def faiss_ivf(vectors: np.ndarray, lists: int, compress: bool = False) -> Engine:
    """An inverted file with lists by distance, which are probed by inner product."""
    import faiss

    means = faiss.Kmeans(D, lists, niter=10, seed=0)
    means.train(vectors)
    nearest = means.index.search(vectors, 1)[1].ravel()
    coarse = faiss.IndexFlatIP(D)
    coarse.add(means.centroids)
    if compress:
        index = faiss.IndexIVFPQ(coarse, D, lists, CODE_BYTES, 8, faiss.METRIC_INNER_PRODUCT)
        sample = np.random.default_rng(0).permutation(len(vectors))[:65_536]
        index.pq.cp.niter = 10  # as ours
        index.pq.train(vectors[sample] - means.centroids[nearest[sample]])
    else:
        index = faiss.IndexIVFFlat(coarse, D, lists, faiss.METRIC_INNER_PRODUCT)
    index.is_trained = True
    ids, pointer = np.arange(len(vectors)), faiss.swig_ptr
    index.add_core(len(vectors), pointer(vectors), pointer(ids), pointer(nearest))
    index.ntotal = len(vectors)
    return faiss_probing(index, coarse)


def faiss_ivfpq(vectors: np.ndarray, lists: int) -> Engine:
    return faiss_ivf(vectors, lists, compress=True)


def faiss_refined(vectors: np.ndarray, compressed: Engine) -> Engine:
    """As `IVFPQIndex` with `rescore`: some more candidates, and their exact products."""
    import faiss

    index = compressed.index
    exact = faiss.IndexFlatIP(D)
    exact.add(vectors)
    refined = faiss.IndexRefine(index, exact)
    refined.k_factor = RESCORE

    def search(queries: np.ndarray, n_probe: int) -> np.ndarray:
        index.nprobe = n_probe
        return refined.search(queries, K)[1]

    return Engine(search, PROBES, faiss_bytes(index) + vectors.nbytes)


def faiss_own_lists(vectors: np.ndarray, lists: int) -> Engine:
    """The index that faiss makes of one line."""
    import faiss

    index = faiss.index_factory(D, f"IVF{lists},PQ{CODE_BYTES}", faiss.METRIC_INNER_PRODUCT)
    index.train(vectors)
    index.add(vectors)
    return faiss_probing(index)


def faiss_probing(index: Any, *kept: Any) -> Engine:
    """`kept` must live as long as the index, which only points to it."""

    def search(queries: np.ndarray, n_probe: int) -> np.ndarray:
        index.nprobe = n_probe
        return index.search(queries, K)[1]

    search.kept = kept
    return Engine(search, PROBES, faiss_bytes(index), index)


def faiss_hnsw(vectors: np.ndarray, lists: int) -> Engine:
    import faiss

    index = faiss.IndexHNSWFlat(D, M, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = EF_CONSTRUCTION
    index.add(vectors)

    def search(queries: np.ndarray, ef: int) -> np.ndarray:
        index.hnsw.efSearch = ef
        return index.search(queries, K)[1]

    return Engine(search, BEAMS, faiss_bytes(index))


def hnswlib_hnsw(vectors: np.ndarray, lists: int) -> Engine:
    import hnswlib

    index = hnswlib.Index("ip", D)
    index.init_index(len(vectors), ef_construction=EF_CONSTRUCTION, M=M, random_seed=0)
    index.add_items(vectors, num_threads=numba.get_num_threads())

    def search(queries: np.ndarray, ef: int) -> np.ndarray:
        index.set_ef(ef)
        return index.knn_query(queries, K, num_threads=numba.get_num_threads())[0]

    return Engine(search, BEAMS, index.index_file_size())


ENGINES: dict[str, Callable[[np.ndarray, int], Engine]] = {
    "exact": exact,
    "faiss flat": faiss_flat,
    "IVF": ivf,
    "faiss IVF": faiss_ivf,
    "IVF-PQ": ivfpq,
    "faiss IVF-PQ": faiss_ivfpq,
    "faiss IVF-PQ, own lists": faiss_own_lists,
    "HNSW": hnsw,
    "hnswlib": hnswlib_hnsw,
    "faiss HNSW": faiss_hnsw,
}
RESCORED = {  # made of another engine
    "IVF-PQ, re-scored": ("IVF-PQ", ivfpq_rescored),
    "faiss IVF-PQ, refined": ("faiss IVF-PQ", faiss_refined),
}


def held(index: Any) -> int:
    """Bytes of the arrays that one of our indexes holds."""
    if isinstance(index, np.ndarray):
        return index.nbytes
    if isinstance(index, (tuple, list)):
        return sum(map(held, index))
    return sum(map(held, vars(index).values())) if hasattr(index, "__dict__") else 0


def faiss_bytes(index: Any) -> int:
    """Bytes of an index of faiss, written down."""
    import faiss

    return faiss.serialize_index(index).nbytes
