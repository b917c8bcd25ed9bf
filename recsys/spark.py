r"""Alternating least squares on Spark, for logs that outgrow one machine.

`SparkALS` lets `pyspark.ml.recommendation.ALS` minimise, over a cluster,

.. math::
    \sum_{u,i} c_{ui} (p_{ui} - x_u^\top y_i)^2
    + \lambda \Big( \sum_u n_u \|x_u\|^2 + \sum_i n_i \|y_i\|^2 \Big)

with :math:`c_{ui} = 1 + \alpha r_{ui}` and :math:`p_{ui} = 1` for the observed pairs, as
`ImplicitALS` has them (Hu, Koren and Volinsky 2008). The penalty is another: :math:`\lambda` times
the number of the row's pairs, :math:`n_u` or :math:`n_i`, which Zhou et al. (2008) called weighted
-λ regularisation. `ImplicitALS` has :math:`\lambda' (m + \alpha \sum_i r_{ui})^\nu` for a user, m
the number of items. So both minimise the same

- where each user has a pairs and each item b: :math:`\lambda' = \lambda \sqrt{ab}`,
  :math:`\nu = 0`. The vectors then differ by one factor, which cancels in the scores: a scale
  :math:`s` of the users' vectors, and :math:`1/s` of the items', turns penalties λa and λb into
  :math:`\lambda a s^2` and :math:`\lambda b / s^2`, equal for :math:`s^4 = b/a`;
- in the limit of a large :math:`\alpha`, for values of 1: :math:`\lambda' = \lambda / \alpha`,
  :math:`\nu = 1`, as m is then small beside :math:`\alpha n_u`.

Spark cuts users and items into blocks. A sweep sends each block of vectors to the blocks that hold
interactions with them, where the rows' systems are solved exactly. What was learned needs no
Spark: lists, folding in, explanations and bundles are those of `ImplicitALS`, with this penalty.
Each sweep also makes Spark's plan longer, and after some dozens it no longer fits on the stack, so
that every tenth is written to a checkpoint folder. Left out: explicit ratings, negative values.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy import sparse

from recsys import validation
from recsys.interactions import Interactions
from recsys.models.als import ImplicitALS
from recsys.spark_session import spark_session

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["SparkALS"]

MAX_SWEEPS = 20  # without a checkpoint folder
WHOLE = ("tinyint", "smallint", "int", "bigint")  # Spark's types of whole numbers


@dataclass(eq=False)
class SparkALS(ImplicitALS):
    """Matrix factorization of implicit feedback on a Spark cluster.

    A fitted model is an `ImplicitALS` in all but its penalty, and `recsys.load` reads its bundle
    where neither Spark nor Java is installed.

    Parameters
    ----------
    factors : int
        Length of the vectors.
    alpha : float
        How much one interaction adds to the confidence.
    reg : float above 0
        The penalty per interaction: a row with n pairs has reg * n.
    iterations : int
        Sweeps over users and items; Spark has no momentum, so it takes more than `ImplicitALS`.
    rng : int or numpy.random.Generator
        The same bits on the same number of blocks and cores, as far as Spark adds in one order.
    master : str or None
        Where Spark runs: "local[*]" is this machine's cores, "spark://host:7077" a cluster. None
        solves the same objective without Spark, by the loops of `ImplicitALS`.
    blocks : int
        Parts that users, and items, are cut into: at least the number of cores.
    memory : str
        Memory of the driver's Java process, such as "2g"; with a local master it does all work.
    n_threads : int, optional
        Threads of what runs without Spark.

    Attributes after `fit`
    ----------------------
    user_factors : array (n_users, factors) float32
    item_factors : array (n_items, factors) float32
        Zero where there is no interaction.
    """

    factors: int = 64
    alpha: float = 1.0
    reg: float = 0.1
    iterations: int = 15
    rng: int | np.random.Generator = 0
    master: str | None = "local[*]"
    blocks: int = 10
    memory: str = "2g"
    n_threads: int | None = None

    reg_exponent: ClassVar[float] = 0.0  # the penalty is another
    cg_steps: ClassVar[int] = 4
    momentum: ClassVar[float] = 0.6

    def _check_parameters(self) -> None:
        super()._check_parameters()
        validation.real_number("reg", self.reg, open_low=True)
        validation.whole_number("blocks", self.blocks)
        for name, value in (("master", self.master or "local"), ("memory", self.memory)):
            if not isinstance(value, str):
                raise ValueError(f"{name} must be text, got {value!r}")

    def _penalties(self, matrix: sparse.csr_matrix) -> np.ndarray:
        return (self.reg * np.diff(matrix.indptr)).astype(np.float32)

    def _side(self, matrix: sparse.csr_matrix) -> Any:
        check_positive(matrix.data.min(initial=np.inf))
        return super()._side(matrix)

    def _fit(self, train: Interactions, progress: bool) -> None:
        if self.master is None:
            super()._fit(train, progress)
            return
        import pyarrow as pa

        self._side(self.history)  # refuses what cannot be learned from
        pairs = self.history.tocoo()
        columns = {"user": pairs.row, "item": pairs.col, "value": pairs.data}
        with spark_session(self.master, self.memory) as session:
            model = self._spark_model(session.createDataFrame(pa.table(columns)))
            sides = (model.userFactors, self.n_users), (model.itemFactors, self.n_items)
            self.user_factors, self.item_factors = (
                self._with_empty_rows(*factors_of(frame), n_rows) for frame, n_rows in sides
            )

    def fit_path(
        self, path: str | Path, user: str = "user", item: str = "item", value: str | None = None
    ) -> SparkALS:
        """Learn the items' vectors from files that this machine cannot hold.

        The users' vectors stay in the cluster. The model returned has no users: `fold_in` gives
        those of any histories, and they are what the fit ended with. Its `item_labels` are the
        items' ids in the files.

        Parameters
        ----------
        path : str or path
            A Parquet file or folder, or CSV with a header if it ends in ".csv", in any place that
            Spark reads.
        user, item : str
            Columns of whole numbers below 2^31.
        value : str, optional
            Column of numbers above 0, summed over rows of one pair; without it each row counts 1.

        Returns
        -------
        self
        """
        self._check_parameters()
        if self.master is None:
            raise ValueError("master must be a Spark master to read files, got None")
        with spark_session(self.master, self.memory) as session:
            pairs = read_pairs(session, path, user, item, value)
            return self._learn_apart(SparkALS._learn_pairs, *pairs)

    def _learn_pairs(self, pairs: DataFrame, fingerprint: str) -> None:
        ids, self.item_factors = factors_of(self._spark_model(pairs).itemFactors)
        self._set_history(sparse.csr_matrix((0, len(ids)), dtype=np.float32), fingerprint)
        self.user_factors = np.zeros((0, self.factors), np.float32)
        self.user_labels, self.item_labels, self.is_folded = None, ids.tolist(), True
        self.row_digest = np.zeros(5, np.uint64)
        self.__dict__["cold_items"] = np.empty(0, np.int64)  # each has a pair

    def _spark_model(self, pairs: DataFrame) -> Any:
        """Spark's fitted model for a frame of different pairs: user, item, value."""
        from pyspark.ml.recommendation import ALS

        folder = pairs.sparkSession.sparkContext.getCheckpointDir()
        if folder is None and self.iterations > MAX_SWEEPS:
            raise ValueError(
                f"iterations must be at most {MAX_SWEEPS} in a session without checkpoints, got "
                f"{self.iterations}: call session.sparkContext.setCheckpointDir(folder)"
            )
        seed = int(validation.random_generator(self.rng).integers(2**31))
        als = ALS(
            rank=self.factors, maxIter=self.iterations, regParam=self.reg, alpha=self.alpha,
            implicitPrefs=True, numUserBlocks=self.blocks, numItemBlocks=self.blocks, seed=seed,
            userCol="user", itemCol="item", ratingCol="value",
        )  # fmt: skip
        return als.fit(pairs)

    def _with_empty_rows(self, ids: np.ndarray, vectors: np.ndarray, n_rows: int) -> np.ndarray:
        """Vectors (n_rows, f) float32, zero where Spark has none."""
        full = np.zeros((n_rows, self.factors), np.float32)
        full[ids] = vectors
        return full


