r"""LambdaRank by gradient boosted trees: LightGBM, with an impression as the group to order.

Each tree moves the scores so that swapping a clicked article above one that was not clicked
pays, weighted by what the swap would change in NDCG (Burges 2010; LightGBM: Ke et al. 2017).
Kept as LightGBM's own text, never as a pickle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(eq=False)
class LambdaMARTRanker:
    """Scores by boosted trees that order each impression.

    Parameters
    ----------
    trees : int
    learning_rate : float
    leaves : int
        Of each tree, at most.
    rng : int

    Attributes after `fit`
    ----------------------
    booster : lightgbm.Booster
    steps : list of dict
        Each tree's number and NDCG@10 on the training impressions.
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
        """Scores of each row of features: (n,) float64; only their order has a meaning."""
        threads = None if len(X) > 10_000 else 1  # starting threads costs more than few rows
        return self.booster.predict(np.asarray(X), num_threads=threads)

    def importance(self) -> np.ndarray:
        """How much each feature's splits gained, all together 1."""
        gain = self.booster.feature_importance("gain")
        return gain / max(gain.sum(), 1e-12)

    def arrays(self) -> dict[str, np.ndarray]:
        """What `restore` needs: the trees as bytes of text."""
        text = self.booster.model_to_string().encode()
        return {"trees": np.frombuffer(text, np.uint8)}

    def restore(self, arrays: dict[str, np.ndarray]) -> LambdaMARTRanker:
        """Take over what `arrays` gave."""
        text = arrays["trees"].tobytes().decode()
        self.booster = _lightgbm().Booster(model_str=text)
        self.steps = []
        return self


QUIET = {"verbosity": -1, "deterministic": True, "force_row_wise": True}


def _lightgbm() -> Any:
    try:
        import lightgbm
    except ImportError as error:
        raise ValueError(
            "ranker 'lambdamart' needs the package lightgbm, which is not installed; "
            "'logistic' needs nothing"
        ) from error
    return lightgbm
