"""The model as MLflow serves it: a script that reads a bundle, nothing pickled.

MLflow keeps this file beside the bundle and runs it where the model is loaded ("models from
code"). Input: one row per request, `user` and optionally `time` in seconds UTC. Output: article
ids, best first. The package newsreco must be installed where it runs.
"""

from __future__ import annotations

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from newsreco.models.bundle import load_model
from newsreco.models.pipeline import RecommendationPipeline


class NewsPythonModel(PythonModel):
    """Recommendations from a bundle."""

    def load_context(self, context) -> None:
        """Read the bundle; ValueError if any byte of it was changed."""
        self.model = load_model(context.artifacts["bundle"])
        self.pipeline = RecommendationPipeline(self.model)
        self.users = {label: user for user, label in enumerate(self.model.user_ids)}

    def predict(self, context, model_input: pd.DataFrame, params: dict | None = None):
        """One list of article ids per row: DataFrame with the column `items`."""
        k = int((params or {}).get("k", 10))
        times = model_input["time"] if "time" in model_input else [None] * len(model_input)
        rows = zip(model_input["user"], times)
        return pd.DataFrame({"items": [self._items(user, time, k) for user, time in rows]})

    def _items(self, user: str, time: float | None, k: int) -> list[str]:
        time = None if pd.isna(time) else time
        recommended = self.pipeline.recommend(self.users.get(user, -1), time, k)
        return [self.model.articles.ids[item] for item in recommended.items]


set_model(NewsPythonModel())