def check_positive(lowest: float) -> None:
    """Refuse values of 0 and below, which Spark takes as pairs not preferred."""
    if lowest <= 0:
        raise ValueError(f"value must be above 0 for SparkALS, got {lowest:g}")


def factors_of(frame: DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Ids (n,), ascending, and vectors (n, f) float32 of a frame of Spark's factors."""
    table = frame.toArrow()
    ids = table["id"].to_numpy()
    vectors = table["features"].combine_chunks().flatten().to_numpy().reshape(len(ids), -1)
    order = np.argsort(ids)
    return ids[order], vectors[order]


def read_pairs(
    session: SparkSession, path: str | Path, user: str, item: str, value: str | None
) -> tuple[DataFrame, str]:
    """The different pairs of the files, with summed values, and their fingerprint."""
    from pyspark.sql import functions as F

    is_csv = str(path).endswith(".csv")
    options = {"header": True, "inferSchema": True} if is_csv else {}
    frame = session.read.format("csv" if is_csv else "parquet").load(str(path), **options)
    check_columns(dict(frame.dtypes), {"user": user, "item": item, "value": value})
    columns = {"user": F.col(user), "item": F.col(item)}
    columns["value"] = F.col(value).cast("double") if value else F.lit(1.0)
    rows = frame.select(*(column.alias(name) for name, column in columns.items()))
    gap = F.col("user").isNull() | F.col("item").isNull() | F.col("value").isNull()
    found = rows.select(
        F.count("*").alias("rows"), F.count_if(gap).alias("gaps"), F.min("value").alias("lowest"),
        F.max(F.abs("user")).alias("user"), F.max(F.abs("item")).alias("item"),
        F.sum(F.xxhash64(*columns).cast("decimal(38,0)")).alias("hash"),
    ).first()  # fmt: skip
    if not found["rows"] or found["gaps"]:
        raise ValueError(
            f"path must hold rows without gaps, got {found['rows']} rows, {found['gaps']} with gaps"
        )
    for name in ("user", "item"):
        if found[name] > validation.MAX_ID:
            raise ValueError(f"{name} must be at most {validation.MAX_ID}, got {found[name]}")
    check_positive(found["lowest"])
    pairs = rows.groupBy("user", "item").agg(F.sum("value").cast("float").alias("value"))
    return pairs, hashlib.sha256(str(found.asDict()).encode()).hexdigest()


def check_columns(types: dict[str, str], names: dict[str, str | None]) -> None:
    """ValueError unless the named columns are there, users and items as whole numbers."""
    for argument, name in names.items():
        if name is not None and name not in types:
            raise ValueError(f"{argument} must be one of {list(types)}, got {name!r}")
        if argument != "value" and types[name] not in WHOLE:
            raise ValueError(f"{argument} must hold whole numbers, got {types[name]} in {name!r}")
