r"""LambdaMART (Burges 2010): gradient boosted trees that order each impression, by LightGBM.

Each tree moves a clicked article above one that was not clicked, weighted by how much swapping
the two would change NDCG: LightGBM's objective `lambdarank` (Ke et al. 2017). Saved as
LightGBM's own text, without pickle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

MOST_ROWS = 10_000  # in one impression, LightGBM's limit


@dataclass(eq=False)
class LambdaMARTRanker:
    """Scores by gradient boosted trees.

    Parameters
    ----------
    trees : int
    learning_rate : float
    leaves : int
        Largest number of leaves of a tree.
    rng : int

    Attributes after `fit`
    ----------------------
    booster : lightgbm.Booster
    steps : list of dict
        Number of each tree and NDCG@10 on the training impressions after it.
    """

    trees: int = 100
    learning_rate: float = 0.05
    leaves: int = 15
    rng: int = 0

    def fit(self, X: np.ndarray, clicked: np.ndarray, start: np.ndarray) -> LambdaMARTRanker:
        """Learn from features (n, f), clicks (n,) bool and impressions start[r]:start[r + 1]."""
        lightgbm = _lightgbm()
        sizes = np.diff(start)
        if sizes.sum() != len(X) or len(clicked) != len(X):
            raise ValueError(
                f"start and clicked must cover X's {len(X)} rows, got {sizes.sum()} "
                f"and {len(clicked)}"
            )
        if (most := sizes.max(initial=0)) > MOST_ROWS:
            raise ValueError(
                f"ranker 'lambdamart' takes at most {MOST_ROWS:,} articles in an impression, got "
                f"{most:,}: use the ranker 'logistic'"
            )
        rows = lightgbm.Dataset(X, np.asarray(clicked, np.int32), group=sizes, params=QUIET)
        found: dict[str, dict[str, list[float]]] = {}
        self.booster = lightgbm.train(
            self._parameters(),
            rows,
            self.trees,
            valid_sets=[rows],
            valid_names=["train"],
            callbacks=[lightgbm.record_evaluation(found)],
        )
        self.steps = [
            {"step": step, "ndcg_at_10": value}
            for step, value in enumerate(found["train"]["ndcg@10"])
        ]
        return self

    def _parameters(self) -> dict[str, Any]:
        return QUIET | {
            "objective": "lambdarank",
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": 50,
            "lambda_l2": 1.0,
            "eval_at": [10],
            "seed": self.rng,
        }

    def scores(self, X: np.ndarray) -> np.ndarray:
        """Scores of rows of features: (n,) float64; only their order has a meaning."""
        threads = None if len(X) > 10_000 else 1  # for few rows, starting threads takes longer
        return self.booster.predict(np.asarray(X), num_threads=threads)

    def importance(self) -> np.ndarray:
        """Gain of each feature's splits as a fraction of the total: (n_features,)."""
        gain = self.booster.feature_importance("gain")
        return gain / max(gain.sum(), 1e-12)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The trees as bytes of LightGBM's text."""
        text = self.booster.model_to_string().encode()
        return {"trees": np.frombuffer(text, np.uint8)}

    @classmethod
    def from_arrays(cls, parameters: dict, arrays: dict[str, np.ndarray]) -> LambdaMARTRanker:
        """The ranker with these parameters that learned these trees."""
        ranker = cls(**parameters)
        text = arrays["trees"].tobytes().decode()
        ranker.booster, ranker.steps = _lightgbm().Booster(model_str=text), []
        return ranker


QUIET = {"verbosity": -1, "deterministic": True, "force_row_wise": True}


def _lightgbm() -> Any:
    try:
        import lightgbm
    except ImportError as error:
        raise ValueError(
            "ranker 'lambdamart' needs the package lightgbm: install it, or use the ranker "
            "'logistic'"
        ) from error
    return lightgbm
