r"""IVF-PQ: an inverted file whose lists hold compressed vectors (Jégou, Douze, Schmid 2011).

A list holds, in place of each vector, the product-quantized difference from its centroid c, the
*residual*. Residuals are smaller than vectors, so the codewords lie closer to them. For the inner
product this needs no transformation and one table per query:

.. math:: q^\top v \approx q^\top c + \sum_j T_{j, b_j}, \qquad T_{j, w} = q_j^\top c_{j, w}

The first term comes with the choice of the lists, and the table depends on the query alone. (For
distances a table per list is needed, since they do not separate this way.)

Codes rank well, but not exactly. So some more candidates than k are scored exactly at the end, for
which the vectors are kept, outside the lists; without this, they are not.
"""

from __future__ import annotations

import numpy as np

from recsys import validation
from recsys.compiled import compiled, prange
from recsys.retrieval.exact import sort_best
from recsys.retrieval.index import BLOCK
from recsys.retrieval.ivf import IVFIndex, for_each_query, nothing, offer, offer_block, sampled
from recsys.retrieval.kmeans import assign
from recsys.retrieval.product_quantization import (
    CODEWORDS,
    ProductQuantizer,
    add_entries,
    fill_table,
)
from recsys.threads import on_snapshot

CODES_TRAINED_ON = 65_536  # residuals that the quantizer sees, at most


class IVFPQIndex(IVFIndex):
    """Search among compressed vectors in the lists nearest to the query; see `VectorIndex`.

    It takes `code_bytes` + 4 bytes per vector, and up to 63 empty positions per list. With
    `rescore`, the vectors are kept as well: 4 d bytes more, of which a search reads few.

    Parameters
    ----------
    n_lists, n_probe, iterations, rng
        See `IVFIndex`; `rng` and `iterations` are also those of the codebooks.
    code_bytes : int
        Pieces into which a vector is cut, of one byte each.
    rescore : int
        Candidates, per item asked for, that are scored exactly; may be changed at any time, but
        not from 0. With 0 the scores are those of the compressed vectors.

    Attributes
    ----------
    centroids : array (n_lists, d) float32
    quantizer : ProductQuantizer
        Of the residuals.

    Examples
    --------
    >>> from recsys.text import unit_rows
    >>> vectors = unit_rows(np.random.default_rng(0).normal(size=(1000, 8)))
    >>> index = IVFPQIndex(n_probe=20, code_bytes=4).fit(vectors)
    >>> index.search(vectors[:3], k=1)[0].ravel()  # the vectors themselves
    array([0, 1, 2], dtype=int32)
    """

    _payload = "codes"
    _settings = ("n_lists", "n_probe", "code_bytes", "rescore", "iterations")

    def __init__(
        self,
        n_lists: int | None = None,
        n_probe: int = 8,
        code_bytes: int = 16,
        rescore: int = 8,
        iterations: int = 10,
        rng: int | np.random.Generator = 0,
    ):
        super().__init__(n_lists, n_probe, iterations, rng)
        self.code_bytes = validation.whole_number("code_bytes", code_bytes)
        self.rescore = validation.whole_number("rescore", rescore, low=0)

    @on_snapshot
    def state(self) -> dict[str, np.ndarray]:
        """The state of `IVFIndex` with `codes`, the `codebooks`, and `exact`: vectors, if kept."""
        arrays = super().state()
        return arrays | {"codebooks": self.quantizer.codebooks, "exact": self._exact}

    def _restore(self, arrays: dict[str, np.ndarray]) -> None:
        super()._restore(arrays)
        self.quantizer = ProductQuantizer(self.code_bytes)
        self.quantizer.codebooks = arrays["codebooks"]
        self.quantizer.dimensions = self.centroids.shape[1]
        self._exact = arrays["exact"]

    def _learn(self, vectors: np.ndarray, rng: np.random.Generator) -> None:
        super()._learn(vectors, rng)
        sample = sampled(vectors, CODES_TRAINED_ON, rng)
        residuals = sample - self.centroids[assign(sample, self.centroids)[0]]
        self.quantizer = ProductQuantizer(self.code_bytes, self.iterations).fit(residuals, rng)
        self._exact = vectors[:0]

    def _append(self, vectors: np.ndarray) -> None:
        super()._append(vectors)
        if self.rescore:
            self._exact = np.vstack([self._exact, vectors])
            self._exact[~self._alive] = 0

    def _encode(self, vectors: np.ndarray, lists: np.ndarray) -> np.ndarray:
        """The codes (n, M) uint8 of the residuals."""
        return self.quantizer.encode(vectors - self.centroids[lists])

    def _best(
        self, queries: np.ndarray, lists: np.ndarray, means: np.ndarray, allowed: np.ndarray, k: int
    ) -> tuple[np.ndarray, np.ndarray]:
        exactly = self.rescore and len(self._exact)
        n_candidates = min(self.rescore * k, max(k, len(allowed))) if exactly else k
        items, scores = nothing(len(queries), n_candidates)
        shared = self._blocks, self._ids, self._starts, allowed, self.quantizer.codebooks
        for_each_query(scan_codes, scan_all_codes, shared, queries, lists, means, items, scores)
        if not exactly:
            return items, scores
        candidates, (items, scores) = items, nothing(len(queries), k)
        shared = (self._exact,)
        for_each_query(score_exactly, score_all_exactly, shared, queries, candidates, items, scores)
        return items, scores


@compiled
def scan_codes(blocks, ids, starts, allowed, codebooks, query, lists, means, items, best):
    """Merge the items of the lists into `items` and `best`, by the scores of their codes."""
    products = np.empty(BLOCK, np.float32)
    table = np.empty((len(codebooks), CODEWORDS), np.float32)
    fill_table(codebooks, query, table)
    for p in range(len(lists)):
        if lists[p] < 0:
            break
        for b in range(starts[lists[p]], starts[lists[p] + 1]):
            products[:] = means[p]
            add_entries(table, blocks[b], products)
            offer_block(products, ids[b], allowed, items, best)
    sort_best(items, best)


@compiled(parallel=True)
def scan_all_codes(blocks, ids, starts, allowed, codebooks, queries, lists, means, items, best):
    """`scan_codes` for each query, on all threads."""
    for r in prange(len(queries)):
        scan_codes(blocks, ids, starts, allowed, codebooks, queries[r], lists[r], means[r],
                   items[r], best[r])  # fmt: skip


@compiled
def score_exactly(vectors, query, candidates, items, best):
    """Merge the candidates into `items` and `best`, by products summed as in `ExactIndex`."""
    for item in candidates[candidates >= 0]:
        score = np.float32(0)
        for c in range(len(query)):
            score += query[c] * vectors[item, c]
        offer(items, best, item, score)
    sort_best(items, best)


@compiled(parallel=True)
def score_all_exactly(vectors, queries, candidates, items, best):
    """`score_exactly` for each query, on all threads."""
    for r in prange(len(queries)):
        score_exactly(vectors, queries[r], candidates[r], items[r], best[r])
